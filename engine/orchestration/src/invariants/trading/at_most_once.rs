//! `trade.at-most-once`: one intent is carried out once, and an order that was sent is waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Plan, Time};

use crate::config::Config;
use crate::domain_event::{DomainEvent, OrderOutcome, number};
use crate::message::Name;

/// How long an answer may take beyond what the scenario says that executors take.
const SLACK: Duration = Duration::from_secs(120);

/// The orders that wait for an answer, and the order of each intent that was carried out.
#[derive(Debug)]
pub(super) struct AtMostOnce {
    answered_within: Duration,
    waiting: Vec<(Name, Time)>,
    carried_out: BTreeMap<Name, Name>,
}

impl AtMostOnce {
    pub(super) fn new(plan: &Plan<Config>) -> AtMostOnce {
        let config = &plan.system;
        let paper = Duration::from_millis(config.paper.fill_delay_ms);
        let live = Duration::try_from_secs_f64(config.live.delay_seconds).unwrap_or(Duration::MAX);
        AtMostOnce::within(paper.max(live).saturating_add(SLACK))
    }

    fn within(answered_within: Duration) -> AtMostOnce {
        AtMostOnce {
            answered_within,
            waiting: Vec::new(),
            carried_out: BTreeMap::new(),
        }
    }

    fn look(&self, now: Time) -> Result<(), String> {
        let oldest = self.waiting.first();
        if oldest.is_some_and(|(_, since)| now.since(*since) > self.answered_within) {
            return Err(
                "expected an answer to every order that is sent, found one abandoned".into(),
            );
        }
        Ok(())
    }

    fn submit(&mut self, intent: &Name, at: Time) -> Result<(), String> {
        if self.carried_out.contains_key(intent) {
            return Err("expected an intent to be carried out once, found it sent again".into());
        }
        if self.waiting.iter().any(|(waits, _)| waits == intent) {
            return Err(
                "expected an answer before anything else, found the intent sent again".into(),
            );
        }
        self.waiting.push((intent.clone(), at));
        Ok(())
    }

    fn accept(&mut self, intent: &Name, order: &Name) -> Result<(), String> {
        match self.carried_out.get(intent) {
            Some(first) if first != order => {
                Err("expected one order for one intent, found another one accepted".into())
            }
            Some(_) => Ok(()),
            None => {
                self.carried_out.insert(intent.clone(), order.clone());
                Ok(())
            }
        }
    }
}

impl Invariant<DomainEvent> for AtMostOnce {
    fn id(&self) -> &'static str {
        "trade.at-most-once"
    }

    fn statement(&self) -> &'static str {
        "at most one accepted order for one intent id, over all crash and timeout points; a \
         submitted order is never abandoned midway"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::OrderSubmitted,
            number::OrderAnswered,
            number::Filled,
            dacapo_kernel::number::HostCrashed,
            dacapo_kernel::number::TaskCrashed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OrderSubmitted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.look(event.time)?;
        let at = event.time;
        match event.domain() {
            // Whoever waited may be gone.
            None => self.waiting.clear(),
            Some(DomainEvent::OrderSubmitted(it)) => self.submit(&it.intent, at)?,
            Some(DomainEvent::OrderAnswered(it)) => {
                if it.outcome != OrderOutcome::Unknown {
                    self.waiting.retain(|(intent, _)| *intent != it.intent);
                }
                let accepted = matches!(it.outcome, OrderOutcome::Filled | OrderOutcome::Resting);
                if let Some(order) = it.order.as_ref().filter(|_| accepted) {
                    self.accept(&it.intent, order)?;
                }
            }
            Some(DomainEvent::Filled(it)) => {
                if let Some(intent) = &it.intent {
                    self.accept(intent, &it.order)?;
                }
            }
            Some(_) => {}
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

    use super::super::plant::{answered, filled, submitted};
    use super::*;
    use crate::domain_event::TradeOrigin::Leg;
    use crate::invariants::planted::Planted;

    fn sent() -> Planted {
        Planted::of(AtMostOnce::within(Duration::from_secs(10))).then(submitted("leg", Leg, "buy"))
    }

    fn crash() -> HostCrashed {
        HostCrashed {
            host: HostId(1),
            abrupt: true,
        }
    }

    #[test]
    fn what_was_filled_is_not_sent_again() {
        let what = sent()
            .then(filled("order-1", Some("leg"), "buy", 45_000))
            .kernel(crash())
            .then(submitted("leg", Leg, "buy"))
            .violated();
        assert!(what.ends_with("found it sent again"), "{what}");
    }

    #[test]
    fn one_intent_has_one_order() {
        let what = sent()
            .then(answered("leg", Some("order-1"), OrderOutcome::Resting))
            .then(filled("order-2", Some("leg"), "buy", 45_000))
            .violated();
        assert!(what.contains("another one accepted"), "{what}");
        let what = sent().then(submitted("leg", Leg, "buy")).violated();
        assert!(what.contains("an answer before"), "{what}");
    }

    #[test]
    fn an_order_is_waited_for() {
        let late = answered("leg", Some("order-1"), OrderOutcome::Filled);
        let what = sent().at(11.0).then(late.clone()).violated();
        assert!(what.ends_with("found one abandoned"), "{what}");
        sent().at(9.0).then(late).holds();
    }

    #[test]
    fn what_never_arrived_is_sent_again_after_a_crash() {
        sent()
            .kernel(crash())
            .at(60.0)
            .then(submitted("leg", Leg, "buy"))
            .then(answered("leg", Some("order-1"), OrderOutcome::Resting))
            .then(answered("leg", Some("order-1"), OrderOutcome::Filled))
            .holds();
    }
}
