//! Plans that follow what a model advises, and plans that do not.

use dacapo_kernel::ActorNamed;
use serde_json::json;

use super::*;
use crate::domain_event::ModelReply;
use crate::invariants::planted::{Planted, fault};
use crate::invariants::trading::plant::{by, published};
use crate::message::Topic;

const THREE: &str = r#"Here: {"execution_strategy": "market", "trades": [
    {"symbol": "XRP/USDT", "amount_usd": "50.5"},
    {"action": "sell", "amount_usd": "no idea"},
    {"symbol": "BTC/USDT", "action": "sell", "amount_usd": 90, "execution_type": "market", "priority": 3}]}."#;

fn config(remote: bool) -> Plan<Config> {
    let llm = json!({"model": "m", "template": {"text": "{{situation}}"}});
    let sections = json!({
        "symbols": ["BTC/USDT"], "market": {"source": "none"},
        "agents": {"portfolio_rebalance": {"llm": llm}, "remote": remote},
    });
    Plan::of(
        "planted",
        serde_json::from_value(sections).expect("it is one"),
    )
}

/// A model is told what the assets are worth, and replies.
fn replied(reply: ModelReply) -> Planted {
    let prompt =
        json!({"assets": [{"value_usd": 900.0}, {"value_usd": 240.0}, {"value_usd": 60.0}]});
    let asked = ModelAsked {
        model: Name::fixed("m"),
        purpose: Name::fixed("message of portfolio_rebalance"),
        prompt: format!("Advise: {prompt}"),
        max_tokens: 500,
    };
    let log = Planted::of(Advised::new(&config(false))).then(asked);
    log.then_caused_by_the_last(ModelAnswered { reply })
}

fn says(text: &str) -> Planted {
    replied(ModelReply::Text(text.to_owned()))
}

fn trade(symbol: &str, action: &str, dollars: f64) -> Value {
    json!({
        "symbol": symbol, "action": action, "amount_usd": dollars, "execution_type": "limit", "priority": 1,
        "batch_index": 0,
    })
}

/// What is announced where nothing usable is advised: 500 too much in Bitcoin, 160 too little in XRP.
fn worked_out() -> Value {
    let mut buy = trade("XRP/USDT", "buy", 160.0);
    buy["priority"] = json!(2);
    json!({
        "action": "rebalance", "execution_strategy": "limit", "dca_batches": 1, "used_fallback_strategy": false,
        "current_allocation": {"btc_value_usd": 900.0, "xrp_value_usd": 240.0, "usdt_value_usd": 60.0},
        "total_trade_value_usd": 660.0,
        "trades": [trade("BTC/USDT", "sell", 500.0), buy],
    })
}

/// What is announced where three trades are advised, one of them senseless.
fn advised() -> Value {
    let mut plan = worked_out();
    plan["execution_strategy"] = json!("market");
    plan["total_trade_value_usd"] = json!(140.5);
    let mut sell = trade("BTC/USDT", "sell", 90.0);
    (sell["execution_type"], sell["priority"]) = (json!("market"), json!(3));
    plan["trades"] = json!([trade("XRP/USDT", "buy", 50.5), sell]);
    plan
}

fn announced(plan: Value) -> Published {
    let said = published(1, Topic::PortfolioUpdates, 0, plan);
    by("portfolio_rebalance", said)
}

fn with(plan: Value, field: &str, other: Value) -> Value {
    let mut plan = plan;
    plan[field] = other;
    plan
}

// Fails if a plan may have other trades, another strategy or another sum than a model advises.
#[test]
fn usable_advice_is_followed() {
    says(THREE)
        .then_caused_by_the_last(announced(advised()))
        .holds();
    for (field, other) in [
        ("execution_strategy", json!("limit")),
        ("total_trade_value_usd", json!(140.0)),
        ("used_fallback_strategy", json!(true)),
        ("trades", worked_out()["trades"].clone()),
        ("trades", json!([trade("XRP/USDT", "buy", 50.5)])),
        ("trades", json!([])),
    ] {
        let plan = with(advised(), field, other);
        says(THREE)
            .then_caused_by_the_last(announced(plan))
            .violated();
    }
    for (place, field, other) in [
        (0, "symbol", json!("BTC/USDT")),
        (0, "action", json!("sell")),
        (0, "amount_usd", json!(60.0)),
        (1, "execution_type", json!("limit")),
        (1, "priority", json!(1)),
    ] {
        let mut plan = advised();
        plan["trades"][place][field] = other;
        says(THREE)
            .then_caused_by_the_last(announced(plan))
            .violated();
    }
    let mut more = advised();
    let again = more["trades"][1].clone();
    more["trades"]
        .as_array_mut()
        .expect("it is one")
        .push(again);
    says(THREE)
        .then_caused_by_the_last(announced(more))
        .violated();
}

