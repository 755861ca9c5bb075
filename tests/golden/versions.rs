//! A log of any version of the format is read for ever, and what is not known is refused by name.

use std::fs;

use dacapo_kernel::log::{LogError, Memory, Reader};
use dacapo_kernel::{BoxedStorage, RunError};
use dacapo_lab::examine;
use dacapo_lab::golden::log_bytes;
use dacapo_orchestration::Orchestration;
use dacapo_tests::{reader, root};

const FOLDER: &str = "tests/data/golden";

/// The rows of the table that says what is there: the log, its events, its fingerprint.
fn listed() -> Vec<(String, u64, String)> {
    let text = fs::read_to_string(root().join(FOLDER).join("README.md")).expect("the list");
    let rows = text.lines().filter(|line| line.starts_with("| format-"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let events = cells[3].parse().expect("a number of events");
        (cells[1].to_owned(), events, cells[4].to_owned())
    };
    rows.map(row).collect()
}

/// Fails if a body, a frame or a chain of an older version is read otherwise than it was written.
#[test]
fn every_log_of_every_version_is_read_to_its_last_event() {
    let listed = listed();
    assert!(listed.len() >= 3, "{listed:?}");
    let mut found = Vec::new();
    for folder in fs::read_dir(root().join(FOLDER)).expect("the folder is there") {
        let folder = folder.expect("the folder is read").path();
        if folder.is_dir() {
            let files = fs::read_dir(&folder).expect("the folder is read");
            found.extend(files.map(|file| file.expect("the folder is read").path()));
        }
    }
    assert_eq!(
        found.len(),
        listed.len(),
        "the table does not list what is there"
    );
    for (name, events, fingerprint) in listed {
        let log = log_bytes(&root().join(FOLDER).join(&name)).expect("the log is there");
        let examined = examine::<Orchestration>(reader(&log), |_, _| {});
        let examined = examined.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(examined.is_whole(), "{name} is cut off");
        let found = (examined.events, examined.ending.chain().to_string());
        assert_eq!(found, (events, fingerprint), "{name}");
    }
}

fn refused(log: Vec<u8>) -> RunError {
    let storage: BoxedStorage = Box::new(Memory(log));
    match Reader::open(storage) {
        Err(error) => error.into(),
        Ok(reader) => match examine::<Orchestration>(reader, |_, _| {}) {
            Err(error) => error,
            Ok(_) => panic!("it was read"),
        },
    }
}

/// Fails if a later format is called damaged, or read as if it were today's.
#[test]
fn a_later_format_is_refused_by_its_number() {
    let path = root().join(FOLDER).join("format-1/deadlock.dlog.gz");
    let mut log = log_bytes(&path).expect("the log is there");
    log[8] = 2;
    match refused(log) {
        RunError::Log(LogError::NewerFormat { .. }) => {}
        other => panic!("{other}"),
    }
}
