//! `replay` and `check`: the same, different, cut off, damaged.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;

use crate::desk::Desk;
use crate::kitchen::CHANGED;

#[test]
fn a_replay_verifies_every_event() {
    let desk = Desk::new();
    desk.run(&[]);
    let said = desk.call(&["replay", "DESK/a.dlog"]);
    assert_eq!(said.exit, Exit::Fine);
    assert_snapshot!("replay", said);
    assert_snapshot!(
        "replay_json",
        desk.call(&["replay", "DESK/a.dlog", "--message-format", "json"])
    );
}

#[test]
fn a_failed_run_replays_to_the_same_failure() {
    let desk = Desk::new();
    for (defect, options) in [
        ("pan-first", &[][..]),
        ("served-twice", &[]),
        ("dropped-plate", &[]),
        ("no-waiter", &[]),
        ("too-eager", &["--max-events", "60"]),
    ] {
        desk.run(&[&["--defects", defect][..], options].concat());
        let said = desk.call(&["replay", "DESK/a.dlog"]);
        assert_eq!(said.exit, Exit::Fine, "{defect}: {said}");
        if defect == "pan-first" {
            assert_snapshot!("replay_of_a_deadlock", said);
        }
    }
}

#[test]
fn the_first_difference_is_explained() {
    let desk = Desk::new();
    desk.run(&[]);
    CHANGED.set(true);
    let said = desk.call(&["replay", "DESK/a.dlog"]);
    assert_eq!(said.exit, Exit::Diverged);
    assert_snapshot!("replay_differs", said);
    assert_snapshot!(
        "replay_differs_json",
        desk.call(&["replay", "DESK/a.dlog", "--message-format", "json"])
    );
    assert_snapshot!(
        "replay_differs_github",
        desk.call(&["replay", "DESK/a.dlog", "--message-format", "github"])
            .out
            .lines()
            .last()
            .unwrap()
    );
}

#[test]
fn one_log_that_differs_does_not_hide_the_others() {
    let desk = Desk::new();
    desk.run(&[]);
    let said = desk.call(&[
        "replay",
        "DESK/a.dlog",
        "DESK/none.dlog",
        "DESK/a.dlog",
        "-q",
    ]);
    assert_eq!(said.exit, Exit::Usage);
    assert_snapshot!("replay_several", said);
}

#[test]
fn a_log_that_was_cut_off_is_the_same_so_far() {
    let desk = Desk::new();
    desk.run(&["--sync", "every"]);
    let whole = fs::read(desk.path("a.dlog")).unwrap();
    // At every length, the log is the same so far, or said to be incomplete: never fine.
    for cut in (0..whole.len()).step_by(97) {
        fs::write(desk.path("cut.dlog"), &whole[..cut]).unwrap();
        for command in ["replay", "check"] {
            let said = desk.call(&[command, "DESK/cut.dlog"]);
            assert_eq!(said.exit, Exit::Log, "{command} of {cut} bytes: {said}");
        }
    }
    fs::write(desk.path("cut.dlog"), &whole[..whole.len() / 2]).unwrap();
    assert_snapshot!("replay_cut_off", desk.call(&["replay", "DESK/cut.dlog"]));
    assert_snapshot!(
        "check_cut_off",
        desk.call(&["check", "DESK/cut.dlog", "-q"])
    );
    fs::write(desk.path("cut.dlog"), &whole[..700]).unwrap();
    assert_snapshot!("check_empty", desk.call(&["check", "DESK/cut.dlog"]));
}

#[test]
fn a_damaged_log_is_refused_with_its_place() {
    let desk = Desk::new();
    desk.run(&[]);
    let mut bytes = fs::read(desk.path("a.dlog")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(desk.path("a.dlog"), bytes).unwrap();
    for command in ["replay", "check", "show"] {
        assert_eq!(desk.call(&[command, "DESK/a.dlog"]).exit, Exit::Log);
    }
    assert_snapshot!("check_damaged", desk.call(&["check", "DESK/a.dlog"]));
    assert_snapshot!("check_no_log", desk.call(&["check", "DESK/kitchen.toml"]));
}

#[test]
fn a_check_judges_without_running_any_code() {
    let desk = Desk::new();
    desk.run(&[]);
    CHANGED.set(true);
    let good = desk.call(&["check", "DESK/a.dlog"]);
    assert_eq!(good.exit, Exit::Fine);
    assert_snapshot!("check", good);
    CHANGED.set(false);
    desk.run(&["--defects", "served-twice"]);
    let bad = desk.call(&["check", "DESK/a.dlog", "-q"]);
    assert_eq!(bad.exit, Exit::Violated);
    assert_snapshot!("check_violated", bad);
}
