//! Reading the cases, and comparing values as their encoding asks for.

use std::path::Path;

use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::defect::{Defects, Profile};
use serde_json::Value;

/// Midnight of Monday 2025-01-06 UTC, where every case begins, in microseconds since 1970.
pub(crate) const T0_US: i64 = 1_736_121_600_000_000;

/// Runs `answer` over every case of `family`, in both profiles that have an expectation, and
/// fails with the first few differences.
pub(crate) fn check(family: &str, answer: impl Fn(&Value, Defects) -> Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/vectors")
        .join(format!("{family}.jsonl"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let mut wrong = Vec::new();
    let mut checked = 0;
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        for profile in [Profile::Upstream, Profile::ReviewFixed] {
            let found = answer(&case["input"], profile.defects());
            let mut expected = case["expected"].clone();
            if profile == Profile::ReviewFixed {
                // Where the repair differs, only what it changes is given.
                merge(&mut expected, &case["seed_expected"]);
            }
            checked += 1;
            if let Some(difference) = difference("", &expected, &found) {
                wrong.push(format!("{} {profile:?}: {difference}", case["id"]));
            }
        }
    }
    assert!(checked > 0, "{family} has no cases");
    assert!(
        wrong.is_empty(),
        "{} of {checked} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}

fn merge(expected: &mut Value, changes: &Value) {
    let (Some(expected), Some(changes)) = (expected.as_object_mut(), changes.as_object()) else {
        return;
    };
    for (key, value) in changes {
        expected.insert(key.clone(), value.clone());
    }
}

/// Where `found` first differs from `expected`. Keys that only `found` has are ignored.
fn difference(path: &str, expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().find_map(|(key, expected)| {
                let found = found.get(key).unwrap_or(&Value::Null);
                difference(&format!("{path}.{key}"), expected, found)
            })
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => expected
            .iter()
            .zip(found)
            .enumerate()
            .find_map(|(i, (e, f))| difference(&format!("{path}[{i}]"), e, f)),
        _ if same(expected, found) => None,
        _ => Some(format!("{path}: expected {expected}, found {found}")),
    }
}

fn same(expected: &Value, found: &Value) -> bool {
    if expected == found {
        return true;
    }
    match (expected, found) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.to_bits() == b.to_bits() || (a == 0.0 && b == 0.0),
            _ => false,
        },
        (Value::String(a), Value::String(b)) => match (a.parse(), b.parse()) {
            (Ok(a), Ok(b)) => close(a, b),
            _ => false,
        },
        _ => false,
    }
}

/// A decimal with this many digits comes from a division; what is rounded has fewer.
const QUOTIENT_DIGITS: usize = 23;

/// Equal, or equal to twelve digits where a quotient fills the whole decimal.
fn close(a: Amount, b: Amount) -> bool {
    let digits = |amount: Amount| {
        let text = amount.to_string();
        text.chars().filter(char::is_ascii_digit).count()
    };
    if a == b {
        return true;
    }
    let tolerance = a.abs().times("1e-12".parse().unwrap()).unwrap();
    digits(a) >= QUOTIENT_DIGITS && a.minus(b).unwrap().abs() <= tolerance
}

/// Seconds as microseconds.
pub(crate) fn micros(seconds: &Value) -> i64 {
    (seconds.as_f64().unwrap() * 1e6).round() as i64
}

/// Microseconds as the encoding of a time.
pub(crate) fn time(micros: i64) -> Value {
    serde_json::json!({ "$t": micros as f64 / 1e6 })
}

/// A decimal, given as text or as a number.
pub(crate) fn amount(value: &Value) -> Amount {
    serde_json::from_value(value.clone()).unwrap()
}

/// A decimal that may be missing.
pub(crate) fn maybe_amount(value: &Value) -> Option<Amount> {
    (!value.is_null()).then(|| amount(value))
}
