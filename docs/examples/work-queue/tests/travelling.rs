//! Looking around, comparing and asking what if work for a system of one's own.

use std::path::PathBuf;
use std::process::{Command, Output};

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("travelling");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn program(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_work-queue"));
    program.current_dir(folder()).args(arguments);
    program.output().unwrap()
}

fn told(arguments: &[&str], code: i32) -> String {
    let output = program(arguments);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{told}\n{said}");
    told
}

// Fails if one of the commands does not know this system's events, or a fork does not replay.
#[test]
fn the_race_goes_away_without_the_fault_that_makes_it() {
    let scenario = format!("{}/scenarios/rough.toml", env!("CARGO_MANIFEST_DIR"));
    let run = ["run", &scenario, "--defects", "lease-not-rechecked", "--seed", "2"];
    told(&[&run[..], &["--out", "race.dlog", "--force"]].concat(), 1);
    let twice = ["find", "race.dlog", "item completed", "--not-preceded-by", "item leased"];
    told(&[&twice[..], &["--same", "item"]].concat(), 4);
    let each = told(&[&twice[..], &["--same", "item", "--each"]].concat(), 4);
    assert!(each.is_empty(), "every one was leased as often as it was done: {each}");
    let watched = told(&["show", "race.dlog", "--watch", "done_by.1"], 0);
    assert!(watched.contains("[2] → [2,1]"), "{watched}");
    let fork = ["fork", "race.dlog", "--at", "14", "--drop", "--out", "calm.dlog", "--force"];
    let forked = told(&fork, 0);
    assert!(forked.contains("Where they part: an input that only A has"), "{forked}");
    let done = |log: &str| {
        let find = ["find", log, "item completed where item=1", "--message-format", "json"];
        let found = told(&find, 0);
        found.lines().filter(|line| line.contains("\"found\",")).count()
    };
    assert_eq!((done("race.dlog"), done("calm.dlog")), (2, 1));
    told(&["replay", "calm.dlog"], 0);
    told(&["diff", "race.dlog", "calm.dlog"], 3);
    let ranked = told(&["fork", "race.dlog", "--rank", "leases", "--of", "fault injected"], 0);
    assert!(ranked.contains("What matters most"), "{ranked}");
}
