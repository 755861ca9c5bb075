//! `trade.sent`: what risk lets pass is sent at once, as it is.

use dacapo_kernel::{Event, Invariant};

use crate::domain_event::{DomainEvent, OrderSubmitted, RiskJudged, TradeOrigin, number};
use crate::invariants::exact::exactly;

/// A trade of a signal that may pass and was not sent yet.
#[derive(Debug)]
struct Approved {
    signal: u64,
    /// Whether each of its numbers is one that an order can carry.
    fits: bool,
}

/// The trade that was judged last: between that and its order nothing waits.
#[derive(Debug, Default)]
pub(super) struct Sent {
    approved: Option<Approved>,
}

impl Sent {
    fn judge(&mut self, judged: &RiskJudged) {
        self.approved = None;
        let passes = judged.status == *"approved" || judged.status == *"modified";
        if let (TradeOrigin::Signal(signal), true) = (judged.origin, passes) {
            let asked = &judged.proposal;
            let size = Some(judged.size_usd.unwrap_or(asked.size_usd));
            let numbers = [
                size,
                Some(asked.entry_price),
                asked.stop_loss,
                asked.take_profit,
            ];
            let fits = numbers
                .into_iter()
                .flatten()
                .all(|it| exactly(it).is_some());
            self.approved = Some(Approved { signal, fits });
        }
    }

    fn submit(&mut self, sent: &OrderSubmitted) -> Result<(), String> {
        let TradeOrigin::Signal(_) = sent.origin else {
            return match sent.limit {
                None => Ok(()),
                Some(limit) => Err(format!(
                    "expected a trade of a rebalancing at the price of the market, found a limit of {limit}"
                )),
            };
        };
        self.approved = None;
        let entry = sent.order.entry_price;
        let at = (entry > 0.0).then(|| exactly(entry)).flatten();
        if sent.limit != at {
            return Err("expected an order at the entry of its signal, found another limit".into());
        }
        Ok(())
    }

    fn end(&mut self, signal: u64, reason: &str) -> Result<(), String> {
        let approved = self.approved.take().filter(|it| it.signal == signal);
        match approved {
            Some(approved) if approved.fits && reason != "NOT_RUNNING" => Err(format!(
                "expected a trade that may pass to be sent, found it dropped for {reason}"
            )),
            _ => Ok(()),
        }
    }
}

impl Invariant<DomainEvent> for Sent {
    fn id(&self) -> &'static str {
        "trade.sent"
    }

    fn statement(&self) -> &'static str {
        "a signal that risk lets pass is sent as an order at its own entry, unless the coordinator no longer \
         runs or one of its numbers is none that an order can carry; what rebalances takes the price of the market"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::RiskJudged,
            number::OrderSubmitted,
            number::SignalDropped,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RiskJudged]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.approved = None,
            Some(DomainEvent::RiskJudged(it)) => self.judge(it),
            Some(DomainEvent::OrderSubmitted(it)) => self.submit(it)?,
            Some(DomainEvent::SignalDropped(it)) => self.end(it.signal, it.reason.as_str())?,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::{judged, submitted};
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::SignalDropped;
    use crate::invariants::planted::Planted;
    use crate::message::Name;

    const OF_SIGNAL: TradeOrigin = TradeOrigin::Signal(7);

    fn dropped(reason: &'static str) -> SignalDropped {
        SignalDropped {
            signal: 7,
            reason: Name::fixed(reason),
        }
    }

    fn approved() -> Planted {
        Planted::of(Sent::default()).then(judged(OF_SIGNAL, "buy"))
    }

    fn order() -> OrderSubmitted {
        OrderSubmitted {
            limit: Some(Amount::from_int(45_000)),
            ..submitted("i", OF_SIGNAL, "buy")
        }
    }

    #[test]
    fn what_may_pass_is_sent() {
        let what = approved().then(dropped("EXECUTION_ERROR")).violated();
        assert!(
            what.ends_with("found it dropped for EXECUTION_ERROR"),
            "{what}"
        );
        approved().then(dropped("NOT_RUNNING")).holds();
        // An executor that raises was sent the order.
        approved()
            .then(order())
            .then(dropped("EXECUTION_ERROR"))
            .holds();
        let mut refused = judged(OF_SIGNAL, "buy");
        refused.status = Name::fixed("rejected");
        let refused = Planted::of(Sent::default()).then(refused);
        refused.then(dropped("EXECUTION_ERROR")).holds();
    }

    #[test]
    fn what_no_order_can_carry_is_not() {
        let mut huge = judged(OF_SIGNAL, "buy");
        huge.proposal.take_profit = Some(1e300);
        let huge = Planted::of(Sent::default()).then(huge);
        huge.then(dropped("EXECUTION_ERROR")).holds();
    }

    // Fails if a trade of a plan may wait for a price of its own.
    #[test]
    fn what_rebalances_takes_the_price_of_the_market() {
        let at = |limit: Option<i64>| OrderSubmitted {
            limit: limit.map(Amount::from_int),
            ..submitted("rebalance-1-0", TradeOrigin::Plan, "buy")
        };
        approved().then(at(None)).holds();
        approved().then(at(Some(45_000))).violated();
    }

    #[test]
    fn it_is_sent_at_its_own_entry() {
        let mut cheaper = order();
        cheaper.limit = Some(Amount::from_int(44_999));
        assert!(
            approved()
                .then(cheaper)
                .violated()
                .ends_with("another limit")
        );
        let mut market = order();
        market.limit = None;
        approved().then(market).violated();
        approved().then(order()).holds();
    }
}
