//! `halt.sticks`: who halts trading is told, and only somebody who clears the halt lets it go on.

use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Plan, Time};

use crate::config::{Config, StoreKind};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, StateChanged, number};

/// How long a halt may wait to be saved while the store works and no agent keeps the scheduler busy.
const SAVED_WITHIN: Duration = Duration::from_secs(120);

/// The halt in force, and whether it is safe.
#[derive(Debug)]
pub(super) struct HaltSticks {
    /// How long a halt may be in memory only.
    within: Duration,
    has_store: bool,
    state: RunState,
    /// Since when a halt waits to be saved.
    unsaved: Option<Time>,
    /// Whether the store failed since then.
    failed: bool,
    /// A halt is saved, and nobody has cleared it since.
    durable: bool,
    /// The coordinator has begun and reads what was saved.
    loading: bool,
}

impl HaltSticks {
    pub(super) fn new(plan: &Plan<Config>) -> HaltSticks {
        let config = &plan.system;
        let tasks = config.schedules.tasks(&config.symbols, &config.agents);
        let limits = tasks.iter().map(|task| task.timeout_seconds);
        let busy = Duration::from_secs_f64(limits.fold(0.0, f64::max));
        HaltSticks {
            // A save that failed is tried again by the scheduler, which waits for its tasks.
            within: SAVED_WITHIN + busy,
            has_store: plan.system.store.kind != StoreKind::None,
            state: RunState::Running,
            unsaved: None,
            failed: false,
            durable: false,
            loading: false,
        }
    }

    fn change(&mut self, changed: &StateChanged, at: Time) -> Result<(), String> {
        let StateChanged { from, to, by } = changed;
        if *from != self.state {
            return Err(format!(
                "expected a change from {}, found one from {from}",
                self.state
            ));
        }
        if *from == RunState::Halted && (*by != *"clear_halt" || *to != RunState::Paused) {
            return Err(format!(
                "expected HALTED to be left by clear_halt for paused, found it left by {by} for {to}"
            ));
        }
        self.state = *to;
        if *to == RunState::Halted {
            // A stop in good order is no halt, and what was read from the store is there already.
            let is_new = *by != *"stop" && !self.loading;
            self.unsaved = (is_new && self.has_store).then_some(at);
            self.failed = false;
        } else {
            self.unsaved = None;
            self.durable = false;
        }
        Ok(())
    }

    /// What is saved says whether there is a halt.
    fn save(&mut self, halt: Option<&str>) -> Result<(), String> {
        match halt {
            None if self.unsaved.is_some() => {
                Err("expected the reason of the halt in what is saved, found none".to_owned())
            }
            Some(_) if self.state != RunState::Halted => Err(format!(
                "expected no halt in what is saved while {}, found one",
                self.state
            )),
            _ => {
                self.durable = halt.is_some();
                self.unsaved = None;
                Ok(())
            }
        }
    }

