//! Legs and trades of rebalancings that come to something, and some that do not.

use super::super::samples::{
    answered, crashed, ended, listens, marked, minimal, name, plan, planned, published, raw,
    skipped, started, state, store_failed, stored, submitted,
};
use super::*;
use crate::coordinator::state::RunState::{Paused, Running};
use crate::invariants::planted::Planted;
use crate::message::Topic;
use dacapo_kernel::ActorNamed;
use serde_json::json;

fn begun_as(plan: &Plan<Config>) -> Planted {
    let named = ActorNamed {
        actor: ActorId(1),
        name: name("portfolio_rebalance"),
    };
    let log = Planted::of(LegsFinish::new(plan)).kernel(named);
    log.then(started()).then(listens())
}

fn trade(batch_index: u64, amount_usd: f64) -> serde_json::Value {
    json!({
        "symbol": "BTC/USDT", "amount_usd": amount_usd, "batch_index": batch_index,
        "scheduled_time": "1970-01-01T01:00:00+00:00",
    })
}

fn announced(log: Planted, trades: Vec<serde_json::Value>) -> Planted {
    let plan = json!({"action": "rebalance", "dca_batches": 2, "trades": trades});
    log.then(published(1, Topic::PortfolioUpdates, raw(plan)))
}

fn begun() -> Planted {
    announced(begun_as(&minimal()), vec![trade(0, 60.0), trade(1, 60.0)])
}

fn at_once(log: Planted) -> Planted {
    let log = log.then(submitted("intent-1", TradeOrigin::Plan, false));
    log.then(answered("intent-1", OrderOutcome::Filled))
}

#[test]
fn a_plan_that_is_carried_out_is_fine() {
    let log = begun().then(stored(1, 3_600)).then(planned(1, true));
    let log = at_once(log).at(3_600.0).then(marked(1, "sending"));
    log.at(3_601.0)
        .then(marked(1, "executed"))
        .at(9_000.0)
        .kernel(ended())
        .holds();
    let log = begun().then(stored(1, 3_600)).then(planned(1, true));
    let log = log
        .then(skipped(0, "unfunded"))
        .at(3_600.0)
        .then(marked(1, "failed"));
    log.at(9_000.0).kernel(ended()).holds();
}

#[test]
fn a_plan_that_is_forgotten_is_found() {
    let found = begun().at(121.0).then(planned(1, true)).violated();
    assert!(found.starts_with("expected the trades"), "{found}");
    let found = at_once(begun()).at(121.0).then(planned(1, true)).violated();
    assert!(found.starts_with("expected the later trades"), "{found}");
    let log = begun().at(1.0).then(state(Running, Paused));
    log.at(500.0)
        .then(state(Paused, Running))
        .at(900.0)
        .then(started())
        .holds();
    begun()
        .at(1.0)
        .kernel(crashed())
        .at(900.0)
        .then(started())
        .holds();
}

#[test]
fn a_leg_that_is_due_and_waits_is_found_unless_the_store_fails() {
    let log = || {
        let log = begun().then(stored(1, 3_600)).then(planned(1, true));
        at_once(log)
    };
    let found = log().at(3_721.0).then(marked(1, "executed")).violated();
    assert!(found.starts_with("expected a due leg"), "{found}");
    let failing = log().at(3_700.0).then(store_failed("due_legs"));
    failing.at(3_800.0).then(marked(1, "executed")).holds();
}

#[test]
fn a_leg_that_is_never_stored_is_found() {
    let log = at_once(
        begun()
            .then(store_failed("insert_legs"))
            .then(planned(1, false)),
    );
    let found = log.at(181.0).then(stored(1, 3_600)).violated();
    assert!(
        found.starts_with("expected planned legs to be stored"),
        "{found}"
    );
}

#[test]
fn a_leg_in_memory_that_waits_is_found() {
    let without = plan(json!({"store": {"kind": "none"}}));
    let log = || {
        let log = announced(begun_as(&without), vec![trade(1, 60.0)]);
        log.then(planned(1, false))
    };
    log().at(3_721.0).then(planned(0, true)).violated();
    let log = log().at(3_600.0).then(skipped(1, "no_price"));
    log.at(9_000.0).kernel(ended()).holds();
}

#[test]
fn a_trade_that_is_refused_for_its_form_is_found() {
    let found = begun().then(skipped(0, "invalid_proposal")).violated();
    assert!(found.ends_with("found invalid_proposal"), "{found}");
    let log = announced(begun_as(&minimal()), vec![trade(0, 0.0)]);
    log.then(skipped(0, "invalid_proposal")).holds();
}
