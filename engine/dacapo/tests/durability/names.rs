//! Names that lead elsewhere, and files that are no files: refused, at once, and what they lead to is
//! left alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::desk::{Desk, Said, run};

/// Every command that reads a log, on this name, with a limit of time: opening a pipe may wait for ever.
fn read_every_way(desk: &Desk, name: &str) -> Vec<Said> {
    let ways = [
        &["check", name][..],
        &["show", name],
        &["replay", name],
        &["explain", name],
        &["shrink", name],
        &["salvage", name],
    ];
    let call = |words: &&[&str]| {
        let words = [&["20", crate::desk::PROGRAM], *words].concat();
        Said::of(desk.within("timeout", &words).output().unwrap())
    };
    ways.iter().map(call).collect()
}

fn is_refused(desk: &Desk, name: &str, what: &str) {
    for said in read_every_way(desk, name) {
        assert_eq!(said.code, Some(2), "{name}: {said}");
        assert!(said.err.contains(what), "{name}: {said}");
    }
    for force in [&[][..], &["--force"]] {
        let words = [&run("50", "never", name)[..], force].concat();
        let said = desk.call(&words);
        assert_eq!(said.code, Some(2), "{name}: {said}");
    }
}

#[test]
fn devices_pipes_folders_and_links_are_no_logs() {
    let desk = Desk::new();
    let made = desk.within("mkfifo", &["pipe"]).status().unwrap();
    assert!(made.success());
    fs::create_dir(desk.path("folder")).unwrap();
    desk.call(&run("50", "never", "target.dlog"));
    symlink(desk.path("target.dlog"), desk.path("link.dlog")).unwrap();
    symlink(desk.path("nowhere"), desk.path("dangling.dlog")).unwrap();
    let target = desk.bytes("target.dlog");

    is_refused(&desk, "/dev/zero", "is a device, not a regular file");
    is_refused(&desk, "pipe", "is a named pipe, not a regular file");
    is_refused(&desk, "folder", "is a folder, not a regular file");
    is_refused(&desk, "link.dlog", "is a symbolic link, not a regular file");
    is_refused(
        &desk,
        "dangling.dlog",
        "is a symbolic link, not a regular file",
    );

    assert_eq!(desk.bytes("target.dlog"), target);
    assert!(!desk.path("nowhere").exists());
}

/// Also the files beside a log: its facts, and the new one that will take its name.
#[test]
fn links_where_the_program_writes_are_not_followed() {
    let desk = Desk::new();
    fs::write(desk.path("dear"), "something dear").unwrap();
    desk.call(&run("50", "never", "a.dlog"));
    fs::remove_file(desk.path("a.dlog.meta.json")).unwrap();
    symlink(desk.path("dear"), desk.path("a.dlog.meta.json")).unwrap();
    let mut words = run("60", "never", "a.dlog");
    words.push("--force");
    let said = desk.call(&words);
    assert_eq!(said.code, Some(7), "{said}");
    assert!(
        desk.path("a.dlog.meta.json")
            .symlink_metadata()
            .unwrap()
            .is_file()
    );

    let before = desk.bytes("a.dlog");
    symlink(desk.path("dear"), desk.path(".a.dlog.new")).unwrap();
    assert_eq!(desk.call(&words).code, Some(2));
    assert_eq!(desk.bytes("a.dlog"), before);

    symlink(desk.path("dear"), desk.path("out.dlog")).unwrap();
    fs::write(desk.path("torn.dlog"), &before[..before.len() - 3]).unwrap();
    let said = desk.call(&["salvage", "torn.dlog", "-o", "out.dlog"]);
    assert_eq!(said.code, Some(2), "{said}");
    assert_eq!(desk.bytes("dear"), b"something dear");
}

#[test]
fn what_is_written_is_for_its_owner_alone() {
    let desk = Desk::new();
    desk.call(&run("50", "never", "a.dlog"));
    let log = desk.bytes("a.dlog");
    fs::write(desk.path("torn.dlog"), &log[..log.len() - 3]).unwrap();
    let said = desk.call(&["salvage", "torn.dlog"]);
    assert_eq!(said.code, Some(0), "{said}");
    for name in ["a.dlog", "a.dlog.meta.json", "torn-salvaged.dlog"] {
        assert_eq!(mode(&desk.path(name)), 0o600, "{name}");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A file that says it has 8 EiB holds no log, and is not read through.
#[test]
fn a_huge_empty_file_is_no_log() {
    let desk = Desk::new();
    let file = fs::File::create(desk.path("huge.dlog")).unwrap();
    if file.set_len(1 << 43).is_err() {
        return crate::desk::skip("no file can be that large here");
    }
    for said in read_every_way(&desk, "huge.dlog") {
        assert_eq!(said.code, Some(6), "{said}");
        assert!(said.err.contains("not a log"), "{said}");
    }
}
