//! The first difference between a recording and its re-run, field by field.

use dacapo_kernel::{Divergence, Event, EventSet, Events, RunError, Seq, System, Time, World};
use serde_json::{Map, Value};

use crate::causes::{Chain, chain_to, for_each, in_short};
use crate::record::body_json;
use crate::tell::{Line, Names};

/// Where a re-run first differs from its recording, and why it stood there.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The place of the event that differs.
    pub seq: Seq,
    /// What was recorded; none if the recording had ended.
    pub expected: Option<Line>,
    /// What happened instead; none if nothing more did.
    pub actual: Option<Line>,
    /// The fields that differ, if there are two events to compare.
    pub fields: Vec<FieldDifference>,
    /// The causes of what was recorded, or of what happened if nothing was.
    pub causes: Chain,
    /// The last event that both have in common; none if not even the first is the same.
    pub last_common: Option<Seq>,
    /// The time of the last common state.
    pub common_time: Time,
    /// The last common state in a line.
    pub common_state: String,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// The keys to it, joined by dots.
    pub path: String,
    /// The recorded value; none if the field is not there.
    pub expected: Option<Value>,
    /// The value of the re-run; none if the field is not there.
    pub actual: Option<Value>,
}

/// How many causes are told at most.
const CAUSES: usize = 6;

/// Explains the divergence of a re-run from the recording in `events`.
///
/// # Errors
/// If the recording is damaged before the difference.
pub fn explain<S: System>(
    events: &mut Events<S::Event>,
    divergence: &Divergence<S::Event>,
    common: &World<S::View>,
) -> Result<Difference, RunError> {
    let names = names_before::<S>(events, divergence.seq)?;
    let tell = |event: &Event<S::Event>| {
        let mut names = names.clone();
        names.learn(event);
        names.tell::<S>(event)
    };
    let fields = match (&divergence.expected, &divergence.actual) {
        (Some(expected), Some(actual)) => {
            let (mut before, mut after) = (names.clone(), names.clone());
            before.learn(expected);
            after.learn(actual);
            let mut fields = Vec::new();
            compare(
                "",
                Some(&flat(&before, expected)),
                Some(&flat(&after, actual)),
                &mut fields,
            );
            fields
        }
        _ => Vec::new(),
    };
    let either = divergence.expected.as_ref().or(divergence.actual.as_ref());
    let causes = match either.and_then(|event| event.cause) {
        // The actual event may claim a cause that the recording does not have.
        Some(cause) if cause < divergence.seq => chain_to::<S>(events, cause, CAUSES)?,
        _ => Chain {
            lines: Vec::new(),
            shortened: false,
        },
    };
    Ok(Difference {
        seq: divergence.seq,
        expected: divergence.expected.as_ref().map(tell),
        actual: divergence.actual.as_ref().map(tell),
        fields,
        causes,
        last_common: common.last,
        common_time: common.now,
        common_state: in_short(common),
    })
}

fn names_before<S: System>(events: &mut Events<S::Event>, seq: Seq) -> Result<Names, RunError> {
    let mut known = Names::default();
    if seq == Seq(0) {
        return Ok(known);
    }
    for_each::<S>(events, |names, event| {
        let last = event.seq.next() == seq;
        if last {
            known = names.clone();
            known.forget(event);
        }
        !last
    })?;
    Ok(known)
}

fn flat<E: EventSet>(names: &Names, event: &Event<E>) -> Value {
    let mut fields = Map::new();
    fields.insert("time_ns".to_owned(), event.time.as_nanos().into());
    fields.insert("cause".to_owned(), event.cause.map(|seq| seq.0).into());
    fields.insert("actor".to_owned(), names.actor(event.actor).into());
    fields.insert("kind".to_owned(), event.kind().name.into());
    let body = body_json(event).unwrap_or_else(|error| error.to_string().into());
    fields.insert("body".to_owned(), body);
    Value::Object(fields)
}

/// Collects the leaves at which two values differ.
pub(crate) fn compare(
    path: &str,
    expected: Option<&Value>,
    actual: Option<&Value>,
    into: &mut Vec<FieldDifference>,
) {
    if expected == actual {
        return;
    }
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match (expected, actual) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                compare(&below(key), a.get(key), b.get(key), into);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                compare(&below(&at.to_string()), a.get(at), b.get(at), into);
            }
        }
        _ => into.push(FieldDifference {
            path: path.to_owned(),
            expected: expected.cloned(),
            actual: actual.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_leaves_that_differ_are_named() {
        let recorded = json!({"a": 1, "b": {"c": [1, 2], "d": "x"}, "gone": null});
        let actual = json!({"a": 1, "b": {"c": [1, 3, 4], "d": "x"}, "new": true});
        let mut fields = Vec::new();
        compare("", Some(&recorded), Some(&actual), &mut fields);
        let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["b.c.1", "b.c.2", "gone", "new"]);
        assert_eq!(fields[1].expected, None);
        assert_eq!(fields[1].actual, Some(json!(4)));
    }
}
