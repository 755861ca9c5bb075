//! Recording a scenario in memory, looking into its log, replaying it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use dacapo_kernel::log::{Memory, Reader, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, Event, Events, Outcome, Plan, Run, Seq, Verified, World, fold, verify,
};
use dacapo_lab::scenario::{Overrides, load};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::config::Config;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::views::Views;

/// A run that was recorded in memory.
pub struct Recorded {
    /// What was planned.
    pub plan: Plan<Config>,
    /// What is known of it.
    pub outcome: Outcome<Views>,
    /// Its log.
    pub log: Vec<u8>,
}

/// Records a scenario.
///
/// # Panics
/// If the scenario has a mistake or the run cannot be made.
pub fn record(path: &Path, overrides: &Overrides) -> Recorded {
    let loaded = load::<Orchestration>(path, overrides).unwrap_or_else(|error| panic!("{error}"));
    let left = tempfile::tempdir().expect("there is room for a folder");
    let files = loaded.files.leaving_in(left.path());
    let bytes = Rc::new(RefCell::new(Memory::default()));
    let storage: BoxedStorage = Box::new(bytes.clone());
    let outcome = Run::<Orchestration>::new(&loaded.plan)
        .record(&files, storage, SyncPolicy::Never)
        .unwrap_or_else(|error| panic!("{error}"));
    Recorded {
        plan: loaded.plan,
        outcome,
        log: bytes.take().0,
    }
}

/// Nothing but these values changed, each as `dotted.key=value`.
pub fn set(values: &[&str]) -> Overrides {
    Overrides {
        set: values.iter().map(|&value| value.to_owned()).collect(),
        ..Overrides::default()
    }
}

/// Nothing changed but these defects on, besides those of the scenario's profile.
pub fn defects(names: &[&str]) -> Overrides {
    Overrides {
        defects: names.iter().map(|&name| name.to_owned()).collect(),
        ..Overrides::default()
    }
}

/// Replays a log and compares every event.
///
/// # Panics
/// If the log cannot be read.
pub fn replay(log: &[u8]) -> Verified<Orchestration> {
    verify(reader(log), None).unwrap_or_else(|error| panic!("{error}"))
}

/// A reader of a log in memory.
///
/// # Panics
/// If the bytes are no log.
pub fn reader(log: &[u8]) -> Reader<BoxedStorage> {
    let storage: BoxedStorage = Box::new(Memory(log.to_vec()));
    Reader::open(storage).unwrap_or_else(|error| panic!("{error}"))
}

/// Every event of a log.
///
/// # Panics
/// If the log is damaged.
pub fn events(log: &[u8]) -> Vec<Event<DomainEvent>> {
    let mut events = Events::new(reader(log));
    let mut all = Vec::new();
    while let Some(event) = events.next().unwrap_or_else(|error| panic!("{error}")) {
        all.push(event);
    }
    all
}

/// The state after an event of a log, or after the last one.
///
/// # Panics
/// If the log is damaged.
pub fn world_after(log: &[u8], at: Option<Seq>) -> World<Views> {
    fold::<Orchestration>(&mut Events::new(reader(log)), at)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The fingerprint of a log that was closed.
///
/// # Panics
/// If it was not.
pub fn fingerprint(log: &[u8]) -> String {
    let ending = reader(log)
        .ending()
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(
        ending.is_closed(),
        "the log was not closed: it ends as {ending:?}"
    );
    ending.chain().to_string()
}
