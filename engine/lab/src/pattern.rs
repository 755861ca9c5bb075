//! Which events somebody means, in a line: a kind, and conditions on what an event says.
//!
//! `item leased where side=left and size>10`: the kind, or `any`; each condition is a place, what it
//! is compared by, and a value. A place is looked for in the body of the event, then among its tags;
//! `actor` is whoever did it.

use std::fmt;
use std::str::FromStr;

use dacapo_kernel::{Body, BodyOf, Event, System};
use serde_json::Value;

use crate::filter::{KindError, kind_named};
use crate::record::tags_of;
use crate::tell::Names;
use crate::value_path::{PathError, ValuePath};

/// Which events somebody means.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// The number of their kind; any, if absent.
    pub kind: Option<u16>,
    /// What they say.
    pub conditions: Vec<Condition>,
}

/// What a value has to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Where the value is.
    pub path: ValuePath,
    test: Test,
    text: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// It is there, and neither null nor false.
    Is,
    Equal(String),
    NotEqual(String),
    Below(f64),
    AtMost(f64),
    Above(f64),
    AtLeast(f64),
    Contains(String),
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// No kind of event has such a name.
    #[error(transparent)]
    Kind(#[from] KindError),
    /// A place is none.
    #[error("in the condition `{condition}`: {source}")]
    Path {
        /// The condition.
        condition: String,
        /// What is wrong.
        source: PathError,
    },
    /// What is compared by size is no number.
    #[error(
        "in the condition `{condition}`: {found:?} is no number; <, <=, > and >= compare numbers"
    )]
    Number {
        /// The condition.
        condition: String,
        /// The text.
        found: String,
    },
}

/// What compares, the longer ones first.
const COMPARISONS: [&str; 7] = ["!=", "<=", ">=", "=", "<", ">", "~"];

impl FromStr for Condition {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Condition, PatternError> {
        let text = text.trim();
        // At one place the longer one is meant, which is the first of the list.
        let places = COMPARISONS.into_iter();
        let places = places.filter_map(|comparison| Some((text.find(comparison)?, comparison)));
        let first = places.min_by_key(|(at, _)| *at);
        let (path, test) = match first {
            None => (text, Test::Is),
            Some((at, comparison)) => {
                let value = unquoted(text[at + comparison.len()..].trim());
                let number = || {
                    value.parse().map_err(|_| PatternError::Number {
                        condition: text.to_owned(),
                        found: value.to_owned(),
                    })
                };
                let test = match comparison {
                    "!=" => Test::NotEqual(value.to_owned()),
                    "<=" => Test::AtMost(number()?),
                    ">=" => Test::AtLeast(number()?),
                    "<" => Test::Below(number()?),
                    ">" => Test::Above(number()?),
                    "~" => Test::Contains(value.to_owned()),
                    _ => Test::Equal(value.to_owned()),
                };
                (&text[..at], test)
            }
        };
        let path = path.parse().map_err(|source| PatternError::Path {
            condition: text.to_owned(),
            source,
        })?;
        Ok(Condition {
            path,
            test,
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

impl Condition {
    /// Whether a value is as it has to be. What is not there is not equal to anything.
    pub fn is_met(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else {
            return matches!(self.test, Test::NotEqual(_));
        };
        let number = number_of(value);
        match &self.test {
            Test::Is => !matches!(value, Value::Null | Value::Bool(false)),
            Test::Equal(text) => is_equal(value, text),
            Test::NotEqual(text) => !is_equal(value, text),
            Test::Below(bound) => number.is_some_and(|number| number < *bound),
            Test::AtMost(bound) => number.is_some_and(|number| number <= *bound),
            Test::Above(bound) => number.is_some_and(|number| number > *bound),
            Test::AtLeast(bound) => number.is_some_and(|number| number >= *bound),
            Test::Contains(text) => text_of(value).contains(text.as_str()),
        }
    }
}

/// Exact amounts are texts; they are compared as the numbers that they are.
fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_equal(value: &Value, text: &str) -> bool {
    let by_number = || Some(number_of(value)? == text.parse::<f64>().ok()?);
    text_of(value) == text || by_number().unwrap_or(false)
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it names no kind of event of the system, or a condition is none.
    pub fn read<S: System>(text: &str) -> Result<Pattern, PatternError> {
        let (kind, conditions) = match text.split_once(" where ") {
            Some((kind, conditions)) => (kind.trim(), Some(conditions)),
            None => (text.trim(), None),
        };
        let kind = match kind {
            "any" => None,
            kind => Some(kind_named::<S>(kind)?),
        };
        let conditions = conditions.into_iter().flat_map(|text| text.split(" and "));
        let conditions: Result<Vec<Condition>, PatternError> = conditions.map(str::parse).collect();
        Ok(Pattern {
            kind,
            conditions: conditions?,
        })
    }

    /// Whether an event is one of those that are meant.
    pub fn is_met<S: System>(&self, names: &Names, event: &Event<S::Event>) -> bool {
        self.kind.is_none_or(|kind| event.kind().number == kind)
            && self.conditions.iter().all(|condition| {
                let value = value_at::<S>(&condition.path, names, event);
                condition.is_met(value.as_ref())
            })
    }
}

/// What an event says at a place: in its body, else among its tags, else who did it.
pub(crate) fn value_at<S: System>(
    path: &ValuePath,
    names: &Names,
    event: &Event<S::Event>,
) -> Option<Value> {
    let said = path.of(&BodyOf(event));
    let name = match path.parts() {
        [name] if said.is_none() => name.as_str(),
        _ => return said,
    };
    let tag = match &event.body {
        Body::Domain(_) => tags_of::<S>(event).remove(name),
        Body::Kernel(_) => None,
    };
    match (tag, name) {
        (Some(tag), _) => Some(tag.into()),
        (None, "actor") => Some(names.actor(event.actor).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn met(condition: &str, value: Value) -> bool {
        let condition: Condition = condition.parse().unwrap();
        condition.is_met(Some(&value))
    }

    // Fails if an amount is compared as a text, or a longer comparison is taken for a shorter one.
    #[test]
    fn values_are_compared_as_what_they_are() {
        assert!(met("amount>=100", json!("100.00")));
        assert!(met("amount=100", json!("100.00")));
        assert!(!met("amount<100", json!("100.00")));
        assert!(met("a.b <= 2", json!(2)));
        assert!(met("side=left", json!("left")) && met("side='left'", json!("left")));
        assert!(met("side!=left", json!("right")) && !met("side!=left", json!("left")));
        assert!(met("text~x=y", json!("a x=y b")));
        assert!(met("on", json!(true)) && !met("on", json!(false)) && !met("on", Value::Null));
        let missing: Condition = "side!=left".parse().unwrap();
        assert!(missing.is_met(None));
        assert!("amount<much".parse::<Condition>().is_err());
        assert!("=1".parse::<Condition>().is_err());
    }
}
