//! Agents that say what they can, and agents that say anything else.

use dacapo_kernel::ActorNamed;
use serde_json::{Value, json};

use super::*;
use crate::domain_event::{MarketTrade, TableRow, TaskRunStarted};
use crate::invariants::agents::readings;
use crate::invariants::planted::Planted;
use crate::invariants::trading::plant::{by, published, traded};
use crate::message::{Instant, Json};

const SYMBOL: Name = Name::fixed("BTC/USDT");

/// Agents have seen these prices, one a second, and that of this task is asked.
fn asked(decides: Value, task: &'static str, prices: &[i64]) -> Planted {
    asked_of("rules".into(), decides, task, prices)
}

/// The same, with another agent for sentiment.
fn asked_of(feels: Value, decides: Value, task: &'static str, prices: &[i64]) -> Planted {
    let analysis = json!({"trend": {"fast": 2, "slow": 4, "threshold": 0.25}, "regime": {"window": 8}, "flow": {"window": 5}});
    let sections = json!({
        "symbols": ["BTC/USDT", "XRP/USDT"],
        "market": {"source": "none"},
        "agents": {
            "analysis": analysis, "sentiment_analysis": feels, "trading_decision": decides,
            "missing_snapshots": ["XRP/USDT"], "wild_per_mille": 0,
        },
        "schedules": {"sentiment_analysis": {"enabled": true}},
    });
    let system = serde_json::from_value(sections).expect("it is one");
    let log = Planted::of(AsConfigured::new(&Plan::of("planted", system)));
    let trade = |log: Planted, (second, price): (usize, &i64)| {
        log.at(second as f64).then(MarketTrade {
            taker_buys: Some(true),
            ..traded("BTC/USDT", *price)
        })
    };
    let log = prices.iter().enumerate().fold(log, trade);
    log.at(60.0).then(started(task, SYMBOL))
}

fn by_rules(task: &'static str, prices: &[i64]) -> Planted {
    asked("rules".into(), task, prices)
}

fn crossing(prices: &[i64]) -> Planted {
    let cross = json!({"average_cross": {"fast": 1, "slow": 3, "quantity": "2"}});
    asked(cross, "trading_decision", prices)
}

fn started(task: &'static str, symbol: Name) -> TaskRunStarted {
    TaskRunStarted {
        task: Name::fixed(task),
        symbol,
        forced: false,
    }
}

fn ended(task: &'static str, symbol: Name) -> TaskRunEnded {
    TaskRunEnded {
        task: Name::fixed(task),
        symbol,
        outcome: TaskOutcome::Done,
    }
}

fn says(source: &'static str, topic: Topic, said: Value) -> Published {
    says_of(SYMBOL.as_str(), source, topic, said)
}

fn says_of(symbol: &str, source: &'static str, topic: Topic, mut said: Value) -> Published {
    said["symbol"] = symbol.into();
    by(source, published(3, topic, 1, said))
}

const RISING: [i64; 9] = [100, 101, 102, 103, 104, 105, 106, 107, 108];

// Fails if an agent may say another word, be surer than it is, or say nothing.
#[test]
fn a_reading_is_said_as_it_is() {
    let sure = 1.0;
    let rising = || by_rules("regime_detection", &RISING);
    let says = |regime: &str, sure: f64| {
        let said = json!({"regime": regime, "confidence": sure});
        says("regime_detection", Topic::RegimeUpdates, said)
    };
    rising().then(says("trending_bull", sure)).holds();
    let found = rising().then(says("ranging", sure)).violated();
    assert!(found.ends_with("found another message"), "{found}");
    rising().then(says("trending_bull", 0.9)).violated();
    let silent = rising().then(ended("regime_detection", SYMBOL)).violated();
    assert!(silent.ends_with("found it silent"), "{silent}");
    let few = || by_rules("regime_detection", &RISING[..5]);
    few().then(ended("regime_detection", SYMBOL)).holds();
    few().then(says("trending_bull", sure)).violated();
}

