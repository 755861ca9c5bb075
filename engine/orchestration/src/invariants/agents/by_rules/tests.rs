use dacapo_kernel::ActorNamed;

use super::*;
use crate::amount::Amount;
use crate::domain_event::{MarketTrade, TaskRunStarted};
use crate::invariants::planted::Planted;
use crate::invariants::trading::plant::published;
use crate::message::Topic;

const SYMBOL: Name = Name::fixed("BTC/USDT");

/// Agents that go by rules have seen these prices, one a second, and that of this task is asked.
fn asked(decides: Value, task: &'static str, prices: &[i64]) -> Planted {
    let analysis = json!({"trend": {"fast": 2, "slow": 4, "threshold": 0.25}, "regime": {"window": 8}, "flow": {"window": 5}});
    let sections = json!({
        "symbols": ["BTC/USDT", "XRP/USDT"],
        "market": {"source": "none"},
        "agents": {"analysis": analysis, "trading_decision": decides, "missing_snapshots": ["XRP/USDT"]},
        "schedules": {"sentiment_analysis": {"enabled": true}},
    });
    let system = serde_json::from_value(sections).expect("it is one");
    let log = Planted::of(ByRules::new(&Plan::of("planted", system)));
    let trade = |log: Planted, (second, price): (usize, &i64)| {
        log.at(second as f64).then(MarketTrade {
            symbol: SYMBOL,
            price: Amount::from_int(*price),
            size: Amount::ONE,
            taker_buys: Some(true),
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

fn says(source: &'static str, topic: Topic, mut said: Value) -> Published {
    said["symbol"] = SYMBOL.as_str().into();
    let mut published = published(3, topic, 1, said);
    let mut message = (*published.message).clone();
    message.source = Name::fixed(source);
    published.message = message.into();
    published
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
    let flat = || by_rules("trading_decision", &[100; 9]);
    let said = |action| json!({"action": action, "confidence": 1.0, "size_usd": 200.0, "leverage": 1, "regime": "ranging"});
    flat().then(trades(said("HOLD"))).holds();
    flat().then(trades(said("BUY"))).violated();
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
    let trade = || MarketTrade {
        symbol: SYMBOL,
        price: Amount::from_int(8),
        size: Amount::ONE,
        taker_buys: None,
    };
    let late = || crossing(&[10, 10, 10, 12]).at(61.0).then(trade());
    late().then(ended("trading_decision", SYMBOL)).holds();
    let other = Name::fixed("XRP/USDT");
    let unknown = by_rules("ta_analysis", &RISING).then(started("ta_analysis", other.clone()));
    unknown.then(ended("ta_analysis", other)).holds();
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
