//! Two programs want to write one log: the second ends, and changes nothing.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::desk::{Desk, names, run};

/// A program that ends with the test, however the test ends.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program that has begun to write `a.dlog` and stands still.
fn stopped_writer(desk: &Desk, force: bool) -> Writer {
    let mut words = run("100000", "every", "a.dlog");
    words.extend(["--acknowledge", "--message-format", "json"]);
    if force {
        words.push("--force");
    }
    let command = desk.command(&words).stdout(Stdio::piped()).spawn();
    let mut writer = Writer(command.unwrap());
    let mut lines = BufReader::new(writer.0.stdout.as_mut().unwrap()).lines();
    for _ in 0..5 {
        assert!(lines.next().is_some(), "the first writer ended");
    }
    let id = writer.0.id().to_string();
    let stopped = desk.within("kill", &["-STOP", &id]).status();
    assert!(stopped.unwrap().success());
    writer
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
    drop(first);
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
    drop(first);
    // The old log keeps its name until a new one is whole.
    assert_eq!(desk.bytes("a.dlog"), old);
    let third = desk.call(&words);
    assert_eq!(third.code, Some(7), "{third}");
    assert_eq!(names(&desk.path("")), ["a.dlog", "a.dlog.meta.json"]);
}
