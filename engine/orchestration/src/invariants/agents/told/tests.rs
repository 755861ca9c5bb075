//! What is told as it was, and each way in which it may not be.

use dacapo_kernel::{HostCrashed, HostId};

use super::*;
use crate::amount::Amount;
use crate::domain_event::{BalanceChanged, Delivered, MarketTrade, PositionOpened, Published};
use crate::invariants::planted::Planted;
use crate::invariants::trading::plant::published;
use crate::message::Json;

fn plan(agent: Value) -> Plan<Config> {
    let sections = json!({
        "symbols": ["BTC/USDT"],
        "market": {"source": "none"},
        "agents": {"trading_decision": agent},
        "paper": {"initial_balance": {"USDT": "100"}},
    });
    Plan::of(
        "planted",
        serde_json::from_value(sections).expect("it is one"),
    )
}

fn model() -> Planted {
    let llm = json!({"model": "m", "template": {"text": "{{situation}}"}, "subscribe": ["sentiment_updates"], "history": 2});
    Planted::of(Told::new(&plan(json!({"llm": llm}))))
}

fn program() -> Planted {
    let process = json!({"command": ["a"], "mode": "recorded", "subscribe": ["sentiment_updates"], "history": 2});
    Planted::of(Told::new(&plan(json!({"process": process}))))
}

fn trade(price: i64) -> MarketTrade {
    MarketTrade {
        symbol: Name::fixed("BTC/USDT"),
        price: Amount::from_int(price),
        size: Amount::from_int(3),
        taker_buys: Some(false),
    }
}

fn mood(number: u64) -> Published {
    let said = json!({"symbol": "BTC/USDT", "bias": "bullish", "confidence": 0.5});
    published(number, Topic::SentimentUpdates, 2, said)
}

fn heard(message: u64) -> Delivered {
    Delivered {
        message,
        subscriber: Name::fixed("trading_decision"),
        label: None,
        under_lock: false,
    }
}

fn opened() -> PositionOpened {
    PositionOpened {
        position: 1,
        order: Name::fixed("order-1"),
        symbol: Name::fixed("BTC/USDT"),
        side: Name::fixed("sell"),
        size: Amount::from_int(1),
        entry_price: Amount::from_int(12),
        leverage: 1,
        reserved: Amount::ZERO,
    }
}

/// Three trades, one message and a position.
fn happened(before: Planted) -> Planted {
    let balance = BalanceChanged {
        asset: Name::fixed("USDT"),
        balance: Amount::from_int(90),
        reserved: Amount::ZERO,
    };
    let seen = before
        .at(1.0)
        .then(trade(10))
        .then(trade(11))
        .at(2.0)
        .then(trade(12));
    let heard = seen.then(mood(0)).then(heard(0));
    heard.then(balance).then(opened()).at(5.0)
}

fn line(at: i64, price: f64) -> Value {
    json!({"trade": {"at_us": at * 1_000_000, "price": price, "size": 3.0, "taker": "sell"}})
}

/// What is told of it.
fn told() -> Value {
    json!({
        "symbol": "BTC/USDT", "time": "1970-01-01T00:00:05.000000+00:00", "now_us": 5_000_000, "price": 12.0,
        "market": [line(1, 11.0), line(2, 12.0)],
        "messages": [{
            "topic": "sentiment_updates", "source": mood(0).message.source.as_str(), "at_us": 2_000_000,
            "payload": {"symbol": "BTC/USDT", "bias": "bullish", "confidence": 0.5},
        }],
        "trend": null, "regime": null, "mood": null,
        "account": {"balances": {"USDT": 90.0}, "positions": [{
            "side": "short", "size": 1.0, "entry_price": 12.0, "stop_loss": 13.0, "take_profit": null,
        }]},
    })
}

fn asked(told: &Value) -> ModelAsked {
    ModelAsked {
        model: Name::fixed("m"),
        purpose: Name::fixed("message of trading_decision"),
        prompt: told.to_string(),
        max_tokens: 500,
    }
}

fn asks(told: Value) -> ProcessAsked {
    ProcessAsked {
        agent: Name::fixed("trading_decision"),
        symbol: Name::fixed("BTC/USDT"),
        question: Json(told),
    }
}

// Fails if a model may be told anything of this otherwise.
#[test]
fn a_model_is_told_what_happened() {
    happened(model()).then(asked(&told())).holds();
    for (field, other, what) in [
        ("symbol", json!("XRP/USDT"), "found another word"),
        (
            "time",
            json!("1970-01-01T00:00:06.000000+00:00"),
            "the time",
        ),
        ("price", json!(11.0), "the last price"),
        ("price", Value::Null, "at a price"),
        ("market", json!([line(2, 12.0)]), "the newest of the market"),
        ("messages", json!([]), "the newest messages"),
        (
            "mood",
            json!({"bias": "bullish", "confidence": 1}),
            "what the rules read",
        ),
        (
            "account",
            json!({"balances": {"USDT": 100.0}, "positions": []}),
            "the account",
        ),
        ("account", Value::Null, "the account"),
    ] {
        let mut told = told();
        told[field] = other;
        let found = happened(model()).then(asked(&told)).violated();
        assert!(found.contains(what), "{field}: {found}");
    }
}

// Fails if a model whose template has the situation may be told nothing of it.
#[test]
fn what_the_template_has_is_told() {
    let asked = |prompt: &str| ModelAsked {
        prompt: prompt.to_owned(),
        ..asked(&told())
    };
    let found = happened(model()).then(asked("null")).violated();
    assert!(found.contains("found nothing of it"), "{found}");
}

// Fails if what comes at the instant of a question must be told, or must not be.
#[test]
fn what_comes_at_that_instant_may_be_told() {
    let at_once = || happened(model()).then(trade(13));
    at_once().then(asked(&told())).holds();
    let mut newer = told();
    newer["price"] = json!(13.0);
    newer["market"] = json!([line(2, 12.0), line(5, 13.0)]);
    at_once().then(asked(&newer)).holds();
    newer["price"] = json!(12.0);
    at_once().then(asked(&newer)).violated();
}

// Fails if a crash right at a delivery is not thought of.
#[test]
fn a_crash_keeps_a_message_from_being_heard() {
    let crash = HostCrashed {
        host: HostId(2),
        abrupt: true,
    };
    let lost = happened(model()).then(mood(1)).then(heard(1)).kernel(crash);
    lost.then(asked(&told())).holds();
    let kept = happened(model())
        .then(mood(1))
        .then(heard(1))
        .then(trade(13));
    kept.then(asked(&told())).violated();
}

// Fails if a program is told a thing twice, or may miss something without being told so.
#[test]
fn a_program_is_told_what_is_new() {
    let mut first = told();
    (first["market_missed"], first["messages_missed"]) = (json!(1), json!(0));
    happened(program()).then(asks(first.clone())).holds();
    let mut silent = first.clone();
    silent["market_missed"] = json!(0);
    let found = happened(program()).then(asks(silent)).violated();
    assert!(found.contains("how much it missed"), "{found}");
    let again = || happened(program()).then(asks(first.clone())).at(5.0);
    again().then(asks(first.clone())).violated();
    let mut nothing = first.clone();
    (nothing["market"], nothing["messages"]) = (json!([]), json!([]));
    nothing["market_missed"] = json!(0);
    again().then(asks(nothing)).holds();
}
