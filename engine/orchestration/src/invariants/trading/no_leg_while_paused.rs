//! `trade.no-leg-while-paused`: what waits for its time also waits for trading to go on.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant};

use super::run_state::{CHANGED, RunStateFold, STARTED};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, TradeOrigin, number};
use crate::message::Name;

/// The state as it is folded, and the keys of the legs that wait in the store.
#[derive(Debug)]
pub(super) struct NoLegWhilePaused {
    state: RunStateFold,
    stored: BTreeMap<u64, Name>,
}

impl NoLegWhilePaused {
    pub(super) fn new() -> NoLegWhilePaused {
        NoLegWhilePaused {
            state: RunStateFold::new(),
            stored: BTreeMap::new(),
        }
    }
}

impl Invariant<DomainEvent> for NoLegWhilePaused {
    fn id(&self) -> &'static str {
        "trade.no-leg-while-paused"
    }

    fn statement(&self) -> &'static str {
        "no plan begins and no scheduled leg is submitted while PAUSED or HALTED"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            STARTED,
            CHANGED,
            number::RebalancePlanned,
            number::LegsPlanned,
            number::LegStored,
            number::LegMarked,
            number::OrderSubmitted,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::LegsPlanned, number::LegStored]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(event) = event.domain() else {
            return Ok(());
        };
        self.state.see(event);
        match event {
            DomainEvent::RebalancePlanned(_) if self.state.now() != RunState::Running => {
                return Err(format!(
                    "expected no plan to begin while {}, found one",
                    self.state.now()
                ));
            }
            DomainEvent::LegStored(stored) => {
                self.stored.insert(stored.leg, stored.key.clone());
            }
            DomainEvent::LegMarked(marked) if marked.status == *"executed" => {
                self.stored.remove(&marked.leg);
            }
            DomainEvent::OrderSubmitted(submitted) => {
                let now = self.state.now();
                let is_leg = submitted.origin == TradeOrigin::Leg
                    || self.stored.values().any(|key| *key == submitted.intent);
                if is_leg && now != RunState::Running {
                    return Err(format!(
                        "expected scheduled legs to wait while {now}, found one submitted"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::{changed, submitted};
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::{LegStored, LegsPlanned};
    use crate::invariants::money::planted::{leg, plan};
    use crate::invariants::planted::Planted;
    use crate::message::Instant;

    fn planned() -> Planted {
        Planted::of(NoLegWhilePaused::new())
            .then(LegStored {
                leg: 1,
                key: Name::fixed("plan-1"),
                symbol: Name::fixed("BTC/USDT"),
                side: Name::fixed("sell"),
                amount_usd: Amount::HUNDRED,
                batch_index: 1,
                due: Instant::START,
            })
            .then(LegsPlanned {
                plan: 1,
                held: 0,
                count: 1,
                accepted: true,
            })
    }

    #[test]
    fn not_even_a_sell_is_sent_while_paused() {
        let begun = plan(vec![leg("now", "sell", 0, 0)]);
        let paused = changed(RunState::Running, RunState::Paused, "pause");
        let what = planned().then(paused).then(begun.clone()).violated();
        assert!(what.contains("no plan to begin while paused"), "{what}");
        planned().then(begun).holds();
        for (origin, intent) in [(TradeOrigin::Leg, "plan-9"), (TradeOrigin::Plan, "plan-1")] {
            let what = planned()
                .then(changed(RunState::Running, RunState::Paused, "pause"))
                .then(submitted(intent, origin, "sell"))
                .violated();
            assert!(what.contains("while paused"), "{what}");
        }
    }

    #[test]
    fn legs_are_sent_while_running_and_others_whenever() {
        planned()
            .then(submitted("plan-1", TradeOrigin::Leg, "sell"))
            .then(changed(RunState::Running, RunState::Paused, "pause"))
            .then(submitted("intent-1", TradeOrigin::Plan, "sell"))
            .holds();
    }
}
