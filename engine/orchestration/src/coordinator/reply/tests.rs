//! What counts as a reply, and as a success.

use super::*;
use crate::defect::Profile;

fn sound(text: &str) -> Resolution {
    parse(text, Defects::NONE).expect("only a trusted reply raises")
}

#[test]
fn only_a_reply_that_could_be_used_is_a_success() {
    let garbage = Defects::NONE.with(Defect::GarbageCountsAsSuccess);
    for (text, origin) in [
        (r#"{"action": "proceed"}"#, Origin::Reply),
        (r#"{"action": "abort", "confidence": 7}"#, Origin::Reply),
        (
            r#"{"action": "proceed", "modifications": {"leverage": "3"}}"#,
            Origin::Reply,
        ),
        (
            r#"{"action": "modify", "modifications": {"leverage": "3"}}"#,
            Origin::Corrected,
        ),
        (r#"{"action": "PROCEED"}"#, Origin::Corrected),
        (r#"{}"#, Origin::Corrected),
        (
            r#"{"action": "proceed", "confidence": true}"#,
            Origin::Unusable,
        ),
        ("no idea", Origin::Unusable),
    ] {
        let resolution = sound(text);
        assert_eq!(resolution.origin, origin, "{text}");
        let is_usable = origin == Origin::Reply;
        assert_eq!(
            resolution.counts_as_success(Defects::NONE),
            is_usable,
            "{text}"
        );
        assert!(resolution.counts_as_success(garbage), "{text}");
        assert!(is_usable || !resolution.proceeds(), "{text}");
    }
    assert!(!Resolution::waiting(Origin::Timeout).counts_as_success(garbage));
}

#[test]
fn what_is_not_strict_json_is_unusable() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let with = |value: &str| sound(&format!(r#"{{"action": "proceed", "note": {value}}}"#)).origin;
    assert_eq!(with(&nested(127)), Origin::Reply);
    for value in [
        &nested(128),
        r#""\ud800""#,
        "NaN",
        "1e999",
        &"9".repeat(400),
    ] {
        assert_eq!(with(value), Origin::Unusable, "{value}");
    }
}

#[test]
fn only_proceed_and_modify_trade() {
    for (action, trades) in [
        ("proceed", true),
        ("modify", true),
        ("abort", false),
        ("wait", false),
    ] {
        let reply = format!(r#"{{"action": "{action}"}}"#);
        assert_eq!(sound(&reply).proceeds(), trades, "{action}");
    }
}

#[test]
fn changes_are_those_of_a_modify_that_says_some() {
    let changes = |text: &str| sound(text).changes().map(Loose::to_string);
    let some = r#"{"action": "modify", "modifications": {"leverage": 2}}"#;
    assert_eq!(changes(some).as_deref(), Some(r#"{"leverage":2}"#));
    assert_eq!(changes(&some.replace("modify", "proceed")), None);
    assert_eq!(
        changes(r#"{"action": "modify", "modifications": {}}"#),
        None
    );
    assert_eq!(changes(r#"{"action": "modify"}"#), None);
}

#[test]
fn a_trusted_reply_keeps_its_types_and_may_raise() {
    let trust = Profile::Upstream.defects();
    let lots = r#"{"action": 1, "confidence": NaN, "modifications": {"leverage": "lots"}}"#;
    let resolution = parse(lots, trust).expect("it parses");
    assert_eq!(resolution.action, Loose::Int(1));
    assert_eq!(
        resolution.modifications.to_string(),
        r#"{"leverage":"lots"}"#
    );
    let deep = format!("{}1{}", r#"{"a":"#.repeat(2_000), "}".repeat(2_000));
    assert_eq!(parse(&deep, trust), Err(Raised::RecursionLimit));
    let long = format!(r#"{{"confidence": {}}}"#, "9".repeat(5_000));
    assert_eq!(parse(&long, trust), Err(Raised::Value));
    assert_eq!(sound(&deep), Resolution::waiting(Origin::Unusable));
    assert_eq!(sound(&long), Resolution::waiting(Origin::Unusable));
}