    fn look(&self, now: Time) -> Result<(), String> {
        let waits = |since: Time| now.since(since) > self.within;
        if self.unsaved.is_some_and(waits) {
            return Err("expected the halt to be saved, found it in memory only".to_owned());
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for HaltSticks {
    fn id(&self) -> &'static str {
        "halt.sticks"
    }

    fn statement(&self) -> &'static str {
        "only clear_halt leaves HALTED; pause, resume, a lesser alert or a restart do not; a clean \
         stop is not a halt"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::StateChanged,
            number::StateSaved,
            number::StoreFailed,
            number::Subscribed,
            number::ScheduleEnded,
            dacapo_kernel::number::HostCrashed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StateChanged]]
    }

    // A store that gives back an earlier state gives back one from before the halt.
    fn excludes(&self) -> &'static [&'static str] {
        &["store.stale"]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.look(event.time)?;
        let at = event.time;
        let Some(event) = event.domain() else {
            // What was not saved before the crash is lost with it; it has to be saved at once.
            let unsaved = self.unsaved.take();
            if unsaved.is_some_and(|since| since < at) && !self.failed {
                return Err(
                    "expected the halt to be saved at once, found it lost in a crash".into(),
                );
            }
            return Ok(());
        };
        match event {
            DomainEvent::Started(_) => {
                self.state = RunState::Running;
                self.loading = true;
            }
            DomainEvent::StateChanged(changed) => self.change(changed, at)?,
            DomainEvent::StateSaved(saved) => {
                self.save(saved.record.0["halt"].as_str())?;
            }
            // Nothing is tried again after a stop.
            DomainEvent::ScheduleEnded(_) => self.unsaved = None,
            // It is tried again, and until the store has worked nobody can tell what it holds.
            DomainEvent::StoreFailed(_) => {
                self.unsaved = self.unsaved.map(|_| at);
                self.failed = true;
                self.durable &= !self.loading;
            }
            DomainEvent::Subscribed(it) if self.loading && it.subscriber == *"coordinator" => {
                self.loading = false;
                if self.durable && self.state != RunState::Halted {
                    return Err(format!(
                        "expected the halt to outlive the restart, found the coordinator {}",
                        self.state
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.look(end)
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::{HostCrashed, HostId};
    use serde_json::json;

    use super::super::plant::changed;
    use super::*;
    use crate::domain_event::{Started, StateSaved, StoreFailed, Subscribed};
    use crate::invariants::planted::Planted;
    use crate::message::{Json, Name, Topic};

    fn halted() -> Planted {
        let sticks = HaltSticks {
            within: SAVED_WITHIN,
            has_store: true,
            state: RunState::Running,
            unsaved: None,
            failed: false,
            durable: false,
            loading: false,
        };
        Planted::of(sticks).then(changed(RunState::Running, RunState::Halted, "halt"))
    }

    fn saved(halt: Option<&str>) -> StateSaved {
        StateSaved {
            record: Json(json!({ "halt": halt })),
        }
    }

    fn subscribed() -> Subscribed {
        Subscribed {
            topic: Topic::TradingSignals,
            subscriber: Name::fixed("coordinator"),
            label: None,
            replaced: Vec::new(),
        }
    }

    #[test]
    fn nothing_but_clear_halt_leaves_it() {
        for (to, by) in [
            (RunState::Paused, "pause"),
            (RunState::Running, "clear_halt"),
            (RunState::Paused, "circuit_breaker"),
        ] {
            let what = halted()
                .then(saved(Some("halt")))
                .then(changed(RunState::Halted, to, by))
                .violated();
            assert!(what.contains("found it left by"), "{what}");
        }
    }

    #[test]
    fn a_restart_does_not_forget_it() {
        let what = halted()
            .then(saved(Some("halt")))
            .then(Started {})
            .then(subscribed())
            .violated();
        assert!(what.contains("outlive the restart"), "{what}");
        let read_again = changed(RunState::Running, RunState::Halted, "halt");
        halted()
            .then(saved(Some("halt")))
            .then(Started {})
            .then(read_again)
            .then(subscribed())
            .holds();
    }

    #[test]
    fn it_is_saved_at_once() {
        let crash = || HostCrashed {
            host: HostId(1),
            abrupt: true,
        };
        let what = halted().at(10.0).kernel(crash()).violated();
        assert!(what.ends_with("found it lost in a crash"), "{what}");
        halted().kernel(crash()).holds();
        let failed = StoreFailed {
            operation: Name::fixed("save_state"),
        };
        halted().then(failed).at(10.0).kernel(crash()).holds();
    }

    #[test]
    fn its_reason_is_saved() {
        let what = halted().then(saved(None)).violated();
        assert!(what.contains("found none"), "{what}");
        let what = halted().at(121.0).then(subscribed()).violated();
        assert!(what.contains("in memory only"), "{what}");
        halted()
            .at(119.0)
            .then(StoreFailed {
                operation: Name::fixed("save_state"),
            })
            .at(200.0)
            .then(saved(Some("halt")))
            .holds();
    }

    #[test]
    fn a_halt_that_was_cleared_is_not_kept() {
        let cleared = halted().then(saved(Some("halt"))).then(changed(
            RunState::Halted,
            RunState::Paused,
            "clear_halt",
        ));
        let what = cleared.then(saved(Some("halt"))).violated();
        assert!(what.contains("while paused"), "{what}");
    }

    #[test]
    fn a_stop_in_good_order_is_forgotten() {
        Planted::of(HaltSticks {
            within: SAVED_WITHIN,
            has_store: true,
            state: RunState::Running,
            unsaved: None,
            failed: false,
            durable: false,
            loading: false,
        })
        .then(changed(RunState::Running, RunState::Halted, "stop"))
        .then(saved(None))
        .then(Started {})
        .then(subscribed())
        .holds();
    }
}
