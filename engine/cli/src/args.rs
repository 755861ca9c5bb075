//! The command line: commands, options, and help that teaches by example.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command, CommandFactory, Parser, Subcommand, ValueEnum};
use dacapo_kernel::{SchedulerKind, Time};
use dacapo_lab::fuzz::{Seeds, Shard};
use dacapo_lab::{FaultChoice, Moment};

use crate::figures::{self, FiguresArgs};
use crate::init::{self, InitArgs};
use crate::report::{self, ReportArgs};
use crate::salvage::{self, SalvageArgs};
use crate::sweep::{self, SweepArgs};

/// What the program was asked to do.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "Simulates a system exactly, writes everything that happens to a log, and plays it again",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Action,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    /// When to use colour; NO_COLOR in the environment means never, unless this says always
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
    /// How results are printed: for people, as versioned JSON lines, or with GitHub annotations
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub(crate) message_format: Format,
    /// Never draw a progress bar
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
    /// Print the result in one line, and no notes
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Diagnostics on standard error, with virtual time; twice for more, three times for every event
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// When something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal
    Auto,
    Always,
    Never,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
    Github,
}

/// The commands there are.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Write a scenario for data files of your own
    Init(InitArgs),
    /// Simulate a scenario, write its log, say what happened
    Run(RunArgs),
    /// Run a log again and compare every event with the recorded one
    Replay(ReplayArgs),
    /// Whether a log is whole and its properties hold, without running any code
    Check(CheckArgs),
    /// The events of a log, or the whole state at a moment of it
    Show(ShowArgs),
    /// Run many seeds of a scenario with faults that are drawn, and say what fails
    Fuzz(FuzzArgs),
    /// The smallest set of inputs with which the run of a log still fails in the same way
    Shrink(ShrinkArgs),
    /// Why an event of a log came about, back to the inputs, and what follows from it
    Explain(ExplainArgs),
    /// One page about a log, to read in a browser: what failed and why, curves, lists, events
    Report(ReportArgs),
    /// What a run comes to: its figures, with their units and what they mean, from its log
    Figures(FiguresArgs),
    /// Run every combination of several values of a scenario, and compare their figures
    Sweep(SweepArgs),
    /// Copy what is sound out of a damaged log, and say what is lost
    Salvage(SalvageArgs),
    /// The properties that must hold, and what is to be reached sometimes
    Invariants(InvariantsArgs),
    /// The kinds of fault that a run can suffer
    Faults,
    /// The defects that can be switched on, and what notices them
    Defects,
    /// A script that completes commands and options in a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// What to simulate, and where the log goes.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The scenario file (TOML)
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: PathBuf,
    /// Seed of everything that is generated, decimal or 0x…, instead of the scenario's
    #[arg(long, value_parser = seed)]
    pub(crate) seed: Option<u64>,
    /// Change one value of the scenario: `--set run.duration=5m`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// The named set of defects to start from
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Defects to switch on, separated by commas; see the command `defects`
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) defects: Vec<String>,
    /// Where the log goes, instead of runs/NAME-SEED.dlog
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the file that --out names, if there is one
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// End the run after so many events
    #[arg(long, value_name = "N")]
    pub(crate) max_events: Option<u64>,
    /// Who chooses among tasks that could run
    #[arg(long, value_name = "NAME", value_parser = SchedulerKind::NAMES.map(|(name, _)| name))]
    pub(crate) scheduler: Option<String>,
    /// When the log is made durable. The fingerprint depends on it
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Sync::Never)]
    pub(crate) sync: Sync,
    /// Say, while the run goes on, up to which event its log is durable
    #[arg(long)]
    pub(crate) acknowledge: bool,
}

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

/// For which scenario the properties are.
#[derive(Args, Debug)]
pub(crate) struct InvariantsArgs {
    /// A scenario, whose configuration may decide which properties there are
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: Option<PathBuf>,
}

/// When a log is made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sync {
    /// At the end of the run; before that, a loss of power may take all of it
    Never,
    /// Every 1,000 events, or when 64 KiB are full; a loss of power takes no more than that
    Interval,
    /// After every event; a loss of power takes none that was acknowledged
    Every,
}

/// Which logs to run again.
#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The logs
    #[arg(value_name = "LOG", required = true)]
    pub(crate) logs: Vec<PathBuf>,
}

/// Which logs to check.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The logs
    #[arg(value_name = "LOG", required = true)]
    pub(crate) logs: Vec<PathBuf>,
}

