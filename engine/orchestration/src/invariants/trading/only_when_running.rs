//! `trade.only-when-running`: the state at the instant of submitting decides, not an earlier look at it.

use dacapo_kernel::{Event, Invariant, Time};

use super::run_state::{CHANGED, RunStateFold, STARTED};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, OrderSubmitted, TradeOrigin, number};

/// The state as it is folded.
#[derive(Debug)]
pub(super) struct OnlyWhenRunning {
    state: RunStateFold,
    /// When that changed.
    since: Time,
}

impl OnlyWhenRunning {
    pub(super) fn new() -> OnlyWhenRunning {
        OnlyWhenRunning {
            state: RunStateFold::new(),
            since: Time::ZERO,
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
        "at the instant of submitting an order that adds risk, and when a signal is weighed, the coordinator \
         is RUNNING; orders that only close or reduce are allowed in every state"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            STARTED,
            CHANGED,
            number::ConsensusBuilt,
            number::OrderSubmitted,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConsensusBuilt, number::OrderSubmitted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(domain) = event.domain() else {
            return Ok(());
        };
        self.state.see(domain);
        let now = self.state.now();
        let submitted = match domain {
            DomainEvent::OrderSubmitted(submitted) => submitted,
            // A pause may come while evidence is looked up, which takes no time.
            DomainEvent::ConsensusBuilt(_)
                if now != RunState::Running && self.since < event.time =>
            {
                return Err(format!(
                    "expected no signal to be weighed while {now}, found one"
                ));
            }
            DomainEvent::ConsensusBuilt(_) => return Ok(()),
            _ => {
                self.since = event.time;
                return Ok(());
            }
        };
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
    use super::super::plant::{changed, consensus, submitted};
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

    // Fails if a signal may be weighed while nothing is traded, or may not when a pause comes at that instant.
    #[test]
    fn a_signal_is_weighed_while_running_only() {
        let weighed = || consensus(1, Vec::new(), 0, 0);
        for state in [RunState::Paused, RunState::Halted] {
            let stopped = || {
                Planted::of(OnlyWhenRunning::new()).at(1.0).then(changed(
                    RunState::Running,
                    state,
                    "pause",
                ))
            };
            stopped().then(weighed()).holds();
            let found = stopped().at(2.0).then(weighed()).violated();
            assert!(found.contains("to be weighed while"), "{found}");
            let resumed = stopped()
                .at(2.0)
                .then(changed(state, RunState::Running, "resume"));
            resumed.at(3.0).then(weighed()).holds();
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
