//! Calls of the system are watched, fail, are interrupted, and are where the program is killed: with
//! `strace`, where it may be used.
//!
//! The simulated disk does the same inside a test; here it is the program and the kernel of the machine.

use std::fs;

use crate::desk::{Desk, PROGRAM, Said, is_there, run, skip};

/// Runs the program with this done to its calls of the system; none if nothing can be traced here.
fn traced(desk: &Desk, options: &[&str], words: &[&str]) -> Option<Said> {
    if !is_there("strace") {
        return None;
    }
    let words = [options, &["-f", "-y", "-o", "trace", PROGRAM], words].concat();
    let said = Said::of(desk.within("strace", &words).output().unwrap());
    let may_not = said.err.contains("PTRACE_TRACEME") || said.err.contains("ptrace(");
    (!may_not).then_some(said)
}

fn calls(desk: &Desk, name: &str, on: &str) -> usize {
    let trace = fs::read_to_string(desk.path("trace")).unwrap();
    let lines = trace.lines();
    lines
        .filter(|line| line.contains(name) && line.contains(on))
        .count()
}

const NOTHING: &str = "no calls of the system can be traced here";

/// A new name is durable only when its folder is. Without the sync of the folder this fails.
#[test]
fn a_new_log_is_synced_together_with_its_folder() {
    let desk = Desk::new();
    let trace = ["-e", "trace=fsync,fdatasync"];
    let Some(said) = traced(&desk, &trace, &run("50", "every", "a.dlog")) else {
        return skip(NOTHING);
    };
    assert_eq!(said.code, Some(7), "{said}");
    let folder = fs::canonicalize(desk.path("")).unwrap();
    let folder = format!("<{}>", folder.display());
    assert_eq!(calls(&desk, "fsync(", &folder), 1);
    assert!(
        calls(&desk, "fsync(", "a.dlog>") == 1,
        "the file itself, once"
    );
    assert!(calls(&desk, "fdatasync(", "a.dlog>") >= 50, "each event");

    // A replaced log: the new name is made durable too.
    let mut words = run("50", "never", "a.dlog");
    words.push("--force");
    traced(&desk, &trace, &words).unwrap();
    assert_eq!(calls(&desk, "fsync(", &folder), 2);
}

#[test]
fn a_sync_that_fails_ends_the_run_and_is_not_tried_again() {
    let desk = Desk::new();
    for at in [2, 3, 10, 40, 90] {
        let inject = format!("inject=fdatasync:error=EIO:when={at}");
        let mut words = run("100", "every", "a.dlog");
        words.extend(["--acknowledge", "--message-format", "json"]);
        let Some(said) = traced(&desk, &["-e", &inject], &words) else {
            return skip(NOTHING);
        };
        assert_eq!(said.code, Some(70), "{said}");
        assert!(said.err.contains("cannot sync the log at byte"), "{said}");
        assert_eq!(
            calls(&desk, "fdatasync(", "a.dlog>"),
            at,
            "none after the one that failed"
        );
        let told = said.acknowledged();
        // The first sync is the header's.
        assert!(
            told <= at as u64 - 2,
            "{told} acknowledged by {at} syncs, one of which failed"
        );
        assert!(told > 0 || at < 90, "nothing was acknowledged");
        let (kept, _) = desk.check("a.dlog");
        assert!(kept >= told);
        fs::remove_file(desk.path("a.dlog")).unwrap();
    }
}

#[test]
fn interrupted_calls_leave_an_identical_log() {
    let desk = Desk::new();
    desk.call(&run("50", "every", "whole.dlog"));
    let inject = ["-e", "inject=pwrite64,fdatasync:error=EINTR:when=2+2"];
    let Some(said) = traced(&desk, &inject, &run("50", "every", "a.dlog")) else {
        return skip(NOTHING);
    };
    assert_eq!(said.code, Some(7), "{said}");
    assert!(calls(&desk, "pwrite64(", "EINTR") > 10);
    assert_eq!(desk.bytes("a.dlog"), desk.bytes("whole.dlog"));
}

/// Killed when it enters a call, for each call that writes or syncs.
#[test]
fn a_kill_at_any_write_or_sync_loses_nothing_acknowledged() {
    let desk = Desk::new();
    desk.call(&run("12", "every", "whole.dlog"));
    let whole = desk.bytes("whole.dlog");
    for call in ["pwrite64", "fdatasync"] {
        for at in 1.. {
            let inject = format!("inject={call}:signal=KILL:when={at}");
            let mut words = run("12", "every", "a.dlog");
            words.extend(["--acknowledge", "--message-format", "json"]);
            let Some(said) = traced(&desk, &["-e", &inject], &words) else {
                return skip(NOTHING);
            };
            let left = desk.bytes("a.dlog");
            let is_finished = said.code.is_some_and(|code| code != 137);
            let told = said.acknowledged();
            assert!(whole.starts_with(&left), "{call} {at}");
            if left.len() > 16 {
                assert!(desk.check("a.dlog").0 >= told, "{call} {at}");
            } else {
                assert_eq!(told, 0);
            }
            fs::remove_file(desk.path("a.dlog")).unwrap();
            if is_finished {
                assert_eq!(left, whole);
                assert!(at > 12, "{call} was called {at} times only");
                break;
            }
        }
    }
}
