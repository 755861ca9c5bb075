//! The first difference between a recording and its re-run, field by field.

use dacapo_kernel::{
    Divergence, Event, EventSet, Events, KernelEvent, RunError, Seq, System, TaskId, Time, World,
    causes,
};
use serde_json::{Map, Value};

use crate::causes::{Chain, chain_to, for_each, in_short};
use crate::golden::{Class, class_at_once};
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
    /// How the two differ.
    pub class: Class,
    /// The task that made the event, where its causes name it; else the actor alone.
    pub made_by: String,
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
    let (expected, actual) = (divergence.expected.as_ref(), divergence.actual.as_ref());
    let names = names_before::<S>(events, divergence.seq)?;
    let fields = fields(
        expected.map(|it| (&names, it)),
        actual.map(|it| (&names, it)),
        true,
    );
    let causes = match expected.or(actual).and_then(|event| event.cause) {
        // The actual event may claim a cause that the recording does not have.
        Some(cause) if cause < divergence.seq => chain_to::<S>(events, cause, CAUSES)?,
        _ => Chain::default(),
    };
    let made_by = match expected.or(actual) {
        Some(event) if event.cause < Some(divergence.seq) => maker::<S>(events, &names, event)?,
        Some(event) => names.actor(event.actor).to_owned(),
        None => String::new(),
    };
    Ok(Difference {
        seq: divergence.seq,
        expected: expected.map(|event| told::<S>(&names, event)),
        actual: actual.map(|event| told::<S>(&names, event)),
        class: class_at_once(expected, actual),
        made_by,
        fields,
        causes,
        last_common: common.last,
        common_time: common.now,
        common_state: in_short(common),
    })
}

/// Explains how two whole logs come apart: at an event of the recording, and one of the other log.
/// `is_exact` says whether causes count, `common` is the last state that both have.
///
/// # Errors
/// If a log is damaged before that.
pub(crate) fn explain_apart<S: System>(
    (recorded, expected): (&mut Events<S::Event>, Option<Seq>),
    (new, actual): (&mut Events<S::Event>, Option<Seq>),
    (class, is_exact): (Class, bool),
    common: &World<S::View>,
) -> Result<Difference, RunError> {
    let expected = event_at(recorded, expected)?;
    let actual = event_at(new, actual)?;
    let mut before = Names::default();
    let mut now = Names::default();
    let (mut causes, mut made_by) = (Chain::default(), String::new());
    if let Some(event) = &actual {
        now = names_before::<S>(new, event.seq)?;
        made_by = maker::<S>(new, &now, event)?;
        if let (Some(cause), None) = (event.cause, &expected) {
            causes = chain_to::<S>(new, cause, CAUSES)?;
        }
    }
    if let Some(event) = &expected {
        before = names_before::<S>(recorded, event.seq)?;
        made_by = maker::<S>(recorded, &before, event)?;
        if let Some(cause) = event.cause {
            causes = chain_to::<S>(recorded, cause, CAUSES)?;
        }
    }
    let either = expected.as_ref().or(actual.as_ref());
    Ok(Difference {
        seq: either.map_or(Seq(0), |event| event.seq),
        class,
        made_by,
        fields: fields(
            expected.as_ref().map(|it| (&before, it)),
            actual.as_ref().map(|it| (&now, it)),
            is_exact,
        ),
        expected: expected.as_ref().map(|event| told::<S>(&before, event)),
        actual: actual.as_ref().map(|event| told::<S>(&now, event)),
        causes,
        last_common: common.last,
        common_time: common.now,
        common_state: in_short(common),
    })
}

fn event_at<E: EventSet>(
    events: &mut Events<E>,
    seq: Option<Seq>,
) -> Result<Option<Event<E>>, RunError> {
    match seq {
        Some(seq) => {
            events.seek(seq)?;
            events.next()
        }
        None => Ok(None),
    }
}

fn told<S: System>(names: &Names, event: &Event<S::Event>) -> Line {
    let mut names = names.clone();
    names.learn(event);
    names.tell::<S>(event)
}

/// How many causes are followed back to the task that made an event.
const BACK: usize = 64;

