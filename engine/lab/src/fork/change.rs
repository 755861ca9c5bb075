//! From what a person writes to the change of an input: `reply.action="abort"`.

use std::str::FromStr;

use dacapo_kernel::{
    Body, BodyOf, Change, Event, EventSet, Fork, KernelEvent, Plan, Recording, Seq, System, Time,
};
use serde_json::Value;

use crate::record::body_json;
use crate::value_path::{NoPlace, PathError, ValuePath};

/// What a person asks of an input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Values that are put at places of what it says.
    pub set: Vec<(ValuePath, Value)>,
    /// It never comes.
    pub left_out: bool,
    /// It comes at another time.
    pub time: Option<Time>,
}

/// What that is for a run.
pub enum Meant<S: System> {
    /// Another plan: the run begins anew.
    Plan(Box<Plan<S::Config>>),
    /// Another input at one event.
    Input(Fork<S::Event>),
}

/// Why a change is none.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// There is no such event.
    #[error("there is no event {at}; the log has {events}, counted from 0")]
    NoEvent {
        /// Which.
        at: Seq,
        /// How many there are.
        events: u64,
    },
    /// The event is no input.
    #[error(
        "event {at} is of the kind {kind:?}, which follows from inputs and code; only an input can be \
         another one{}",
        before(inputs)
    )]
    NoInput {
        /// Which.
        at: Seq,
        /// Its kind.
        kind: &'static str,
        /// The nearest inputs that it goes back to, with their kinds.
        inputs: Vec<(Seq, &'static str)>,
    },
    /// A text is no `PATH=VALUE`.
    #[error("expected PATH=VALUE, such as reply.action=\"abort\" or size=30, found {0:?}")]
    NoSet(String),
    /// A path is none.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Nothing can be put there.
    #[error("event {at} ({kind}): {source}")]
    Place {
        /// Which event.
        at: Seq,
        /// Its kind.
        kind: &'static str,
        /// What is there instead.
        source: NoPlace,
    },
    /// The event cannot say that.
    #[error("event {at} ({kind}) cannot say that: {what}")]
    Unsayable {
        /// Which event.
        at: Seq,
        /// Its kind.
        kind: &'static str,
        /// What is wrong.
        what: String,
    },
    /// This change is none for this kind of event.
    #[error("event {at} ({kind}) cannot {what}")]
    Cannot {
        /// Which event.
        at: Seq,
        /// Its kind.
        kind: &'static str,
        /// What it cannot.
        what: &'static str,
    },
    /// Nothing would be another one.
    #[error("event {0} says that already: nothing would change")]
    Same(Seq),
}

