//! `legs.not-early`: a scheduled trade waits for its time.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Time};

use crate::domain_event::{DomainEvent, RebalancePlanned, number};
use crate::message::{Instant, Name, Span};

/// No leg runs before its time.
#[derive(Default)]
pub(super) struct NotEarly {
    /// When each leg that was not sent is due.
    due: BTreeMap<Name, Instant>,
    sent: bool,
}

impl NotEarly {
    /// A leg is due as many intervals after the plan as its batch says.
    fn planned(&mut self, now: Time, plan: &RebalancePlanned) -> Result<(), String> {
        let later = plan.trades.iter().filter(|trade| trade.batch_index > 0);
        for trade in later {
            let hours = trade.batch_index.saturating_mul(plan.interval_hours);
            let due = Instant::from(now) + Span::from_secs(hours.saturating_mul(3_600));
            if trade.due != due {
                return Err(format!(
                    "expected a trade of batch {} to be due {due}, found {}",
                    trade.batch_index, trade.due
                ));
            }
            self.due.insert(trade.key.clone(), due);
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for NotEarly {
    fn id(&self) -> &'static str {
        "legs.not-early"
    }

    fn statement(&self) -> &'static str {
        "no leg runs before its time"
    }

    fn watches(&self) -> &'static [u16] {
        &[number::RebalancePlanned, number::OrderSubmitted]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RebalancePlanned], &[number::OrderSubmitted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::RebalancePlanned(plan)) => self.planned(event.time, plan),
            Some(DomainEvent::OrderSubmitted(order)) => {
                let Some(due) = self.due.get(&order.intent) else {
                    return Ok(());
                };
                let now = Instant::from(event.time);
                if now < *due {
                    return Err(format!("expected no leg before {due}, found one at {now}"));
                }
                self.sent = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn evaluable(&self) -> bool {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::money::planted::{leg, order, plan};
    use crate::invariants::planted::Planted;

    fn log() -> Planted {
        Planted::of(NotEarly::default()).then(plan(vec![leg("plan-1-0", "sell", 1, 3_600)]))
    }

    #[test]
    fn a_leg_runs_at_its_time_or_later() {
        log().at(3_600.0).then(order("plan-1-0", "sell")).holds();
    }

    #[test]
    fn a_leg_that_runs_early_is_noticed() {
        let early = log().at(3_599.0).then(order("plan-1-0", "sell")).violated();
        assert!(early.starts_with("expected no leg before"), "{early}");
    }

    #[test]
    fn a_leg_that_is_due_too_soon_is_noticed() {
        let log = Planted::of(NotEarly::default());
        let soon = log.then(plan(vec![leg("plan-1-0", "sell", 2, 3_600)]));
        assert!(soon.violated().contains("batch 2"));
    }
}
