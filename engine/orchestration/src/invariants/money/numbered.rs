//! `order.numbered`: an order that an exchange takes has a number, which no other one has.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant};

use crate::domain_event::{DomainEvent, OrderAnswered, OrderOutcome, number};
use crate::message::Name;

/// For what the orders of each number were.
#[derive(Debug, Default)]
pub(super) struct Numbered {
    intents: BTreeMap<Name, Name>,
}

impl Numbered {
    fn answer(&mut self, answered: &OrderAnswered) -> Result<(), String> {
        let is_taken = match answered.outcome {
            OrderOutcome::Filled | OrderOutcome::Resting => true,
            OrderOutcome::Raised(_) | OrderOutcome::Unknown => false,
            // It may have been refused before it was taken, or taken and taken back.
            OrderOutcome::Refused(_) | OrderOutcome::Cancelled => return Ok(()),
        };
        let Some(number) = &answered.order else {
            return if is_taken {
                Err("expected an order that was taken to have a number, found none".into())
            } else {
                Ok(())
            };
        };
        if !is_taken {
            return Err(format!(
                "expected an order that nobody took to have no number, found {number}"
            ));
        }
        let intent = self
            .intents
            .entry(number.clone())
            .or_insert_with(|| answered.intent.clone());
        if *intent != answered.intent {
            return Err(format!(
                "expected one order of the number {number}, found another"
            ));
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for Numbered {
    fn id(&self) -> &'static str {
        "order.numbered"
    }

    fn statement(&self) -> &'static str {
        "an order that an exchange takes has a number, which no other one has"
    }

    fn watches(&self) -> &'static [u16] {
        &[number::OrderAnswered]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OrderAnswered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::OrderAnswered(it)) => self.answer(it),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::planted::Planted;
    use crate::invariants::trading::plant::answered;

    fn begun() -> Planted {
        let log = Planted::of(Numbered::default());
        log.then(answered("one", Some("order-1"), OrderOutcome::Resting))
    }

    // Fails if an order may be taken without a number, or not taken with one, or a number be given twice.
    #[test]
    fn each_order_has_a_number_of_its_own() {
        use OrderOutcome::{Filled, Refused, Resting, Unknown};
        let then = |order, outcome| begun().then(answered("two", order, outcome));
        then(Some("order-2"), Filled).holds();
        then(None, Refused("executor_refused".into())).holds();
        then(Some("order-2"), Refused("insufficient_balance".into())).holds();
        then(None, Unknown).holds();
        let again = answered("one", Some("order-1"), Filled);
        begun().then(again).holds();
        let found = then(None, Filled).violated();
        assert!(found.ends_with("found none"), "{found}");
        let found = then(None, Resting).violated();
        assert!(found.ends_with("found none"), "{found}");
        let found = then(Some("order-2"), Unknown).violated();
        assert!(found.ends_with("found order-2"), "{found}");
        let found = then(Some("order-1"), Filled).violated();
        assert!(found.ends_with("found another"), "{found}");
    }
}
