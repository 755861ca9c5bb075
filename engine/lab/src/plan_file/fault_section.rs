//! One fault of a plan as an entry of `[[faults]]`, with what it does as a comment above its keys.

use dacapo_kernel::{Fault, FaultKind, How, System, When};

use super::toml_text::quoted;
use super::{comment, duration, since_start};

/// Writes one fault.
pub(super) fn write<S: System>(fault: &Fault, out: &mut String) {
    out.push_str("\n[[faults]]\n");
    if let Some(kind) = kind_of(fault, &S::faults()) {
        out.push_str(&comment(kind.meaning));
        if !kind.value.is_empty() && has_value(fault) {
            out.push_str(&comment(&format!("value: {}", kind.value)));
        }
    }
    for (key, value) in keys(fault) {
        out.push_str(&format!("{key} = {value}\n"));
    }
}

/// The kind that a system describes a fault under.
pub(crate) fn kind_of<'a>(fault: &Fault, kinds: &'a [FaultKind]) -> Option<&'a FaultKind> {
    let fits = |kind: &&FaultKind| match (fault, kind.how) {
        (Fault::CrashHost { host, .. }, How::CrashHost { host: of }) => host == of,
        (Fault::CrashTask { task, .. }, How::CrashTask { task: of }) => task == of,
        (Fault::JumpClock { .. }, How::JumpClock) => true,
        (Fault::Door { door, .. } | Fault::Strike { door, .. }, How::Door { .. }) => {
            door == kind.name
        }
        (Fault::Act { what, .. }, How::Act { .. }) => what == kind.name,
        _ => false,
    };
    kinds.iter().find(fits)
}

fn has_value(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Door { .. } | Fault::Strike { .. } | Fault::Act { .. }
    )
}

/// The keys of a fault, each with its value as TOML.
fn keys(fault: &Fault) -> Vec<(&'static str, String)> {
    let span = |ns: u64| format!("\"{}\"", duration(ns));
    let kind = |name: &str| ("kind", format!("\"{name}\""));
    match fault {
        Fault::CrashHost {
            host,
            when,
            restart_after,
        } => {
            let mut keys = vec![kind("crash_host"), ("host", quoted(host))];
            keys.push(match when {
                When::Time(at) => ("at", format!("\"{}\"", since_start(*at))),
                When::Event(seq) => ("after_event", seq.0.to_string()),
                When::Recovery(after) => ("in_recovery", after.to_string()),
            });
            keys.extend(restart_after.map(|ns| ("restart_after", span(ns))));
            keys
        }
        Fault::CrashTask { task, at } => vec![
            kind("crash_task"),
            ("task", quoted(task)),
            ("at", span(at.as_nanos())),
        ],
        Fault::JumpClock { at, by } => vec![
            kind("jump_clock"),
            ("at", span(at.as_nanos())),
            (
                if *by < 0 { "back" } else { "forward" },
                span(by.unsigned_abs()),
            ),
        ],
        Fault::Door {
            door,
            actor,
            per_mille,
            least,
            most,
            until,
        } => {
            let mut keys = vec![kind("door"), ("door", quoted(door))];
            keys.extend(actor.as_ref().map(|actor| ("actor", quoted(actor))));
            keys.push(("per_mille", per_mille.to_string()));
            keys.push(("least", least.to_string()));
            keys.push(("most", most.to_string()));
            keys.extend(until.map(|until| ("until", span(until.as_nanos()))));
            keys
        }
        Fault::Strike {
            door,
            actor,
            asked,
            value,
        } => vec![
            kind("strike"),
            ("door", quoted(door)),
            ("actor", quoted(actor)),
            ("asked", asked.to_string()),
            ("value", value.to_string()),
        ],
        Fault::Choose { choice, index } => vec![
            kind("choose"),
            ("choice", choice.to_string()),
            ("index", index.to_string()),
        ],
        Fault::Act { what, at, value } => vec![
            kind("act"),
            ("what", quoted(what)),
            ("at", span(at.as_nanos())),
            ("value", value.to_string()),
        ],
    }
}
