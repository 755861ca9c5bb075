//! `order.causal`: first the risk engine's leave, then the order, then its executions.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant};

use crate::config::{Config, TradingMode};
use crate::domain_event::{
    DomainEvent, Filled, OrderAnswered, OrderOutcome, OrderSubmitted, Proposed, RiskJudged, number,
};
use crate::message::Name;

/// How many proposals may be approved and not sent. One that is dropped after it was judged stays
/// here, so that a run may have a few.
const MOST_APPROVED: usize = 1_000;

/// Fill, order and approved proposal precede one another in the log in that order.
pub(super) struct Causal {
    /// Whether executions are told; a live executor keeps them to itself.
    on_paper: bool,
    /// What the risk engine let pass, as it let it pass, and was not sent.
    approved: Vec<Proposed>,
    orders: BTreeMap<Name, Order>,
}

/// What was sent for an intent.
struct Order {
    symbol: Name,
    side: Name,
    filled: bool,
}

impl Causal {
    pub(super) fn new(config: &Config) -> Causal {
        Causal {
            on_paper: config.trading_mode == TradingMode::Paper,
            approved: Vec::new(),
            orders: BTreeMap::new(),
        }
    }

    fn judged(&mut self, judged: &RiskJudged) {
        if !matches!(judged.status.as_str(), "approved" | "modified") {
            return;
        }
        let mut proposal = judged.proposal.clone();
        proposal.size_usd = judged.size_usd.unwrap_or(proposal.size_usd);
        proposal.leverage = judged.leverage.unwrap_or(proposal.leverage);
        if self.approved.len() == MOST_APPROVED {
            self.approved.remove(0);
        }
        self.approved.push(proposal);
    }

    fn submitted(&mut self, order: &OrderSubmitted) -> Result<(), String> {
        let same = |approved: &Proposed| *approved == order.order;
        match self.approved.iter().position(same) {
            Some(at) => {
                self.approved.remove(at);
            }
            None => {
                let of_trade = |approved: &Proposed| {
                    (&approved.symbol, &approved.side) == (&order.order.symbol, &order.order.side)
                };
                let what = if self.approved.iter().any(of_trade) {
                    "one that differs from what was approved"
                } else {
                    "one without an approved proposal"
                };
                return Err(format!(
                    "expected an order that the risk engine let pass, found {what}"
                ));
            }
        }
        let sent = Order {
            symbol: order.order.symbol.clone(),
            side: order.order.side.clone(),
            filled: false,
        };
        self.orders.insert(order.intent.clone(), sent);
        Ok(())
    }

    fn filled(&mut self, fill: &Filled) -> Result<(), String> {
        if fill.position.is_some() {
            return Ok(());
        }
        let order = fill.intent.as_ref();
        let Some(order) = order.and_then(|intent| self.orders.get_mut(intent)) else {
            return Err("expected an order before its fill, found a fill of none".to_owned());
        };
        if (&order.symbol, &order.side) != (&fill.symbol, &fill.side) {
            return Err(format!(
                "expected a fill of {} {}, found {} {}",
                order.side, order.symbol, fill.side, fill.symbol
            ));
        }
        order.filled = true;
        Ok(())
    }

    fn answered(&self, answered: &OrderAnswered) -> Result<(), String> {
        let Some(order) = self.orders.get(&answered.intent) else {
            return Err("expected an order before its answer, found an answer to none".to_owned());
        };
        match answered.outcome {
            OrderOutcome::Filled if self.on_paper && !order.filled => {
                Err("expected a fill before an order counts as filled, found none".to_owned())
            }
            OrderOutcome::Resting if order.filled => {
                Err("expected a resting order to be unfilled, found a fill of it".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl Invariant<DomainEvent> for Causal {
    fn id(&self) -> &'static str {
        "order.causal"
    }

    fn statement(&self) -> &'static str {
        "fill, order and approved proposal precede one another in the log in that order"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::RiskJudged,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::Filled,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OrderSubmitted, number::Filled]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            // What was approved and not sent is lost in a crash.
            Some(DomainEvent::Started(_)) => self.approved.clear(),
            Some(DomainEvent::RiskJudged(judged)) => self.judged(judged),
            Some(DomainEvent::OrderSubmitted(order)) => return self.submitted(order),
            Some(DomainEvent::Filled(fill)) => return self.filled(fill),
            Some(DomainEvent::OrderAnswered(it)) => return self.answered(it),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::Started;
    use crate::invariants::money::planted::{answered, config, order, proposed};
    use crate::invariants::planted::Planted;

    fn judged(status: &str) -> RiskJudged {
        RiskJudged {
            origin: crate::domain_event::TradeOrigin::Signal(1),
            basis: None,
            proposal: proposed("buy"),
            status: status.into(),
            rejections: Vec::new(),
            warnings: Vec::new(),
            size_usd: None,
            leverage: None,
        }
    }

    fn fill(side: &str) -> Filled {
        Filled {
            execution: 1,
            order: "order-1".into(),
            intent: Some("intent-1".into()),
            position: None,
            ordered: Amount::ONE,
            leverage: 1,
            symbol: "BTC/USDT".into(),
            side: side.into(),
            size: Amount::ONE,
            price: Amount::ONE,
            fee: Amount::ZERO,
            margin: false,
        }
    }

    fn log() -> Planted {
        Planted::of(Causal::new(&config()))
    }

    fn sent() -> Planted {
        log()
            .then(judged("approved"))
            .then(order("intent-1", "buy"))
    }

    #[test]
    fn leave_order_fill_answer_is_the_order() {
        let filled = || answered("intent-1", OrderOutcome::Filled);
        sent().then(fill("buy")).then(filled()).holds();
        let rests = answered("intent-1", OrderOutcome::Resting);
        sent().then(rests).then(fill("buy")).then(filled()).holds();
    }

    #[test]
    fn an_order_without_leave_is_noticed() {
        let refused = log().then(judged("rejected"));
        let refused = refused.then(order("intent-1", "buy")).violated();
        assert!(refused.contains("without an approved"), "{refused}");
        let twice = sent().then(order("intent-2", "buy")).violated();
        assert!(twice.contains("without an approved"), "{twice}");
        let restarted = log().then(judged("approved")).then(Started {});
        restarted.then(order("intent-1", "buy")).violated();
    }

    #[test]
    fn an_order_for_something_else_than_was_approved_is_noticed() {
        let reduced = RiskJudged {
            size_usd: Some(50.0),
            ..judged("modified")
        };
        let larger = log().then(reduced).then(order("intent-1", "buy"));
        assert!(larger.violated().contains("differs from what was approved"));
    }

    #[test]
    fn a_fill_without_an_order_is_noticed() {
        assert!(
            log()
                .then(fill("buy"))
                .violated()
                .contains("a fill of none")
        );
        assert!(
            sent()
                .then(fill("sell"))
                .violated()
                .contains("a fill of buy")
        );
    }

    #[test]
    fn an_answer_that_the_executions_contradict_is_noticed() {
        let unfilled = sent().then(answered("intent-1", OrderOutcome::Filled));
        assert!(unfilled.violated().contains("found none"));
        let rests = answered("intent-1", OrderOutcome::Resting);
        let filled = sent().then(fill("buy")).then(rests).violated();
        assert!(filled.contains("unfilled"), "{filled}");
        let unknown = log().then(answered("intent-1", OrderOutcome::Resting));
        assert!(unknown.violated().contains("an answer to none"));
    }
}
