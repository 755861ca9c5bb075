//! Orders of unknown outcome that are asked for after a restart, or forgotten.

use dacapo_kernel::HostCrashed;
use serde_json::{Value, json};

use super::super::COORDINATOR;
use super::super::planted::{config, subscribed};
use super::*;
use crate::domain_event::{Started, StoreFailed};
use crate::invariants::planted::Planted;
use crate::invariants::trading::plant::{answered, filled, judged, published, submitted};
use crate::message::Topic;

const OF_SIGNAL: TradeOrigin = TradeOrigin::Signal(7);

fn sent() -> Planted {
    let mut config = config();
    config.store.kind = StoreKind::Memory;
    Planted::of(AskedAfter::new(&config))
        .then(Started {})
        .then(submitted("i", OF_SIGNAL, "buy"))
}

fn again(log: Planted) -> Planted {
    log.at(9.0).then(Started {})
}

fn listens(log: Planted) -> Planted {
    log.then(subscribed())
}

/// How an order went could not be noted.
fn unnoted() -> StoreFailed {
    StoreFailed {
        operation: "settle_intent".into(),
    }
}

fn taken() -> Published {
    let payload = json!({"event_type": "order_placed", "order_id": Value::Null,
        "position_id": Value::Null, "symbol": "BTC/USDT", "trading_mode": "paper"});
    published(8, Topic::ExecutionEvents, 0, payload)
}

fn error(code: &str) -> Published {
    let payload = json!({"event_type": "order_error", "symbol": "BTC/USDT",
        "error_message": code, "trading_mode": "paper"});
    published(8, Topic::ExecutionEvents, 0, payload)
}

// Fails if an order that nobody answered may be forgotten, or told of twice.
#[test]
fn what_nobody_answered_is_asked_for_once() {
    listens(again(sent()).then(error("never_arrived"))).holds();
    listens(again(sent())).violated();
    let twice = again(sent()).then(error("never_arrived")).then(taken());
    twice.violated();
    again(sent()).then(error("insufficient_balance")).violated();
}

// Fails if what was executed may be told as refused.
#[test]
fn what_was_executed_is_told_as_taken() {
    let filled = || again(sent().then(filled("order-1", Some("i"), "buy", 45_000)));
    listens(filled().then(taken())).holds();
    filled().then(error("never_arrived")).violated();
    filled().then(error("refused")).violated();
}

// Fails if an order that the exchange has forgotten may not be told as one that never arrived, or one that it has not may.
#[test]
fn what_the_exchange_has_forgotten_never_arrived() {
    let told = |orders| {
        let known = sent().then(answered("i", None, OrderOutcome::Filled));
        let mut log = known.then(unnoted());
        for _ in 0..orders {
            log = log.then(submitted("leg", TradeOrigin::Leg, "buy"));
        }
        again(log).then(error("never_arrived"))
    };
    listens(told(1_000)).holds();
    told(999).violated();
}

// Fails if an outcome that was noted may be asked for, or one that was not may not.
#[test]
fn what_was_noted_is_not_asked_for() {
    let known = || {
        sent()
            .at(1.0)
            .then(answered("i", None, OrderOutcome::Filled))
    };
    listens(again(known())).holds();
    again(known()).then(taken()).violated();
    listens(again(known().then(unnoted())).then(taken())).holds();
}

// Fails if an order that could not be sent, and whose end could not be noted, may not be asked for.
#[test]
fn what_was_never_sent_never_arrived() {
    let known = sent().then(answered("i", None, OrderOutcome::Filled));
    let other = known.then(judged(OF_SIGNAL, "buy"));
    let asked = || error("never_arrived");
    listens(again(other.then(unnoted())).then(asked())).holds();
    let known = sent().then(answered("i", None, OrderOutcome::Filled));
    again(known).then(asked()).violated();
}

// Fails if an order that was noted, and not sent before a crash at that very moment, may not be asked for.
#[test]
fn what_was_approved_at_a_crash_may_be_noted() {
    let crashed = |at| {
        let known = sent().then(answered("i", None, OrderOutcome::Filled));
        let approved = known.at(1.0).then(judged(OF_SIGNAL, "buy"));
        again(approved.at(at).kernel(HostCrashed {
            host: COORDINATOR,
            abrupt: false,
        }))
    };
    listens(crashed(1.0).then(error("never_arrived"))).holds();
    listens(crashed(1.0)).holds();
    crashed(2.0).then(error("never_arrived")).violated();
}

// Fails if what was told before a second crash is taken for something told of another order for good.
#[test]
fn what_was_told_before_another_crash_may_have_been_of_either() {
    let refused = OrderOutcome::Refused("insufficient_balance".into());
    let first = sent().at(1.0).then(answered("i", None, refused));
    let both = first
        .then(unnoted())
        .then(submitted("j", TradeOrigin::Plan, "buy"));
    let told = again(both).then(error("never_arrived"));
    listens(again(told)).holds();
}

// Fails if one of two orders of a pair may be taken for the other.
#[test]
fn of_two_orders_the_one_that_was_taken_is_told_as_taken() {
    let rests = sent()
        .at(1.0)
        .then(answered("i", None, OrderOutcome::Resting));
    let both = again(
        rests
            .then(unnoted())
            .then(submitted("j", TradeOrigin::Plan, "buy")),
    );
    listens(both.then(taken()).then(error("never_arrived"))).holds();
}
