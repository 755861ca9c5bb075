//! `shrink` and `explain`: what is left of a failure, why it came about, and what is said of logs
//! that neither can do anything with.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;

use crate::desk::{Desk, Said};

const ROUGH: &str = r#"
name = "rough"
story = "Two cooks share a stove and a pan, and nobody has a good day."

[run]
seed = 3
duration = "1h"
scheduler = "random"

[kitchen]
cooks = 2
dishes = 8
clock = true

[[faults]]
kind = "crash_host"
host = "kitchen"
after_event = 30
restart_after = "1.7s"

[[faults]]
kind = "crash_host"
host = "a cellar that nobody has"
at = "5ms"

[[faults]]
kind = "door"
door = "stove.cold"
actor = "nobody"
per_mille = 1000

[[faults]]
kind = "jump_clock"
at = "10ms"
forward = "7h"
"#;

/// A run of the rough scenario, in `DESK/a.dlog`.
fn rough(defect: &str) -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("rough.toml"), ROUGH).unwrap();
    let run = ["run", "DESK/rough.toml", "--out", "DESK/a.dlog"];
    let said = desk.call(&[&run[..], &["--defects", defect, "-q"]].concat());
    assert_eq!(said.exit, Exit::Violated, "{said}");
    desk
}

fn refused(desk: &Desk, arguments: &[&str], exit: Exit) -> Said {
    let said = desk.call(arguments);
    assert_eq!(said.exit, exit, "{said}");
    assert!(said.out.is_empty(), "{said}");
    said
}

#[test]
fn a_failure_is_left_with_what_it_takes() {
    let desk = rough("pan-first");
    let said = desk.call(&["shrink", "DESK/a.dlog"]);
    assert_eq!(said.exit, Exit::Fine, "{said}");
    assert_snapshot!("shrink", said);
    assert_snapshot!(
        "shrink_scenario",
        fs::read_to_string(desk.path("a-shrunk.toml")).unwrap()
    );
    // The scenario makes the log, and the log replays.
    let again = ["run", "DESK/a-shrunk.toml", "--out", "DESK/b.dlog", "-q"];
    assert_eq!(desk.call(&again).exit, Exit::Violated);
    let bytes = |name: &str| fs::read(desk.path(name)).unwrap();
    assert_eq!(bytes("b.dlog"), bytes("a-shrunk.dlog"));
    assert_eq!(
        desk.call(&["replay", "DESK/a-shrunk.dlog"]).exit,
        Exit::Fine
    );
    // Nothing more can be left out, and the names stay what they are.
    let twice = desk.call(&["shrink", "DESK/a-shrunk.dlog", "-q"]);
    assert_eq!(twice.exit, Exit::Fine, "{twice}");
    assert!(!desk.path("a-shrunk-shrunk.dlog").exists());
    let json = ["shrink", "DESK/a.dlog", "--message-format", "json"];
    assert_snapshot!("shrink_json", desk.call(&json));
}

#[test]
fn a_bound_on_runs_is_said() {
    let desk = rough("served-twice");
    let words = ["shrink", "DESK/a.dlog", "--max-runs", "1", "-q"];
    let said = desk.call(&words);
    assert_eq!(said.exit, Exit::Fine, "{said}");
    assert!(said.err.contains("stopped after 1 run;"), "{said}");
}

#[test]
fn where_nothing_is_violated_there_is_nothing_to_shrink() {
    let desk = Desk::new();
    desk.run(&[]);
    let sound = refused(&desk, &["shrink", "DESK/a.dlog"], Exit::Usage);
    assert_snapshot!("shrink_nothing", sound);
    desk.run(&["--defects", "served-twice"]);
    let other = ["shrink", "DESK/a.dlog", "--property", "live.no-deadlock"];
    assert_snapshot!("shrink_other_property", refused(&desk, &other, Exit::Usage));
    desk.run(&["--defects", "too-eager", "--max-events", "60"]);
    let exhausted = refused(&desk, &["shrink", "DESK/a.dlog"], Exit::Usage);
    assert_snapshot!("shrink_exhausted", exhausted);
}

