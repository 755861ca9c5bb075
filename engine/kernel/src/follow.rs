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

mod around;
mod reading;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::doors::Odds;
use crate::event::EventSet;
use crate::executor::{Cut, State, Target};
use crate::id::{Seq, Time};
use crate::journal::{BoxedStorage, Journal, JournalError};
use crate::kernel_event::{CallOutcome, FaultInjected};
use crate::log::{Reader, SyncPolicy};
use crate::name::Name;
use crate::plan::Plan;
use crate::port::Feed;
use crate::replay::{Events, begun};
use crate::run::{Outcome, Run, RunError};
use crate::system::System;

pub(crate) use self::around::{NoFiles, writer};
use self::reading::Reading;

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
    let recorded = Recorded::read(&mut events, &plan)?;
    let writer = writer::<S>(plan.seed, &text, storage, SyncPolicy::Never)?;
    let run = Run::<S>::new(&plan).watch(watch).following(recorded);
    let (outcome, trouble) = run.make(text, Journal::Record(Box::new(writer)), None)?;
    match trouble {
        Some(JournalError::Log(error)) => Err(error.into()),
        Some(JournalError::Encode(error)) => Err(error.into()),
        _ => Ok(outcome),
    }
}

/// One item of a feed, with the faults that were let in on the way to it.
type Item<E> = (Time, E, Vec<FaultInjected>);

/// A call of the recording.
struct Asked<E> {
    at: Time,
    request: E,
    answer: Option<(Duration, E)>,
    faults: Vec<FaultInjected>,
    lost: Option<CallOutcome>,
    taken: bool,
}

/// A crash that struck right after an event: the so many-th of its actor and kind.
struct Anchored {
    host: Name,
    restart_after: Option<u64>,
    actor: Name,
    kind: u16,
    left: u64,
}

/// What strikes at an instant.
enum Planned {
    CrashHost(Name, Option<u64>),
    CrashTask(Name),
    JumpClock(i64),
}

/// What went into a recorded run, by what it is for.
pub(crate) struct Recorded<E> {
    items: BTreeMap<Name, VecDeque<Item<E>>>,
    calls: BTreeMap<(Name, u16), Vec<Asked<E>>>,
    draws: BTreeMap<(Name, Name), VecDeque<(u64, u64)>>,
    choices: BTreeMap<Time, VecDeque<(u32, u32)>>,
    struck: BTreeMap<(Name, Name, u64), u64>,
    befallen: BTreeMap<(Name, Name), VecDeque<(Time, u64)>>,
    anchored: Vec<Anchored>,
    planned: Vec<(Time, Planned)>,
    /// An instant that the recorded run saw coming and did not reach.
    beyond: Option<Time>,
    /// Which recorded call stands for a call of this run.
    standing: BTreeMap<Seq, ((Name, u16), usize)>,
    inputs: Inputs,
}

/// What came of a recorded call, and the faults that were let in with it.
pub(crate) struct Answered<E> {
    pub(crate) answer: Option<(Duration, E)>,
    pub(crate) faults: Vec<FaultInjected>,
}

impl<E: EventSet> Recorded<E> {
    /// Reads a whole recording.
    fn read<C>(events: &mut Events<E>, plan: &Plan<C>) -> Result<Recorded<E>, RunError> {
        let mut reading = Reading::new();
        while let Some(event) = events.next()? {
            reading.take(&event, plan);
        }
        Ok(reading.done())
    }

    /// What a feed brings.
    pub(crate) fn feed(&mut self, name: &str) -> RecordedFeed<E> {
        let items = self.items.remove(name).unwrap_or_default();
        self.inputs.used += items.len() as u64;
        RecordedFeed(items)
    }

    /// What is answered to a call; none if the recording has no such call.
    pub(crate) fn answer(
        &mut self,
        (caller, now): (&str, Time),
        call: Seq,
        request: &E,
    ) -> Option<Answered<E>> {
        let key = (Name::from(caller), request.kind().number);
        let found = self.calls.get_mut(&key).and_then(|calls| {
            let free = |wanted: &dyn Fn(&Asked<E>) -> bool| {
                calls.iter().position(|asked| !asked.taken && wanted(asked))
            };
            let at = free(&|asked| asked.request == *request)
                .or_else(|| free(&|asked| asked.at == now))
                .or_else(|| free(&|_| true))?;
            let asked = &mut calls[at];
            asked.taken = true;
            let faults = std::mem::take(&mut asked.faults);
            let answer = asked.answer.take();
            Some((at, Answered { answer, faults }))
        });
        let Some((at, answered)) = found else {
            self.inputs.generated.push(call);
            return None;
        };
        self.inputs.used += 1;
        self.standing.insert(call, (key, at));
        Some(answered)
    }

