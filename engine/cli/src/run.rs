//! `run`: simulate a scenario, write its log, say what happened.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use dacapo_kernel::log::SyncPolicy;
use dacapo_kernel::{Events, Files, Outcome, Run, RunError, SchedulerKind, Seq, System, Wanted};
use dacapo_lab::scenario::{Loaded, Overrides, load};
use dacapo_lab::{Ended, VERSION, anything_happened, judge};
use serde_json::json;

use crate::exit::{Exit, Problem};
use crate::failure::Failed;
use crate::log_file::{self, Target, shown};
use crate::next;
use crate::pace::Pace;
use crate::progress::Goal;
use crate::screen::Screen;
use crate::summary::{Standing, Summary};
use crate::text::{grouped, shell_word};
use crate::values::seed;

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

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    (
        "run scenarios/day.toml",
        "simulate and write runs/day-SEED.dlog",
    ),
    (
        "run day.toml --seed 7 --set run.duration=5m",
        "another seed, one value changed",
    ),
    ("run day.toml --defects NAME", "with a defect switched on"),
];

/// What the help says after them.
pub(crate) const AFTER: &str = "\nThe same program, scenario and seed write the same log, byte for byte.\n\
          Exit: 0 fine, 1 a property was violated, 2 the scenario is wrong, 4 nothing ran, 7 a budget was used up.";

pub(crate) fn run<S: System>(
    args: &RunArgs,
    screen: &mut Screen<'_>,
    arguments: &[OsString],
) -> Result<Exit, Problem> {
    refuse_a_log(&args.scenario, screen)?;
    let loaded = load::<S>(&args.scenario, &overrides(args))?;
    let default = log_file::default_path::<S>(&loaded.plan, args.profile.as_deref());
    let path = args.out.as_deref().unwrap_or(&default);
    let how = How {
        replaces: args.out.is_none() || args.force,
        sync: match args.sync {
            Sync::Never => SyncPolicy::Never,
            Sync::Interval => SyncPolicy::Interval(1_000),
            Sync::Every => SyncPolicy::Every,
        },
        acknowledges: args.acknowledge,
        in_real_time: false,
    };
    let (outcome, wall) = make::<S>(&loaded, (&loaded.files, path), how, screen)?;
    log_file::write_facts(path, arguments, wall, screen);
    tell(&loaded, &outcome, wall, path, screen)
}

/// A log where a scenario belongs is an easy slip.
pub(crate) fn refuse_a_log(path: &Path, screen: &Screen<'_>) -> Result<(), Problem> {
    if path
        .extension()
        .is_some_and(|extension| extension == "dlog")
    {
        let (program, path) = (&screen.program, shown(path));
        let word = shell_word(&path);
        return Err(Problem::usage(format!(
            "{path} is a log, not a scenario; to run it again: {program} replay {word}"
        )));
    }
    Ok(())
}

fn overrides(args: &RunArgs) -> Overrides {
    Overrides {
        seed: args.seed,
        set: args.set.clone(),
        profile: args.profile.clone(),
        defects: args.defects.clone(),
        scheduler: args.scheduler.clone(),
        max_events: args.max_events,
    }
}

/// How a log is written.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// Whether an older log of the name may go.
    pub(crate) replaces: bool,
    /// When it is made durable.
    pub(crate) sync: SyncPolicy,
    /// Whether is told what is durable.
    pub(crate) acknowledges: bool,
    /// Whether virtual time is held to the wall clock.
    pub(crate) in_real_time: bool,
}

