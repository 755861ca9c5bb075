//! Planted violations of `llm.asked`.

use serde_json::json;

use super::super::plant::{cited, config, conflict, consensus, plan, published, resolved, says};
use super::*;
use crate::domain_event::{ConflictFound, Counted, Evidence, ModelReply};
use crate::invariants::degradation::samples::counted;
use crate::invariants::planted::Planted;

const PRIMARY: &str = "deepseek-chat";
const FALLBACK: &str = "claude-3-5-sonnet-20241022";

/// What consensus left and what contradicts the signal, as a prompt tells it.
fn prompt(regime: &str) -> String {
    let told = json!({
        "symbol": "BTC/USDT", "action": "BUY", "confidence": "0.80", "entry_price": null,
        "stop_loss": null, "take_profit": null,
        "conflicts": [{
            "conflict": "regime_conflict",
            "details": {"regime": regime, "proposed_action": "BUY"},
        }],
    });
    format!("The situation, as data:\n{told}")
}

fn question(model: &'static str) -> ModelAsked {
    ModelAsked {
        model: Name::fixed(model),
        purpose: Name::fixed("resolution"),
        prompt: prompt("choppy"),
        max_tokens: 500,
    }
}

fn error() -> ModelAnswered {
    ModelAnswered {
        reply: ModelReply::Error("503".to_owned()),
    }
}

fn log() -> Planted {
    Planted::of(Asked::new(&plan(config())))
}

/// A signal in a choppy market was weighed (2) and is in conflict (3).
fn found() -> Planted {
    conflict_in(log(), vec![])
}

/// The same at another level; opinions contradict each other, too, or do not.
fn found_at(level: DegradationLevel, is_disputed: bool) -> Planted {
    let counts = counted(Counted::ApiFailure, [0, 0], level);
    let log = log().then(counts);
    if !is_disputed {
        return conflict_in(log, vec![]);
    }
    let says = |bias| json!({"symbol": "BTC/USDT", "bias": bias, "confidence": 0.8});
    let opinions = [
        (Topic::TaSignals, "long"),
        (Topic::SentimentUpdates, "bearish"),
    ];
    let number = |at: usize| 2 + at as u64;
    let opinions = opinions.into_iter().enumerate();
    let log = opinions.clone().fold(log, |log, (at, (topic, bias))| {
        log.then(published(number(at), topic, 0, says(bias)))
    });
    let cited = opinions.map(|(at, (topic, _))| cited(number(at), topic, "BTC/USDT"));
    conflict_in(log, cited.collect())
}

fn conflict_in(log: Planted, opinions: Vec<Evidence>) -> Planted {
    let regime = json!({"symbol": "BTC/USDT", "regime": "choppy", "confidence": 0.8});
    let signal = json!({"symbol": "BTC/USDT", "action": "BUY", "confidence": 0.8});
    let mut evidence = opinions;
    evidence.push(cited(1, Topic::RegimeUpdates, "BTC/USDT"));
    let conflict = ConflictFound {
        evidence: evidence.clone(),
        ..conflict(7)
    };
    log.then(published(1, Topic::RegimeUpdates, 0, regime))
        .then(published(7, Topic::TradingSignals, 0, signal))
        .then(consensus(7, evidence, 0, 1))
        .then(conflict)
}

/// The primary was asked (4).
fn asked() -> Planted {
    found().then(question(PRIMARY))
}

#[test]
fn the_primary_is_asked_first_and_decides() {
    let proceeds = || resolved(7, "proceed", 0.8, ResolvedBy::Reply);
    let answered = || asked().at(1.0).after(4, says("{}"));
    answered().then(proceeds()).holds();
    answered().at(1.5).then(proceeds()).violated();
    answered().then(question(FALLBACK)).violated();
    let what = asked().at(1.0).then(proceeds()).violated();
    assert!(what.ends_with("a reply that was not there"), "{what}");
    let what = found().then(question(FALLBACK)).violated();
    assert!(what.ends_with("another request"), "{what}");
    assert!(
        found()
            .at(1.0)
            .then(question(PRIMARY))
            .violated()
            .ends_with("another time")
    );
}

#[test]
fn the_fallback_is_asked_when_it_is_its_turn() {
    let wait = |by| resolved(7, "wait", 0.0, by);
    let failed = || asked().at(1.0).after(4, error());
    failed()
        .then(question(FALLBACK))
        .at(2.0)
        .after(6, error())
        .then(wait(ResolvedBy::Failure))
        .holds();
    failed().then(wait(ResolvedBy::Failure)).violated();
    failed().at(6.0).then(question(FALLBACK)).violated();
    let starved = || asked().at(6.0).then(question(FALLBACK));
    starved().at(10.0).then(wait(ResolvedBy::Timeout)).holds();
    starved().at(9.0).then(wait(ResolvedBy::Timeout)).violated();
    starved()
        .at(9.0)
        .after(5, says("{}"))
        .then(wait(ResolvedBy::UnusableReply))
        .holds();
    asked().at(5.0).then(question(FALLBACK)).violated();
    // An answer at the very end of the time comes too late.
    asked()
        .at(6.0)
        .after(4, says("{}"))
        .then(question(FALLBACK))
        .holds();
}

#[test]
fn a_model_is_told_what_was_heard() {
    let mut other = question(PRIMARY);
    other.prompt = prompt("ranging");
    let what = found().then(other).violated();
    assert!(what.ends_with("another prompt"), "{what}");
    let mut longer = question(PRIMARY);
    longer.max_tokens = 501;
    found().then(longer).violated();
}

#[test]
fn who_may_ask_nobody_waits() {
    let found = || found_at(DegradationLevel::Emergency, false);
    let level = |action, sure| found().then(resolved(7, action, sure, ResolvedBy::Level));
    level("wait", 0.3).holds();
    level("wait", 0.5).violated();
    level("proceed", 0.3).violated();
    asked()
        .then(resolved(7, "wait", 0.3, ResolvedBy::Level))
        .violated();
}

#[test]
fn the_level_says_who_may_ask() {
    use DegradationLevel::{Emergency, Limited, Reduced};
    let asks = |level, is_disputed| found_at(level, is_disputed).then(question(PRIMARY));
    let waits = resolved(7, "wait", 0.3, ResolvedBy::Level);
    let waits = |level, is_disputed| found_at(level, is_disputed).then(waits.clone());
    asks(Limited, false).holds();
    waits(Limited, true).holds();
    waits(Limited, false).violated();
    asks(Emergency, false).violated();
    waits(Reduced, false).violated();
    let what = asks(Limited, true).violated();
    assert!(what.contains("at this level"), "{what}");
}

#[test]
fn who_asks_twice_at_once_cannot_be_told_apart() {
    let two = found()
        .then(conflict(8))
        .then(question(PRIMARY))
        .then(question(PRIMARY));
    two.then(resolved(7, "proceed", 0.8, ResolvedBy::Reply))
        .holds();
}
