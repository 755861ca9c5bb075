//! Legs on their way, and legs that are nowhere, in two places, or come back.

use super::*;
use crate::amount::Amount;
use crate::domain_event::Started;
use crate::invariants::money::planted::{config, leg, marked, order, plan, stored};
use crate::invariants::planted::Planted;

fn legs() -> [TradePlanned; 2] {
    [leg("a", "sell", 1, 3_600), leg("b", "buy", 1, 3_600)]
}

fn log() -> Planted {
    Planted::of(OneState::new(&config())).then(plan(legs().to_vec()))
}

fn kept(held: u64, accepted: bool) -> LegsPlanned {
    LegsPlanned {
        plan: 1,
        count: 2,
        held,
        accepted,
    }
}

fn both_stored() -> Planted {
    let [a, b] = legs();
    log()
        .then(stored(1, &a))
        .then(stored(2, &b))
        .then(kept(0, true))
}

#[test]
fn stored_legs_go_their_way() {
    both_stored()
        .then(marked(1, "sending"))
        .then(order("a", "sell"))
        .then(Started {})
        .then(marked(1, "pending"))
        .then(marked(1, "sending"))
        .then(order("a", "sell"))
        .then(marked(1, "executed"))
        .holds();
}

#[test]
fn legs_that_are_held_are_stored_later_or_end_with_the_memory() {
    let [a, b] = legs();
    let held = || log().then(kept(2, false));
    held().then(stored(1, &a)).then(stored(2, &b)).holds();
    held().then(Started {}).holds();
}

#[test]
fn without_a_store_legs_are_sent_from_memory_once() {
    let mut config = config();
    config.store.kind = StoreKind::None;
    let held = || {
        Planted::of(OneState::new(&config))
            .then(plan(legs().to_vec()))
            .then(kept(2, false))
            .then(order("a", "sell"))
    };
    held().holds();
    assert!(
        held()
            .then(order("a", "sell"))
            .violated()
            .contains("once from memory")
    );
}

#[test]
fn legs_that_are_nowhere_are_noticed() {
    let dropped = log().then(kept(0, false)).violated();
    assert!(dropped.contains("to be held, found 0"), "{dropped}");
    let fewer = LegsPlanned {
        count: 1,
        ..kept(2, false)
    };
    assert!(log().then(fewer).violated().contains("the 2 legs"));
}

// Fails if a plan may begin before its later trades are kept.
#[test]
fn legs_are_kept_before_a_plan_begins() {
    let [a, b] = legs();
    let now = leg("now", "sell", 0, 0);
    let planned = || {
        Planted::of(OneState::new(&config())).then(plan(vec![now.clone(), a.clone(), b.clone()]))
    };
    let what = planned().then(order("now", "sell")).violated();
    assert!(what.contains("before it begins"), "{what}");
    let stored = planned().then(stored(1, &a)).then(stored(2, &b));
    stored
        .then(kept(0, true))
        .then(order("now", "sell"))
        .holds();
}

// Fails if a plan in one batch may keep legs.
#[test]
fn a_plan_in_one_batch_keeps_nothing() {
    let none = LegsPlanned {
        count: 0,
        ..kept(0, true)
    };
    let at_once = plan(vec![leg("a", "sell", 0, 0)]);
    let log = Planted::of(OneState::new(&config())).then(at_once);
    assert!(log.then(none).violated().contains("in one batch"));
}

#[test]
fn legs_in_two_places_are_noticed() {
    let [a, _] = legs();
    let half = log().then(stored(1, &a)).then(kept(2, false));
    let half = half.then(stored(2, &a)).violated();
    assert!(half.contains("stored once"), "{half}");
    let twice = both_stored().then(stored(3, &a)).violated();
    assert!(twice.contains("stored once"), "{twice}");
}

#[test]
fn a_promise_that_nothing_keeps_is_noticed() {
    let early = log().then(kept(2, true)).violated();
    assert!(
        early.contains("acknowledged when they are stored"),
        "{early}"
    );
    let memory = log().then(kept(2, false)).then(order("a", "sell"));
    assert!(memory.violated().contains("found it in memory"));
}

#[test]
fn a_leg_that_comes_back_is_noticed() {
    let done = || {
        both_stored()
            .then(marked(1, "sending"))
            .then(order("a", "sell"))
            .then(marked(1, "executed"))
    };
    for status in ["executed", "failed"] {
        let untried = both_stored().then(marked(1, "sending"));
        let untried = untried.then(marked(1, status)).violated();
        assert!(untried.contains("to be sent or skipped"), "{untried}");
    }
    assert!(
        done()
            .then(marked(1, "pending"))
            .violated()
            .contains("after it was executed")
    );
    assert!(
        done()
            .then(order("a", "sell"))
            .violated()
            .contains("found it executed")
    );
    assert!(
        both_stored()
            .then(order("a", "sell"))
            .violated()
            .contains("found it pending")
    );
    assert!(
        both_stored()
            .then(marked(1, "lost"))
            .violated()
            .contains("can be in")
    );
    assert!(
        log()
            .then(marked(9, "sending"))
            .violated()
            .contains("found none")
    );
}

#[test]
fn amounts_that_change_on_the_way_are_noticed() {
    let [a, _] = legs();
    let mut less = stored(1, &a);
    less.amount_usd = Amount::from_int(99);
    assert!(log().then(less).violated().contains("found it changed"));
    let mut plan = plan(legs().to_vec());
    plan.total_usd = Amount::new(20_001, 2);
    let short = Planted::of(OneState::new(&config())).then(plan).violated();
    assert!(short.contains("the plan's 200.01 dollars"), "{short}");
    let unplanned = Planted::of(OneState::new(&config())).then(stored(1, &a));
    assert!(unplanned.violated().contains("found another"));
}
