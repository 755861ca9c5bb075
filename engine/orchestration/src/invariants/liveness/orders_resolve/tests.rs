//! Orders that are resolved, and some that are not.

use super::super::samples::{
    answered, crashed, ended, marked, minimal, name, started, stored, submitted,
};
use super::*;
use crate::domain_event::MarketTrade;
use crate::domain_event::TradeOrigin;
use crate::invariants::planted::Planted;
use crate::invariants::trading::plant;

fn begun() -> Planted {
    Planted::of(OrdersResolve::new(&minimal())).then(started())
}

fn price(dollars: i64) -> MarketTrade {
    plant::traded("BTC/USDT", dollars)
}

fn resting() -> Planted {
    let log = begun().then(submitted("intent-1", TradeOrigin::Signal(7), true));
    log.then(answered("intent-1", OrderOutcome::Resting))
}

#[test]
fn an_order_that_is_answered_is_fine_and_one_that_is_not_is_found() {
    let log = begun()
        .then(submitted("intent-1", TradeOrigin::Signal(7), false))
        .at(0.1);
    log.then(answered("intent-1", OrderOutcome::Filled))
        .at(900.0)
        .kernel(ended())
        .holds();
    let log = begun().then(submitted("intent-1", TradeOrigin::Signal(7), false));
    let found = log.at(121.0).then(price(1)).violated();
    assert!(
        found.starts_with("expected an order to be answered"),
        "{found}"
    );
    let log = begun().then(submitted("intent-1", TradeOrigin::Signal(7), false));
    log.kernel(crashed()).at(900.0).then(started()).holds();
}

#[test]
fn a_resting_order_is_filled_at_its_price() {
    resting()
        .at(9.0)
        .then(price(45_001))
        .at(900.0)
        .then(price(46_000))
        .holds();
    let log = resting().at(9.0).then(price(45_000));
    log.then(answered("intent-1", OrderOutcome::Filled))
        .at(900.0)
        .then(price(1))
        .holds();
    let found = resting()
        .at(9.0)
        .then(price(45_000))
        .at(130.0)
        .then(price(46_000));
    let found = found.violated();
    assert!(found.ends_with("found it resting"), "{found}");
}

#[test]
fn a_limit_order_that_is_given_up_is_found() {
    let log = begun().then(submitted("intent-1", TradeOrigin::Signal(7), true));
    let refused = |code| OrderOutcome::Refused(name(code));
    let found = log
        .then(answered("intent-1", refused("not_filled")))
        .violated();
    assert!(found.ends_with("found it given up"), "{found}");
    let log = begun().then(submitted("intent-1", TradeOrigin::Signal(7), true));
    log.then(answered("intent-1", refused("no_price"))).holds();
}

#[test]
fn an_order_is_sent_again_only_after_the_exchange_was_asked() {
    let log = || {
        let log = begun().then(stored(1, 0)).then(marked(1, "sending"));
        let log = log.then(submitted("plan-1", TradeOrigin::Leg, false));
        log.kernel(crashed()).at(5.0).then(started())
    };
    let found = log()
        .then(submitted("plan-1", TradeOrigin::Leg, false))
        .violated();
    assert!(found.ends_with("found it sent again"), "{found}");
    let asked = log().then(marked(1, "pending")).then(marked(1, "sending"));
    asked
        .then(submitted("plan-1", TradeOrigin::Leg, false))
        .holds();
}
