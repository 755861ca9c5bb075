//! `emergency.cancels`: where everything is closed, no order is left that could open something again.

use std::collections::BTreeSet;

use dacapo_kernel::{Event, Invariant, KernelEvent, number as kernel};

use crate::coordinator::state::RunState;
use crate::domain_event::{
    DomainEvent, EmergencyOrder, EmergencyOrdered, OrderAnswered, OrderOutcome, number,
};
use crate::message::Name;

/// The door at which an order is taken back in vain.
const IN_VAIN: &str = "exchange.fill-after-cancel";

/// The orders that wait for their price.
#[derive(Debug, Default)]
pub(super) struct EmergencyCancels {
    /// By what they are for.
    resting: BTreeSet<Name>,
    /// How many were taken back in vain, and may wait on.
    in_vain: usize,
    /// Whether everything is to be closed, as far as anybody has made durable.
    closes: bool,
}

impl EmergencyCancels {
    fn answer(&mut self, answered: &OrderAnswered) {
        match answered.outcome {
            OrderOutcome::Resting => drop(self.resting.insert(answered.intent.clone())),
            OrderOutcome::Unknown => {}
            _ => drop(self.resting.remove(&answered.intent)),
        }
    }

    /// An order is told once what waits is taken back. Whoever has lifted the halt meanwhile may trade again.
    fn close(&self, ordered: &EmergencyOrdered) -> Result<(), String> {
        let closes = ordered.order == EmergencyOrder::CloseAll && ordered.left.is_some();
        let left = self.resting.len().saturating_sub(self.in_vain);
        if closes && self.closes && left > 0 {
            return Err(format!(
                "expected no order to wait after an emergency close, found {left}"
            ));
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for EmergencyCancels {
    fn id(&self) -> &'static str {
        "emergency.cancels"
    }

    fn statement(&self) -> &'static str {
        "where everything is closed in an emergency, orders that wait for their price are taken back"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::FaultInjected,
            number::StateChanged,
            number::StateSaved,
            number::OrderAnswered,
            number::EmergencyOrdered,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::EmergencyOrdered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match (event.kernel(), event.domain()) {
            (Some(KernelEvent::FaultInjected(it)), _) if it.door == *IN_VAIN => self.in_vain += 1,
            (_, Some(DomainEvent::StateChanged(it))) => self.closes &= it.to == RunState::Halted,
            (_, Some(DomainEvent::StateSaved(it))) => self.closes = it.record.0["closing"] == true,
            (_, Some(DomainEvent::OrderAnswered(it))) => self.answer(it),
            (_, Some(DomainEvent::EmergencyOrdered(it))) => return self.close(it),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::changed;
    use super::*;
    use crate::domain_event::StateSaved;
    use crate::invariants::planted::{Planted, fault};
    use crate::message::Json;

    fn answered(intent: &'static str, outcome: OrderOutcome) -> OrderAnswered {
        OrderAnswered {
            intent: Name::fixed(intent),
            order: None,
            outcome,
        }
    }

    /// What is saved of a halt.
    fn saved(closing: bool) -> StateSaved {
        StateSaved {
            record: Json(json!({ "closing": closing })),
        }
    }

    /// Two orders wait in a halt in which everything is to be closed.
    fn waiting() -> Planted {
        let begun = Planted::of(EmergencyCancels::default());
        let halted = begun.then(changed(RunState::Running, RunState::Halted, "breach"));
        let one = halted
            .then(saved(true))
            .then(answered("one", OrderOutcome::Resting));
        one.then(answered("two", OrderOutcome::Resting))
    }

    fn closed(left: Option<u64>) -> EmergencyOrdered {
        EmergencyOrdered {
            order: EmergencyOrder::CloseAll,
            left,
        }
    }

    // Fails if an order may wait on, or one that has ended must be taken back.
    #[test]
    fn what_waits_is_taken_back() {
        let found = waiting().then(closed(Some(0))).violated();
        assert!(found.ends_with("found 2"), "{found}");
        let one = || waiting().then(answered("one", OrderOutcome::Cancelled));
        one().then(closed(Some(0))).violated();
        for outcome in [OrderOutcome::Cancelled, OrderOutcome::Filled] {
            let both = one().then(answered("two", outcome));
            both.then(closed(Some(1))).holds();
        }
        let unknown = one().then(answered("two", OrderOutcome::Unknown));
        unknown.then(closed(Some(0))).violated();
    }

    // Fails if an exchange that is not asked, a reduction, or a halt that was lifted takes anything back.
    #[test]
    fn nothing_else_takes_them_back() {
        waiting().then(closed(None)).holds();
        let reduced = EmergencyOrdered {
            order: EmergencyOrder::Reduce(50.0),
            left: Some(0),
        };
        waiting().then(reduced).holds();
        let lifted = || waiting().then(changed(RunState::Halted, RunState::Paused, "clear_halt"));
        lifted().then(closed(Some(0))).holds();
        let again = lifted().then(changed(RunState::Paused, RunState::Halted, "halt"));
        again.then(closed(Some(0))).holds();
        waiting().then(saved(false)).then(closed(Some(0))).holds();
        let vain = || waiting().kernel(fault(IN_VAIN, 0));
        vain().then(closed(Some(0))).violated();
        let one = vain().then(answered("one", OrderOutcome::Cancelled));
        one.then(closed(Some(0))).holds();
    }
}
