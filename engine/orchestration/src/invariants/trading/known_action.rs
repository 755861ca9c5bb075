//! `trade.known-action`: what a signal wants is read exactly, and nothing is guessed.

use dacapo_kernel::{Event, Invariant};

use super::facts::Facts;
use crate::domain_event::{DomainEvent, TradeOrigin, number};
use crate::invariants::messages::Messages;
use crate::message::Topic;

/// The signals that an order may go back to.
#[derive(Debug)]
pub(super) struct KnownAction {
    signals: Messages,
}

impl KnownAction {
    pub(super) fn new() -> KnownAction {
        KnownAction {
            signals: Messages::of(&[Topic::TradingSignals]),
        }
    }
}

impl Invariant<DomainEvent> for KnownAction {
    fn id(&self) -> &'static str {
        "trade.known-action"
    }

    fn statement(&self) -> &'static str {
        "an unknown action never trades"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Published,
            number::RiskJudged,
            number::OrderSubmitted,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RiskJudged, number::OrderSubmitted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let (origin, side) = match event.domain() {
            Some(DomainEvent::Published(published)) => {
                self.signals.keep(&published.message);
                return Ok(());
            }
            Some(DomainEvent::RiskJudged(judged)) => (judged.origin, &judged.proposal.side),
            Some(DomainEvent::OrderSubmitted(it)) => (it.origin, &it.order.side),
            _ => return Ok(()),
        };
        let TradeOrigin::Signal(number) = origin else {
            return Ok(());
        };
        let Some(signal) = self.signals.get(number) else {
            return Ok(());
        };
        match Facts::of(&signal.payload).text("action") {
            Some("BUY") if *side == *"buy" => Ok(()),
            Some("SELL") if *side == *"sell" => Ok(()),
            Some("BUY" | "SELL") => {
                Err("expected a trade in the direction of its signal, found the other one".into())
            }
            _ => Err(format!(
                "expected no trade without BUY or SELL, found a {side}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::plant::{judged, published, submitted};
    use super::*;
    use crate::invariants::planted::Planted;

    fn wanted(action: Value) -> Planted {
        let signal = json!({ "symbol": "BTC/USDT", "action": action, "confidence": 0.8 });
        Planted::of(KnownAction::new()).then(published(7, Topic::TradingSignals, 0, signal))
    }

    #[test]
    fn neither_a_lesser_spelling_nor_nothing_nor_hold_trades() {
        for action in [
            json!("buy"),
            json!("CLOSE_SHORT"),
            json!("HOLD"),
            Value::Null,
            json!(1),
        ] {
            let what = wanted(action)
                .then(judged(TradeOrigin::Signal(7), "sell"))
                .violated();
            assert!(what.starts_with("expected no trade without"), "{what}");
        }
    }

    #[test]
    fn a_buy_buys() {
        let order = |side| submitted("intent-1", TradeOrigin::Signal(7), side);
        let what = wanted(json!("BUY")).then(order("sell")).violated();
        assert!(what.contains("the other one"), "{what}");
        wanted(json!("BUY")).then(order("buy")).holds();
        wanted(json!("SELL")).then(order("sell")).holds();
    }
}
