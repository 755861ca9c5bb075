//! What went into a recorded run, sorted by what it is for.
//!
//! It is read once and not changed by anybody who goes by it; what of it is used up is in `left`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::EventSet;
use crate::fault::{Fault, FaultPlan};
use crate::id::{ActorId, Seq, Time};
use crate::kernel_event::{CallOutcome, FaultInjected};
use crate::name::Name;
use crate::plan::Plan;
use crate::verdict::{Budget, Verdict};

/// The inputs of a recorded run.
pub(crate) struct Recorded<E> {
    pub(super) actors: BTreeMap<ActorId, Name>,
    /// What feeds brought, by the name of the feed.
    pub(super) items: BTreeMap<Name, Vec<RecordedItem<E>>>,
    /// What callers asked, and what they were answered, in the order of the calls.
    pub(super) calls: Vec<RecordedCall<E>>,
    /// What was drawn, by actor and purpose.
    pub(super) draws: BTreeMap<(Name, Name), Vec<RecordedDraw>>,
    /// Which of the tasks that could run did, at each instant.
    pub(super) choices: BTreeMap<Time, Vec<u32>>,
    /// The values with which faults struck, by actor, door and question.
    pub(super) struck: BTreeMap<(Name, Name, u64), u64>,
    /// The same by actor and door, with the time.
    pub(super) befallen: BTreeMap<(Name, Name), Vec<(Time, u64)>>,
    /// Crashes of hosts that struck right after an event.
    pub(super) anchored: Vec<Anchored>,
    /// What struck at an instant.
    pub(super) planned: Vec<(Time, Planned)>,
    /// How the run ended, and when something last happened in it.
    pub(super) end: Option<End>,
}

/// A question, and its answer.
pub(super) struct RecordedCall<E> {
    pub(super) seq: Seq,
    pub(super) caller: Name,
    pub(super) kind: u16,
    /// What was asked, as bytes.
    pub(super) request: Vec<u8>,
    pub(super) made: Time,
    /// The faults that were let in on the way to the answer.
    pub(super) faults: Vec<(Seq, FaultInjected)>,
    pub(super) answer: Option<(Seq, Time, E)>,
    /// What became of it, if a crash lost it.
    pub(super) lost: Option<CallOutcome>,
}

/// An item of a feed.
pub(super) struct RecordedItem<E> {
    pub(super) at: Seq,
    pub(super) time: Time,
    pub(super) faults: Vec<(Seq, FaultInjected)>,
    pub(super) event: E,
}

/// A draw.
pub(super) struct RecordedDraw {
    pub(super) at: Seq,
    pub(super) bound: u64,
    pub(super) value: u64,
}

/// A crash that struck right after an event: the so many-th of its actor and kind.
#[derive(Clone)]
pub(super) struct Anchored {
    pub(super) host: Name,
    pub(super) restart_after: Option<u64>,
    pub(super) actor: Name,
    pub(super) kind: u16,
    pub(super) left: u64,
}

/// What strikes at an instant.
#[derive(Clone)]
pub(super) enum Planned {
    CrashHost(Name, Option<u64>),
    CrashTask(Name),
    JumpClock(i64),
}

/// The end of a recorded run.
pub(super) struct End {
    pub(super) time: Time,
    pub(super) verdict: Verdict,
    pub(super) last_progress: Time,
}

impl<E> Recorded<E> {
    pub(super) fn call(&self, seq: Seq) -> Option<&RecordedCall<E>> {
        let at = self
            .calls
            .binary_search_by_key(&seq, |call| call.seq)
            .ok()?;
        self.calls.get(at)
    }

    /// A host that would have come up after the end of the run was still waited for: it does so as planned.
    pub(super) fn plan_restarts(&mut self, faults: &FaultPlan) {
        let planned = |name: &Name| {
            faults.faults.iter().find_map(|fault| match fault {
                Fault::CrashHost {
                    host,
                    restart_after,
                    ..
                } if *host == **name => *restart_after,
                _ => None,
            })
        };
        for cut in &mut self.anchored {
            cut.restart_after = cut.restart_after.or_else(|| planned(&cut.host));
        }
        for (_, what) in &mut self.planned {
            if let Planned::CrashHost(host, restart_after) = what {
                *restart_after = restart_after.or_else(|| planned(host));
            }
        }
    }

    /// What the recorded run must have seen coming and did not reach, if it did not end by itself.
    pub(super) fn beyond<C>(&self, plan: &Plan<C>) -> Option<Time> {
        let end = self.end.as_ref()?;
        match &end.verdict {
            Verdict::Complete if plan.end() == Some(end.time) => {
                Some(end.time + Duration::from_nanos(1))
            }
            Verdict::Exhausted(Budget::Time(most)) => {
                Some(Time::from_nanos(most.saturating_add(1)))
            }
            Verdict::Livelock(waited) => Some(end.last_progress + Duration::from_nanos(*waited)),
            _ => None,
        }
    }
}

/// The body of an event as bytes.
pub(super) fn bytes_of<E: EventSet>(event: &E) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be encoded cannot be appended either, which is said there.
    let _ = event.encode(&mut bytes);
    bytes
}
