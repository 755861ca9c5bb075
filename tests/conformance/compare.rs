//! Compares what a run gives with what was recorded, as the encoding of the recordings asks for.
//!
//! Both have the same keys and the same number of entries. Numbers are equal to the last bit,
//! whether they are written as 5 or as 5.0; times to the microsecond; decimals, which are texts,
//! by their value.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use dacapo_orchestration::amount::Amount;
use serde_json::Value;

use crate::case::Outcome;

/// How many differences a failure shows.
const SHOWN: usize = 6;

/// Characters of a value that a failure shows.
const SHOWN_CHARS: usize = 160;

/// A decimal with this many significant digits comes from a division; what is rounded has fewer.
const QUOTIENT_DIGITS: usize = 22;

/// One place at which two values differ.
pub(crate) struct Difference {
    /// From the root, which is `$`.
    pub(crate) path: String,
    /// What was recorded there.
    pub(crate) expected: Option<Value>,
    /// What the run gave there.
    pub(crate) found: Option<Value>,
}

/// Compares two values.
///
/// # Errors
/// If they differ: the first few differences, each on a line.
pub(crate) fn check(expected: &Value, found: &Value) -> Outcome {
    let differences = differences(expected, found);
    if differences.is_empty() {
        return Ok(());
    }
    let shown = differences.iter().take(SHOWN);
    let mut lines: Vec<String> = shown.map(Difference::to_string).collect();
    let more = differences.len() - lines.len();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Err(lines.join("\n"))
}

/// Every place at which two values differ.
pub(crate) fn differences(expected: &Value, found: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare("$", Some(expected), Some(found), &mut differences);
    differences
}

fn compare(
    path: &str,
    expected: Option<&Value>,
    found: Option<&Value>,
    differences: &mut Vec<Difference>,
) {
    match (expected, found) {
        (Some(Value::Object(e)), Some(Value::Object(f))) if encoded(e).is_none() => {
            let keys: BTreeSet<&String> = e.keys().chain(f.keys()).collect();
            for key in keys {
                compare(
                    &format!("{path}.{key}"),
                    e.get(key),
                    f.get(key),
                    differences,
                );
            }
        }
        (Some(Value::Array(e)), Some(Value::Array(f))) => {
            for at in 0..e.len().max(f.len()) {
                compare(&format!("{path}[{at}]"), e.get(at), f.get(at), differences);
            }
        }
        (Some(e), Some(f)) if is_same(e, f) => {}
        _ => differences.push(Difference {
            path: path.to_owned(),
            expected: expected.cloned(),
            found: found.cloned(),
        }),
    }
}

type Object = serde_json::Map<String, Value>;

/// The key of an object that stands for what JSON cannot say.
fn encoded(object: &Object) -> Option<&str> {
    let key = object.keys().next().filter(|_| object.len() == 1)?;
    ["$t", "$f", "$i"].into_iter().find(|code| code == key)
}

/// Whether two values that are not compared part by part are the same.
fn is_same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Number(e), Value::Number(f)) => {
            if e.is_f64() || f.is_f64() {
                e.as_f64().map(f64::to_bits) == f.as_f64().map(f64::to_bits)
            } else {
                e == f
            }
        }
        (Value::String(e), Value::String(f)) => e == f || is_same_decimal(e, f),
        (Value::Object(e), Value::Object(f)) => match (micros(e), micros(f)) {
            // Large whole numbers and floats that are no numbers are texts, but not decimals.
            (None, None) => e == f,
            (e, f) => e == f,
        },
        _ => expected == found,
    }
}

/// An encoded time, which the original's sums of floats leave off by less than a microsecond.
fn micros(object: &Object) -> Option<f64> {
    encoded(object).filter(|code| *code == "$t")?;
    let seconds = object.get("$t")?.as_f64()?;
    Some((seconds * 1e6).round())
}

/// Equal as decimals, or nearly so where a quotient fills the whole decimal: the original carries
/// 28 significant digits, an [`Amount`] as many as fit into 96 bits.
fn is_same_decimal(expected: &str, found: &str) -> bool {
    let (Ok(e), Ok(f)) = (expected.parse::<Amount>(), found.parse::<Amount>()) else {
        return false;
    };
    e == f || significant_digits(expected) >= QUOTIENT_DIGITS && is_near(e, f)
}

fn is_near(a: Amount, b: Amount) -> bool {
    let tolerance = a.abs().times(Amount::new(1, 12));
    let distance = a.minus(b).map(Amount::abs);
    matches!((distance, tolerance), (Ok(distance), Ok(tolerance)) if distance <= tolerance)
}

fn significant_digits(decimal: &str) -> usize {
    let mantissa = decimal.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.chars().filter(char::is_ascii_digit);
    digits.skip_while(|digit| *digit == '0').count()
}

impl Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference {
            path,
            expected,
            found,
        } = self;
        let (expected, found) = (shown(expected.as_ref()), shown(found.as_ref()));
        write!(f, "{path}: expected {expected}, found {found}")
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