// Fails if mood and trend are not looked at, or are told on each other's topic.
#[test]
fn each_agent_has_its_own_reading() {
    let mood = || by_rules("sentiment_analysis", &RISING);
    let says_mood = |bias: &str| {
        let said = json!({"bias": bias, "confidence": 1.0});
        says("sentiment_analysis", Topic::SentimentUpdates, said)
    };
    mood().then(says_mood("very_bullish")).holds();
    mood().then(says_mood("bullish")).violated();
    let trend = || by_rules("ta_analysis", &RISING);
    let said = json!({"bias": "short", "confidence": 0.9});
    let short = says("technical_analysis", Topic::TaSignals, said);
    trend().then(short).violated();
    trend().then(ended("ta_analysis", SYMBOL)).violated();
}

// Fails if a decision may have another direction, level, size or confidence than its trend.
#[test]
fn a_trend_is_traded() {
    let prices: Vec<f64> = RISING.map(|price| price as f64).into();
    let rules = json!({"fast": 2, "slow": 4, "threshold": 0.25});
    let rules = serde_json::from_value(rules).expect("they are rules");
    let (_, sure) = readings::trend(&rules, &prices).expect("there are enough");
    let right = json!({
        "action": "BUY", "confidence": 0.6 + 0.4 * sure, "entry_price": 108.0, "stop_loss": 105.84,
        "take_profit": 112.32, "size_usd": 200.0, "leverage": 1, "regime": "trending_bull",
    });
    let decides = || by_rules("trading_decision", &RISING);
    let trades = |said| says("trading_decision", Topic::TradingSignals, said);
    decides().then(trades(right.clone())).holds();
    for (field, wrong) in [
        ("action", json!("SELL")),
        ("action", json!("HOLD")),
        ("confidence", json!(0.6)),
        ("entry_price", json!(107.0)),
        ("stop_loss", json!(110.16)),
        ("take_profit", json!(105.84)),
        ("size_usd", json!(100.0)),
        ("leverage", json!(2)),
        ("regime", json!("ranging")),
    ] {
        let mut said = right.clone();
        said[field] = wrong;
        decides().then(trades(said)).violated();
    }
}

// Fails if a crossing may be said late, twice, upside down or not at all.
#[test]
fn a_crossing_is_said_at_its_price() {
    let trades = |action: &str, price: f64| {
        let up = if action == "BUY" { 1.0 } else { -1.0 };
        let said = json!({
            "action": action, "confidence": 0.6, "entry_price": price, "stop_loss": price * (1.0 - up * 0.02),
            "take_profit": price * (1.0 + up * 0.04), "size_usd": 2.0 * price, "leverage": 1,
        });
        says("trading_decision", Topic::TradingSignals, said)
    };
    let silent = || ended("trading_decision", SYMBOL);
    // With a window of three, a = 1/2: 10, 10, 10, 11, 9.5, 9.75, 10.875.
    let down = || crossing(&[10, 10, 10, 12, 8]);
    down().then(trades("SELL", 8.0)).holds();
    down().then(trades("BUY", 8.0)).violated();
    down().then(silent()).violated();
    let up = || crossing(&[10, 10, 10, 12, 8, 10]);
    up().then(trades("BUY", 10.0)).holds();
    up().then(trades("SELL", 10.0)).violated();
    for none in [&[10, 10, 10, 12][..], &[10, 10, 10, 12, 8, 10, 12]] {
        crossing(none).then(silent()).holds();
        crossing(none).then(trades("BUY", 12.0)).violated();
    }
}

