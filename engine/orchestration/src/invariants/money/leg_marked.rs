//! `legs.marked`: a scheduled trade that was sent is marked as the exchange answered.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant};

use super::DOWN;
use crate::domain_event::{
    DomainEvent, LegMarked, OrderAnswered, OrderOutcome, RebalanceTradeSkipped, TradeOrigin, number,
};
use crate::message::Name;

/// How a scheduled trade ended, so far as it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was sent, and nobody answered yet.
    Open,
    /// Its first answer was lost, or whoever waited for it is gone.
    Unknown,
    /// It was filled, or waits for its price.
    Taken,
    /// It was refused, or never sent.
    Refused,
}

/// The scheduled trades that were sent or skipped.
#[derive(Debug, Default)]
pub(super) struct LegMarks {
    keys: BTreeMap<u64, Name>,
    ends: BTreeMap<Name, End>,
}

impl LegMarks {
    fn answer(&mut self, answered: &OrderAnswered) {
        if let Some(end) = self.ends.get_mut(&answered.intent)
            && (*end == End::Open || answered.outcome == OrderOutcome::Cancelled)
        {
            *end = match answered.outcome {
                OrderOutcome::Filled | OrderOutcome::Resting => End::Taken,
                OrderOutcome::Refused(_) | OrderOutcome::Raised(_) => End::Refused,
                OrderOutcome::Unknown | OrderOutcome::Cancelled => End::Unknown,
            };
        }
    }

    fn skip(&mut self, skipped: &RebalanceTradeSkipped) {
        let end = self.ends.entry(skipped.key.clone()).or_insert(End::Refused);
        if *end == End::Open {
            *end = End::Refused;
        }
    }

    fn mark(&mut self, marked: &LegMarked) -> Result<(), String> {
        let Some(key) = self.keys.get(&marked.leg) else {
            return Ok(());
        };
        let fits = match (self.ends.get(key), marked.status.as_str()) {
            (Some(End::Taken), status) => status == "executed",
            (Some(End::Refused), status) => status == "failed",
            (Some(End::Open), "executed" | "failed" | "pending") => false,
            _ => true,
        };
        if marked.status == *"pending" {
            // It is tried anew.
            self.ends.remove(key);
        }
        if fits {
            return Ok(());
        }
        Err(format!(
            "expected a leg to be marked as it was answered, found it {}",
            marked.status
        ))
    }

    /// Whoever waited is gone: what became of what was under way the exchange knows.
    fn crash(&mut self) {
        for end in self.ends.values_mut() {
            *end = End::Unknown;
        }
    }
}

impl Invariant<DomainEvent> for LegMarks {
    fn id(&self) -> &'static str {
        "legs.marked"
    }

    fn statement(&self) -> &'static str {
        "a scheduled trade is marked as executed if its order was taken, and as failed if it was refused or \
         skipped"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            DOWN,
            dacapo_kernel::number::TaskCrashed,
            number::Started,
            number::LegStored,
            number::LegMarked,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::RebalanceTradeSkipped,
            number::StoreFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::LegMarked]]
    }

    /// A store that is put back to an earlier time, or loses what it had, forgets marks.
    fn excludes(&self) -> &'static [&'static str] {
        super::FORGETFUL_STORE
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::LegStored(it)) => {
                self.keys.insert(it.leg, it.key.clone());
            }
            Some(DomainEvent::OrderSubmitted(it)) if it.origin == TradeOrigin::Leg => {
                self.ends.insert(it.intent.clone(), End::Open);
            }
            Some(DomainEvent::OrderAnswered(it)) => self.answer(it),
            Some(DomainEvent::RebalanceTradeSkipped(it)) => self.skip(it),
            Some(DomainEvent::LegMarked(it)) => return self.mark(it),
            Some(DomainEvent::StoreFailed(it)) => {
                // The exchange is asked about a leg that could not be marked.
                if it.operation == *"mark_leg" {
                    self.crash();
                }
            }
            Some(DomainEvent::Started(_)) | None => self.crash(),
            Some(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::trading::plant::{answered, submitted};
    use super::super::planted::{leg, marked, stored};
    use super::*;
    use crate::domain_event::Started;
    use crate::invariants::planted::Planted;

    fn sent() -> Planted {
        Planted::of(LegMarks::default())
            .then(stored(1, &leg("i", "buy", 1, 0)))
            .then(marked(1, "sending"))
            .then(submitted("i", TradeOrigin::Leg, "buy"))
    }

    // Fails if a trade may be marked otherwise than it was answered, or before it was.
    #[test]
    fn a_leg_is_marked_as_it_was_answered() {
        let filled = || sent().then(answered("i", None, OrderOutcome::Filled));
        filled().then(marked(1, "executed")).holds();
        filled().then(marked(1, "failed")).violated();
        let code = OrderOutcome::Refused("no_price".into());
        let refused = || sent().then(answered("i", None, code.clone()));
        refused().then(marked(1, "failed")).holds();
        refused().then(marked(1, "executed")).violated();
        sent().then(marked(1, "executed")).violated();
    }

    // Fails if what a crash cut off is held to an answer that nobody heard.
    #[test]
    fn after_a_crash_the_exchange_knows() {
        let again = || sent().then(Started {});
        again().then(marked(1, "executed")).holds();
        again().then(marked(1, "pending")).holds();
    }
}