// Fails if a plan may be anything but what was worked out where a model says nothing of use, or does not note that.
#[test]
fn where_nothing_usable_is_advised_it_is_what_was_worked_out() {
    let kept = [
        "{}",
        r#"{"trades": []}"#,
        r#"{"trades": null, "reason": "so"}"#,
    ];
    for text in kept {
        says(text)
            .then_caused_by_the_last(announced(worked_out()))
            .holds();
        says(text)
            .then_caused_by_the_last(announced(advised()))
            .violated();
    }
    let strategy = with(worked_out(), "execution_strategy", json!("defer"));
    says(r#"{"execution_strategy": "defer"}"#)
        .then_caused_by_the_last(announced(strategy))
        .holds();
    let fallen_back = with(worked_out(), "used_fallback_strategy", json!(true));
    for text in [
        "I would rather not say.",
        "} {",
        r#"{"trades": "as you like"}"#,
        r#"{"trades": [7]}"#,
        r#"{"execution_strategy": "defer", "trades": [{"action": "hold"}]}"#,
        r#"{"trades": [{"symbol": 7}]}"#,
        r#"{"trades": [{"priority": "high"}]}"#,
    ] {
        says(text)
            .then_caused_by_the_last(announced(fallen_back.clone()))
            .holds();
        says(text)
            .then_caused_by_the_last(announced(worked_out()))
            .violated();
    }
    let failed = || replied(ModelReply::Error("503".to_owned()));
    failed()
        .then_caused_by_the_last(announced(fallen_back))
        .holds();
    failed()
        .then_caused_by_the_last(announced(worked_out()))
        .violated();
}

// Fails if a model may be told another account than the one that is announced, or be passed over.
#[test]
fn a_plan_is_made_of_what_the_model_was_told() {
    let mut other = worked_out();
    other["current_allocation"]["xrp_value_usd"] = json!(250.0);
    let found = says("{}")
        .then_caused_by_the_last(announced(other))
        .violated();
    assert!(found.contains("what the model was told"), "{found}");
    let asked = ModelAsked {
        model: Name::fixed("m"),
        purpose: Name::fixed("message of portfolio_rebalance"),
        prompt: "Advise: {}".to_owned(),
        max_tokens: 500,
    };
    let found = Planted::of(Advised::new(&config(false)))
        .then(asked)
        .violated();
    assert!(found.contains("nothing of it told"), "{found}");
    let found = says("{}").then(announced(worked_out())).violated();
    assert!(found.contains("no reply led to"), "{found}");
    let storm = says("{}").because_of(1).kernel(fault("agent.storm", 2));
    let storm = storm.then_caused_by_the_last(announced(worked_out()));
    storm
        .then_caused_by_the_last(announced(worked_out()))
        .holds();
    let late = Planted::of(Advised::new(&config(true))).then(announced(worked_out()));
    assert_eq!(late.finding(), dacapo_kernel::Finding::NotEvaluable);
    let named = ActorNamed {
        actor: dacapo_kernel::ActorId(1),
        name: Name::fixed("outside"),
    };
    let outside = Planted::of(Advised::new(&config(false))).kernel(named);
    let outside = outside.then(announced(worked_out())).finding();
    assert_eq!(outside, dacapo_kernel::Finding::NotEvaluable);
}

// Fails if batches may come to more than the trade that they are parts of, or be parts of no trade.
#[test]
fn batches_are_parts_of_what_is_advised() {
    let mut divided = advised();
    (divided["dca_batches"], divided["execution_strategy"]) = (json!(2), json!("dca_24h"));
    let part = |of: &Value, place: u64, dollars: f64| {
        let part = with(of.clone(), "batch_index", json!(place));
        with(part, "amount_usd", json!(dollars))
    };
    let (xrp, btc) = (&advised()["trades"][0], &advised()["trades"][1]);
    let batches = |second: f64| {
        let parts = [
            part(xrp, 0, 25.25),
            part(xrp, 1, 25.25),
            part(btc, 0, 45.0),
            part(btc, 1, second),
        ];
        with(divided.clone(), "trades", json!(parts))
    };
    says(THREE)
        .then_caused_by_the_last(announced(batches(45.0)))
        .holds();
    says(THREE)
        .then_caused_by_the_last(announced(batches(46.0)))
        .violated();
    let strategy = with(batches(45.0), "execution_strategy", json!("market"));
    says(THREE)
        .then_caused_by_the_last(announced(strategy))
        .violated();
}

// Fails if a number in a strange form is judged as if it were plain what it is.
#[test]
fn a_doubtful_amount_is_left_alone() {
    let text = r#"{"trades": [{"amount_usd": "1e2"}]}"#;
    says(text)
        .then_caused_by_the_last(announced(advised()))
        .holds();
}
