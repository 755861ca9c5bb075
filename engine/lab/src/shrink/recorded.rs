//! What a log says went in: its plan, with every choice and every strike that is in its events
//! written out as a fault of its own.
//!
//! A rate says how often a door opens; a strike says when it did. Only strikes can be taken away
//! one by one.

use std::collections::BTreeMap;

use dacapo_kernel::{
    ActorId, BoxedStorage, Events, Fault, KernelEvent, Name, Plan, RunError, SchedulerKind, Seq,
    System, Time, When, log::Reader, plan_of,
};

/// What went into a recorded run.
pub struct Recorded<S: System> {
    /// The plan as it was recorded.
    pub plan: Plan<S::Config>,
    /// A plan of the same run in which every input is a fault of its own.
    pub explicit: Plan<S::Config>,
    /// How many events the run had.
    pub events: u64,
    /// Where in the log each strike is.
    pub(super) struck: Vec<Struck>,
    /// When the events happened after which a host is planned to crash.
    pub(super) crashed_at: BTreeMap<Seq, Time>,
}

/// A strike, and its place in the log.
#[derive(Clone, Debug)]
pub(super) struct Struck {
    pub(super) at: Seq,
    pub(super) door: String,
    pub(super) actor: String,
    pub(super) asked: u64,
}

impl<S: System> Recorded<S> {
    /// Reads a log from its first to its last event.
    ///
    /// # Errors
    /// If the log is damaged or of another system.
    pub fn read(mut reader: Reader<BoxedStorage>) -> Result<Recorded<S>, RunError> {
        let plan = plan_of::<S>(&mut reader)?;
        let mut events = Events::<S::Event>::new(reader);
        events.seek(Seq(0))?;
        let mut actors: BTreeMap<ActorId, Name> = BTreeMap::new();
        let planned: Vec<Seq> = plan.faults.faults.iter().filter_map(after_event).collect();
        let mut crashed_at = BTreeMap::new();
        let (mut count, mut choices) = (0, 0);
        let (mut chosen, mut strikes, mut struck) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(event) = events.next()? {
            count += 1;
            if planned.contains(&event.seq) {
                crashed_at.insert(event.seq, event.time);
            }
            match event.kernel() {
                Some(KernelEvent::ActorNamed(named)) => {
                    actors.insert(named.actor, named.name.clone());
                }
                Some(KernelEvent::Choice(choice)) => {
                    if choice.index != 0 {
                        let index = choice.index;
                        chosen.push(Fault::Choose {
                            choice: choices,
                            index,
                        });
                    }
                    choices += 1;
                }
                Some(KernelEvent::FaultInjected(fault)) => {
                    let actor = actors.get(&event.actor).map_or("engine", Name::as_str);
                    struck.push(Struck {
                        at: event.seq,
                        door: fault.door.to_string(),
                        actor: actor.to_owned(),
                        asked: fault.asked,
                    });
                    strikes.push(Fault::Strike {
                        door: fault.door.to_string(),
                        actor: actor.to_owned(),
                        asked: fault.asked,
                        value: fault.value,
                    });
                }
                _ => {}
            }
        }
        let mut explicit = plan.clone();
        let kept = |fault: &Fault| {
            !matches!(
                fault,
                Fault::Door { .. } | Fault::Strike { .. } | Fault::Choose { .. }
            )
        };
        explicit.faults.faults.retain(kept);
        explicit.faults.faults.extend(strikes);
        explicit.faults.faults.extend(chosen);
        explicit.scheduler = SchedulerKind::Fifo;
        Ok(Recorded {
            plan,
            explicit,
            events: count,
            struck,
            crashed_at,
        })
    }

    /// The faults with crashes after an event moved to where that event is without the strikes that
    /// are not among them: each left an event of its own before it.
    pub(super) fn moved(&self, mut faults: Vec<Fault>) -> Vec<Fault> {
        if faults.iter().all(|fault| after_event(fault).is_none()) {
            return faults;
        }
        let is_there = |struck: &&Struck| {
            faults.iter().any(|fault| match fault {
                Fault::Strike {
                    door, actor, asked, ..
                } => (door, actor, asked) == (&struck.door, &struck.actor, &struck.asked),
                Fault::Door { door, actor, .. } => {
                    *door == struck.door && actor.as_ref().is_none_or(|who| *who == struck.actor)
                }
                _ => false,
            })
        };
        let gone: Vec<Seq> = self
            .struck
            .iter()
            .filter(|struck| !is_there(struck))
            .map(|struck| struck.at)
            .collect();
        for fault in &mut faults {
            if let Fault::CrashHost {
                when: When::Event(seq),
                ..
            } = fault
            {
                let before = gone.iter().filter(|at| *at < seq).count() as u64;
                *seq = Seq(seq.0.saturating_sub(before));
            }
        }
        faults
    }
}

/// The event after which a fault crashes a host, if it does.
fn after_event(fault: &Fault) -> Option<Seq> {
    match fault {
        Fault::CrashHost {
            when: When::Event(seq),
            ..
        } => Some(*seq),
        _ => None,
    }
}
