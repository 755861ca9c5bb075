//! Events and states as JSON, for other tools.
//!
//! The shape is versioned: a field is added freely, and [`VERSION`] grows when one changes its
//! meaning or goes.

use std::collections::BTreeMap;

use dacapo_kernel::{Body, BodyOf, Event, Role, System, World};
use serde_json::{Value, json};

use crate::tell::Names;

/// The version of every JSON object that the program prints, as its field `v`.
pub const VERSION: u32 = 1;

/// One event as a JSON object.
///
/// # Errors
/// If its body is not plain data, which no body that was read from a log is.
pub fn event_json<S: System>(
    names: &Names,
    event: &Event<S::Event>,
) -> Result<Value, serde_json::Error> {
    let line = names.tell::<S>(event);
    let tags = tags_of::<S>(event);
    Ok(json!({
        "v": VERSION,
        "type": "event",
        "seq": event.seq,
        "time_ns": event.time,
        "cause": event.cause,
        "actor": line.actor,
        "kind": line.kind,
        "kind_number": event.kind().number,
        "role": role_name(event.kind().role),
        "tags": tags,
        "text": line.text,
        "body": body_json(event)?,
    }))
}

/// The body of an event alone.
///
/// # Errors
/// If it is not plain data.
pub fn body_json<E: dacapo_kernel::EventSet>(event: &Event<E>) -> Result<Value, serde_json::Error> {
    serde_json::to_value(BodyOf(event))
}

/// A whole state as a JSON object.
///
/// # Errors
/// If the system's view has keys that JSON cannot have.
pub fn state_json<S: System>(world: &World<S::View>) -> Result<Value, serde_json::Error> {
    let state = serde_json::to_value(world)?;
    Ok(json!({ "v": VERSION, "type": "state", "system": S::NAME, "state": state }))
}

/// The words by which an event is found; the kernel's own events have none.
pub fn tags_of<S: System>(event: &Event<S::Event>) -> BTreeMap<&'static str, String> {
    match &event.body {
        Body::Domain(domain) => S::tags(domain).into_iter().collect(),
        Body::Kernel(_) => BTreeMap::new(),
    }
}

/// The name of a role.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Input => "input",
        Role::Consequence => "consequence",
        Role::Call => "call",
        Role::Answer => "answer",
    }
}
