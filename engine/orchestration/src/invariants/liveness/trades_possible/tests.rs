//! Signals that come to something, and some that do not.

use super::super::samples::{
    crashed, ended, judged, minimal, name, plan, published, raw, started, submitted,
};
use super::*;
use crate::amount::Amount;
use crate::domain_event::{ConsensusBuilt, Delivered, MarketTrade, SignalDropped};
use crate::invariants::planted::Planted;
use serde_json::json;

fn begun() -> Planted {
    Planted::of(TradesPossible::new(&minimal())).then(started())
}

fn told(log: Planted) -> Planted {
    let signal = raw(json!({"symbol": "BTC/USDT", "action": "BUY"}));
    let log = log.then(published(7, Topic::TradingSignals, signal));
    log.then(Delivered {
        message: 7,
        subscriber: name("coordinator"),
        label: None,
        under_lock: false,
    })
}

fn weighed(log: Planted) -> Planted {
    log.then(ConsensusBuilt {
        signal: 7,
        symbol: name("BTC/USDT"),
        evidence: Vec::new(),
        agreement: 0,
        total: 0,
        multiplier: 1.0,
        confidence: 0.8,
    })
}

#[test]
fn a_signal_that_becomes_an_order_or_is_dropped_for_a_reason_is_fine() {
    let log = weighed(told(begun())).then(judged("approved", &[]));
    let log = log.then(submitted("intent-1", TradeOrigin::Signal(7), false));
    log.at(900.0).kernel(ended()).holds();
    let log = weighed(told(begun())).then(SignalDropped {
        signal: 7,
        reason: name("NOT_RUNNING"),
    });
    log.at(900.0).then(started()).holds();
    let log = weighed(told(begun())).then(judged("rejected", &["LOW_RR"]));
    log.at(900.0).then(started()).holds();
}

#[test]
fn a_signal_that_is_forgotten_is_found() {
    let found = weighed(told(begun())).at(131.0).then(started()).violated();
    assert!(found.ends_with("found it forgotten"), "{found}");
    told(begun()).at(131.0).then(started()).violated();
    let log = weighed(told(begun())).at(9.0).kernel(crashed());
    log.at(900.0).then(started()).holds();
}

#[test]
fn an_approved_trade_that_is_not_sent_is_found() {
    let log = weighed(told(begun())).then(judged("approved", &[]));
    let found = log.at(131.0).then(started()).violated();
    assert!(found.starts_with("expected an approved trade"), "{found}");
}

#[test]
fn money_that_is_there_is_found_if_a_trade_is_refused_for_want_of_it() {
    let refused = || judged("rejected", &["INSUFFICIENT_MARGIN"]);
    let found = weighed(told(begun())).then(refused()).violated();
    assert!(found.ends_with("refused for want of margin"), "{found}");
    let with = |balance: serde_json::Value| {
        let poor = plan(json!({"paper": {"initial_balance": balance}}));
        Planted::of(TradesPossible::new(&poor)).then(started())
    };
    weighed(told(with(json!({"USDT": "100"}))))
        .then(refused())
        .holds();
    // What BTC is worth is not known, and then it is.
    let rich = || with(json!({"USDT": "9000", "BTC": "1"}));
    weighed(told(rich())).then(refused()).holds();
    let priced = rich().then(MarketTrade {
        symbol: name("BTC/USDT"),
        price: Amount::from_int(45_000),
        size: Amount::ONE,
        taker_buys: None,
    });
    weighed(told(priced.at(1.0))).then(refused()).violated();
}