/// The task that made an event: the nearest of its causes that started or woke a task of the same actor
/// names it.
fn maker<S: System>(
    events: &mut Events<S::Event>,
    names: &Names,
    event: &Event<S::Event>,
) -> Result<String, RunError> {
    let chain = causes(events, event, BACK)?;
    let mine = chain.iter().filter(|cause| cause.actor == event.actor);
    let task = mine.filter_map(|cause| task_of(cause.kernel()?)).next();
    let actor = names.actor(event.actor);
    Ok(match task {
        Some(task) => names.task(task),
        None => actor.to_owned(),
    })
}

fn task_of(event: &KernelEvent) -> Option<TaskId> {
    match event {
        KernelEvent::TaskStarted(started) => Some(started.task),
        KernelEvent::TimerFired(fired) => Some(fired.task),
        KernelEvent::LockGranted(granted) => Some(granted.task),
        _ => None,
    }
}

/// The fields in which two events differ; `is_exact` says whether their causes count.
fn fields<E: EventSet>(
    expected: Option<(&Names, &Event<E>)>,
    actual: Option<(&Names, &Event<E>)>,
    is_exact: bool,
) -> Vec<FieldDifference> {
    let (Some((before, expected)), Some((after, actual))) = (expected, actual) else {
        return Vec::new();
    };
    let (mut before, mut after) = (before.clone(), after.clone());
    before.learn(expected);
    after.learn(actual);
    let (expected, actual) = (flat(&before, expected), flat(&after, actual));
    let mut fields = compare("", Some(&expected), Some(&actual));
    fields.retain(|field| is_exact || field.path != "cause");
    // Where something else happened, that is what differs, and not each of its fields.
    if fields.iter().any(|field| field.path == "kind") {
        fields.retain(|field| !field.path.starts_with("body"));
    }
    fields
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

/// The leaves at which two values differ.
pub(crate) fn compare(
    path: &str,
    expected: Option<&Value>,
    actual: Option<&Value>,
) -> Vec<FieldDifference> {
    let mut fields = Vec::new();
    collect(path, expected, actual, &mut fields);
    fields
}

fn collect(
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
    // A text may be JSON itself, such as what a message carries.
    if let (Some(Value::String(a)), Some(Value::String(b))) = (expected, actual)
        && let (Some(a), Some(b)) = (nested(a), nested(b))
        && a != b
    {
        return collect(path, Some(&a), Some(&b), into);
    }
    match (expected, actual) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                collect(&below(key), a.get(key), b.get(key), into);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                collect(&below(&at.to_string()), a.get(at), b.get(at), into);
            }
        }
        _ => into.push(FieldDifference {
            path: path.to_owned(),
            expected: expected.cloned(),
            actual: actual.cloned(),
        }),
    }
}

/// An object or a list that is written as a text.
fn nested(text: &str) -> Option<Value> {
    let value = text
        .starts_with(['{', '['])
        .then(|| serde_json::from_str(text).ok())?;
    value.filter(|value: &Value| value.is_object() || value.is_array())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_leaves_that_differ_are_named() {
        let recorded = json!({"a": 1, "b": {"c": [1, 2], "d": "x"}, "gone": null});
        let actual = json!({"a": 1, "b": {"c": [1, 3, 4], "d": "x"}, "new": true});
        let fields = compare("", Some(&recorded), Some(&actual));
        let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["b.c.1", "b.c.2", "gone", "new"]);
        assert_eq!(fields[1].expected, None);
        assert_eq!(fields[1].actual, Some(json!(4)));
    }

    /// Fails if a text that is JSON is one long value, or one that differs only in how it is written is none.
    #[test]
    fn a_text_that_is_json_is_compared_within() {
        let compared = |a: &str, b: &str| {
            let fields = compare("body", Some(&json!(a)), Some(&json!(b)));
            let paths = fields.iter().map(|field| field.path.clone());
            paths.collect::<Vec<String>>()
        };
        let (one, other) = (r#"{"a":[1,2],"b":3}"#, r#"{"a":[1,4],"b":3}"#);
        assert_eq!(compared(one, other), ["body.a.1"]);
        assert_eq!(compared(r#"{"a":1}"#, r#"{"a": 1}"#), ["body"]);
        assert_eq!(compared("{a", "{b"), ["body"]);
    }
}
