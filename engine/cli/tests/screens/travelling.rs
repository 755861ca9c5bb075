//! `diff`, `show --watch` and `find`: two logs side by side, and looking around in one.

use dacapo_cli::Exit;
use insta::assert_snapshot;
use serde_json::Value;

use crate::desk::{Desk, Said};

/// Two logs of the same seed: in the second a dish is served once more.
fn two_logs(desk: &Desk) {
    desk.run(&["--defects", "served-twice"]);
    std::fs::rename(desk.path("a.dlog"), desk.path("b.dlog")).unwrap();
    desk.run(&[]);
}

fn all(desk: &Desk, calls: &[&[&str]]) -> String {
    let said = |call: &&[&str]| {
        let said: Said = desk.call(call);
        format!("{}\n{said}", call.join(" "))
    };
    calls.iter().map(said).collect::<Vec<String>>().join("\n")
}

// Fails if one event more shifts the others, or the same log is not the same.
#[test]
fn two_logs_are_compared_by_what_happened_in_them() {
    let desk = Desk::new();
    two_logs(&desk);
    let calls: [&[&str]; 4] = [
        &["diff", "DESK/a.dlog", "DESK/b.dlog"],
        &["diff", "DESK/a.dlog", "DESK/a.dlog"],
        &["diff", "DESK/b.dlog", "DESK/a.dlog", "--quiet"],
        &["diff", "DESK/a.dlog", "DESK/none.dlog"],
    ];
    assert_snapshot!("diff", all(&desk, &calls));
    let json = [
        "diff",
        "DESK/a.dlog",
        "DESK/b.dlog",
        "--message-format",
        "json",
    ];
    let said = desk.call(&json);
    assert_eq!(said.exit, Exit::Diverged);
    let value: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(value["counts"]["only_b"], 1, "{value}");
    assert_eq!(value["counts"]["only_a"], 0, "{value}");
    assert_eq!(value["first"]["b"]["kind"], "dish served");
}

// Fails if a change is missed, or a place that is not there is taken for one that never changes.
#[test]
fn a_value_is_watched_over_a_log() {
    let desk = Desk::new();
    desk.run(&[]);
    let calls: [&[&str]; 5] = [
        &["show", "DESK/a.dlog", "--watch", "served.3"],
        &[
            "show",
            "DESK/a.dlog",
            "--watch",
            "contended",
            "--limit",
            "2",
        ],
        &["show", "DESK/a.dlog", "--watch", "served.1", "--from", "40"],
        &["show", "DESK/a.dlog", "--watch", "serve.3"],
        &["show", "DESK/a.dlog", "--watch", "served..3"],
    ];
    assert_snapshot!("show_watched", all(&desk, &calls));
}

// Fails if something that came before is overlooked, or counts although it says something else.
#[test]
fn events_are_found_by_what_they_say_and_what_precedes_them() {
    let desk = Desk::new();
    two_logs(&desk);
    let find = |rest: &[&'static str]| [&["find", "DESK/b.dlog"][..], rest].concat();
    let calls = [
        find(&["dish served where dish>1 and by=cook-1"]),
        find(&["any", "--changes", "served", "--from", "250ms", "--first"]),
        find(&["any", "--state", "served.2.1=cook-2", "--first", "--quiet"]),
        find(&[
            "dish served",
            "--not-preceded-by",
            "recipe given",
            "--same",
            "dish",
            "--each",
        ]),
        find(&[
            "dish served",
            "--not-preceded-by",
            "recipe given",
            "--same",
            "dish",
        ]),
        find(&["dish served", "--not-caused-by", "recipe given"]),
        find(&["dish swerved"]),
        find(&["dish served where dish>many"]),
        find(&[]),
    ];
    let calls: Vec<&[&str]> = calls.iter().map(Vec::as_slice).collect();
    assert_snapshot!("find", all(&desk, &calls));
}