fn before(inputs: &[(Seq, &'static str)]) -> String {
    match inputs {
        [] => String::new(),
        some => {
            let some = some.iter().map(|(seq, kind)| format!("{seq} ({kind})"));
            let some: Vec<String> = some.collect();
            format!("; those it goes back to: {}", some.join(", "))
        }
    }
}

/// How many inputs are named where an event is none.
const INPUTS: usize = 4;

/// What a place is to hold: `PATH=VALUE`. What is no JSON is a text.
impl FromStr for Asked {
    type Err = ForkError;

    fn from_str(text: &str) -> Result<Asked, ForkError> {
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| ForkError::NoSet(text.to_owned()))?;
        let value = value.trim();
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(Asked {
            set: vec![(path.parse()?, value)],
            ..Asked::default()
        })
    }
}

/// Whether an event is an input that can be another one.
pub fn is_input<E: EventSet>(event: &Event<E>) -> bool {
    match event.kernel() {
        // It comes up again because it crashed.
        Some(KernelEvent::HostRestarted(_)) => false,
        Some(KernelEvent::RunStarted(_)) => true,
        _ => event.kind().role.is_input(),
    }
}

/// What a change of an event is for a run.
///
/// # Errors
/// If the event is no input, or cannot be so.
pub fn meant<S: System>(
    recording: &Recording<S::Event>,
    at: Seq,
    asked: &Asked,
) -> Result<Meant<S>, ForkError> {
    let events = recording.events();
    let event = recording
        .event(at)
        .ok_or(ForkError::NoEvent { at, events })?;
    let kind = event.kind().name;
    if !is_input(&event) {
        let inputs = inputs_behind(recording, &event);
        return Err(ForkError::NoInput { at, kind, inputs });
    }
    let cannot = |what| Err(ForkError::Cannot { at, kind, what });
    let is_domain = event.domain().is_some();
    match (&event.body, asked) {
        (_, Asked { left_out: true, .. }) => match event.kernel() {
            Some(KernelEvent::RunStarted(_) | KernelEvent::Draw(_) | KernelEvent::Choice(_)) => {
                cannot("be left out: the run needs one")
            }
            Some(KernelEvent::CallLost(_)) => cannot("be left out: it is part of a crash"),
            _ => Ok(input(at, Change::LeftOut)),
        },
        (_, Asked { time: Some(_), .. }) if !is_domain => {
            cannot("come at another time; only what a feed brings and an answer can")
        }
        (
            _,
            Asked {
                time: Some(time),
                set,
                ..
            },
        ) if set.is_empty() => match event.cause {
            Some(call) if recording.event(call).is_some_and(|call| call.time > *time) => {
                cannot("come before the question that it answers")
            }
            _ => Ok(input(at, Change::Comes(*time))),
        },
        (_, Asked { time: Some(_), .. }) => {
            cannot("say something else and come at another time in one fork; make one of the other")
        }
        _ => says::<S>(&event, &asked.set),
    }
}

fn input<S: System>(at: Seq, change: Change<S::Event>) -> Meant<S> {
    Meant::Input(Fork { at, change })
}

/// The event with other values.
fn says<S: System>(
    event: &Event<S::Event>,
    set: &[(ValuePath, Value)],
) -> Result<Meant<S>, ForkError> {
    let (at, kind) = (event.seq, event.kind().name);
    let unsayable = |what: String| ForkError::Unsayable { at, kind, what };
    let mut body = body_json(event).map_err(|error| unsayable(error.to_string()))?;
    for (path, value) in set {
        let value = as_before(path.of(&body).as_ref(), value);
        path.set(&mut body, value)
            .map_err(|source| ForkError::Place { at, kind, source })?;
    }
    let number = event.kind().number;
    let said = |error: serde_json::Error| unsayable(error.to_string());
    let changed: Body<S::Event> = match &event.body {
        Body::Kernel(_) => KernelEvent::deserialize_body(number, body)
            .map_err(said)?
            .map(Body::Kernel),
        Body::Domain(_) => S::Event::deserialize_body(number, body)
            .map_err(said)?
            .map(Body::Domain),
    }
    .ok_or_else(|| unsayable("this program has no such kind".to_owned()))?;
    let changed = Event {
        body: changed,
        ..event.clone()
    };
    if changed.body == event.body {
        return Err(ForkError::Same(at));
    }
    // A field that the body does not have would be passed over in silence.
    for (path, value) in set {
        let before = path.of(&BodyOf(event));
        let wanted = as_before(before.as_ref(), value);
        if path
            .of(&BodyOf(&changed))
            .is_none_or(|is| !is_alike(&is, &wanted))
        {
            return Err(unsayable(format!("`{path}` does not take {value}")));
        }
    }
    if let Body::Kernel(KernelEvent::RunStarted(started)) = &changed.body {
        let plan = serde_json::from_str(&started.plan).map_err(said)?;
        return Ok(Meant::Plan(Box::new(plan)));
    }
    if let (Some(KernelEvent::FaultInjected(was)), Some(KernelEvent::FaultInjected(is))) =
        (event.kernel(), changed.kernel())
        && (&was.door, was.asked) != (&is.door, is.asked)
    {
        return Err(unsayable(
            "only the value of a fault can be another one".to_owned(),
        ));
    }
    if matches!(
        changed.kernel(),
        Some(KernelEvent::HostCrashed(_) | KernelEvent::TaskCrashed(_))
    ) {
        return Err(unsayable(
            "a crash can only be left out; another one is a fault of the plan, at event 0"
                .to_owned(),
        ));
    }
    Ok(input(at, Change::Says(changed.body)))
}

/// Exact amounts are texts: a number that takes the place of a text becomes one.
fn as_before(before: Option<&Value>, value: &Value) -> Value {
    match (before, value) {
        (Some(Value::String(_)), Value::Number(number)) => number.to_string().into(),
        _ => value.clone(),
    }
}

/// Whether two values are the same, numbers by what they are worth.
fn is_alike(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    a == b || number(a).is_some_and(|a| number(b) == Some(a))
}

/// The nearest inputs that an event goes back to.
fn inputs_behind<E: EventSet>(
    recording: &Recording<E>,
    event: &Event<E>,
) -> Vec<(Seq, &'static str)> {
    let mut inputs = Vec::new();
    let mut next = event.cause.filter(|cause| *cause < event.seq);
    while let Some(cause) = next.and_then(|seq| recording.event(seq)) {
        if is_input(&cause) {
            inputs.push((cause.seq, cause.kind().name));
        }
        next = cause
            .cause
            .filter(|before| *before < cause.seq && inputs.len() < INPUTS);
    }
    inputs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Fails if a value is not taken for what it is.
    #[test]
    fn a_change_is_a_place_and_a_value() {
        let value = |text: &str| {
            text.parse::<Asked>()
                .map(|asked| asked.set[0].1.clone())
                .ok()
        };
        assert_eq!(value("a.b=1.5"), Some(json!(1.5)));
        assert_eq!(value(r#"a="abort""#), Some(json!("abort")));
        assert_eq!(value("a=abort"), Some(json!("abort")));
        assert_eq!(value("a={\"b\": 1}"), Some(json!({"b": 1})));
        assert_eq!(value("a"), None);
        assert_eq!(value("=1"), None);
        assert_eq!(as_before(Some(&json!("1.50")), &json!(2)), json!("2"));
        assert!(is_alike(&json!("2.00"), &json!("2")) && !is_alike(&json!("2.00"), &json!("x")));
    }
}