/// What to show of a log.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The log
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// Print the whole state after this event, or at this time
    #[arg(long, value_name = "SEQ|TIME", conflicts_with_all = ["actor", "task", "tag", "kind", "from", "to", "limit"])]
    pub(crate) at: Option<Moment>,
    /// Only events of this actor; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Vec<String>,
    /// Only the kernel's events about this task, by name or number (t3); may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Vec<String>,
    /// Only events of this kind, by name or number; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) kind: Vec<String>,
    /// Only events with this tag; may be repeated, then all must be there
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub(crate) tag: Vec<(String, String)>,
    /// Only from this event or time on
    #[arg(long, value_name = "SEQ|TIME")]
    pub(crate) from: Option<Moment>,
    /// Only up to this event or time, which is included
    #[arg(long, value_name = "SEQ|TIME")]
    pub(crate) to: Option<Moment>,
    /// At most so many events
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
}

/// What to shrink, and how far.
#[derive(Args, Debug)]
pub(crate) struct ShrinkArgs {
    /// The log of a run that failed
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// The property to go by, instead of the first that is violated
    #[arg(long, value_name = "ID")]
    pub(crate) property: Option<String>,
    /// Where the shrunk log goes, instead of LOG-shrunk.dlog; its scenario goes beside it
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the files that --out names, if there are any
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// The folder of the scenario that the log was made from, if it names data files
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Make at most so many runs
    #[arg(long, value_name = "N", default_value_t = 4_000)]
    pub(crate) max_runs: u64,
    /// Stop after so long, with what has been reached by then: 60s, 5m
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(crate) budget: Option<Duration>,
}

/// Which event to explain.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The log
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// The event, instead of the first at which a property is violated
    #[arg(value_name = "SEQ")]
    pub(crate) seq: Option<u64>,
    /// Tell at most so many causes
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(crate) depth: usize,
}

/// A span of time with its unit.
fn span(text: &str) -> Result<Duration, String> {
    match text.parse::<Moment>() {
        Ok(Moment::Time(time)) => Ok(time.since(Time::ZERO)),
        _ => Err("expected a time with its unit, such as 60s or 5m".to_owned()),
    }
}

fn seed(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    parsed.map_err(|error| format!("expected a number such as 42 or 0x5eed42: {error}"))
}

fn wall_time(text: &str) -> Result<Duration, String> {
    match text.parse::<Moment>() {
        Ok(Moment::Time(time)) => Ok(Duration::from_nanos(time.as_nanos())),
        Ok(Moment::Event(seconds)) => Ok(Duration::from_secs(seconds.0)),
        Err(_) => Err("expected a time such as 60s, 10m or 1h".to_owned()),
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as topic=mail".to_owned()),
    }
}

