//! `trade.only-when-running`: the state at the instant of submitting decides, not an earlier look at it.

use dacapo_kernel::{Event, Invariant};

use super::run_state::{CHANGED, RunStateFold, STARTED};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, OrderSubmitted, TradeOrigin, number};

/// The state as it is folded.
#[derive(Debug)]
pub(super) struct OnlyWhenRunning {
    state: RunStateFold,
}

impl OnlyWhenRunning {
    pub(super) fn new() -> OnlyWhenRunning {
        OnlyWhenRunning {
            state: RunStateFold::new(),
        }
    }
}

/// Whether an order adds risk. A signal opens a position whichever way it goes; of a rebalancing
/// only what is bought does.
pub(super) fn adds_risk(submitted: &OrderSubmitted) -> bool {
    match submitted.origin {
        TradeOrigin::Signal(_) => true,
        TradeOrigin::Plan | TradeOrigin::Leg => submitted.order.side != *"sell",
    }
}

impl Invariant<DomainEvent> for OnlyWhenRunning {
    fn id(&self) -> &'static str {
        "trade.only-when-running"
    }

    fn statement(&self) -> &'static str {
        "at the instant of submitting an order that adds risk, the coordinator is RUNNING; orders \
         that only close or reduce are allowed in every state"
    }

    fn watches(&self) -> &'static [u16] {
        &[STARTED, CHANGED, number::OrderSubmitted]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OrderSubmitted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(event) = event.domain() else {
            return Ok(());
        };
        self.state.see(event);
        let DomainEvent::OrderSubmitted(submitted) = event else {
            return Ok(());
        };
        let now = self.state.now();
        if now != RunState::Running && adds_risk(submitted) {
            return Err(format!(
                "expected no order that adds risk while {now}, found one submitted"
            ));
        }
        if submitted.state != now {
            return Err(format!(
                "expected an order that knows of the state {now}, found one that says {}",
                submitted.state
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::{changed, submitted};
    use super::*;
    use crate::domain_event::Started;
    use crate::invariants::planted::Planted;

    fn order(origin: TradeOrigin, side: &'static str, state: RunState) -> OrderSubmitted {
        let mut order = submitted("intent-1", origin, side);
        order.state = state;
        order
    }

    #[test]
    fn nothing_that_adds_risk_is_sent_while_paused_or_halted() {
        for (state, origin, side) in [
            (RunState::Paused, TradeOrigin::Signal(1), "sell"),
            (RunState::Halted, TradeOrigin::Signal(1), "buy"),
            (RunState::Paused, TradeOrigin::Plan, "buy"),
        ] {
            let what = Planted::of(OnlyWhenRunning::new())
                .then(changed(RunState::Running, state, "pause"))
                .then(order(origin, side, state))
                .violated();
            assert!(
                what.starts_with("expected no order that adds risk"),
                "{what}"
            );
        }
    }

    #[test]
    fn what_an_order_says_of_the_state_is_true() {
        let what = Planted::of(OnlyWhenRunning::new())
            .then(order(TradeOrigin::Plan, "sell", RunState::Paused))
            .violated();
        assert!(what.ends_with("found one that says paused"), "{what}");
    }

    #[test]
    fn running_and_reducing_are_fine() {
        Planted::of(OnlyWhenRunning::new())
            .then(changed(RunState::Running, RunState::Paused, "pause"))
            .then(order(TradeOrigin::Plan, "sell", RunState::Paused))
            .then(Started {})
            .then(order(TradeOrigin::Signal(1), "buy", RunState::Running))
            .holds();
    }
}