#[test]
fn nothing_is_overwritten_that_was_asked_for_by_name() {
    let desk = Desk::new();
    desk.run(&["--defects", "served-twice"]);
    fs::write(desk.path("mine.toml"), "precious").unwrap();
    let words = ["shrink", "DESK/a.dlog", "--out"];
    let taken = [&words[..], &["DESK/mine.dlog"]].concat();
    assert_snapshot!("shrink_exists", refused(&desk, &taken, Exit::Usage));
    let same = [&words[..], &["DESK/mine.toml"]].concat();
    assert_snapshot!("shrink_same_name", refused(&desk, &same, Exit::Usage));
    assert_eq!(
        fs::read_to_string(desk.path("mine.toml")).unwrap(),
        "precious"
    );
    let forced = desk.call(&[&taken[..], &["--force", "-q"]].concat());
    assert_eq!(forced.exit, Exit::Fine, "{forced}");
}

#[test]
fn a_violation_is_explained_back_to_the_inputs() {
    let desk = rough("pan-first");
    let said = desk.call(&["explain", "DESK/a.dlog"]);
    assert_eq!(said.exit, Exit::Fine, "{said}");
    assert_snapshot!("explain", said);
    let short = ["explain", "DESK/a.dlog", "--depth", "3"];
    let short = desk.call(&short).out;
    assert!(short.contains("steps …"), "{short}");
    let json = ["explain", "DESK/a.dlog", "--message-format", "json"];
    assert_snapshot!("explain_json", desk.call(&json));
}

#[test]
fn any_event_can_be_explained() {
    let desk = rough("served-twice");
    let recorded = desk.call(&["check", "DESK/a.dlog", "--message-format", "json"]);
    assert!(recorded.out.contains("\"events\":"), "{recorded}");
    for seq in 0..60 {
        let seq = seq.to_string();
        let said = desk.call(&["explain", "DESK/a.dlog", &seq]);
        assert_eq!(said.exit, Exit::Fine, "event {seq}: {said}");
    }
    // What came up again after a crash goes back to the crash.
    let shown = desk.call(&["show", "DESK/a.dlog", "--kind", "host-restarted"]);
    let restarted = shown.out.split_whitespace().next().unwrap().to_owned();
    assert_snapshot!(
        "explain_restart",
        desk.call(&["explain", "DESK/a.dlog", &restarted])
    );
    let beyond = refused(&desk, &["explain", "DESK/a.dlog", "99999"], Exit::Usage);
    assert_snapshot!("explain_beyond", beyond);
    desk.run(&["--seed", "7"]);
    let sound = refused(&desk, &["explain", "DESK/a.dlog"], Exit::Usage);
    assert_snapshot!("explain_nothing", sound);
}

#[test]
fn what_only_the_end_shows_is_explained_by_its_last_event() {
    let desk = Desk::new();
    desk.run(&["--defects", "no-waiter"]);
    assert_snapshot!("explain_stall", desk.call(&["explain", "DESK/a.dlog"]));
}

#[test]
fn logs_that_are_cut_off_or_damaged_are_no_reason_to_panic() {
    let desk = rough("served-twice");
    let whole = fs::read(desk.path("a.dlog")).unwrap();
    for cut in (0..whole.len()).step_by(211) {
        fs::write(desk.path("cut.dlog"), &whole[..cut]).unwrap();
        for command in ["shrink", "explain"] {
            let said = desk.call(&[command, "DESK/cut.dlog"]);
            let known = [Exit::Log, Exit::Usage, Exit::Fine];
            assert!(
                known.contains(&said.exit),
                "{command} of {cut} bytes: {said}"
            );
        }
    }
    let mut damaged = whole;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(desk.path("bad.dlog"), damaged).unwrap();
    for command in ["shrink", "explain"] {
        let said = refused(&desk, &[command, "DESK/bad.dlog"], Exit::Log);
        assert_snapshot!(format!("{command}_damaged"), said);
        let said = refused(&desk, &[command, "DESK/rough.toml"], Exit::Log);
        assert_snapshot!(format!("{command}_no_log"), said);
    }
}