    /// What became of a call that a crash lost, if the recording lost it too.
    pub(crate) fn outcome(&self, call: Seq) -> Option<CallOutcome> {
        let (key, at) = self.standing.get(&call)?;
        self.calls.get(key)?.get(*at)?.lost
    }

    /// The next draw of an actor for a purpose, if it was below the same bound.
    pub(crate) fn draw(&mut self, actor: &str, purpose: &str, bound: u64) -> Option<u64> {
        let draws = self
            .draws
            .get_mut(&(Name::from(actor), Name::from(purpose)))?;
        let (recorded, value) = draws.pop_front()?;
        (recorded == bound).then(|| {
            self.inputs.used += 1;
            value
        })
    }

    /// The next choice of this instant.
    pub(crate) fn choose(&mut self, now: Time, of: usize) -> Option<usize> {
        let (_, index) = self.choices.get_mut(&now)?.pop_front()?;
        self.inputs.used += 1;
        Some((index as usize).min(of - 1))
    }

    /// The value with which a fault struck at a question of an actor.
    pub(crate) fn struck(&mut self, actor: &str, door: &str, asked: u64) -> Option<u64> {
        let struck = self
            .struck
            .remove(&(Name::from(actor), Name::from(door), asked));
        self.inputs.used += u64::from(struck.is_some());
        struck
    }

    /// What befell an actor at this instant.
    pub(crate) fn befallen(&mut self, actor: &str, door: &str, now: Time) -> Option<u64> {
        let all = self
            .befallen
            .get_mut(&(Name::from(actor), Name::from(door)))?;
        while all.front().is_some_and(|(at, _)| *at < now) {
            all.pop_front();
        }
        let (_, value) = all.pop_front_if(|(at, _)| *at == now)?;
        Some(value)
    }

    /// The host that crashes right after this event, if one does.
    pub(crate) fn cut_after(&mut self, actor: &str, kind: u16) -> Option<(Name, Option<u64>)> {
        let mut due = None;
        for (at, cut) in self.anchored.iter_mut().enumerate() {
            if cut.kind == kind && *cut.actor == *actor {
                cut.left = cut.left.saturating_sub(1);
                if cut.left == 0 && due.is_none() {
                    due = Some(at);
                }
            }
        }
        let cut = self.anchored.remove(due?);
        self.inputs.used += 1;
        Some((cut.host, cut.restart_after))
    }

    /// What became of everything.
    pub(crate) fn inputs(self) -> Inputs {
        let mut inputs = self.inputs;
        let calls = self.calls.values().flatten();
        inputs.unused += calls
            .filter(|asked| !asked.taken && asked.answer.is_some())
            .count() as u64;
        inputs.unused += self.items.values().map(|all| all.len() as u64).sum::<u64>();
        inputs.unused += self.draws.values().map(|all| all.len() as u64).sum::<u64>();
        inputs.unused += self.struck.len() as u64 + self.anchored.len() as u64;
        inputs
    }
}

/// A feed that brings what was recorded.
pub(crate) struct RecordedFeed<E>(VecDeque<Item<E>>);

impl<E: EventSet> Feed<E> for RecordedFeed<E> {
    fn next(&mut self, odds: &mut Odds<'_>) -> Option<(Time, E)> {
        let (time, event, faults) = self.0.pop_front()?;
        odds.injected.extend(faults);
        Some((time, event))
    }
}

/// Sets what strikes at an instant, and that something lay beyond the end.
pub(crate) fn plan_recorded<S: System>(state: &mut State<S>) {
    let Some(recorded) = &mut state.followed else {
        return;
    };
    let planned = std::mem::take(&mut recorded.planned);
    recorded.inputs.used += planned.len() as u64;
    if let Some(beyond) = recorded.beyond {
        state.arrivals.set(beyond, Target::Beyond);
    }
    for (at, what) in planned {
        let target = match what {
            Planned::CrashHost(host, restart_after) => {
                let Some(host) = state.outside.host_named(&host) else {
                    continue;
                };
                Target::CrashHost(Box::new(Cut {
                    host,
                    restart_after,
                }))
            }
            Planned::CrashTask(name) => Target::CrashTask(name),
            Planned::JumpClock(by) => Target::JumpClock(by),
        };
        state.arrivals.set(at, target);
    }
}
