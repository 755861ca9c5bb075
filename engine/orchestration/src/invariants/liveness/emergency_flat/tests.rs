//! Emergencies that end flat, and some that do not.

use super::super::samples::{crashed, ended, minimal, name, published, raw, started, state};
use super::*;
use crate::coordinator::state::RunState::{Halted, Paused, Running};
use crate::domain_event::{Delivered, PositionClosed, PositionOpened, StateSaved};
use crate::invariants::planted::Planted;
use crate::message::{EmergencyUnfinished, Json};
use serde_json::json;

fn begun() -> Planted {
    Planted::of(EmergencyFlat::new(&minimal())).then(started())
}

fn alert(log: Planted, limit: &str) -> Planted {
    let alert = raw(json!({"alert_type": "circuit_breaker", "breach_type": limit}));
    let log = log.then(published(7, Topic::RiskAlerts, alert));
    log.then(Delivered {
        message: 7,
        subscriber: name("coordinator"),
        label: None,
        under_lock: false,
    })
}

fn ordered(order: EmergencyOrder, left: Option<u64>) -> EmergencyOrdered {
    EmergencyOrdered { order, left }
}

fn opened(log: Planted) -> Planted {
    log.then(PositionOpened {
        position: 1,
        order: name("order-1"),
        symbol: name("BTC/USDT"),
        side: name("buy"),
        size: Amount::from_int(2),
        entry_price: Amount::HUNDRED,
        leverage: 1,
        reserved: Amount::ZERO,
    })
}

/// So much of the two that were bought is sold.
fn sold(log: Planted, size: i64) -> Planted {
    log.then(PositionClosed {
        position: 1,
        size: Amount::from_int(size),
        price: Amount::HUNDRED,
        profit: Amount::ZERO,
        reason: name("emergency"),
    })
}

fn closed(log: Planted) -> Planted {
    sold(log, 2)
}

#[test]
fn what_is_closed_or_complained_of_is_fine() {
    let log = alert(begun(), "max_drawdown");
    let log = log.then(ordered(EmergencyOrder::CloseAll, Some(0)));
    log.at(900.0).kernel(ended()).holds();
    let log = alert(begun(), "weekly_loss");
    let log = log.then(ordered(EmergencyOrder::Reduce(50.0), Some(2)));
    let alert = EmergencyUnfinished { positions: 2 };
    let log = log.at(50.0).then(published(8, Topic::RiskAlerts, alert));
    log.at(900.0).then(started()).holds();
}

/// Fails if each alert wants a close of its own, or if a close serves alerts that nobody has heard.
#[test]
fn one_close_serves_all_that_was_asked_for_by_then() {
    let close = || ordered(EmergencyOrder::CloseAll, Some(0));
    let twice = alert(alert(begun(), "max_drawdown"), "max_drawdown").then(close());
    twice.at(900.0).kernel(ended()).holds();
    let later = alert(alert(begun(), "max_drawdown").then(close()), "max_drawdown");
    let found = later.at(171.0).then(started()).violated();
    assert!(found.contains("closed"), "{found}");
    let reduced = alert(alert(begun(), "max_drawdown"), "weekly_loss").then(close());
    let found = reduced.at(171.0).then(started()).violated();
    assert!(found.contains("reduced"), "{found}");
}

#[test]
fn an_alert_that_reaches_nobody_is_found() {
    for (limit, what) in [("max_drawdown", "closed"), ("weekly_loss", "reduced")] {
        let found = alert(begun(), limit).at(171.0).then(started()).violated();
        assert!(found.contains(what), "{found}");
    }
    alert(begun(), "daily_loss")
        .at(900.0)
        .then(started())
        .holds();
    let crash = alert(begun(), "max_drawdown").at(3.0).kernel(crashed());
    crash.at(900.0).then(started()).holds();
}

#[test]
fn a_position_that_outlives_a_close_is_found() {
    let log = alert(opened(begun()), "max_drawdown");
    let log = log.then(ordered(EmergencyOrder::CloseAll, Some(0)));
    let found = log.at(121.0).then(started()).violated();
    assert!(found.ends_with("found 1"), "{found}");
    let log = alert(opened(begun()), "max_drawdown");
    let log = closed(log.then(ordered(EmergencyOrder::CloseAll, Some(0))));
    log.at(900.0).then(started()).holds();
    // A part that is closed leaves a part that is open.
    let half = alert(sold(opened(begun()), 1), "max_drawdown");
    let half = half.then(ordered(EmergencyOrder::CloseAll, Some(0)));
    half.at(121.0).then(started()).violated();
}

/// Everything is closed, and the halt stands.
fn flat() -> Planted {
    let log = alert(begun(), "max_drawdown").then(state(Running, Halted));
    log.then(ordered(EmergencyOrder::CloseAll, Some(0)))
}

#[test]
fn a_position_that_is_opened_after_a_close_is_closed_as_long_as_the_halt_stands() {
    let found = opened(flat().at(5.0)).at(176.0).then(started()).violated();
    assert!(found.ends_with("found 1"), "{found}");
    closed(opened(flat())).at(900.0).then(started()).holds();
    let cleared = flat().then(state(Halted, Paused));
    opened(cleared).at(900.0).then(started()).holds();
}

#[test]
fn a_close_that_was_saved_goes_on_after_a_crash() {
    let saved = |closing: bool| StateSaved {
        record: Json(json!({ "halt": "circuit_breaker", "closing": closing })),
    };
    let crash = |closing| {
        let log = alert(opened(begun()), "daily_loss").then(state(Running, Halted));
        let log = log.then(saved(closing)).at(3.0).kernel(crashed());
        log.at(4.0).then(started())
    };
    let found = crash(true).at(176.0).then(started()).violated();
    assert!(found.ends_with("found 1"), "{found}");
    closed(crash(true)).at(900.0).then(started()).holds();
    crash(false).at(900.0).then(started()).holds();
}