// Fails if what became known while an agent was asked must be known, or a symbol without a snapshot is told of.
#[test]
fn an_agent_knows_what_it_may() {
    let trade = || traded("BTC/USDT", 8);
    let late = || crossing(&[10, 10, 10, 12]).at(61.0).then(trade());
    late().then(ended("trading_decision", SYMBOL)).holds();
    let other = Name::fixed("XRP/USDT");
    let unknown = by_rules("ta_analysis", &RISING).then(started("ta_analysis", other.clone()));
    unknown.then(ended("ta_analysis", other.clone())).holds();
    let failed = TaskRunEnded {
        outcome: TaskOutcome::Failed("there is no snapshot".to_owned()),
        ..ended("ta_analysis", other.clone())
    };
    let unknown = by_rules("ta_analysis", &RISING).then(started("ta_analysis", other.clone()));
    unknown.then(failed).violated();
    // Whoever tells moods needs none.
    let mood = by_rules("sentiment_analysis", &RISING);
    let bought = MarketTrade {
        symbol: other.clone(),
        taker_buys: Some(true),
        ..trade()
    };
    let traded = (0..5).fold(mood, |log, _| log.then(bought.clone()));
    let asked = traded
        .at(70.0)
        .then(started("sentiment_analysis", other.clone()));
    let silent = asked.then(ended("sentiment_analysis", other));
    silent.violated();
}

// Fails if somebody outside is held to the rules of an agent whose name they use.
#[test]
fn whoever_uses_its_name_is_not_the_agent() {
    let outside = ActorNamed {
        actor: ActorId(2),
        name: Name::fixed("outside"),
    };
    let said = json!({"regime": "ranging", "confidence": 0.1});
    let said = || says("regime_detection", Topic::RegimeUpdates, said.clone());
    let named = || by_rules("regime_detection", &RISING).kernel(outside.clone());
    let silent = named().by_another(said());
    let found = silent.then(ended("regime_detection", SYMBOL)).violated();
    assert!(found.ends_with("found it silent"), "{found}");
    named().then(said()).violated();
}

/// A decision that is drawn, at a price of 100, and one that may be wild.
fn drawn(wild: u32, said: Value) -> Planted {
    let sections = json!({
        "symbols": ["BTC/USDT"],
        "market": {"source": "none"},
        "agents": {"trading_decision": "random", "wild_per_mille": wild},
    });
    let system = serde_json::from_value(sections).expect("it is one");
    let log = Planted::of(AsConfigured::new(&Plan::of("planted", system)));
    let log = log.then(traded("BTC/USDT", 100));
    let asked = log.at(60.0).then(started("trading_decision", SYMBOL));
    match said {
        Value::Null => asked.then(ended("trading_decision", SYMBOL)),
        said => asked.then(says("trading_decision", Topic::TradingSignals, said)),
    }
}

fn usual() -> Value {
    json!({
        "action": "SELL", "confidence": 0.3, "entry_price": 100.0, "stop_loss": 102.0, "take_profit": 96.0,
        "size_usd": 100.0, "leverage": 3, "regime": "ranging",
    })
}

// Fails if what is drawn may be anything at all.
#[test]
fn a_draw_has_its_bounds() {
    drawn(0, usual()).holds();
    drawn(500, usual()).holds();
    drawn(0, Value::Null).violated();
    for (field, wrong) in [
        ("action", json!("CLOSE")),
        ("confidence", json!(1.5)),
        ("entry_price", json!(101.5)),
        ("stop_loss", json!(90.0)),
        ("take_profit", json!(50.0)),
        ("size_usd", json!(123.0)),
        ("leverage", json!(9)),
    ] {
        let mut said = usual();
        said[field] = wrong;
        drawn(0, said.clone()).violated();
        drawn(500, said).violated();
    }
    for (field, wild) in [
        ("stop_loss", json!(100.25)),
        ("stop_loss", Value::Null),
        ("take_profit", Value::Null),
        ("size_usd", json!(-50.0)),
        ("leverage", json!(7)),
        ("regime", json!("choppy")),
    ] {
        let mut said = usual();
        // So that it fits a stop that is near.
        said["take_profit"] = json!(99.5);
        said[field] = wild;
        drawn(0, said.clone()).violated();
        drawn(500, said).holds();
    }
}

