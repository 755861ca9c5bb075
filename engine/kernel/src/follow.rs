//! Runs a recording again with what went into it, wherever that still applies.
//!
//! A [`verify`](crate::verify) stops at the first event that differs. A follower goes on: each recorded
//! input is found again by what it is for, not by its place in the log, and where the recording
//! has none the run makes its own, as it would for the first time. What comes of it is a log like any
//! other, to be compared with the recording by whoever asked for it.
//!
//! How an input is found: an item of a feed by its feed and order; an answer by who asked what (the same
//! question, else one asked at the same instant, else the next); a draw by actor, purpose and order; a
//! choice by its instant and order; a fault at a door by actor and question; a crash by its time, or by
//! the event after which it struck.
//!
//! A [`fork`](crate::fork) goes by a recording, too. Both ask the same [`Guide`](guide::Guide) at their doors; its page
//! says in what they differ.

mod around;
pub(crate) mod guide;
mod left;
mod point;
mod reading;
mod recorded;

use crate::executor::{Cut, State, Target};
use crate::id::{Seq, Time};
use crate::journal::{BoxedStorage, Journal, JournalError};
use crate::log::{Reader, SyncPolicy};
use crate::plan::Plan;
use crate::replay::{Events, begun};
use crate::run::{Outcome, Run, RunError};
use crate::system::System;

pub(crate) use self::around::{NoFiles, writer};
use self::guide::Guide;
pub(crate) use self::reading::Reading;
use self::recorded::Planned;
pub(crate) use self::recorded::Recorded;

/// What became of the inputs of a recording that was followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// How many were used.
    pub used: u64,
    /// How many nobody asked for.
    pub unused: u64,
    /// The calls of the new run for which the recording has no call: their answers were made anew.
    pub generated: Vec<Seq>,
}

/// Runs a recorded log again with its inputs as far as they apply, and writes the log of that run.
///
/// The outcome has what became of the [`Inputs`]. Unchanged code makes the same log again, byte for byte.
///
/// # Errors
/// If the recording cannot be read, is of another system, or the system cannot be built.
pub fn follow<S: System>(
    mut reader: Reader<BoxedStorage>,
    storage: BoxedStorage,
    watch: impl FnMut(Seq, Time) -> bool,
) -> Result<Outcome<S::View>, RunError> {
    let (text, plan) = begun::<S>(&mut reader)?;
    let mut events = Events::new(reader);
    events.seek(Seq(0))?;
    let mut reading = Reading::new();
    while let Some(event) = events.next()? {
        reading.take(&event);
    }
    let mut recorded = reading.done();
    recorded.plan_restarts(&plan.faults);
    let writer = writer::<S>(plan.seed, &text, storage, SyncPolicy::Never)?;
    let run = Run::<S>::new(&plan)
        .watch(watch)
        .guided_by(Guide::following(recorded));
    let (outcome, trouble) = run.make(text, Journal::Record(Box::new(writer)), None)?;
    match trouble {
        Some(JournalError::Log(error)) => Err(error.into()),
        Some(JournalError::Encode(error)) => Err(error.into()),
        _ => Ok(outcome),
    }
}

/// Gives feeds and doors what the recording that the run goes by has of them.
pub(crate) fn take_recorded<S: System>(state: &mut State<S>, plan: &Plan<S::Config>) {
    let Some(guide) = &mut state.guide else {
        return;
    };
    for feed in &mut state.outside.feeds {
        feed.recorded = guide.items(state.world.actor_name(feed.actor));
    }
    if let Some(instead) = guide.changed_fault() {
        state.doors.answer(instead);
    }
    if guide.follows() {
        plan_recorded(state, plan);
    }
}

/// Sets what strikes at an instant, and that something lay beyond the end.
fn plan_recorded<S: System>(state: &mut State<S>, plan: &Plan<S::Config>) {
    let Some(guide) = &mut state.guide else {
        return;
    };
    guide.others += guide.recorded.planned.len() as u64;
    if let Some(beyond) = guide.recorded.beyond(plan) {
        state.arrivals.set(beyond, Target::Beyond);
    }
    for (at, what) in &guide.recorded.planned {
        let target = match what {
            Planned::CrashHost(host, restart_after) => {
                let Some(host) = state.outside.host_named(host) else {
                    continue;
                };
                Target::CrashHost(Box::new(Cut {
                    host,
                    restart_after: *restart_after,
                }))
            }
            Planned::CrashTask(name) => Target::CrashTask(name.clone()),
            Planned::JumpClock(by) => Target::JumpClock(*by),
        };
        state.arrivals.set(*at, target);
    }
}
