//! Reads a family of cases and compares what a run gives with what was recorded.

use dacapo_orchestration::defect::{Defects, Profile};
use serde_json::Value;

/// Runs every case of a family under both recorded profiles.
///
/// `run` gets the input and the defects, and gives the output in the words of the recording.
pub(crate) fn check(family: &str, run: impl Fn(&Value, Defects) -> Value) {
    let path = format!(
        "{}/../../tests/data/vectors/{family}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut count = 0;
    let mut failures = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let fixed = case.get("seed_expected").unwrap_or(&case["expected"]);
        for (profile, expected) in [
            (Profile::Upstream, &case["expected"]),
            (Profile::ReviewFixed, fixed),
        ] {
            count += 1;
            let actual = run(&case["input"], profile.defects());
            if !is_same(&actual, expected) {
                let id = &case["id"];
                failures.push(format!(
                    "{id} {profile:?}\n  got  {actual}\n  want {expected}"
                ));
            }
        }
    }
    assert!(count > 0, "{family} has no cases");
    let shown = failures[..failures.len().min(5)].join("\n");
    assert!(
        failures.is_empty(),
        "{} of {count} fail:\n{shown}",
        failures.len()
    );
}

/// Numbers are compared bit for bit, whether they are written as 5 or as 5.0.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().map(f64::to_bits) == b.as_f64().map(f64::to_bits)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|b| is_same(value, b)))
        }
        _ => a == b,
    }
}
