//! `check`: whether logs are whole and their properties hold, without running any code.

use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::log::Ending;
use dacapo_kernel::{Events, System};
use dacapo_lab::{Ended, Examined, examine, judge};

use crate::exit::{Exit, Problem};
use crate::failure::Failed;
use crate::log_file::{open, shown};
use crate::progress::Goal;
use crate::replay::each;
use crate::screen::Screen;
use crate::summary::{Standing, Summary};
use crate::text::{counted, grouped};

/// Which logs to check.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The logs
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 2] = [
    ("check runs/day-7.dlog", "every checksum, every property"),
    ("check *.dlog --message-format json", "for another tool"),
];

/// What the help says after them.
pub(crate) const AFTER: &str =
    "\nExit: 0 whole and nothing violated, 1 a property is violated, 6 damaged or cut off.";

pub(crate) fn check<S: System>(args: &CheckArgs, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    each(&args.logs, screen, |path, screen| one::<S>(path, screen))
}

fn one<S: System>(path: &Path, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    let log = shown(path);
    let problem = |error| Problem::log(&log, &error);
    let mut reader = open(path)?;
    let recorded = reader.ending().map_err(|e| problem(e.into()))?.events();
    let examined: Examined<S> = {
        let mut progress = screen.progress("check", Goal::Events(recorded));
        examine(reader, |seq, time| progress.at(seq, time)).map_err(problem)?
    };
    let judgement = judge(&Ended::<S> {
        plan: &examined.plan,
        verdict: examined.world.verdict.as_ref(),
        world: &examined.world,
        findings: &examined.findings,
    });
    let incomplete = incomplete(&examined);
    Summary::<S> {
        plan: &examined.plan,
        verdict: examined.world.verdict.as_ref(),
        world: &examined.world,
        findings: &examined.findings,
        judgement: &judgement,
        measured: None,
        events: examined.events,
        wall: None,
        fingerprint: Some(examined.ending.chain()),
        log: &log,
        standing: match &incomplete {
            Some(_) => Standing::CutOff,
            None => Standing::of(&judgement, examined.domain_events > 0),
        },
    }
    .tell(screen);
    let mut events = Events::<S::Event>::new(open(path)?);
    Failed::<S> {
        plan: &examined.plan,
        log: &log,
        events: examined.events,
        judgement: &judgement,
    }
    .tell(&mut events, screen);
    Ok(match incomplete {
        Some(what) => {
            screen.warning(what);
            Exit::Log
        }
        None if !judgement.failures.is_empty() => Exit::Violated,
        None if judgement.exhausted.is_some() => Exit::Exhausted,
        None if examined.domain_events == 0 => {
            screen.warning("the log holds no event of the system's own: nothing was checked");
            Exit::NothingRan
        }
        None => Exit::Fine,
    })
}

/// What a log lacks at its end, if it lacks something.
fn incomplete<S: System>(examined: &Examined<S>) -> Option<String> {
    let events = grouped(examined.events);
    match examined.ending {
        Ending::Torn { dropped, .. } => Some(format!(
            "the log was cut off after {events} events; {} behind them are no whole block",
            counted(dropped, "byte", "bytes")
        )),
        Ending::Open { .. } => Some(format!(
            "the log was never closed; it ends after {events} events, or is still being written"
        )),
        Ending::Closed { .. } if !examined.is_whole() => Some(format!(
            "the log ends after {events} events, before the end of its run"
        )),
        Ending::Closed { .. } => None,
    }
}
