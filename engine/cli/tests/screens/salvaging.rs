//! `salvage`: what is kept of a damaged log and what is said to be lost. Each log is damaged on
//! purpose; a screen that left a part out, or counted it wrongly, would not be the one kept here.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;
use serde_json::Value;

use crate::desk::Desk;

/// A log with a block for each event, and its bytes.
fn recorded(desk: &Desk) -> Vec<u8> {
    desk.run(&["--sync", "every"]);
    fs::read(desk.path("a.dlog")).unwrap()
}

/// Where the blocks begin.
fn blocks(log: &[u8]) -> Vec<usize> {
    let magics = log.windows(4).enumerate();
    let begins = magics.filter(|(_, bytes)| *bytes == b"DBLK");
    begins.map(|(at, _)| at - 4).collect()
}

fn damage(desk: &Desk, log: &[u8], at: usize) {
    let mut damaged = log.to_vec();
    damaged[at] ^= 1;
    fs::write(desk.path("bad.dlog"), damaged).unwrap();
}

#[test]
fn what_stands_before_the_damage_is_kept_and_read_like_any_log() {
    let desk = Desk::new();
    let log = recorded(&desk);
    let at = blocks(&log)[12] + 66;
    damage(&desk, &log, at);
    let before = fs::read(desk.path("bad.dlog")).unwrap();

    let said = desk.call(&["salvage", "DESK/bad.dlog"]);
    assert_eq!(said.exit, Exit::Fine);
    assert_snapshot!("salvage", said);
    assert_eq!(fs::read(desk.path("bad.dlog")).unwrap(), before);

    let show = desk.call(&["show", "DESK/bad-salvaged.dlog"]);
    assert_eq!((show.exit, show.out.lines().count()), (Exit::Fine, 12));
    let state = desk.call(&["show", "DESK/bad-salvaged.dlog", "--at", "11"]);
    assert_eq!(state.exit, Exit::Fine, "{state}");
    // Not the whole run, and that is said.
    for command in ["check", "replay"] {
        let said = desk.call(&[command, "DESK/bad-salvaged.dlog", "-q"]);
        assert_eq!(said.exit, Exit::Log, "{said}");
        assert!(said.out.starts_with("CUT OFF"), "{said}");
    }
    let again = desk.call(&["salvage", "DESK/bad-salvaged.dlog"]);
    assert_eq!(again.exit, Exit::Fine);
    assert_snapshot!("salvage_again", again);
}

#[test]
fn nothing_is_overwritten() {
    let desk = Desk::new();
    let log = recorded(&desk);
    damage(&desk, &log, blocks(&log)[12] + 66);
    fs::write(desk.path("bad-salvaged.dlog"), "something dear").unwrap();
    let taken = desk.call(&["salvage", "DESK/bad.dlog"]);
    assert_eq!(taken.exit, Exit::Usage);
    assert_snapshot!("salvage_exists", taken);
    let itself = desk.call(&["salvage", "DESK/bad.dlog", "-o", "DESK/bad.dlog"]);
    assert_eq!(itself.exit, Exit::Usage);
    let kept = fs::read(desk.path("bad-salvaged.dlog")).unwrap();
    assert_eq!(kept, b"something dear");
    let other = desk.call(&["salvage", "DESK/bad.dlog", "-o", "DESK/b.dlog", "-q"]);
    assert_eq!(other.exit, Exit::Fine);
    assert_snapshot!("salvage_quiet", other);
}

#[test]
fn programs_are_told_every_part() {
    let desk = Desk::new();
    let log = recorded(&desk);
    damage(&desk, &log, blocks(&log)[12] + 10);
    let said = desk.call(&["salvage", "DESK/bad.dlog", "--message-format", "json"]);
    assert_snapshot!("salvage_json", said);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let (kept, lost) = (&told["kept"], told["lost"].as_array().unwrap());
    assert_eq!(lost[0]["from_byte"], kept["bytes"]);
    assert_eq!(lost[2]["before_byte"], log.len());
}

#[test]
fn a_log_that_was_only_cut_off_can_be_read_without_it() {
    let desk = Desk::new();
    let log = recorded(&desk);
    let blocks = blocks(&log);
    fs::write(desk.path("torn.dlog"), &log[..blocks[20] + 70]).unwrap();
    let torn = desk.call(&["salvage", "DESK/torn.dlog"]);
    assert_eq!(torn.exit, Exit::Fine);
    assert_snapshot!("salvage_torn", torn);
    // All of the run is there, only the footer is not.
    let last = log.windows(4).position(|at| at == b"DFTR").unwrap() - 4;
    fs::write(desk.path("open.dlog"), &log[..last]).unwrap();
    let open = desk.call(&["salvage", "DESK/open.dlog"]);
    assert_eq!(open.exit, Exit::Fine);
    assert_snapshot!("salvage_open", open);
    let copy = fs::read(desk.path("open-salvaged.dlog")).unwrap();
    assert_eq!(
        copy, log,
        "closing it makes the log that it would have been"
    );
}

#[test]
fn where_nothing_can_be_kept_nothing_is_written() {
    let desk = Desk::new();
    let log = recorded(&desk);
    damage(&desk, &log, blocks(&log)[0] + 66);
    let first = desk.call(&["salvage", "DESK/bad.dlog"]);
    assert_eq!(first.exit, Exit::Log);
    assert_snapshot!("salvage_nothing", first);
    damage(&desk, &log, 40);
    let header = desk.call(&["salvage", "DESK/bad.dlog"]);
    assert_eq!(header.exit, Exit::Log);
    assert_snapshot!("salvage_no_header", header);
    assert!(!desk.path("bad-salvaged.dlog").exists());
    let scenario = desk.call(&["salvage", "DESK/kitchen.toml"]);
    assert_eq!(scenario.exit, Exit::Log);
    let nowhere = desk.call(&["salvage", "DESK/none.dlog"]);
    assert_eq!(nowhere.exit, Exit::Usage);
}

#[test]
fn a_sound_log_is_left_alone() {
    let desk = Desk::new();
    recorded(&desk);
    let said = desk.call(&["salvage", "DESK/a.dlog"]);
    assert_eq!(said.exit, Exit::Fine);
    assert_snapshot!("salvage_sound", said);
    assert!(!desk.path("a-salvaged.dlog").exists());
}

#[test]
fn help_teaches_by_example() {
    assert_snapshot!("help_salvage", Desk::new().call(&["salvage", "-h"]));
}
