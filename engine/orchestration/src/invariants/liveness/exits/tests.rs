//! Levels that are taken, passed over, and not reached.

use dacapo_kernel::{HostCrashed, HostId};
use serde_json::json;

use super::super::samples::{ended, listens, minimal, name, started};
use super::*;
use crate::domain_event::{MarketTrade, OrderSubmitted, TradeOrigin};
use crate::invariants::planted::Planted;
use crate::invariants::trading::plant;

fn price(dollars: i64) -> MarketTrade {
    plant::traded("BTC/USDT", dollars)
}

/// A position with its stop at 44,100 if it was bought, at 45,900 if it was sold, and its target as far.
fn opened(side: &'static str) -> Planted {
    opened_in(side, &minimal())
}

fn opened_in(side: &'static str, plan: &Plan<Config>) -> Planted {
    let mut submitted: OrderSubmitted = plant::submitted("a", TradeOrigin::Signal(1), side);
    submitted.order.take_profit = Some(if side == "buy" { 45_900.0 } else { 44_100.0 });
    Planted::of(Exits::new(plan))
        .then(started())
        .then(listens())
        .then(submitted)
        .then(plant::filled("order-1", Some("a"), side, 45_000))
        .then(plant::answered(
            "a",
            Some("order-1"),
            crate::domain_event::OrderOutcome::Filled,
        ))
        .then(PositionOpened {
            position: 1,
            order: name("order-1"),
            symbol: name("BTC/USDT"),
            side: name(side),
            size: Amount::ONE,
            entry_price: Amount::from_int(45_000),
            leverage: 1,
            reserved: Amount::ZERO,
        })
}

fn closed(dollars: i64, reason: &str) -> PositionClosed {
    PositionClosed {
        position: 1,
        size: Amount::ONE,
        price: Amount::from_int(dollars),
        profit: Amount::ZERO,
        reason: name(reason),
    }
}

#[test]
fn a_position_that_is_closed_at_its_level_holds_and_one_that_stays_open_is_found() {
    for (side, stop, target) in [("buy", 44_100, 45_900), ("sell", 45_900, 44_100)] {
        for (level, reason) in [(stop, "stop_loss"), (target, "take_profit")] {
            let reached = || opened(side).at(10.0).then(price(level));
            let in_time = reached().at(15.0).then(closed(level, reason));
            in_time.at(900.0).kernel(ended()).holds();
            let left_open = reached().at(900.0).kernel(ended()).violated();
            assert!(left_open.ends_with("found it open"), "{left_open}");
        }
        let between = opened(side).at(10.0).then(price(45_000));
        between.at(900.0).kernel(ended()).holds();
    }
}

#[test]
fn a_level_that_the_price_has_not_reached_closes_nothing() {
    for (side, before_stop) in [("buy", 44_102), ("sell", 45_898)] {
        let early = opened(side)
            .then(closed(before_stop, "stop_loss"))
            .violated();
        assert!(early.ends_with("closed before"), "{early}");
        opened(side).then(closed(before_stop, "manual")).holds();
    }
}

// Fails if a bar may pass over a level that it touches, must close what it does not, or an exchange that crashed
// must have closed anything.
#[test]
fn a_bar_closes_what_it_touches_at_once() {
    let bar = |low: i64, high: i64| MarketBar {
        symbol: name("btc/usdt"),
        open: Amount::from_int(45_000),
        high: Amount::from_int(high),
        low: Amount::from_int(low),
        close: Amount::from_int(45_000),
        volume: Amount::ONE,
    };
    for side in ["buy", "sell"] {
        let beside = opened(side).at(60.0).then(bar(44_101, 45_899));
        beside.at(61.0).then(price(45_000)).holds();
        for touching in [bar(44_100, 45_000), bar(45_000, 45_900)] {
            let touched = || opened(side).at(60.0).then(touching.clone());
            let taken = touched().then(closed(44_100, "manual"));
            taken.at(61.0).then(price(45_000)).holds();
            let found = touched().at(61.0).then(price(45_000)).violated();
            assert!(found.contains("found a position open"), "{found}");
            let crash = HostCrashed {
                host: HostId(1),
                abrupt: true,
            };
            let crashed = touched().kernel(crash);
            crashed.at(61.0).then(price(45_000)).holds();
        }
    }
}

// Fails if a stop may follow nearer than its distance, or before there is a profit.
#[test]
fn a_stop_follows_the_best_price_at_its_distance() {
    let mut follows = minimal();
    follows.system.trailing.enabled = true;
    for (side, best, stop, before) in [
        ("buy", 45_800, 45_113, 45_115),
        ("sell", 44_200, 44_863, 44_861),
    ] {
        let moved = || opened_in(side, &follows).at(10.0).then(price(best));
        moved().then(closed(stop, "stop_loss")).holds();
        moved().then(closed(before, "stop_loss")).violated();
        let still = opened(side).at(10.0).then(price(best));
        still.then(closed(stop, "stop_loss")).violated();
    }
    let unmoved = opened_in("buy", &follows).at(10.0).then(price(45_200));
    unmoved.then(closed(44_500, "stop_loss")).violated();
}

// Fails if a stop need not follow prices that stood, or must follow the first, or one that was gone at once.
#[test]
fn a_stop_that_has_followed_closes() {
    let mut follows = minimal();
    follows.system.trailing.enabled = true;
    for (side, good, better, beyond) in [
        ("buy", 45_700, 45_800, 45_100),
        ("sell", 44_300, 44_200, 44_870),
    ] {
        let first = || opened_in(side, &follows).at(10.0).then(price(good));
        let second = || first().at(131.0).then(price(better));
        let fallen = second().at(252.0).then(price(beyond));
        let found = fallen.at(373.0).kernel(ended()).violated();
        assert!(found.contains("closed at its stop"), "{found}");
        let at_once = second().at(251.0).then(price(beyond));
        at_once.at(900.0).kernel(ended()).holds();
        let active = first().at(131.0).then(price(beyond));
        active.at(900.0).kernel(ended()).holds();
        let same = first().at(131.0).then(price(good)).at(252.0);
        same.then(price(beyond)).at(900.0).kernel(ended()).holds();
    }
}

// Fails if a stop may not follow a price that somebody sets again when the coordinator begins again.
#[test]
fn a_stop_follows_what_is_set_at_a_restart() {
    let mut follows = minimal();
    follows.system.trailing.enabled = true;
    let set = json!({"at_seconds": -1, "set_price": {"symbol": "BTC/USDT", "price": "45800"}});
    let set = serde_json::from_value(set).expect("it is an event");
    follows.system.add_event(set);
    let opened = || opened_in("buy", &follows).at(10.0);
    let restarted = opened().then(started()).then(listens());
    restarted.then(closed(45_113, "stop_loss")).holds();
    opened().then(closed(45_113, "stop_loss")).violated();
}
