//! `recovery.statistics`: what a crash costs of the statistics and of the level.
//!
//! What is saved must be what is true, what is restored must be what was saved last, and what is not saved
//! must be younger than the interval between two saves.

mod saved;

use std::collections::BTreeSet;
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, KernelEvent, Time};

use super::{COORDINATOR, DOWN};
use crate::config::{Config, StoreKind};
use crate::domain_event::{
    DomainEvent, OrderOutcome, OutcomeCounted, StateRestored, StateSaved, StatusReported,
    TaskOutcome, TaskRunStarted, number,
};
use crate::message::{DegradationLevel, Name};

use saved::{Figures, Saved};

/// The interval between two saves.
const INTERVAL: Duration = Duration::from_secs(600);
/// A look of the scheduler comes every second; a few may be missed.
const LOOKS: Duration = Duration::from_secs(10);

/// Statistics and level after recovery lag the truth by at most the persistence interval.
pub(super) struct Statistics {
    has_store: bool,
    failures_per_level: u32,
    /// What a coordinator begins with that restores nothing.
    initial: Figures,
    /// How long what is true may stay unsaved while the scheduler looks.
    most: Duration,
    /// What is true.
    now: Figures,
    /// Task runs that ended at this instant, and may not be counted yet.
    fresh: (Time, u64),
    saved: Option<Saved>,
    /// Since when there is something that was not saved.
    unsaved_since: Option<Time>,
    /// The scheduler looked, and did not save what was due.
    overdue: bool,
    /// The store fails.
    hindered: bool,
    /// The scheduler has ended, and saves nothing any more.
    ended: bool,
    /// What was saved was not restored yet.
    to_restore: bool,
    busy: Busy,
    judged: bool,
}

/// What keeps the scheduler from looking.
#[derive(Default)]
struct Busy {
    tasks: BTreeSet<Name>,
    orders: BTreeSet<Name>,
    until: Time,
}

impl Busy {
    fn is_idle_since(&self, now: Time) -> Option<Duration> {
        let idle = self.tasks.is_empty() && self.orders.is_empty();
        idle.then(|| now.since(self.until))
    }
}

impl Statistics {
    pub(super) fn new(config: &Config) -> Statistics {
        let initial = Figures::at_start(&config.degradation);
        let subscribers = config.events.iter().filter_map(|it| it.subscribe.as_ref());
        // A publish waits for its handlers, and a look for what it publishes.
        let slow: f64 = subscribers.map(|subscriber| subscriber.delay_seconds).sum();
        let slow = Duration::try_from_secs_f64(slow * 10.0).unwrap_or_default();
        // How long so many bars take, nobody knows: then nothing is called late.
        let interval = match config.store.save_bars {
            Some(_) => Duration::from_secs(u64::from(u32::MAX)),
            None => INTERVAL,
        };
        let has_store = config.store.kind != StoreKind::None;
        let saved = config.store.saved.as_ref().filter(|_| has_store);
        Statistics {
            has_store,
            failures_per_level: config.degradation.failures_per_level,
            initial,
            most: interval + LOOKS + slow,
            now: initial,
            fresh: (Time::ZERO, 0),
            saved: saved.map(|record| Saved::read(&record.0)),
            unsaved_since: None,
            overdue: false,
            hindered: false,
            ended: false,
            to_restore: false,
            busy: Busy::default(),
            judged: false,
        }
    }

    /// The coordinator begins with nothing in memory.
    fn start(&mut self, now: Time) {
        self.now = self.initial;
        self.unsaved_since = None;
        (self.overdue, self.hindered, self.ended) = (false, false, false);
        self.to_restore = self.saved.is_some();
        self.busy = Busy {
            until: now,
            ..Busy::default()
        };
    }

    fn change(&mut self, now: Time) {
        self.unsaved_since.get_or_insert(now);
    }

    /// Something happens that comes after recovery.
    fn has_recovered(&self) -> Result<(), String> {
        if self.to_restore {
            return Err("expected to go on from what was saved, found a new beginning".to_owned());
        }
        Ok(())
    }

    fn count(&mut self, now: Time, counted: &OutcomeCounted) -> Result<(), String> {
        self.has_recovered()?;
        let before = (self.now.llm_failures, self.now.api_failures);
        let after = (counted.llm_failures, counted.api_failures);
        (self.now.llm_failures, self.now.api_failures) = after;
        if before != after {
            self.change(now);
        }
        Ok(())
    }

    fn run_started(&mut self, now: Time, run: &TaskRunStarted) -> Result<(), String> {
        self.has_recovered()?;
        if run.forced {
            return Ok(());
        }
        // A look begins with saving what is due. What waited for a slot begins at once, and is of the same look.
        if self
            .busy
            .is_idle_since(now)
            .is_some_and(|idle| !idle.is_zero())
        {
            self.overdue |= self.is_due(now);
        }
        if !self.busy.tasks.contains(&run.task) {
            self.busy.tasks.insert(run.task.clone());
        }
        Ok(())
    }

    fn run_ended(&mut self, now: Time) {
        self.now.task_runs += 1;
        if self.fresh.0 != now {
            self.fresh = (now, 0);
        }
        self.fresh.1 += 1;
        self.change(now);
    }

    /// Whether something is not saved that should have been.
    fn is_due(&self, now: Time) -> bool {
        let since = self.unsaved_since;
        let saves = self.has_store && !self.hindered && !self.ended;
        saves && since.is_some_and(|since| now.since(since) > self.most)
    }

    /// How many task runs that ended may not be counted yet.
    fn uncounted(&self, now: Time) -> u64 {
        if self.fresh.0 == now { self.fresh.1 } else { 0 }
    }

