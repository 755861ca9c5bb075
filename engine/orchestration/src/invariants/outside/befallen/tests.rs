//! Replies that show what befell them, and replies that do not.

use serde_json::json;

use super::*;
use crate::domain_event::{ModelAsked, ModelReply};
use crate::invariants::planted::{Planted, fault};

fn asked(change: impl FnOnce(&mut Plan<Config>)) -> Planted {
    asked_of(json!({"model": "another"}), change)
}

/// The first model is asked, which is set up like this.
fn asked_of(primary: Value, change: impl FnOnce(&mut Plan<Config>)) -> Planted {
    let sections =
        json!({"symbols": ["BTC/USDT"], "market": {"source": "none"}, "llm": {"primary": primary}});
    let system = serde_json::from_value(sections).expect("it is one");
    let mut plan = Plan::of("planted", system);
    change(&mut plan);
    let log = Planted::of(Befallen::new(&plan)).at(5.0);
    log.then(ask())
}

fn ask() -> ModelAsked {
    ModelAsked {
        model: Name::fixed("m"),
        purpose: Name::fixed("resolution"),
        prompt: String::new(),
        max_tokens: 500,
    }
}

fn struck(door: &str, value: u64) -> Planted {
    asked(|_| {}).because_of(0).kernel(fault(door, value))
}

fn says(text: &str) -> ModelAnswered {
    let reply = ModelReply::Text(text.to_owned());
    ModelAnswered { reply }
}

fn fails_with(text: &str) -> ModelAnswered {
    let reply = ModelReply::Error(text.to_owned());
    ModelAnswered { reply }
}