// Fails if a script may be left: another output, an early one, one of another symbol, or none.
#[test]
fn a_script_is_followed() {
    let script = json!({"scripted": [
        {"output": {"bias": "bullish", "confidence": 0.5}},
        {"from_seconds": 60, "delay_seconds": 5, "output": {"bias": "bearish", "confidence": 0.5}},
        {"symbol": "XRP/USDT", "error": "no"},
    ]});
    let asked = || asked_of(script.clone(), "rules".into(), "sentiment_analysis", &[]);
    let said = |bias: &str, symbol: &str| {
        let said = json!({"bias": bias, "confidence": 0.5});
        says_of(symbol, "sentiment_analysis", Topic::SentimentUpdates, said)
    };
    asked().at(65.0).then(said("bearish", "BTC/USDT")).holds();
    asked()
        .at(64.0)
        .then(said("bearish", "BTC/USDT"))
        .violated();
    asked()
        .at(65.0)
        .then(said("bullish", "BTC/USDT"))
        .violated();
    asked()
        .at(65.0)
        .then(said("bearish", "XRP/USDT"))
        .violated();
    let silent = asked().at(65.0).then(ended("sentiment_analysis", SYMBOL));
    silent.violated();
    let other = Name::fixed("XRP/USDT");
    let failing = || asked().then(started("sentiment_analysis", other.clone()));
    failing()
        .at(65.0)
        .then(said("bearish", "XRP/USDT"))
        .violated();
    let wrong = says(
        "sentiment_analysis",
        Topic::TaSignals,
        json!({"bias": "long"}),
    );
    asked().at(65.0).then(wrong).violated();
}

// Fails if a message about one symbol is taken for what was said of another, of which anything might be said.
#[test]
fn what_is_said_of_one_symbol_is_not_said_of_another() {
    let still = [100; 9];
    let both = by_rules("ta_analysis", &still).then(started("ta_analysis", SYMBOL));
    let said = |symbol| {
        let said = json!({"bias": "neutral", "confidence": 1.0});
        says_of(symbol, "technical_analysis", Topic::TaSignals, said)
    };
    let spoken = both.then(said("BTC/USDT"));
    spoken.then(ended("ta_analysis", SYMBOL)).holds();
    by_rules("ta_analysis", &still)
        .then(said("XRP/USDT"))
        .violated();
}

// Fails if a row may be said that is too old, not the newest, or of another symbol, or a young one be kept.
#[test]
fn the_newest_row_is_said() {
    let row = |line: u64, seconds: i64, output: Value| TableRow {
        agent: Name::fixed("technical_analysis"),
        symbol: SYMBOL,
        knowable_at: Instant::from_micros(seconds * 1_000_000),
        line,
        output: Json(output),
    };
    let bias = |bias: &str| json!({"bias": bias, "confidence": 0.5});
    let log = || {
        let table = json!({"table": {"file": "t.csv", "max_age_seconds": 30}});
        let sections = json!({
            "symbols": ["BTC/USDT"], "market": {"source": "none"},
            "agents": {"technical_analysis": table},
        });
        let system = serde_json::from_value(sections).expect("it is one");
        Planted::of(AsConfigured::new(&Plan::of("planted", system)))
            .then(row(1, 0, bias("long")))
            .at(10.0)
            .then(row(2, 10, bias("short")))
    };
    let asked = |seconds: f64| log().at(seconds).then(started("ta_analysis", SYMBOL));
    let said = |word: &str| says("technical_analysis", Topic::TaSignals, bias(word));
    let end = || ended("ta_analysis", SYMBOL);
    asked(40.0).then(said("short")).then(end()).holds();
    asked(40.0).then(said("long")).violated();
    asked(40.0).then(end()).violated();
    asked(41.0).then(said("short")).violated();
    asked(41.0).then(end()).holds();
    // What arrives at the very instant may be known or not.
    asked(10.0).then(said("long")).holds();
    asked(10.0).then(said("short")).holds();
}
