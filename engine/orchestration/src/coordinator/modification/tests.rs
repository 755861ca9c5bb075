//! What a reply may change, sound and as found.

use serde_json::{Value, json};

use super::*;
use crate::defect::Profile;
use crate::message::Topic;

fn changed(signal: Value, modifications: &str, defects: Defects) -> Option<Value> {
    let signal = Payload::from_json(Topic::TradingSignals, signal);
    let modifications = Loose::parse(modifications).expect("it parses").value;
    let bounds = ModificationBounds::default();
    match apply(&signal, &modifications, &bounds, defects).expect("nothing raises") {
        Modified::Signal(payload) => Some(payload.to_json()),
        Modified::Wait => None,
    }
}

fn signal(action: &str, stop_loss: f64) -> Value {
    json!({"symbol": "BTC/USDT", "action": action, "confidence": 0.8, "entry_price": 100.0,
        "stop_loss": stop_loss, "size_usd": 500.0, "leverage": 2})
}

#[test]
fn leverage_is_lowered_but_never_raised() {
    let leverage = |wanted: &str, defects| {
        let changed = changed(
            signal("BUY", 98.0),
            &format!(r#"{{"leverage":{wanted}}}"#),
            defects,
        );
        changed.expect("it is traded")["leverage"].as_i64()
    };
    let raises = Profile::ReviewFixed.defects();
    for (wanted, sound, found) in [("9", 2, 5), ("3.9", 2, 3), ("1", 1, 1), ("-4", 1, 1)] {
        assert_eq!(leverage(wanted, Defects::NONE), Some(sound), "{wanted}");
        assert_eq!(leverage(wanted, raises), Some(found), "{wanted}");
    }
}

#[test]
fn a_signal_without_leverage_stays_at_one() {
    let plain = json!({"symbol": "BTC/USDT", "action": "BUY", "confidence": 0.8});
    let changed = changed(plain, r#"{"leverage": 3}"#, Defects::NONE);
    assert_eq!(changed.expect("it is traded")["leverage"], 1);
}

#[test]
fn an_entry_moved_beyond_its_stop_means_waiting() {
    let down = r#"{"entry_adjustment_pct": -3}"#;
    let up = r#"{"entry_adjustment_pct": 3}"#;
    let moved = |action, stop, pct| changed(signal(action, stop), pct, Defects::NONE).is_some();
    assert!(!moved("BUY", 98.0, down) && moved("BUY", 98.0, up));
    assert!(!moved("BUY", 97.0, down) && moved("BUY", 96.9, down));
    assert!(moved("SELL", 102.0, down) && !moved("SELL", 102.0, up));
    let found = Profile::ReviewFixed.defects();
    assert!(changed(signal("BUY", 98.0), down, found).is_some());
}

#[test]
fn trusted_modifications_are_asked_whatever_they_are() {
    let signal = Payload::from_json(Topic::TradingSignals, signal("BUY", 98.0));
    let applied = |modifications: &str| {
        let modifications = Loose::parse(modifications).expect("it parses").value;
        let bounds = ModificationBounds::default();
        apply(
            &signal,
            &modifications,
            &bounds,
            Profile::Upstream.defects(),
        )
    };
    for unchanged in ["[1]", "\"x\"", "{}", r#"{"other": 1}"#] {
        assert_eq!(
            applied(unchanged),
            Ok(Modified::Signal(signal.clone())),
            "{unchanged}"
        );
    }
    for raises in [
        "true",
        "1",
        r#"["leverage"]"#,
        r#""leverage""#,
        r#"{"leverage": null}"#,
    ] {
        assert_eq!(applied(raises), Err(Raised::Type.into()), "{raises}");
    }
}
