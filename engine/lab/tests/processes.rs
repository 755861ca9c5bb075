//! Programs as real processes: what they say is heard, and what they do wrong is told.
//!
//! They are scripts of `sh`, so that nothing but a shell is needed.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::path::Path;
use std::time::Duration;

use dacapo_kernel::{Dialogue, Files, Program, ProgramMode};
use dacapo_lab::scenario::DataDir;

fn program(command: &[&str]) -> Program {
    Program {
        name: "echo".to_owned(),
        command: command.iter().map(|&word| word.to_owned()).collect(),
        mode: ProgramMode::Recorded,
        limit: Duration::from_secs(20),
        seed: 1,
    }
}

fn started(script: &str, limit: Duration) -> Box<dyn Dialogue> {
    // A folder that stays: a shell that starts late would miss one that is gone by then.
    let dir = DataDir::new(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let program = Program {
        limit,
        ..program(&["sh", "-c", script])
    };
    dir.start(&program).unwrap()
}

/// What is wrong with the answer to the first line, and the last words.
fn wrong(script: &str, limit: Duration) -> (String, String) {
    let mut dialogue = started(script, limit);
    let unfit = dialogue.ask("hello").unwrap_err();
    (unfit.what, dialogue.last_words())
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_line_is_said_and_a_line_is_heard() {
    let script = r#"while read -r line; do printf '%s, %s\r\n' "$line" "$TZ"; done"#;
    let mut dialogue = started(script, LONG);
    assert_eq!(dialogue.ask("one").unwrap(), "one, UTC");
    assert_eq!(dialogue.ask("zwei ü").unwrap(), "zwei ü, UTC");
}

/// A program that is waited for longer than its limit fails here: its sleep is longer than any test may take.
#[test]
fn one_that_hangs_is_given_up_after_its_limit() {
    for script in ["exec sleep 1000", "read -r line; exec sleep 1000"] {
        let (what, _) = wrong(script, Duration::from_millis(300));
        assert_eq!(what, "no line came within 0.3 s by the wall clock");
    }
}

#[test]
fn one_that_ends_is_told_with_its_code_and_its_last_words() {
    let (what, words) = wrong("read -r line; echo oh dear >&2; exit 3", LONG);
    assert_eq!(
        (what.as_str(), words.as_str()),
        ("it ended with exit code 3", "oh dear\n")
    );
    let (what, _) = wrong("read -r line; exit 0", LONG);
    assert_eq!(what, "it ended, with exit code 0, instead of answering");
    let (what, _) = wrong("read -r line; kill -9 $$", LONG);
    assert_eq!(what, "it was ended by signal 9");
    // A line without its end was never said.
    let (what, _) = wrong("read -r line; printf half; exit 1", LONG);
    assert_eq!(what, "it ended with exit code 1");
}

/// Output that is read without a bound fails here: the program never stops.
#[test]
fn what_is_too_long_or_no_text_is_refused() {
    let (what, _) = wrong(
        "while :; do printf xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
        LONG,
    );
    assert_eq!(
        what,
        "it is longer than 1048576 bytes, the most that is read"
    );
    let (what, _) = wrong(r"printf 'a\377b\n'; read -r line", LONG);
    assert!(what.starts_with("it is not UTF-8: "), "{what}");
}

/// What is kept of standard error has a bound, and begins with a whole line.
#[test]
fn of_many_last_words_the_end_is_kept() {
    let script = "for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7 8 9; do \
                  echo line $i$j says something of some length >&2; done; done; exit 1";
    let (_, words) = wrong(script, LONG);
    assert!(words.len() <= 1_000, "{}", words.len());
    assert!(words.starts_with("line "), "{words}");
    assert!(
        words.ends_with("line 99 says something of some length\n"),
        "{words}"
    );
}

#[test]
fn a_program_lies_in_the_folder_or_is_one_of_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::new(folder.path()).unwrap();
    let refused = |command: &[&str]| dir.start(&program(command)).err().unwrap().to_string();
    for (command, expected) in [
        (
            "no-such-program-anywhere",
            "there is no such program; install it, or name another",
        ),
        ("./judge.sh", "there is no such file"),
        ("../judge.sh", "`..` leaves the scenario's folder"),
        ("/bin/sh", "is absolute"),
    ] {
        let error = refused(&[command]);
        assert!(error.contains(expected), "{command}: {error}");
    }
    std::fs::write(folder.path().join("judge.sh"), "echo").unwrap();
    let error = refused(&["./judge.sh"]);
    assert!(
        error.contains("make it executable, or name its interpreter"),
        "{error}"
    );
}