/// Makes the run of a scenario with the files and whatever else is outside of it, into a log.
pub(crate) fn make<S: System>(
    loaded: &Loaded<S>,
    (files, path): (&dyn Files, &Path),
    how: How,
    screen: &mut Screen<'_>,
) -> Result<(Outcome<S::View>, Duration), Problem> {
    let (target, storage) = Target::create(path, how.replaces)?;
    let sync = how.sync;
    let goal = loaded.plan.end().map_or(Goal::Unknown, Goal::Time);
    let begun = screen.elapsed();
    let run = Run::<S>::new(&loaded.plan).measured(Wanted::default());
    let mut pace = how.in_real_time.then(|| Pace::of(screen));
    let recorded = if how.acknowledges {
        let run = run.acknowledge(|seq| acknowledge(seq, screen));
        match &mut pace {
            Some(pace) => run.paced(|_, until| pace.wait(until)),
            None => run,
        }
        .record(files, storage, sync)
    } else {
        let progress = RefCell::new(screen.progress("run", goal));
        let run = run.watch(|seq, time| {
            progress.borrow_mut().at(seq, time);
            true
        });
        match &mut pace {
            Some(pace) => run.paced(|seq, until| {
                progress.borrow_mut().at(seq, until);
                pace.wait(until)
            }),
            None => run,
        }
        .record(files, storage, sync)
    };
    let wall = screen.elapsed().saturating_sub(begun);
    match recorded {
        Ok(outcome) => {
            target.finish()?;
            Ok((outcome, wall))
        }
        Err(error @ RunError::Build(_)) => {
            target.abandon();
            Err(Problem::log(&shown(&loaded.path), &error))
        }
        Err(RunError::Program(error)) => {
            // What led to it is worth looking at.
            target.finish()?;
            let log = shown(path);
            let note = format!("what happened before it is in {log}, which is cut off there");
            Err(Problem::Program(shown(&loaded.path), error, Some(note)))
        }
        Err(error) => Err(Problem::log(&shown(path), &error)),
    }
}

/// Says up to which event the log is durable, at once.
fn acknowledge(seq: Seq, screen: &mut Screen<'_>) {
    if screen.is_for_people() {
        screen.say(&format!("durable up to event {}", grouped(seq.0)));
    } else {
        screen.json(&json!({"v": VERSION, "type": "durable", "event": seq}));
        screen.hand_out();
    }
}

/// Says what came of a run.
pub(crate) fn tell<S: System>(
    loaded: &Loaded<S>,
    outcome: &Outcome<S::View>,
    wall: Duration,
    path: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let plan = &loaded.plan;
    let judgement = judge(&Ended::<S> {
        plan,
        verdict: Some(&outcome.verdict),
        world: &outcome.world,
        findings: &outcome.findings,
    });
    let log = shown(path);
    let mut events = Events::<S::Event>::new(log_file::open(path)?);
    let happened = anything_happened::<S>(&mut events).map_err(|e| Problem::log(&log, &e))?;
    Summary::<S> {
        plan,
        verdict: Some(&outcome.verdict),
        world: &outcome.world,
        findings: &outcome.findings,
        judgement: &judgement,
        measured: outcome.measured.as_ref(),
        events: outcome.events,
        wall: Some(wall),
        fingerprint: outcome.fingerprint,
        log: &log,
        standing: Standing::of(&judgement, happened),
    }
    .tell(screen);
    Failed::<S> {
        plan,
        log: &log,
        events: outcome.events,
        judgement: &judgement,
    }
    .tell(&mut events, screen);
    let exit = match () {
        () if !judgement.failures.is_empty() => Exit::Violated,
        () if judgement.exhausted.is_some() => Exit::Exhausted,
        () if !happened => {
            screen.warning("nothing ran: the system did nothing of its own; does the scenario start anything before it ends?");
            Exit::NothingRan
        }
        () => Exit::Fine,
    };
    let log = Screen::safe(shell_word(&log));
    if judgement.failures.is_empty() {
        let mut next = vec![
            (
                format!("replay {log}{}", programs(loaded, outcome)),
                "run it again and compare every event",
            ),
            (
                format!("show {log} --limit 20"),
                "what happened, event by event",
            ),
            (
                format!("show {log} --at {}", middle(outcome.events)),
                "the state in the middle",
            ),
            ("defects".to_owned(), "what can be broken on purpose"),
        ];
        if outcome.measured.is_some() {
            let figures = (
                format!("figures {log}"),
                "every figure, with how sure it is",
            );
            next.insert(1, figures);
        }
        next::propose(&next, screen);
    }
    Ok(exit)
}

/// Where a replay finds the programs that answered, if any can be asked again.
fn programs<S: System>(loaded: &Loaded<S>, outcome: &Outcome<S::View>) -> String {
    if outcome.asked_programs.asked == 0 {
        return String::new();
    }
    let folder = match loaded.path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => shown(folder),
        _ => ".".to_owned(),
    };
    format!(" --programs {}", Screen::safe(shell_word(&folder)))
}

fn middle(events: u64) -> u64 {
    events / 2
}