    /// Whoever asks is told what is true.
    fn report(&self, now: Time, reported: &StatusReported) -> Result<(), String> {
        if self.to_restore {
            return Ok(());
        }
        Saved::read(&reported.status.0).counts(&self.now, self.uncounted(now))
    }

    fn save(&mut self, now: Time, state: &StateSaved) -> Result<(), String> {
        let saved = Saved::read(&state.record.0);
        saved.tells(&self.now, self.uncounted(now))?;
        let all = saved.figures(self.initial).task_runs == self.now.task_runs;
        self.unsaved_since = (!all).then_some(now);
        (self.overdue, self.hindered) = (false, false);
        self.saved = Some(saved);
        self.judged = true;
        Ok(())
    }

    fn restore(&mut self, restored: &StateRestored) -> Result<(), String> {
        let found = Figures {
            task_runs: restored.task_runs,
            conflicts: restored.conflicts,
            llm_failures: restored.llm_failures,
            api_failures: restored.api_failures,
        };
        let saved = self.saved.as_ref().filter(|_| self.to_restore);
        self.to_restore = false;
        self.now = found;
        if restored.complete {
            let expected = saved.map_or(self.initial, |saved| saved.figures(self.initial));
            expected.must_be(&found)?;
            self.judged = true;
        }
        let level = level(&found, self.failures_per_level);
        if restored.level != level {
            return Err(format!(
                "expected the level {level} after recovery, found {}",
                restored.level
            ));
        }
        Ok(())
    }

    fn fail(&mut self, operation: &str) {
        // A state that cannot be read now is waited for, so only saving is hindered.
        self.hindered |= operation == "save_state";
    }

    fn crash(&mut self, now: Time) -> Result<(), String> {
        let Some(since) = self.unsaved_since else {
            return Ok(());
        };
        let idle = self.busy.is_idle_since(now);
        let looked = idle.is_some_and(|idle| idle > self.most.saturating_sub(INTERVAL));
        let overdue = self.overdue || looked && self.is_due(now);
        // What is lost is lost once, however often the host crashes before it is up again.
        self.unsaved_since = None;
        if !overdue {
            return Ok(());
        }
        let lost = now.since(since).as_secs();
        Err(format!(
            "expected a crash to cost at most {} s of statistics, found {lost} s",
            INTERVAL.as_secs()
        ))
    }
}

fn level(figures: &Figures, per_level: u32) -> DegradationLevel {
    let failures = figures.llm_failures.saturating_add(figures.api_failures);
    match failures / per_level.max(1) {
        0 => DegradationLevel::Normal,
        1 => DegradationLevel::Reduced,
        2 => DegradationLevel::Limited,
        _ => DegradationLevel::Emergency,
    }
}

impl Invariant<DomainEvent> for Statistics {
    fn id(&self) -> &'static str {
        "recovery.statistics"
    }

    fn statement(&self) -> &'static str {
        "statistics and level after recovery lag the truth by at most the persistence interval"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            DOWN,
            dacapo_kernel::number::FaultInjected,
            number::Started,
            number::OutcomeCounted,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::TaskFinished,
            number::ScheduleEnded,
            number::ConflictFound,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::StateSaved,
            number::StateRestored,
            number::StoreFailed,
            number::StatusReported,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StateSaved, number::StateRestored, DOWN]]
    }

    /// A store that is put back to an earlier time, or loses what it had, costs more. Whoever ends a
    /// single task may end the one that saves.
    fn excludes(&self) -> &'static [&'static str] {
        &[
            "store.stale",
            "store.corrupt",
            "store.gone",
            crate::store::FOUND,
            dacapo_kernel::CRASH_TASK,
        ]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.start(now),
            Some(DomainEvent::OutcomeCounted(counted)) => return self.count(now, counted),
            Some(DomainEvent::TaskRunStarted(run)) => return self.run_started(now, run),
            Some(DomainEvent::TaskRunEnded(run)) if run.outcome == TaskOutcome::Done => {
                self.run_ended(now);
            }
            Some(DomainEvent::TaskFinished(it)) => {
                self.busy.tasks.remove(&it.task);
                self.busy.until = now;
            }
            Some(DomainEvent::ScheduleEnded(_)) => self.ended = true,
            Some(DomainEvent::ConflictFound(_)) => {
                self.now.conflicts += 1;
                self.change(now);
            }
            Some(DomainEvent::OrderSubmitted(order)) => {
                self.busy.orders.insert(order.intent.clone());
            }
            Some(DomainEvent::OrderAnswered(order)) => {
                if order.outcome != OrderOutcome::Unknown {
                    self.busy.orders.remove(&order.intent);
                }
                self.busy.until = now;
            }
            Some(DomainEvent::StateSaved(state)) => return self.save(now, state),
            Some(DomainEvent::StateRestored(restored)) => return self.restore(restored),
            Some(DomainEvent::StatusReported(it)) => return self.report(now, it),
            Some(DomainEvent::StoreFailed(failed)) => self.fail(&failed.operation),
            _ => match event.kernel() {
                Some(KernelEvent::HostCrashed(it)) if it.host == COORDINATOR => {
                    self.judged |= self.unsaved_since.is_some();
                    return self.crash(now);
                }
                Some(KernelEvent::FaultInjected(fault)) => {
                    self.hindered |= fault.door.as_str().starts_with("store.");
                }
                _ => {}
            },
        }
        Ok(())
    }

    fn evaluable(&self) -> bool {
        self.judged
    }
}

#[cfg(test)]
mod tests;
