//! Whoever waits for a run's events to be durable is told the truth, as the policy says.
//!
//! It fails if an event is told before the sync behind it, or never, or out of turn.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod common;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use common::{NoFiles, Shared, Stage, Story, ms};
use dacapo_kernel::log::{Memory, Reader, Storage, SyncPolicy};
use dacapo_kernel::{Run, RunError, Seq};

/// Memory that knows how much of it was synced, and fails at the n-th sync.
struct Counted {
    bytes: Shared,
    synced: Rc<RefCell<u64>>,
    syncs_left: u32,
}

impl Storage for Counted {
    fn len(&self) -> io::Result<u64> {
        self.bytes.len()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs_left = self.syncs_left.checked_sub(1).ok_or(io::ErrorKind::Other)?;
        *self.synced.borrow_mut() = self.bytes.len()?;
        Ok(())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.bytes.read_at(offset, into)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.bytes.truncate(len)
    }
}

/// What was told, and how the run ended.
fn told(policy: SyncPolicy, syncs: u32) -> (Vec<Seq>, Result<u64, RunError>) {
    let story = Story::of(|ctx| async move {
        for _ in 0..40 {
            ctx.emit("on");
            ctx.sleep(ms(1)).await;
        }
    });
    story.prepare();
    let (bytes, synced) = (Shared::default(), Rc::new(RefCell::new(0)));
    let storage = Counted {
        bytes: Rc::clone(&bytes),
        synced: Rc::clone(&synced),
        syncs_left: syncs,
    };
    let mut told = Vec::new();
    let outcome = Run::<Stage>::new(&story.plan)
        .acknowledge(|seq| {
            let durable = usize::try_from(*synced.borrow()).unwrap();
            let durable = bytes.borrow().0[..durable].to_vec();
            let mut reader = Reader::open(Memory(durable)).unwrap();
            reader.seek(seq).unwrap();
            assert!(reader.next().unwrap().is_some(), "event {seq} is not there");
            told.push(seq);
        })
        .record(&NoFiles, Box::new(storage), policy)
        .map(|outcome| outcome.events);
    assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "{told:?}");
    (told, outcome)
}

#[test]
fn every_event_is_told_as_the_policy_says() {
    let (never, events) = told(SyncPolicy::Never, u32::MAX);
    let last = Seq(events.unwrap() - 1);
    assert_eq!(never, [last], "only when the log is closed");

    let (groups, _) = told(SyncPolicy::Interval(10), u32::MAX);
    assert_eq!(groups.last(), Some(&last));
    assert!(groups.len() as u64 >= last.0 / 10, "{groups:?}");
    // A step of the run may append more than one event behind the group.
    let whole = groups.iter().filter(|seq| (seq.0 + 1).is_multiple_of(10));
    assert!(whole.count() + 1 >= groups.len(), "{groups:?}");

    let (each, _) = told(SyncPolicy::Every, u32::MAX);
    assert_eq!(each.last(), Some(&last));
    assert!(each.len() > 40, "{}", each.len());
}

#[test]
fn nothing_is_told_after_a_sync_that_failed() {
    let (whole, _) = told(SyncPolicy::Every, u32::MAX);
    for syncs in 1..30 {
        let (told, outcome) = told(SyncPolicy::Every, syncs);
        assert!(matches!(outcome, Err(RunError::Log(_))), "{syncs} syncs");
        assert!(told.last() < whole.last(), "{told:?}");
        // The header took the first sync.
        let most = told.last().map_or(0, |seq| seq.0 + 1);
        assert!(most < u64::from(syncs), "{most} events by {syncs} syncs");
    }
}
