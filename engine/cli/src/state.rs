//! The screen of a state: what the kernel knows in tables, what the system shows as a tree.

use dacapo_kernel::{Process, System, TaskId, Wait, World};
use serde_json::{Map, Value};

use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped};

/// Tells a whole state. `view` is the system's part of it.
pub(crate) fn tell<S: System>(
    world: &World<S::View>,
    view: &Value,
    log: &str,
    screen: &mut Screen<'_>,
) {
    let head = match world.last {
        Some(seq) => format!(
            "state of {log} after event {} at {}",
            grouped(seq.0),
            world.now
        ),
        None => format!("state of {log} before its first event"),
    };
    let head = screen.paint(Tone::Head, Screen::safe(head));
    screen.line(head);
    if let Some(verdict) = &world.verdict {
        let verdict = Screen::safe(dacapo_lab::verdict(verdict));
        screen.line(format!("the run has ended: {verdict}"));
    }
    let down = world.down.iter();
    for host in down.filter_map(|host| world.hosts.get(host)) {
        screen.line(format!("host {} is down", Screen::safe(host)));
    }
    if !world.calls.is_empty() {
        let calls = counted(world.calls.len() as u64, "call is", "calls are");
        screen.line(format!("{calls} not answered yet"));
    }
    tasks(world, screen);
    locks(world, screen);
    cycles(world, screen);
    screen.line("");
    let title = screen.paint(Tone::Head, S::NAME);
    screen.line(title);
    tree(view, 1, screen);
}

fn tasks<V>(world: &World<V>, screen: &mut Screen<'_>) {
    let row = |(task, process): (&TaskId, &Process)| {
        let host = world.hosts.get(&process.host);
        vec![
            task.to_string(),
            process.name.to_string(),
            host.map_or_else(String::new, ToString::to_string),
            world.actor_name(process.actor).to_owned(),
            process
                .wait
                .as_ref()
                .map_or_else(String::new, |wait| waits_for(world, wait)),
        ]
    };
    let rows: Vec<Vec<String>> = world.processes.iter().map(row).collect();
    screen.table(
        "Tasks",
        &["task", "name", "host", "actor", "waits for"],
        &rows,
    );
}

fn waits_for<V>(world: &World<V>, wait: &Wait) -> String {
    match wait {
        Wait::Lock { lock, .. } => match world.contended.get(lock) {
            Some(contention) => contention.name.to_string(),
            None => format!("lock {}", lock.0),
        },
        Wait::Join { on, .. } => format!("the end of {}", named(world, *on)),
    }
}

fn named<V>(world: &World<V>, task: TaskId) -> String {
    match world.processes.get(&task) {
        Some(process) => format!("{} ({task})", process.name),
        None => task.to_string(),
    }
}

fn locks<V>(world: &World<V>, screen: &mut Screen<'_>) {
    let names = |tasks: &mut dyn Iterator<Item = &TaskId>| {
        let names: Vec<String> = tasks.map(|task| named(world, *task)).collect();
        names.join(", ")
    };
    let rows: Vec<Vec<String>> = world
        .contended
        .values()
        .map(|lock| {
            vec![
                lock.name.to_string(),
                names(&mut lock.holders.iter()),
                names(&mut lock.waiters.iter()),
            ]
        })
        .collect();
    screen.table(
        "Locks that somebody waits for",
        &["lock", "held by", "wanted by"],
        &rows,
    );
}

fn cycles<V>(world: &World<V>, screen: &mut Screen<'_>) {
    let rows: Vec<Vec<String>> = world
        .cycles
        .iter()
        .map(|(seq, cycle)| {
            let broken = if cycle.breakable {
                "a timeout can"
            } else {
                "nothing can"
            };
            vec![
                grouped(seq.0),
                dacapo_lab::waits(cycle).join("; "),
                broken.to_owned(),
            ]
        })
        .collect();
    screen.table(
        "Cycles of waits so far",
        &["event", "who holds, who wants", "break it"],
        &rows,
    );
}

/// A value as an indented tree; short lists of plain values stay on a line.
fn tree(value: &Value, depth: usize, screen: &mut Screen<'_>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if fields.is_empty() => screen.line(format!("{indent}(nothing)")),
        Value::Object(fields) => {
            for (key, value) in in_order(fields) {
                branch(&indent, key, value, depth, screen);
            }
        }
        Value::Array(items) if items.is_empty() => screen.line(format!("{indent}(nothing)")),
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                branch(&indent, &at.to_string(), value, depth, screen);
            }
        }
        plain => screen.line(format!("{indent}{}", leaf(plain))),
    }
}

fn branch(indent: &str, key: &str, value: &Value, depth: usize, screen: &mut Screen<'_>) {
    let key = Screen::safe(key);
    match on_a_line(value) {
        Some(text) => screen.line(format!("{indent}{key}: {text}")),
        None => {
            screen.line(format!("{indent}{key}"));
            tree(value, depth + 1, screen);
        }
    }
}

/// The fields in the order of their keys: as numbers where all are numbers, which JSON has as text.
fn in_order(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    let numbers: Option<Vec<u64>> = fields.iter().map(|(key, _)| key.parse().ok()).collect();
    if numbers.is_some() {
        fields.sort_by_key(|(key, _)| key.parse::<u64>().ok());
    }
    fields
}

/// The value in one line, if it is short and flat.
fn on_a_line(value: &Value) -> Option<String> {
    let is_flat = |value: &Value| !value.is_object() && !value.is_array();
    let text = match value {
        Value::Array(items) if items.iter().all(is_flat) => {
            let items: Vec<String> = items.iter().map(leaf).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) if fields.values().all(is_flat) => {
            let fields = in_order(fields)
                .into_iter()
                .map(|(key, value)| format!("{}: {}", Screen::safe(key), leaf(value)));
            format!("{{{}}}", fields.collect::<Vec<String>>().join(", "))
        }
        plain if is_flat(plain) => return Some(leaf(plain)),
        _ => return None,
    };
    (text.chars().count() <= 72).then_some(text)
}

fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => Screen::safe(text),
        other => other.to_string(),
    }
}
