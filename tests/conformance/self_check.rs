//! The comparison can fail: planted inputs that it must notice, and some that it must let pass.

use serde_json::{Value, json};

use crate::case::{Case, Check, Outcome};
use crate::compare::differences;
use crate::folder::File;
use crate::vectors;

/// What is checked, and how.
type SelfCheck = (&'static str, fn() -> Outcome);

/// What must hold of this program itself, always.
const CHECKS: [SelfCheck; 14] = [
    ("a-changed-number-is-found", || {
        finds(
            json!({"a": [1, 2.5]}),
            json!({"a": [1, 2.6]}),
            "$.a[1]: expected 2.5, found 2.6",
        )
    }),
    ("a-changed-last-bit-is-found", || {
        let next = f64::from_bits(0.1_f64.to_bits() + 1);
        finds(
            json!(0.1),
            json!(next),
            &format!("$: expected 0.1, found {next}"),
        )
    }),
    ("a-changed-large-number-is-found", || {
        let (a, b) = (1_i64 << 60, (1_i64 << 60) + 1);
        finds(json!(a), json!(b), &format!("$: expected {a}, found {b}"))
    }),
    ("a-changed-sign-of-zero-is-found", || {
        finds(json!(0.0), json!(-0.0), "$: expected 0.0, found -0.0")
    }),
    ("an-extra-key-is-found", || {
        finds(
            json!({"a": {}}),
            json!({"a": {"b": null}}),
            "$.a.b: expected nothing, found null",
        )
    }),
    ("a-missing-key-is-found", || {
        finds(
            json!({"a": null}),
            json!({}),
            "$.a: expected null, found nothing",
        )
    }),
    ("a-longer-list-is-found", || {
        finds(
            json!([1]),
            json!([1, "x"]),
            "$[1]: expected nothing, found \"x\"",
        )
    }),
    ("a-changed-decimal-is-found", || {
        let expected = "$: expected \"0.1234567\", found \"0.1234568\"";
        finds(json!("0.1234567"), json!("0.1234568"), expected)?;
        // The eleventh digit of a quotient; those behind the twelfth may differ.
        let (a, b) = ("0.3333333333333333333333333333", "0.33333333334");
        finds(
            json!(a),
            json!(b),
            &format!("$: expected {a:?}, found {b:?}"),
        )
    }),
    ("a-changed-encoded-value-is-found", || {
        let (a, b) = (
            json!({"$i": "1".repeat(30)}),
            json!({"$i": "1".repeat(29) + "2"}),
        );
        finds(a.clone(), b.clone(), &format!("$: expected {a}, found {b}"))?;
        let (a, b) = (json!({"$t": 1.5}), json!({"$t": 1.500_002}));
        finds(a.clone(), b.clone(), &format!("$: expected {a}, found {b}"))
    }),
    ("the-same-written-otherwise-passes", || {
        passes(json!([1, 2.0, "1.50"]), json!([1.0, 2, "1.5"]))?;
        passes(
            json!({"$t": 190.550_999_999_999_93}),
            json!({"$t": 190.551}),
        )?;
        passes(
            json!("0.3333333333333333333333333333"),
            json!("0.33333333333333333333333333"),
        )
    }),
    ("a-broken-line-is-reported-with-file-and-line", || {
        fails(
            "degradation",
            "\n{\"id\": ",
            "planted.jsonl:2: expected JSON",
        )
    }),
    (
        "a-line-without-output-is-reported-with-file-and-line",
        || {
            let text = r#"{"id": "degradation-0001", "input": {}}"#;
            fails(
                "degradation",
                text,
                "planted.jsonl:1: expected a field `expected`",
            )
        },
    ),
    ("an-unknown-family-is-reported-with-file-and-line", || {
        let text = r#"{"id": "no_such-0001", "input": {}, "expected": {}}"#;
        fails("no_such", text, "planted.jsonl:1: expected a family that")
    }),
    ("a-panic-is-a-failure-of-its-case", || {
        let text = r#"{"id": "degradation-0001", "input": {}, "expected": {}}"#;
        fails("degradation", text, "a small number")
    }),
];

/// The checks, as cases of a family of their own.
pub(crate) fn cases() -> Vec<Case> {
    let checks = CHECKS.into_iter();
    checks
        .map(|(name, check)| Case::new("self", name, "", check))
        .collect()
}

/// The comparison finds this one difference.
fn finds(expected: Value, found: Value, difference: &str) -> Outcome {
    let told: Vec<String> = differences(&expected, &found)
        .iter()
        .map(ToString::to_string)
        .collect();
    same(&told, &[difference.to_owned()])
}

/// The comparison finds no difference.
fn passes(expected: Value, found: Value) -> Outcome {
    let differences = differences(&expected, &found);
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    same(&told, &[])
}

fn same(told: &[String], expected: &[String]) -> Outcome {
    if told == expected {
        return Ok(());
    }
    Err(format!(
        "expected the differences {expected:?}, found {told:?}"
    ))
}

/// Each case of a planted file fails, and says this.
fn fails(stem: &str, text: &str, message: &str) -> Outcome {
    let file = File {
        stem: stem.to_owned(),
        path: "planted.jsonl".to_owned(),
        text: Ok(text.to_owned()),
    };
    let cases = vectors::cases_of(&file);
    if cases.is_empty() {
        return Err("expected a failing case, found none".to_owned());
    }
    for case in cases {
        let name = case.name();
        match Check::run(case.check) {
            Ok(()) => return Err(format!("{name}: expected a failure, found none")),
            Err(told) if told.contains(message) => {}
            Err(told) => return Err(format!("{name}: expected {message:?}, found {told:?}")),
        }
    }
    Ok(())
}
