//! Files: who may write, what is refused, what a name leads to.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use dacapo_kernel::log::{File, LogError, Reader, SyncPolicy, Writer, recover};

use crate::support::{append, closed, events, header, read};

fn record(path: &Path, count: u64) {
    let mut writer = Writer::create_path(path, &header(), SyncPolicy::Interval(6)).unwrap();
    for event in events(count) {
        append(&mut writer, &event).unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn a_file_holds_the_same_bytes_as_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.dlog");
    record(&path, 25);
    let in_memory = closed(&events(25), SyncPolicy::Interval(6)).storage.0;
    assert_eq!(fs::read(&path).unwrap(), in_memory);
    let mut reader = Reader::open_path(&path).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().body, events(1)[0].body);
}

#[test]
fn a_new_log_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.dlog");
    record(&path, 1);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    Writer::replace_path(&path, &header(), SyncPolicy::Never).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
}

#[test]
fn an_existing_file_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.dlog");
    fs::write(&path, "something dear").unwrap();
    let refused = Writer::create_path(&path, &header(), SyncPolicy::Never).unwrap_err();
    assert!(matches!(refused, LogError::Exists { .. }), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), b"something dear");
}

#[test]
fn a_replaced_log_is_the_old_one_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.dlog");
    record(&path, 25);
    fs::write(
        folder.path().join(".run.dlog.new"),
        "left by an interrupted replacement",
    )
    .unwrap();
    let mut old = Reader::open_path(&path).unwrap();
    let mut writer = Writer::replace_path(&path, &header(), SyncPolicy::Every).unwrap();
    append(&mut writer, &events(1)[0]).unwrap();
    assert_eq!(
        read(&fs::read(&path).unwrap()).0,
        events(1),
        "the new log has the name at once"
    );
    while old.next().unwrap().is_some() {}
    assert_eq!(
        old.ending().unwrap().events(),
        25,
        "whoever reads the old one goes on reading it"
    );
    assert!(
        matches!(recover(&path), Err(LogError::Locked { .. })),
        "the lock went with the name"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_replacement_leaves_the_old_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.dlog");
    record(&path, 25);
    let mut twice = header();
    twice.kinds[1].kind = 1;
    assert!(Writer::replace_path(&path, &twice, SyncPolicy::Never).is_err());
    assert_eq!(read(&fs::read(&path).unwrap()).0, events(25));
    Writer::replace_path(&path, &header(), SyncPolicy::Never)
        .unwrap()
        .close()
        .unwrap();
    assert_eq!(read(&fs::read(&path).unwrap()).0, []);
}

#[test]
fn a_second_writer_is_refused_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.dlog");
    let mut writer = Writer::create_path(&path, &header(), SyncPolicy::Every).unwrap();
    append(&mut writer, &events(1)[0]).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(recover(&path), Err(LogError::Locked { .. })));
    assert!(matches!(
        File::open_locked(&path),
        Err(LogError::Locked { .. })
    ));
    let replaced = Writer::replace_path(&path, &header(), SyncPolicy::Every);
    assert!(matches!(replaced, Err(LogError::Locked { .. })));
    let created = Writer::create_path(&path, &header(), SyncPolicy::Every);
    assert!(matches!(created, Err(LogError::Exists { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(writer);
    let (_, recovered) = recover(&path).unwrap();
    assert_eq!((recovered.events, recovered.dropped), (1, 0));
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (
        folder.path().join("target"),
        folder.path().join("link.dlog"),
    );
    record(&target, 3);
    let before = fs::read(&target).unwrap();
    symlink(&target, &link).unwrap();
    is_not_a_regular_file(&link, "a symbolic link");
    assert_eq!(fs::read(&target).unwrap(), before);

    let dangling = folder.path().join("dangling.dlog");
    symlink(folder.path().join("nowhere"), &dangling).unwrap();
    let created = Writer::create_path(&dangling, &header(), SyncPolicy::Never);
    assert!(matches!(created, Err(LogError::Exists { .. })));
    assert!(!folder.path().join("nowhere").exists());

    // A link where the new file would be prepared.
    let path = folder.path().join("run.dlog");
    symlink(&target, folder.path().join(".run.dlog.new")).unwrap();
    assert!(Writer::replace_path(&path, &header(), SyncPolicy::Never).is_err());
    assert_eq!(fs::read(&target).unwrap(), before);
}

#[test]
fn pipes_devices_sockets_and_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let socket = folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    is_not_a_regular_file(&pipe, "a named pipe");
    is_not_a_regular_file(&socket, "a socket");
    is_not_a_regular_file(folder.path(), "a folder");
    is_not_a_regular_file(Path::new("/dev/zero"), "a device");
}

fn is_not_a_regular_file(path: &Path, expected: &str) {
    let opened = Reader::open_path(path).map(drop);
    let recovered = recover(path).map(drop);
    let replaced = Writer::replace_path(path, &header(), SyncPolicy::Never).map(drop);
    for outcome in [opened, recovered, replaced] {
        let refused = outcome.unwrap_err();
        let named = matches!(refused, LogError::NotRegularFile { found, .. } if found == expected);
        assert!(named, "{}: {refused}", path.display());
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Reader::open_path(&folder.path().join("none.dlog"))
        .map(drop)
        .unwrap_err();
    assert!(matches!(refused, LogError::File { .. }), "{refused}");
}
