//! `faults`: what can go wrong in a run, how a scenario writes it, and how a campaign draws it.

use dacapo_kernel::{FaultKind, How, System};
use dacapo_lab::VERSION;
use serde_json::json;

use crate::exit::Exit;
use crate::next;
use crate::screen::Screen;
use crate::text::grouped;

/// The kinds of fault that every system has, as a scenario writes them, and what they do.
const OF_THE_ENGINE: [(&str, &str); 7] = [
    (
        "crash_host",
        "a host loses its tasks and unanswered calls: `at` a time, `after_event`, or `in_recovery`; it comes up again `restart_after`",
    ),
    (
        "crash_task",
        "the oldest task of a name is dropped `at` a time",
    ),
    (
        "jump_clock",
        "the wall clock jumps `forward` or `back` `at` a time; virtual time does not",
    ),
    (
        "door",
        "a door of the system lets chance in, `per_mille` times in a thousand, until a time",
    ),
    (
        "strike",
        "a door lets chance in once: for an `actor`, when it has `asked` so often, with a `value`",
    ),
    (
        "choose",
        "at a `choice` of the schedule another task goes first, by its `index`",
    ),
    (
        "act",
        "something that only the system knows the meaning of, `at` a time, with a `value`",
    ),
];

pub(crate) fn faults<S: System>(screen: &mut Screen<'_>) -> Exit {
    let kinds = S::faults();
    if !screen.is_for_people() {
        kinds.iter().for_each(|kind| screen.json(&json_of(kind)));
        for (kind, meaning) in OF_THE_ENGINE {
            screen.json(&json!({
                "v": VERSION,
                "type": "fault-of-the-engine",
                "kind": kind,
                "meaning": meaning,
            }));
        }
    } else if screen.quiet {
        kinds.iter().for_each(|kind| screen.line(kind.name));
    } else {
        let rows: Vec<Vec<String>> = kinds.iter().map(row).collect();
        if rows.is_empty() {
            screen.line("this system names no faults of its own");
        }
        let columns = ["fault", "what it does", "value", "how"];
        if !rows.is_empty() {
            screen.table_of_texts(&columns, &rows);
        }
        let rows = OF_THE_ENGINE.map(|(kind, meaning)| vec![kind.to_owned(), meaning.to_owned()]);
        screen.table(
            "As a scenario writes them, in [[faults]]",
            &["kind", "what it does"],
            &rows,
        );
        let first = kinds.first().map_or("none", |kind| kind.name);
        next::propose(
            &[(
                format!("fuzz SCENARIO --faults {first}"),
                "many seeds with faults of this kind only",
            )],
            screen,
        );
    }
    Exit::Fine
}

fn row(kind: &FaultKind) -> Vec<String> {
    let range = if kind.least == kind.most {
        grouped(kind.least)
    } else {
        format!("{} to {}", grouped(kind.least), grouped(kind.most))
    };
    let value = match kind.value {
        "" => "none".to_owned(),
        value => format!("{value}: {range}"),
    };
    vec![
        kind.name.to_owned(),
        kind.meaning.to_owned(),
        value,
        how(kind.how),
    ]
}

fn how(how: How) -> String {
    match how {
        How::Door { most_per_mille } => format!("a door, at most {most_per_mille} in 1,000"),
        How::Act { times: 1 } => "an act, at most once".to_owned(),
        How::Act { times } => format!("an act, at most {times} times"),
        How::CrashHost { host } => format!("a crash of the host {host}"),
        How::CrashTask { task } => format!("a crash of the task {task}"),
        How::JumpClock => "a jump of the wall clock".to_owned(),
    }
}

fn json_of(kind: &FaultKind) -> serde_json::Value {
    let (way, whom, most) = match kind.how {
        How::Door { most_per_mille } => ("door", None, Some(most_per_mille)),
        How::Act { times } => ("act", None, Some(times)),
        How::CrashHost { host } => ("crash-host", Some(host), None),
        How::CrashTask { task } => ("crash-task", Some(task), None),
        How::JumpClock => ("jump-clock", None, None),
    };
    json!({
        "v": VERSION,
        "type": "fault",
        "name": kind.name,
        "meaning": kind.meaning,
        "value": kind.value,
        "least": kind.least,
        "most": kind.most,
        "how": way,
        "whom": whom,
        "at_most": most,
    })
}
