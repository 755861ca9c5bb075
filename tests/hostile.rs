//! Messages that no sane sender would publish: nothing of the orchestration panics over them.
//!
//! Payloads are grown from a seed out of the fields that the code reads and values that do not fit:
//! wrong types, missing fields, huge numbers, texts that name what is no number.

use std::fmt::Write;

use dacapo_kernel::{Stream, Verdict, Verified};
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::defect::Profile;
use dacapo_orchestration::message::Topic;
use dacapo_tests::{record, replay};
use serde_json::{Map, Value, json};

/// Messages of one run.
const MESSAGES: u64 = 400;

/// Fields that something reads.
const FIELDS: [&str; 22] = [
    "symbol",
    "action",
    "confidence",
    "entry_price",
    "stop_loss",
    "take_profit",
    "size_usd",
    "leverage",
    "regime",
    "bias",
    "command",
    "params",
    "task_name",
    "operator",
    "reason",
    "alert_type",
    "breach_type",
    "severity",
    "message",
    "trades",
    "event",
    "consensus_multiplier",
];

/// Words that some reader knows.
const WORDS: [&str; 24] = [
    "BTC/USDT",
    "XRP/BTC",
    "BUY",
    "SELL",
    "HOLD",
    "buy",
    "long",
    "short",
    "bearish",
    "choppy",
    "trending_up",
    "pause",
    "resume",
    "halt",
    "clear_halt",
    "force_run",
    "enable_task",
    "ta_analysis",
    "circuit_breaker",
    "max_drawdown",
    "weekly_loss",
    "critical",
    "NaN",
    "",
];

fn one_of<'a>(chance: &mut Stream, all: &[&'a str]) -> &'a str {
    all[chance.below(all.len() as u64) as usize]
}

/// Any JSON value, mostly small.
fn value(chance: &mut Stream, depth: u32) -> Value {
    match chance.below(if depth == 0 { 12 } else { 15 }) {
        0 => Value::Null,
        1 => json!(chance.below(2) == 0),
        2 => json!(chance.below(10)),
        3 => json!(-(chance.below(1_000) as i64)),
        4 => json!(u64::MAX - chance.below(3)),
        5 => json!(i64::MIN),
        6 => json!(1.797e308),
        7 => json!(-5e-324),
        8 => json!(chance.below(1_000) as f64 / 1_000.0),
        9 => json!(45_000.0 + chance.below(1_000) as f64),
        10 => json!("9".repeat(chance.below(400) as usize)),
        11 => json!(one_of(chance, &WORDS)),
        12 => (0..chance.below(4))
            .map(|_| value(chance, depth - 1))
            .collect(),
        _ => object(chance, depth - 1),
    }
}

/// An object of fields that something reads, each with a value that fits it or not.
fn object(chance: &mut Stream, depth: u32) -> Value {
    let fields = 1 + chance.below(10);
    let mut object = Map::new();
    for _ in 0..fields {
        let field = one_of(chance, &FIELDS).to_owned();
        let value = match chance.below(3) {
            0 => json!(one_of(chance, &WORDS)),
            _ => value(chance, depth),
        };
        object.insert(field, value);
    }
    Value::Object(object)
}

/// A run into which such messages come, on every topic.
fn scenario(profile: &str, seed: u64) -> String {
    let mut chance = Stream::new(seed, "hostile", "messages");
    let mut text = format!(
        r#"
name = "hostile"
story = "Messages that no sane sender would publish."
symbols = ["BTC/USDT", "XRP/USDT"]
[run]
seed = {seed}
duration = "10m"
profile = "{profile}"
[market]
source = "generated"
interval_ms = 5000
symbols = [{{ symbol = "BTC/USDT", start_price = 45000 }}, {{ symbol = "XRP/USDT", start_price = 2 }}]
"#
    );
    // With everything that a coordinator has: the reviewed code would freeze at the first signal.
    for at in 0..MESSAGES {
        let topic = Topic::ALL[chance.below(Topic::COUNT as u64) as usize];
        let payload = match chance.below(12) {
            0 => value(&mut chance, 2),
            _ => object(&mut chance, 3),
        };
        let payload = payload.to_string().replace('\'', "");
        let seconds = at as f64 + 0.5;
        writeln!(
            text,
            "[[events]]\nat_seconds = {seconds}\npublish.topic = \"{topic}\"\npublish.payload = '{payload}'"
        )
        .expect("a text takes every line");
    }
    text
}

#[test]
fn no_payload_makes_anything_panic() {
    let folder = tempfile::tempdir().expect("a folder for the scenario");
    let path = folder.path().join("hostile.toml");
    let mut errors = 0;
    for (profile, name, _) in Profile::ALL {
        for seed in 0..6 {
            std::fs::write(&path, scenario(name, seed)).expect("the scenario is written");
            let recorded = record(&path, &Overrides::default());
            let verdict = &recorded.outcome.verdict;
            let freezes = profile == Profile::Reviewed;
            let ended = match verdict {
                Verdict::Complete => true,
                Verdict::Deadlock(_) => freezes,
                _ => false,
            };
            assert!(ended, "{name}, seed {seed}: {verdict}");
            let again = replay(&recorded.log);
            assert!(
                matches!(again, Verified::Same(_)),
                "{name}, seed {seed}: the replay differs"
            );
            errors += recorded.outcome.world.view.bus.errors;
        }
    }
    assert!(errors > 0, "expected some of it to be refused by a handler");
}
