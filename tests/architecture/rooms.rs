//! Inside the kernel, what lies at the bottom knows nothing of what stands on it.

use super::source::Source;
use super::{assert_none, project};

/// What each of the lower rooms of the kernel may import. Those that are not listed stand above.
const ROOMS: [(&str, &[&str]); 18] = [
    ("codec", &[]),
    ("id", &[]),
    ("name", &[]),
    ("log", &["codec", "id"]),
    ("chance", &["id"]),
    ("fault", &["id"]),
    ("doors", &["chance", "fault", "id", "kernel_event", "name"]),
    ("schedule", &["chance", "fault", "id"]),
    ("plan", &["fault", "id", "schedule"]),
    ("wait_graph", &["id", "name"]),
    ("verdict", &["id", "name", "numbered", "wait_graph"]),
    ("event", &["codec", "events", "id", "kernel_event", "log"]),
    ("exhibit", &["event"]),
    ("invariant", &["event", "id", "kernel_event"]),
    ("section", &[]),
    ("measure", &["event", "id", "section"]),
    (
        "checks",
        &["event", "id", "invariant", "kernel_event", "measure"],
    ),
    (
        "world",
        &[
            "event",
            "id",
            "kernel_event",
            "name",
            "verdict",
            "wait_graph",
        ],
    ),
];

fn against(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let Some(file) = source.path.strip_prefix("engine/kernel/src/") else {
            continue;
        };
        let room = file.split(['/', '.']).next().unwrap_or_default();
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            continue;
        };
        for (number, line) in source.product_lines() {
            // A macro's `$crate` is not an import of its own.
            for found in line.replace("$crate::", "").split("crate::").skip(1) {
                let name = found
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next();
                let name = name.unwrap_or_default();
                if !allowed.contains(&name) {
                    complaints.push(format!(
                        "{}:{number}: {room} imports {name}; it may import {allowed:?} only",
                        source.path
                    ));
                }
            }
        }
    }
    complaints
}

/// Simulated code never reads the log of its own run.
fn reading_the_log(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        if !source.path.starts_with("engine/orchestration/src/") {
            continue;
        }
        for (number, line) in source.product_lines() {
            if line.contains("dacapo_kernel::log") {
                complaints.push(format!(
                    "{}:{number}: simulated code never reads the log of its run",
                    source.path
                ));
            }
        }
    }
    complaints
}

#[test]
fn the_rooms_of_the_kernel_stand_on_those_below() {
    let sources = project();
    for (room, _) in ROOMS {
        let (file, folder) = (format!("/{room}.rs"), format!("/{room}/mod.rs"));
        let exists =
            |source: &Source| source.path.ends_with(&file) || source.path.ends_with(&folder);
        assert!(sources.iter().any(exists), "there is no room {room}");
    }
    assert_none(&against(&sources));
}

#[test]
fn simulated_code_does_not_read_its_own_log() {
    assert_none(&reading_the_log(&project()));
}

#[test]
fn a_room_that_looks_up_is_noticed() {
    let planted = |path: &str, text: &str| against(&[Source::new(path, text)]).len();
    assert_eq!(
        planted(
            "engine/kernel/src/log/writer.rs",
            "use crate::world::World;"
        ),
        1
    );
    assert_eq!(
        planted(
            "engine/kernel/src/world.rs",
            "fn f(_: crate::replay::Events) {}"
        ),
        1
    );
    assert_eq!(
        planted("engine/kernel/src/world.rs", "use crate::event::Event;"),
        0
    );
    assert_eq!(
        planted("engine/kernel/src/run.rs", "use crate::world::World;"),
        0
    );
    let peeks = Source::new(
        "engine/orchestration/src/a.rs",
        "use dacapo_kernel::log::Reader;",
    );
    assert_eq!(reading_the_log(&[peeks]).len(), 1);
}
