//! `live.positions-announced`: whoever listens hears of every position that is opened, and of every closing.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan, Time, number as kernel};
use serde_json::Value;

use super::EXCLUDED;
use super::idle::{Idle, Overdue};
use super::up::Turn;
use crate::config::Config;
use crate::domain_event::{DomainEvent, number};
use crate::message::Payload;

/// What happened to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Opened,
    Closed,
}

/// A position is told of within the bound, unless the coordinator begins anew meanwhile.
pub(super) struct PositionsAnnounced {
    idle: Idle,
    /// By position: since when it is to be told of, and how long nobody has.
    owed: BTreeMap<(u64, What), (Time, Overdue)>,
    was_owed: bool,
}

impl PositionsAnnounced {
    pub(super) fn new(plan: &Plan<Config>) -> PositionsAnnounced {
        PositionsAnnounced {
            idle: Idle::new(plan),
            owed: BTreeMap::new(),
            was_owed: false,
        }
    }

    fn pass(&mut self, now: Time) -> Result<(), String> {
        let Some(stretch) = self.idle.pass(now) else {
            return Ok(());
        };
        for ((position, what), (since, overdue)) in &mut self.owed {
            if overdue.wait(stretch, *since) {
                let what = match what {
                    What::Opened => "opened",
                    What::Closed => "closed",
                };
                return Err(format!(
                    "expected everybody to hear that position-{position} was {what}, found nobody told"
                ));
            }
        }
        Ok(())
    }

    fn owe(&mut self, position: u64, what: What, now: Time) {
        self.was_owed = true;
        let since = self.idle.since(now);
        self.owed
            .insert((position, what), (since, Overdue::default()));
    }

    fn tell(&mut self, told: &Value, what: What) {
        let name = told["id"]
            .as_str()
            .and_then(|id| id.strip_prefix("position-"));
        if let Some(position) = name.and_then(|number| number.parse().ok()) {
            self.owed.remove(&(position, what));
        }
    }
}

impl Invariant<DomainEvent> for PositionsAnnounced {
    fn id(&self) -> &'static str {
        "live.positions-announced"
    }

    fn statement(&self) -> &'static str {
        "every position that is opened or closed is announced, unless the coordinator begins anew meanwhile"
    }

    fn applies(&self) -> bool {
        self.idle.is_bounded()
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
            number::PositionOpened,
            number::PositionClosed,
            number::Published,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::PositionOpened]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn evaluable(&self) -> bool {
        self.was_owed
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        if self.idle.note(event) != Turn::Nothing {
            self.owed.clear();
        }
        match event.domain() {
            // What a resting order opens while a coordinator that begins waits for its store, nobody sees.
            Some(DomainEvent::PositionOpened(it)) if self.idle.life().listens() => {
                self.owe(it.position, What::Opened, event.time);
            }
            Some(DomainEvent::PositionClosed(it)) => {
                self.owe(it.position, What::Closed, event.time)
            }
            Some(DomainEvent::Published(it)) => match &it.message.payload {
                Payload::PositionOpened(told) => self.tell(&told.position.0, What::Opened),
                Payload::PositionClosed(told) => self.tell(&told.position.0, What::Closed),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::Finding;
    use serde_json::json;

    use super::super::samples::{ended, listens, minimal, started};
    use super::*;
    use crate::domain_event::Published;
    use crate::invariants::planted::Planted;
    use crate::invariants::trading::plant::{position_closed, position_opened, published};
    use crate::message::Topic;

    fn opened() -> Planted {
        let began = Planted::of(PositionsAnnounced::new(&minimal()))
            .then(started())
            .then(listens());
        began.at(10.0).then(position_opened())
    }

    fn told(event_type: &str) -> Published {
        let mut payload = json!({"event_type": event_type, "position": {"id": "position-7"}});
        if event_type == "position_closed" {
            payload["reason"] = "take_profit".into();
        }
        published(1, Topic::PortfolioUpdates, 0, payload)
    }

    // Fails if a position of which nobody hears is not found, or one that is told of is.
    #[test]
    fn a_position_of_which_nobody_hears_is_found() {
        let found = opened().at(140.0).kernel(ended()).violated();
        assert!(found.contains("position-7 was opened"), "{found}");
        let in_time = || opened().at(100.0).then(told("position_opened"));
        in_time().at(900.0).kernel(ended()).holds();
        let found = in_time()
            .at(900.0)
            .then(position_closed())
            .at(1_100.0)
            .kernel(ended());
        assert!(found.violated().contains("position-7 was closed"));
        let both = in_time()
            .at(900.0)
            .then(position_closed())
            .then(told("position_closed"));
        both.at(1_100.0).kernel(ended()).holds();
    }

    // Fails if a coordinator is held to what it cannot have seen.
    #[test]
    fn who_waits_for_its_store_sees_no_position_opened() {
        let waiting = Planted::of(PositionsAnnounced::new(&minimal())).then(started());
        let opened = waiting
            .at(10.0)
            .then(position_opened())
            .at(20.0)
            .then(listens());
        let finding = opened.at(900.0).kernel(ended()).finding();
        assert!(matches!(finding, Finding::NotEvaluable), "{finding:?}");
    }

    // Fails if a coordinator is held to what another one has seen.
    #[test]
    fn who_begins_anew_owes_nothing() {
        let anew = opened().at(20.0).then(started()).then(listens());
        anew.at(900.0).kernel(ended()).holds();
    }
}
