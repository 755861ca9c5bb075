//! Evidence and prices, young and old.

use serde_json::json;

use super::super::plant::{
    cited, config, consensus, filled, plan, position_closed, published, set_price, submitted,
    traded,
};
use super::*;
use crate::invariants::planted::Planted;
use crate::message::Topic;

fn at_45000() -> Planted {
    Planted::of(Fresh::new(&plan(config()))).then(traded("BTC/USDT", 45_000))
}

fn order(limit: Option<i64>) -> crate::domain_event::OrderSubmitted {
    let mut order = submitted("i", TradeOrigin::Signal(7), "buy");
    order.limit = limit.map(Amount::from_int);
    order
}

#[test]
fn old_evidence_is_none() {
    let bias = json!({ "symbol": "BTC/USDT", "bias": "long", "confidence": 0.8 });
    let heard = || at_45000().then(published(1, Topic::TaSignals, 0, bias.clone()));
    let built = || consensus(7, vec![cited(1, Topic::TaSignals, "BTC/USDT")], 1, 1);
    let what = heard().at(120.5).then(built()).violated();
    assert!(what.contains("within their window"), "{what}");
    let what = heard()
        .at(120.0)
        .then(built())
        .at(130.5)
        .then(order(None))
        .violated();
    assert!(what.contains("within their window"), "{what}");
    heard()
        .at(120.0)
        .then(built())
        .at(129.0)
        .then(order(None))
        .holds();
}

#[test]
fn a_fill_has_a_fresh_price() {
    let fill = |price| filled("order-1", Some("i"), "buy", price);
    let what = at_45000()
        .at(60.0)
        .then(order(None))
        .then(fill(45_030))
        .violated();
    assert!(what.ends_with("found none"), "{what}");
    let what = at_45000().then(order(None)).then(fill(45_100)).violated();
    assert!(what.ends_with("found another"), "{what}");
    let what = at_45000()
        .then(order(Some(44_900)))
        .then(fill(44_900))
        .violated();
    assert!(what.ends_with("found another"), "{what}");
    at_45000()
        .at(59.0)
        .then(order(None))
        .then(fill(45_030))
        .holds();
    at_45000()
        .then(order(Some(45_500)))
        .then(fill(45_500))
        .holds();
}

// Fails if an emergency may close at a price that is too old, or a stop may not.
#[test]
fn an_emergency_needs_a_fresh_price() {
    let closed = |seconds: f64, reason: &'static str| {
        let filled = filled("close", None, "sell", 45_000);
        let closed = PositionClosed {
            reason: Name::fixed(reason),
            ..position_closed()
        };
        at_45000().at(seconds).then(filled).then(closed)
    };
    closed(59.0, "emergency").holds();
    closed(60.0, "stop_loss").holds();
    let what = closed(60.0, "emergency").violated();
    assert!(what.ends_with("in an emergency, found none"), "{what}");
}

#[test]
fn a_position_is_closed_at_the_last_price() {
    let close = |price| filled("close", None, "sell", price);
    let what = at_45000().then(close(44_000)).violated();
    assert!(what.contains("a position closed"), "{what}");
    let later = || at_45000().at(5.0).then(traded("BTC/USDT", 44_000)).at(6.0);
    assert!(
        later()
            .then(close(45_000))
            .violated()
            .contains("a position closed")
    );
    later().then(close(44_000)).holds();
    later()
        .then(set_price("btc/usdt", 43_000))
        .then(close(43_000))
        .holds();
}
