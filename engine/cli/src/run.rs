//! `run`: simulate a scenario, write its log, say what happened.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use dacapo_kernel::log::SyncPolicy;
use dacapo_kernel::{Events, Outcome, Run, RunError, Seq, System, Wanted};
use dacapo_lab::scenario::{Loaded, Overrides, load};
use dacapo_lab::{Ended, VERSION, anything_happened, judge};
use serde_json::json;

use crate::args::{RunArgs, Sync};
use crate::exit::{Exit, Problem};
use crate::failure::Failed;
use crate::log_file::{self, Target, shown};
use crate::next;
use crate::progress::Goal;
use crate::screen::Screen;
use crate::summary::{Standing, Summary};
use crate::text::{grouped, shell_word};

pub(crate) fn run<S: System>(
    args: &RunArgs,
    screen: &mut Screen<'_>,
    arguments: &[OsString],
) -> Result<Exit, Problem> {
    refuse_a_log(&args.scenario, screen)?;
    let loaded = load::<S>(&args.scenario, &overrides(args))?;
    let default = log_file::default_path::<S>(&loaded.plan, args.profile.as_deref());
    let path = args.out.as_deref().unwrap_or(&default);
    let (outcome, wall) = record::<S>(&loaded, path, args, screen)?;
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

fn record<S: System>(
    loaded: &Loaded<S>,
    path: &Path,
    args: &RunArgs,
    screen: &mut Screen<'_>,
) -> Result<(Outcome<S::View>, Duration), Problem> {
    let (target, storage) = Target::create(path, args.out.is_none() || args.force)?;
    let sync = match args.sync {
        Sync::Never => SyncPolicy::Never,
        Sync::Interval => SyncPolicy::Interval(1_000),
        Sync::Every => SyncPolicy::Every,
    };
    let goal = loaded.plan.end().map_or(Goal::Unknown, Goal::Time);
    let begun = screen.elapsed();
    let recorded = if args.acknowledge {
        Run::<S>::new(&loaded.plan)
            .measured(Wanted::default())
            .acknowledge(|seq| acknowledge(seq, screen))
            .record(&loaded.files, storage, sync)
    } else {
        let mut progress = screen.progress("run", goal);
        Run::<S>::new(&loaded.plan)
            .measured(Wanted::default())
            .watch(|seq, time| {
                progress.at(seq, time);
                true
            })
            .record(&loaded.files, storage, sync)
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

fn tell<S: System>(
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
                format!("replay {log}"),
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

fn middle(events: u64) -> u64 {
    events / 2
}
