//! The planted race is found by a few seeds of a scenario that knows nothing of it, and shrinks to
//! the one fault that it takes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn program(words: &[&str], folder: &str) -> Output {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    fs::create_dir_all(&folder).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_work-queue"));
    program.current_dir(folder).args(words).output().unwrap()
}

const ROUGH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/rough.toml");

/// The first of these seeds that fails.
fn first_failure(seeds: u64, options: &[&str], folder: &str) -> Option<u64> {
    (1..=seeds).find(|seed| {
        let seed = seed.to_string();
        let words = [
            "run",
            ROUGH,
            "-q",
            "--out",
            "found.dlog",
            "--force",
            "--seed",
            &seed,
        ];
        program(&[&words[..], options].concat(), folder)
            .status
            .code()
            == Some(1)
    })
}

#[test]
fn the_race_is_found_and_shrunk_to_the_fault_that_it_takes() {
    let broken = ["--defects", "lease-not-rechecked"];
    let seed = first_failure(50, &broken, "race");
    assert!(seed.is_some(), "no seed found it");
    let shrunk = program(
        &["shrink", "found.dlog", "--message-format", "json"],
        "race",
    );
    let told = String::from_utf8(shrunk.stdout).unwrap();
    assert_eq!(shrunk.status.code(), Some(0), "{told}");
    assert!(
        told.contains(r#""property":"queue.at-most-once""#),
        "{told}"
    );
    assert!(told.contains(r#""inputs":1"#), "{told}");
    // The scenario makes the very log, and the log replays.
    let again = [
        "run",
        "found-shrunk.toml",
        "-q",
        "--out",
        "again.dlog",
        "--force",
    ];
    assert_eq!(program(&again, "race").status.code(), Some(1));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("race");
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(bytes("again.dlog"), bytes("found-shrunk.dlog"));
    let replayed = program(&["replay", "found-shrunk.dlog"], "race");
    assert_eq!(replayed.status.code(), Some(0));
    let explained = program(&["explain", "found-shrunk.dlog"], "race");
    let told = String::from_utf8(explained.stdout).unwrap();
    assert!(told.contains("queue.at-most-once"), "{told}");
}

#[test]
fn without_the_defect_no_seed_fails() {
    assert_eq!(first_failure(50, &[], "sound"), None);
    let shrunk = program(&["shrink", "found.dlog"], "sound");
    assert_eq!(shrunk.status.code(), Some(2));
    let told = String::from_utf8(shrunk.stderr).unwrap();
    assert!(told.contains("nothing to shrink"), "{told}");
}
