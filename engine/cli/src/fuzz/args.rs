//! What `fuzz` is asked: which seeds, and what is drawn for them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dacapo_lab::FaultChoice;
use dacapo_lab::fuzz::{Seeds, Shard};

use crate::values::wall_time;

/// Which seeds to run, and what is drawn for them.
#[derive(Args, Debug)]
pub(crate) struct FuzzArgs {
    /// The scenario file (TOML)
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: PathBuf,
    /// Seeds from A up to, and not including, B; or how many from 0 on. 1,000, or as many as fit into the budget, unless given
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<Seeds>,
    /// Only the I-th of N shares of the seeds; each seed is in exactly one
    #[arg(long, value_name = "I/N", default_value_t = Shard::ALL, hide_default_value = true)]
    pub(crate) shard: Shard,
    /// How many threads run seeds; as many as there are cores, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(crate) jobs: Option<u16>,
    /// End after so much time, such as 60s
    #[arg(long, value_name = "TIME", value_parser = wall_time)]
    pub(crate) budget: Option<Duration>,
    /// End with the N-th seed that fails
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_failures: Option<u64>,
    /// Kinds of fault to draw from, separated by commas, or all, or none; `x.` stands for all that begin so
    #[arg(long, value_name = "NAMES", default_value = "all")]
    pub(crate) faults: FaultChoice,
    /// Who chooses among tasks that could run
    #[arg(long, value_name = "NAME", default_value = "drawn", value_parser = ["drawn", "fifo", "random", "pct"])]
    pub(crate) scheduler: String,
    /// The named set of defects to start from
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Defects to switch on, separated by commas; see the command `defects`
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) defects: Vec<String>,
    /// Change one value of the scenario: `--set run.duration=5m`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// How many runs in a thousand are made twice, replayed and compared
    #[arg(long, value_name = "PER_MILLE", default_value_t = 10, value_parser = clap::value_parser!(u64).range(..=1_000))]
    pub(crate) check_determinism: u64,
    /// How many runs in a thousand are said to fail, to see that failures are reported
    #[arg(long, value_name = "PER_MILLE", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000))]
    pub(crate) canary: u64,
    /// Fail if 1,000 runs or more never reach something that is to be reached sometimes
    #[arg(long)]
    pub(crate) require_reached: bool,
    /// The folder for the logs of runs that fail
    #[arg(long, value_name = "DIR", default_value = "failures")]
    pub(crate) out: PathBuf,
    /// Leave failures as they are, instead of shrinking one of each group
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// Instead of drawing, crash each host that may crash at each event of the run, one run for each; --seeds and --shard then choose among these
    #[arg(long, conflicts_with_all = ["faults", "scheduler", "matrix"])]
    pub(crate) crash_everywhere: bool,
    /// Crash it again in its recovery, up to N times in all
    #[arg(long, value_name = "N", requires = "crash_everywhere", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3))]
    pub(crate) depth: u32,
    /// Switch on each defect in turn and say how soon it is found, and that nothing is found without
    #[arg(long, conflicts_with_all = ["profile", "defects", "max_failures", "canary", "require_reached"])]
    pub(crate) matrix: bool,
    /// Write the table into this file, between its two markers
    #[arg(long, value_name = "PATH", requires = "matrix")]
    pub(crate) markdown: Option<PathBuf>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 5] = [
    ("fuzz scenarios/day.toml", "1,000 seeds on all cores"),
    (
        "fuzz day.toml --budget 60s --defects NAME",
        "a minute, with a defect switched on",
    ),
    (
        "fuzz day.toml --seeds 1000..2000 --faults none",
        "other seeds, schedules only",
    ),
    ("fuzz day.toml --shard 2/4", "the second of four machines"),
    (
        "fuzz day.toml --matrix",
        "which defects are found, and how soon",
    ),
];

/// What the help says after them.
pub(crate) const AFTER: &str = "\nWhat a seed does depends on nothing else, whatever the number of threads. What the scenario lists under \
          [vary] is drawn as well.\n\
          An interrupt (Ctrl-C) lets the runs that have begun end, and says how to go on; a second one ends at once.\n\
          Exit: 0 nothing found, 1 a property was violated, 2 the scenario is wrong, 3 a run made again was another one,\n\
          4 nothing ran, 7 a run used up one of its budgets.";
