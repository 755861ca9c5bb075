//! `position.told`: what the bus says of a position is what became of it.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::{ActorId, Event, Invariant};
use serde_json::Value;

use crate::amount::Amount;
use crate::domain_event::{DomainEvent, PositionClosed, PositionOpened, Published, number};
use crate::message::{OrderPlaced, Payload};

/// A message that a position was opened or closed says of it what the exchange did.
#[derive(Debug, Default)]
pub(super) struct PositionsTold {
    coordinator: Option<ActorId>,
    opened: BTreeMap<u64, Box<PositionOpened>>,
    /// How each position was closed, part by part: whoever takes time to listen holds up what is told.
    closed: BTreeMap<u64, Vec<PositionClosed>>,
    /// Those of which this coordinator has said that they were opened.
    told: BTreeSet<u64>,
}

impl PositionsTold {
    fn publish(&mut self, published: &Published) -> Result<(), String> {
        match &published.message.payload {
            Payload::PositionOpened(told) => {
                self.told.extend(number_of(&told.position.0));
                self.opens(&told.position.0)
            }
            Payload::OrderPlaced(placed) => self.places(placed),
            Payload::PositionClosed(told) => self.closes(&told.position.0, told.reason.as_str()),
            _ => Ok(()),
        }
    }

    /// Whoever hears of an order that opened a position has heard of the position.
    fn places(&self, placed: &OrderPlaced) -> Result<(), String> {
        let position = placed.position_id.0.as_ref();
        match position.and_then(|it| number_in(it.as_str())) {
            Some(position) if !self.told.contains(&position) => Err(
                "expected a position to be told of before its order, found it untold".to_owned(),
            ),
            _ => Ok(()),
        }
    }

    fn opens(&self, told: &Value) -> Result<(), String> {
        let opened = number_of(told).and_then(|position| self.opened.get(&position));
        let opened = opened.ok_or("expected a position that was opened, found another told of")?;
        let direction = if opened.side == *"buy" {
            "long"
        } else {
            "short"
        };
        agree("symbol", told["symbol"] == opened.symbol.as_str())?;
        agree("direction", told["side"] == direction)?;
        agree("size", amount_of(&told["size"]) == Some(opened.size))?;
        let entry = amount_of(&told["entry_price"]);
        agree("entry", entry == Some(opened.entry_price))?;
        agree("leverage", told["leverage"] == opened.leverage)?;
        agree("order", told["order_id"] == opened.order.as_str())
    }

    fn closes(&self, told: &Value, reason: &str) -> Result<(), String> {
        let closed = number_of(told).and_then(|position| self.closed.get(&position));
        let closed = closed.ok_or("expected a position that was closed, found another told of")?;
        let exit = amount_of(&told["exit_price"]);
        let profit = amount_of(&told["realized_pnl"]);
        let is_this = |it: &PositionClosed| {
            it.reason == *reason && exit == Some(it.price) && profit == Some(it.profit)
        };
        agree("end", closed.iter().any(is_this))
    }
}

/// The number in a name such as `position-7`.
fn number_of(told: &Value) -> Option<u64> {
    number_in(told["id"].as_str()?)
}

fn number_in(name: &str) -> Option<u64> {
    name.strip_prefix("position-")?.parse().ok()
}

/// An amount as messages write it.
fn amount_of(told: &Value) -> Option<Amount> {
    told.as_str()?.parse().ok()
}

fn agree(what: &str, same: bool) -> Result<(), String> {
    if same {
        return Ok(());
    }
    Err(format!(
        "expected the {what} of a position as the exchange has it, found another one told"
    ))
}

impl Invariant<DomainEvent> for PositionsTold {
    fn id(&self) -> &'static str {
        "position.told"
    }

    fn statement(&self) -> &'static str {
        "what a message says of a position that was opened or closed is what the exchange did, and a position is \
         told of before its order"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::Published,
            number::PositionOpened,
            number::PositionClosed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::PositionOpened]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.coordinator = Some(event.actor);
                self.told.clear();
            }
            Some(DomainEvent::PositionOpened(it)) => {
                self.opened.insert(it.position, it.clone());
            }
            Some(DomainEvent::PositionClosed(it)) => {
                self.closed.entry(it.position).or_default().push(it.clone());
            }
            Some(DomainEvent::Published(it)) if self.coordinator == Some(event.actor) => {
                return self.publish(it);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{position_closed, position_opened, published};
    use super::*;
    use crate::domain_event::Started;
    use crate::invariants::planted::Planted;
    use crate::message::Topic;

    fn log() -> Planted {
        Planted::of(PositionsTold::default())
            .then(Started {})
            .then(position_opened())
            .then(position_closed())
    }

    fn opening(field: &str, value: Value) -> Published {
        let mut position = json!({
            "id": "position-7", "symbol": "BTC/USDT", "side": "short", "size": "1",
            "entry_price": "100", "leverage": 2, "order_id": "order-3",
        });
        position[field] = value;
        let payload = json!({"event_type": "position_opened", "position": position});
        published(1, Topic::PortfolioUpdates, 0, payload)
    }

    fn closing(field: &str, value: Value) -> Published {
        let mut position = json!({"id": "position-7", "exit_price": "90", "realized_pnl": "20"});
        position[field] = value;
        let payload = json!({
            "event_type": "position_closed", "position": position, "reason": "take_profit",
        });
        published(1, Topic::PortfolioUpdates, 0, payload)
    }

    /// Fails if an order is told as placed that opened a position of which nobody heard.
    #[test]
    fn a_position_that_is_not_told_of_is_found() {
        let placed = || {
            let payload = json!({
                "event_type": "order_placed", "order_id": "order-3", "position_id": "position-7",
                "symbol": "BTC/USDT", "trading_mode": "paper",
            });
            published(2, Topic::ExecutionEvents, 0, payload)
        };
        log().then(placed()).violated();
        log()
            .then(opening("status", json!("open")))
            .then(placed())
            .holds();
        let told = log().then(opening("status", json!("open")));
        told.then(Started {}).then(placed()).violated();
    }

    #[test]
    fn the_truth_holds_and_every_field_that_differs_is_found() {
        log().then(opening("status", json!("open"))).holds();
        log().then(closing("status", json!("closed"))).holds();
        for (field, wrong) in [
            ("id", json!("position-8")),
            ("symbol", json!("XRP/USDT")),
            ("side", json!("long")),
            ("size", json!("2")),
            ("entry_price", json!("101")),
            ("leverage", json!(3)),
            ("order_id", json!("order-4")),
        ] {
            log().then(opening(field, wrong)).violated();
        }
        for (field, wrong) in [
            ("id", json!("position-8")),
            ("exit_price", json!("91")),
            ("realized_pnl", Value::Null),
        ] {
            log().then(closing(field, wrong)).violated();
        }
    }
}
