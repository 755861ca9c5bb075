//! The recording program is killed with SIGKILL, again and again, at another moment each time.
//!
//! It fails if an acknowledged event is not in the log, or if what is left is anything but the
//! beginning of the log that an undisturbed run writes. `DACAPO_KILLS=10000` is the long form.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use crate::desk::{self, Desk, acknowledged, chance_of, run, wait};

const SHORT: u64 = 60;

/// The setting, the events of a run, and the bytes that an undisturbed run writes.
struct Setting {
    sync: &'static str,
    events: &'static str,
    whole: Vec<u8>,
}

fn kills() -> u64 {
    desk::kills("DACAPO_KILLS", SHORT)
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let desk = Desk::new();
    let settings = [("every", "150"), ("interval", "4500"), ("never", "4500")];
    let settings = settings.map(|(sync, events)| {
        desk.call(&run(events, sync, "whole.dlog"));
        let whole = desk.bytes("whole.dlog");
        std::fs::remove_file(desk.path("whole.dlog")).unwrap();
        Setting {
            sync,
            events,
            whole,
        }
    });
    let (mut cut, mut heard) = (0, 0);
    for round in 0..kills() {
        let setting = &settings[(round % 3) as usize];
        let acknowledged = record_and_kill(&desk, setting, round);
        let (kept, is_whole) = match desk.path("a.dlog").exists() {
            true => what_is_left(&desk, setting),
            false => (0, false),
        };
        assert!(
            kept >= acknowledged,
            "round {round}, {}: {kept} of {acknowledged} acknowledged events are left",
            setting.sync
        );
        cut += u64::from(!is_whole);
        heard += u64::from(acknowledged > 0);
        let _ = std::fs::remove_file(desk.path("a.dlog"));
    }
    assert!(cut > kills() / 4, "only {cut} were killed before their end");
    assert!(heard > kills() / 4, "only {heard} acknowledged anything");
}

/// What the program acknowledged before it was killed: after so many acknowledgements, or so many
/// microseconds.
fn record_and_kill(desk: &Desk, setting: &Setting, round: u64) -> u64 {
    let mut words = run(setting.events, setting.sync, "a.dlog");
    words.extend(["--acknowledge", "--message-format", "json"]);
    let mut child = desk
        .command(&words)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let chance = chance_of(round);
    let after = match setting.sync {
        "every" => chance % 100,
        "interval" => chance % 4,
        _ => 0,
    };
    if after == 0 {
        wait(Duration::from_micros(2_000 + chance % 40_000));
        child.kill().unwrap();
    }
    let (mut last, mut heard) = (0, 0);
    for line in lines.map_while(Result::ok) {
        if let Some(events) = acknowledged(&line) {
            (last, heard) = (events, heard + 1);
            if heard == after {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    last
}

/// How many events are left, and whether that is all; every sound byte must be one of an
/// undisturbed run.
fn what_is_left(desk: &Desk, setting: &Setting) -> (u64, bool) {
    let left = desk.bytes("a.dlog");
    if left == setting.whole {
        let (events, is_whole) = desk.check("a.dlog");
        assert!(is_whole);
        return (events, true);
    }
    // A kill comes between two calls of the system: what was written is the beginning of the log.
    assert!(
        setting.whole.starts_with(&left),
        "{}: other bytes",
        setting.sync
    );
    if left.len() < 16 {
        return (0, false);
    }
    let (events, is_whole) = desk.check("a.dlog");
    assert!(!is_whole);
    (events, false)
}
