//! `record`: make the run of a scenario with services that are asked live, and keep what they said.
//!
//! What a recording costs is paid once, so its log is durable at every answer, and no log is replaced unasked.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dacapo_kernel::log::SyncPolicy;
use dacapo_kernel::{BuildError, Changed, Dialogue, Files, Program, Service, System};
use dacapo_lab::scenario::{DataDir, Overrides, load};

use crate::console::Connect;
use crate::exit::{Exit, Problem};
use crate::log_file;
use crate::run::{How, make, refuse_a_log, tell};
use crate::screen::Screen;
use crate::values::seed;

/// What to record, and where the log goes.
#[derive(Args, Debug)]
pub(crate) struct RecordArgs {
    /// The scenario file (TOML)
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Seed of everything that is generated, decimal or 0x…, instead of the scenario's
    #[arg(long, value_parser = seed)]
    seed: Option<u64>,
    /// Change one value of the scenario: `--set run.duration=5m`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Where the log goes, instead of runs/NAME-SEED-live.dlog
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Give the answers of this earlier recording again, as far as the questions are the same
    #[arg(long, value_name = "LOG")]
    from: Option<PathBuf>,
    /// What to do about a question that was put otherwise there
    #[arg(long, value_enum, value_name = "WHAT", requires = "from", default_value_t = WhenChanged::Error)]
    changed: WhenChanged,
    /// Hold virtual time to the wall clock: an hour of the scenario takes an hour
    #[arg(long)]
    real_time: bool,
    /// Replace that log, if there is one
    #[arg(long)]
    force: bool,
    /// Say, while the run goes on, up to which event its log is durable
    #[arg(long)]
    acknowledge: bool,
}

/// What to do about a question that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WhenChanged {
    /// End, and say what has changed
    Error,
    /// Take the answer to the same decision, marked
    Reuse,
    /// Ask live
    Ask,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    (
        "record live.toml",
        "ask what is asked live, and write runs/NAME-SEED-live.dlog",
    ),
    (
        "record live.toml --from runs/live-7-live.dlog --changed ask",
        "ask only what has changed",
    ),
    (
        "replay runs/live-7-live.dlog",
        "the same again, from the log alone",
    ),
];

/// What the help says after them.
pub(crate) const AFTER: &str = "\nTime is virtual: a reply that took two seconds comes two seconds later in the run, \
          and nothing else waits,\nunless --real-time holds it to the wall clock. An interrupt (Ctrl-C) then ends the \
          recording where it is; a replay never waits.\nKeys come from the environment variables that the scenario names.\n\
          Exit: that of `run`; 2 also if a service refuses every question.";

/// The files of a scenario, and whoever reaches its services.
struct Live<'a> {
    files: &'a DataDir,
    connect: &'a Connect,
    recorded: Option<(PathBuf, Changed)>,
    /// How many services were reached.
    reached: Cell<usize>,
}

impl Files for Live<'_> {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        self.files.open(path)
    }

    fn start(&self, program: &Program) -> Result<Box<dyn Dialogue>, BuildError> {
        self.files.start(program)
    }

    fn connect(&self, service: &Service) -> Result<Box<dyn Dialogue>, BuildError> {
        let service = Service {
            recorded: self.recorded.clone(),
            ..service.clone()
        };
        let dialogue = (self.connect)(&service)?;
        self.reached.set(self.reached.get() + 1);
        Ok(dialogue)
    }
}

pub(crate) fn record<S: System>(
    args: &RecordArgs,
    screen: &mut Screen<'_>,
    arguments: &[OsString],
) -> Result<Exit, Problem> {
    refuse_a_log(&args.scenario, screen)?;
    let Some(connect) = screen.connect() else {
        let what = "this program has no services that are asked live; make the run with `run`";
        return Err(Problem::usage(what));
    };
    let overrides = Overrides {
        seed: args.seed,
        set: args.set.clone(),
        ..Overrides::default()
    };
    let loaded = load::<S>(&args.scenario, &overrides)?;
    let default = log_file::default_path::<S>(&loaded.plan, Some("live"));
    let path = args.out.as_deref().unwrap_or(&default);
    let changed = match args.changed {
        WhenChanged::Error => Changed::Error,
        WhenChanged::Reuse => Changed::Reuse,
        WhenChanged::Ask => Changed::Ask,
    };
    let live = Live {
        files: &loaded.files,
        connect: &*connect,
        recorded: args.from.clone().map(|log| (log, changed)),
        reached: Cell::new(0),
    };
    let how = How {
        replaces: args.force,
        sync: SyncPolicy::Answers,
        acknowledges: args.acknowledge,
        in_real_time: args.real_time,
    };
    let (outcome, wall) = make::<S>(&loaded, (&live, path), how, screen)?;
    if live.reached.get() == 0 {
        screen.warning("nothing in this scenario is asked live: this was a run like any other");
    }
    log_file::write_facts(path, arguments, wall, screen);
    tell(&loaded, &outcome, wall, path, screen)
}