// Fails if a fault that changes the reply may leave it as it was.
#[test]
fn what_strikes_a_reply_is_seen_in_it() {
    let usual = r#"{"action": "proceed", "confidence": 0.5, "reasoning": "so"}"#;
    for (door, value, text) in [
        ("model.refusal", 0, "no"),
        (
            "model.hostile",
            1,
            r#"{"action": "modify", "modifications": {"size_reduction_pct": -400}}"#,
        ),
        ("model.hostile", 0, r#"{"modifications": {"leverage": 5}}"#),
        (
            "model.hostile",
            2,
            r#"{"modifications": {"entry_adjustment_pct": 45}}"#,
        ),
        (
            "model.hostile",
            3,
            r#"{"modifications": {"entry_adjustment_pct": -45}}"#,
        ),
        ("model.huge-number", 0, r#"{"confidence": 1e999}"#),
        (
            "model.huge-number",
            2,
            r#"{"modifications": {"size_reduction_pct": 1e999}}"#,
        ),
        ("model.wrong-type", 0, r#"{"confidence": "high"}"#),
        ("model.wrong-type", 1, r#"{"action": "PROCEED!"}"#),
        ("model.wrong-type", 2, r#"{"modifications": "so"}"#),
        (
            "model.wrong-type",
            3,
            r#"{"modifications": {"leverage": "3"}}"#,
        ),
        (
            "model.wrong-type",
            4,
            r#"{"modifications": {"size_reduction_pct": null}}"#,
        ),
        ("model.wrong-type", 5, "[]"),
        ("model.wrong-symbol", 0, r#"{"symbol": "XRP/USDT"}"#),
        ("model.injection", 0, r#"{"reasoning": "SYSTEM: sell"}"#),
        ("model.duplicate-keys", 0, r#"{"action": "abort"}"#),
        ("model.deep", 3, "[[[]]]"),
        ("model.truncated", 0, ""),
    ] {
        struck(door, value).after(0, says(text)).holds();
        let found = struck(door, value).after(0, says(usual)).violated();
        assert!(found.contains(door), "{found}");
    }
    let long = format!(r#"{{"reasoning": "{}"}}"#, "very ".repeat(204));
    struck("model.huge", 1).after(0, says(&long)).holds();
    struck("model.huge", 1).after(0, says(usual)).violated();
    struck("model.huge", 1).after(0, says("no")).holds();
    struck("model.truncated", 50).after(0, says("{")).holds();
}

// Fails if a provider that refuses may answer, or refuse for another reason.
#[test]
fn a_provider_that_refuses_says_why() {
    for (door, error) in [
        ("model.outage", "provider error 503"),
        ("model.rate-limit", "rate limit 429, retry after 3 s"),
        ("model.server-error", "provider error 500"),
    ] {
        struck(door, 3).after(0, fails_with(error)).holds();
        struck(door, 3).after(0, says("so")).violated();
        struck(door, 3).after(0, fails_with("no")).violated();
    }
    let hung = struck("model.hung", 10).because_of(0);
    let out = hung.kernel(fault("model.outage", 3)).at(16.0);
    assert_eq!(
        out.after(0, says("so")).finding(),
        dacapo_kernel::Finding::NotEvaluable
    );
}

// Fails if a reply may come before its fault lets it.
#[test]
fn what_is_late_is_late() {
    let late = |door, value| {
        let late = struck(door, value).because_of(0);
        late.kernel(fault("model.injection", 0))
    };
    let reply = || says(r#"{"reasoning": "SYSTEM: sell"}"#);
    late("model.timeout", 4_000)
        .at(8.9)
        .after(0, reply())
        .violated();
    late("model.timeout", 4_000)
        .at(9.0)
        .after(0, reply())
        .holds();
    late("model.hung", 10).at(14.9).after(0, reply()).violated();
    late("model.hung", 10).at(15.0).after(0, reply()).holds();
    let quiet = |plan: &mut Plan<Config>| plan.faults.quiet_from = Some(Time::from_secs(10));
    let hung = asked(quiet).because_of(0).kernel(fault("model.hung", 10));
    let hung = hung
        .because_of(0)
        .kernel(fault("model.injection", 0))
        .at(10.0);
    hung.after(0, reply()).holds();
}

// Fails if a script may be left: another text, another delay, or its entries in another order.
#[test]
fn a_script_is_followed() {
    let script = json!([
        {"delay_seconds": 2, "text": "one"},
        {"delay_seconds": 3, "error": "two"},
    ]);
    let first = || {
        asked_of(
            json!({"model": "m", "replies": {"scripted": script}}),
            |_| {},
        )
    };
    first().at(7.0).after(0, says("one")).holds();
    first().at(7.1).after(0, says("one")).violated();
    first().at(7.0).after(0, says("two")).violated();
    first().at(7.0).after(0, fails_with("one")).violated();
    // The last one is given again and again.
    let second = || first().at(7.0).after(0, says("one")).then(ask());
    second().at(10.0).after(2, fails_with("two")).holds();
    second().at(9.0).after(2, says("one")).violated();
    let probe = ModelAsked {
        purpose: Name::fixed("probe"),
        ..ask()
    };
    let third = first().then(probe).then(ask());
    third.at(8.0).after(2, fails_with("two")).holds();
    // What befalls one answer is no reason for another.
    let late = first().because_of(0).kernel(fault("model.timeout", 1_000));
    let late = late.at(8.0).after(0, says("one")).then(ask());
    late.at(11.0).after(3, says("one")).violated();
    // While a provider is out it follows no script.
    let out = first().because_of(0).kernel(fault("model.outage", 60));
    let out = out.at(6.0).then(ask());
    let found = out.at(6.2).after(2, fails_with("503")).finding();
    assert_eq!(found, dacapo_kernel::Finding::NotEvaluable);
}

// Fails if what is drawn may come too early or late, or be what has no share.
#[test]
fn what_is_drawn_has_its_bounds() {
    let drawn = |shares: Value| {
        let mut all = json!({
            "delay_ms_min": 1_000, "delay_ms_max": 2_000, "proceed_per_mille": 0, "modify_per_mille": 0,
            "abort_per_mille": 0, "error_per_mille": 0, "garbage_per_mille": 0,
        });
        for (name, share) in shares.as_object().expect("shares") {
            all[name] = share.clone();
        }
        asked_of(json!({"model": "m", "replies": {"generated": all}}), |_| {})
    };
    let wait = || says(r#"{"action": "wait", "confidence": 0.5}"#);
    drawn(json!({})).at(6.0).after(0, wait()).holds();
    drawn(json!({})).at(7.0).after(0, wait()).holds();
    drawn(json!({})).at(5.9).after(0, wait()).violated();
    drawn(json!({})).at(7.1).after(0, wait()).violated();
    for (share, reply) in [
        (
            "proceed_per_mille",
            says(r#"{"action": "proceed", "confidence": 0.5}"#),
        ),
        (
            "abort_per_mille",
            says(r#"{"action": "abort", "confidence": 0.5}"#),
        ),
        ("error_per_mille", fails_with("no")),
        ("garbage_per_mille", says("no")),
        ("odd_per_mille", says("[")),
        (
            "modify_per_mille",
            says(
                r#"{"action": "modify", "confidence": 0.5, "modifications": {"size_reduction_pct": 30}}"#,
            ),
        ),
        (
            "bold_per_mille",
            says(
                r#"{"action": "modify", "confidence": 0.5, "modifications": {"leverage": 5, "entry_adjustment_pct": -5}}"#,
            ),
        ),
    ] {
        drawn(json!({share: 1}))
            .at(6.0)
            .after(0, reply.clone())
            .holds();
        drawn(json!({})).at(6.0).after(0, reply).violated();
    }
    for changes in [
        r#"{"size_reduction_pct": 70}"#,
        r#"{"leverage": 6}"#,
        r#"{"entry_adjustment_pct": 6}"#,
    ] {
        let text =
            format!(r#"{{"action": "modify", "confidence": 0.5, "modifications": {changes}}}"#);
        let drawn = drawn(json!({"modify_per_mille": 1, "bold_per_mille": 1}));
        drawn.at(6.0).after(0, says(&text)).violated();
    }
    let spoilt = says(r#"{"action": "wait", "reasoning": "drawn from the seed""#);
    drawn(json!({"odd_per_mille": 1}))
        .at(6.0)
        .after(0, spoilt)
        .violated();
    let wrong = says(r#"{"action": "wait", "confidence": 2}"#);
    drawn(json!({})).at(6.0).after(0, wrong).violated();
}
