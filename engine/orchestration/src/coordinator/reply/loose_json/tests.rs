//! Where the loose parser and the standard agree, and where they part.

use proptest::prelude::*;
use serde_json::Value;

use super::parser::STRICT_DEPTH;
use super::*;

fn value(text: &str) -> Loose {
    Loose::parse(text).expect("it parses").value
}

fn is_strict(text: &str) -> bool {
    Loose::parse(text).is_ok_and(|parsed| parsed.is_strict)
}

#[test]
fn what_only_the_loose_parser_takes_is_noted() {
    for text in [
        "NaN",
        "-Infinity",
        "1e999",
        "[Infinity]",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
    ] {
        assert!(Loose::parse(text).is_ok() && !is_strict(text), "{text}");
    }
    assert!(is_strict(r#""\ud83d\ude00""#));
    assert_eq!(value(r#""\ud83d\ude00""#), "\u{1f600}".into());
    assert_eq!(value(r#""\ud800x""#), "\u{fffd}x".into());
    assert_eq!(value(r#""\ud800\u0041""#), "\u{fffd}A".into());
}

#[test]
fn depth_is_counted_in_brackets() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(is_strict(&nested(STRICT_DEPTH)));
    assert!(!is_strict(&nested(STRICT_DEPTH + 1)));
    assert!(Loose::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(
        Loose::parse(&nested(MAX_DEPTH + 1)),
        Err(ParseError::TooDeep)
    );
}

#[test]
fn whole_numbers_keep_their_digits_up_to_a_length() {
    assert_eq!(value("-0"), Loose::Int(0));
    assert_eq!(
        value("9223372036854775808"),
        Loose::BigInt("9223372036854775808".into())
    );
    let long = |digits: usize| "9".repeat(digits);
    assert!(!is_strict(&long(400)));
    assert!(Loose::parse(&long(MAX_DIGITS)).is_ok());
    assert_eq!(
        Loose::parse(&long(MAX_DIGITS + 1)),
        Err(ParseError::TooLong)
    );
}

#[test]
fn of_equal_keys_the_last_one_counts() {
    assert_eq!(value(r#"{"a":1,"a":2}"#).to_string(), r#"{"a":2}"#);
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "0x1",
        "'a'",
        "\"a",
        "nul",
        "\"\n\"",
        "\"\u{1f}\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "{a:1}",
        "[1 2]",
        "1 2",
        "{\"a\" 1}",
        "\u{a0}1",
        "\u{feff}1",
        "- 1",
        "--1",
        "-",
        "\"\\",
    ] {
        assert!(
            matches!(Loose::parse(text), Err(ParseError::Syntax { .. })),
            "{text:?}"
        );
    }
}

proptest! {
    /// Two parsers, one standard: an independent one says what strict JSON is.
    #[test]
    fn strict_is_what_the_standard_takes(text in r#"[\[\]{}",:0-9eE.+\- \ntruefalsn\\u]{0,12}"#) {
        prop_assert_eq!(is_strict(&text), serde_json::from_str::<Value>(&text).is_ok());
    }

    #[test]
    fn what_is_written_reads_the_same(text in r#"(\[|\{"a":|-|[0-9]{1,25}|\.5|e[0-9]{1,3}|NaN|,|"\\n"|\}|\]){0,10}"#) {
        if let Ok(parsed) = Loose::parse(&text) {
            let written = parsed.value.to_string();
            let again = Loose::parse(&written).expect("what is written parses");
            prop_assert_eq!(again.value.to_string(), written);
        }
    }
}