/// The command line of a program of this name, with its examples.
pub(crate) fn command(program: &str, width: Option<u16>) -> Command {
    let examples = |lines: &[(&str, &str)]| {
        let longest = lines
            .iter()
            .map(|(command, _)| command.chars().count())
            .max();
        let longest = longest.unwrap_or(0);
        let mut text = String::from("Examples:\n");
        for (command, meaning) in lines {
            text.push_str(&format!("  {program} {command:longest$}  {meaning}\n"));
        }
        text
    };
    let run = examples(&[
        (
            "run scenarios/day.toml",
            "simulate and write runs/day-SEED.dlog",
        ),
        (
            "run day.toml --seed 7 --set run.duration=5m",
            "another seed, one value changed",
        ),
        ("run day.toml --defects NAME", "with a defect switched on"),
    ]) + "\nThe same program, scenario and seed write the same log, byte for byte.\n\
          Exit: 0 fine, 1 a property was violated, 2 the scenario is wrong, 4 nothing ran, 7 a budget was used up.";
    let replay = examples(&[
        (
            "replay runs/day-7.dlog",
            "run it again, compare every event",
        ),
        ("replay runs/*.dlog --quiet", "one line for each log"),
    ]) + "\nInputs (choices, draws, feeds, answers) come from the log, nothing outside is asked.\n\
          A log of a failed run replays to the same failure, and that is exit 0.\n\
          Exit: 0 the same, 3 different, 6 a log is damaged or was cut off.";
    let check = examples(&[
        ("check runs/day-7.dlog", "every checksum, every property"),
        ("check *.dlog --message-format json", "for another tool"),
    ]) + "\nExit: 0 whole and nothing violated, 1 a property is violated, 6 damaged or cut off.";
    let show = examples(&[
        ("show day.dlog --limit 20", "the first events"),
        (
            "show day.dlog --actor worker-1 --from 1.5s --to 2s",
            "one actor, half a second",
        ),
        ("show day.dlog --kind lock-blocked", "who had to wait"),
        (
            "show day.dlog --at 00:10:00",
            "the whole state after ten minutes",
        ),
        ("show day.dlog --message-format json", "JSON lines"),
    ]) + "\nTimes are virtual: 250ms, 1.5s, 10m, 2h, 00:01:02.5. A plain number is an event.";
    let fuzz = examples(&[
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
    ]) + "\nWhat a seed does depends on nothing else, whatever the number of threads.\n\
          An interrupt (Ctrl-C) lets the runs that have begun end, and says how to go on; a second one ends at once.\n\
          Exit: 0 nothing found, 1 a property was violated, 2 the scenario is wrong, 3 a run made again was another one,\n\
          4 nothing ran, 7 a run used up one of its budgets.";
    let shrink = examples(&[
        (
            "shrink runs/day-7.dlog",
            "write runs/day-7-shrunk.dlog and .toml",
        ),
        ("shrink day.dlog --budget 60s", "no longer than a minute"),
        (
            "shrink day.dlog --data scenarios",
            "where the data files of its scenario are",
        ),
    ]) + "\nWhat is left fails in the same way, and its log replays to the last byte.\n\
          Exit: 0 shrunk, 2 nothing to shrink, 3 the failure does not come again, 6 the log is damaged.";
    let explain = examples(&[
        ("explain runs/day-7.dlog", "the first violation"),
        ("explain runs/day-7.dlog 1204", "this event"),
        ("explain day.dlog 1204 --depth 40", "further back"),
    ]) + "\nNo code is run: everything told is in the log.";
    let report = examples(&report::EXAMPLES);
    let figures = examples(&figures::EXAMPLES) + figures::AFTER;
    let sweep = examples(&sweep::EXAMPLES) + sweep::AFTER;
    let init = examples(&init::EXAMPLES) + init::AFTER;
    let salvage = examples(&salvage::EXAMPLES) + salvage::AFTER;
    let completions = examples(&[("completions bash > ~/.bash_completion.d/x", "for bash")]);
    let mut command = Cli::command()
        .name(program.to_owned())
        .bin_name(program)
        .mut_subcommand("init", |c| c.after_help(init))
        .mut_subcommand("run", |c| c.after_help(run))
        .mut_subcommand("replay", |c| c.after_help(replay))
        .mut_subcommand("check", |c| c.after_help(check))
        .mut_subcommand("show", |c| c.after_help(show))
        .mut_subcommand("fuzz", |c| c.after_help(fuzz))
        .mut_subcommand("shrink", |c| c.after_help(shrink))
        .mut_subcommand("explain", |c| c.after_help(explain))
        .mut_subcommand("report", |c| c.after_help(report))
        .mut_subcommand("figures", |c| c.after_help(figures))
        .mut_subcommand("sweep", |c| c.after_help(sweep))
        .mut_subcommand("salvage", |c| c.after_help(salvage))
        .mut_subcommand("completions", |c| c.after_help(completions))
        .after_help(format!(
            "Begin with: {program} run SCENARIO\nEach command says more with --help."
        ));
    if let Some(width) = width {
        command = command.term_width(usize::from(width));
    }
    command
}

/// Every option's long name, for the test that none is without help.
#[cfg(test)]
fn options_without_help(command: &Command) -> Vec<String> {
    let silent = |arg: &&clap::Arg| arg.get_help().is_none();
    let own = command.get_arguments().filter(silent);
    let own = own.map(|arg| format!("{} {}", command.get_name(), arg.get_id()));
    let below = command.get_subcommands().flat_map(options_without_help);
    own.chain(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere_and_explains_everything() {
        let command = command("dacapo", Some(100));
        assert_eq!(options_without_help(&command), Vec::<String>::new());
        command.debug_assert();
    }

    #[test]
    fn a_seed_is_decimal_or_hexadecimal() {
        assert_eq!(seed("42"), Ok(42));
        assert_eq!(seed("0x5eed42"), Ok(0x005e_ed42));
        assert!(seed("-1").is_err());
        assert!(seed("").is_err());
    }
}
