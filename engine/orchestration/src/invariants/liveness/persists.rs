//! What the coordinator knows is saved every ten minutes, while the store works.

use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Plan, Time, number as kernel};

use super::EXCLUDED;
use super::idle::{Idle, Overdue};
use super::up::Turn;
use crate::config::{Config, StoreKind};
use crate::domain_event::{DomainEvent, number};

/// How often the state is saved.
const PERIOD: Duration = Duration::from_secs(600);

/// `live.persists`
pub(super) struct Persists {
    idle: Idle,
    has_store: bool,
    due: Time,
    overdue: Overdue,
    /// Whether the run has come to a time at which something was due.
    was_due: bool,
}

impl Persists {
    pub(super) fn new(plan: &Plan<Config>) -> Persists {
        let store = &plan.system.store;
        Persists {
            idle: Idle::though_paused(plan),
            // How long so many bars take, the market decides: nobody calls a save by bars late.
            has_store: store.kind != StoreKind::None && store.save_bars.is_none(),
            due: Time::ZERO + PERIOD,
            overdue: Overdue::default(),
            was_due: false,
        }
    }

    fn pass(&mut self, now: Time) -> Result<(), String> {
        self.was_due |= self.due <= now;
        match self.idle.pass(now) {
            Some(stretch) if self.has_store && self.overdue.wait(stretch, self.due) => {
                Err("expected the state to be saved every 600 s, found it not saved".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// A period begins: the state was saved, or the store was asked in vain.
    fn begin(&mut self, now: Time) {
        self.due = now + PERIOD;
        self.overdue.reset();
    }
}

impl Invariant<DomainEvent> for Persists {
    fn id(&self) -> &'static str {
        "live.persists"
    }

    fn statement(&self) -> &'static str {
        "while running or paused with the store up, state is persisted at least every 600 s"
    }

    fn applies(&self) -> bool {
        self.has_store && self.idle.is_bounded()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::Subscribed,
            number::StateChanged,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::OutsideActed,
            number::StateSaved,
            number::StoreFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Started]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        let began = self.idle.note(event) == Turn::Began;
        let saved = match event.domain() {
            Some(DomainEvent::StateSaved(_)) => true,
            Some(DomainEvent::StoreFailed(failed)) => failed.operation.as_str() == "save_state",
            _ => false,
        };
        if began || saved {
            self.begin(event.time);
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }

    fn evaluable(&self) -> bool {
        self.was_due
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ended, listens, minimal, name, plan, started, state};
    use super::*;
    use crate::coordinator::state::RunState::{Halted, Running};
    use crate::domain_event::{StateSaved, StoreFailed};
    use crate::invariants::planted::Planted;
    use crate::message::Json;
    use serde_json::json;

    fn saved() -> StateSaved {
        StateSaved {
            record: Json(json!({})),
        }
    }

    fn begun() -> Planted {
        Planted::of(Persists::new(&minimal()))
            .then(started())
            .then(listens())
    }

    #[test]
    fn a_state_that_is_saved_every_ten_minutes_is_fine() {
        let log = begun().at(600.0).then(saved()).at(1_201.0).then(saved());
        log.at(1_900.0).kernel(ended()).holds();
    }

    #[test]
    fn a_state_that_is_never_saved_is_found() {
        let found = begun().at(721.0).then(saved()).violated();
        assert_eq!(
            found,
            "expected the state to be saved every 600 s, found it not saved"
        );
        let log = begun().at(600.0).then(saved());
        log.at(1_321.0).then(state(Running, Halted)).violated();
    }

    #[test]
    fn a_store_that_fails_or_is_not_there_and_a_halt_are_excuses() {
        let failed = StoreFailed {
            operation: name("save_state"),
        };
        let log = begun().at(600.0).then(failed);
        log.at(1_200.0).then(saved()).holds();
        let log = begun().at(500.0).then(state(Running, Halted));
        log.at(5_000.0)
            .then(state(Halted, Running))
            .at(5_100.0)
            .then(saved())
            .holds();
        let without = plan(json!({"store": {"kind": "none"}}));
        let log = Planted::of(Persists::new(&without))
            .then(started())
            .then(listens());
        let finding = log.at(900.0).then(started()).finding();
        assert_eq!(finding, dacapo_kernel::Finding::NotEvaluable);
    }
}
