//! Two programs want to write one log: the second ends, and changes nothing.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::desk::{Desk, names, run};

/// A program that has begun to write `a.dlog` and stands still.
fn stopped_writer(desk: &Desk, force: bool) -> Child {
    let mut words = run("100000", "every", "a.dlog");
    words.extend(["--acknowledge", "--message-format", "json"]);
    if force {
        words.push("--force");
    }
    let mut child = desk.command(&words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    for _ in 0..5 {
        assert!(lines.next().is_some(), "the first writer ended");
    }
    let stopped = desk
        .within("kill", &["-STOP", &child.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    child
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_second_writer_of_a_log_ends_and_writes_nothing() {
    let desk = Desk::new();
    let first = stopped_writer(&desk, false);
    let before = desk.bytes("a.dlog");
    let second = desk.call(&run("100", "every", "a.dlog"));
    assert_eq!(second.code, Some(2), "{second}");
    assert!(second.err.contains("exists already"), "{second}");
    let mut words = run("100", "every", "a.dlog");
    words.push("--force");
    let forced = desk.call(&words);
    assert_eq!(forced.code, Some(2), "{forced}");
    assert!(
        forced.err.contains("is being written by another process"),
        "{forced}"
    );
    // What is still being written is not salvaged: its end would be called torn.
    let salvaged = desk.call(&["salvage", "a.dlog"]);
    assert_eq!(salvaged.code, Some(2), "{salvaged}");
    assert_eq!(desk.bytes("a.dlog"), before);
    assert_eq!(names(&desk.path("")), ["a.dlog"]);
    // Reading needs no lock.
    assert!(!desk.check("a.dlog").1);
    end(first);
}

/// Both replace an older log: the second finds the first one's file beside it.
#[test]
fn the_second_replacement_of_a_log_ends_and_writes_nothing() {
    let desk = Desk::new();
    desk.call(&run("100", "never", "a.dlog"));
    fs::remove_file(desk.path("a.dlog.meta.json")).unwrap();
    let old = desk.bytes("a.dlog");
    let first = stopped_writer(&desk, true);
    let before = desk.bytes(".a.dlog.new");
    let mut words = run("100", "every", "a.dlog");
    words.push("--force");
    let second = desk.call(&words);
    assert_eq!(second.code, Some(2), "{second}");
    assert_eq!(desk.bytes(".a.dlog.new"), before);
    end(first);
    // The old log keeps its name until a new one is whole.
    assert_eq!(desk.bytes("a.dlog"), old);
    let third = desk.call(&words);
    assert_eq!(third.code, Some(7), "{third}");
    assert_eq!(names(&desk.path("")), ["a.dlog", "a.dlog.meta.json"]);
}
