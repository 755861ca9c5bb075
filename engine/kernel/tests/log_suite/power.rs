//! Power is lost at every operation, also while recovering; what was not synced is dropped,
//! reordered and torn. Nothing acknowledged is lost, and nothing is misread.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use dacapo_kernel::log::{LogError, Memory, Storage, SyncPolicy, Writer, recover_storage};

use crate::support::{Event, append, closed, events, header, read};

const SEEDS: u64 = 20;

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// A disk with a volatile cache.
#[derive(Debug, Default)]
struct Disk {
    /// What outlives a loss of power for certain.
    durable: Vec<u8>,
    /// What else was asked for, in order; any part of it may have been done.
    pending: Vec<Change>,
    /// What the process sees.
    cache: Vec<u8>,
    /// Operations until the power is lost.
    left: u64,
    is_lying: bool,
}

#[derive(Clone, Debug)]
struct Plug(Rc<RefCell<Disk>>);

impl Plug {
    fn new(content: Vec<u8>, left: u64, is_lying: bool) -> Plug {
        let disk = Disk {
            durable: content.clone(),
            cache: content,
            left,
            is_lying,
            ..Disk::default()
        };
        Plug(Rc::new(RefCell::new(disk)))
    }

    /// The same disk, cache and all, after the process was killed and the power stayed on.
    fn after_kill(&self, left: u64) -> Plug {
        let disk = self.0.borrow();
        let (durable, pending, cache) = (
            disk.durable.clone(),
            disk.pending.clone(),
            disk.cache.clone(),
        );
        let is_lying = disk.is_lying;
        Plug(Rc::new(RefCell::new(Disk {
            durable,
            pending,
            cache,
            left,
            is_lying,
        })))
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        if disk.left == 0 {
            return Err(io::ErrorKind::Other.into());
        }
        disk.left -= 1;
        apply(&mut disk.cache, &change);
        disk.pending.push(change);
        // The operation at which the power is lost may be done in part, and does not return.
        if disk.left == 0 {
            Err(io::ErrorKind::Other.into())
        } else {
            Ok(())
        }
    }

    /// What is on the disk after the power is lost: some of what was pending, in parts.
    fn after_loss(&self, random: &mut Random) -> Vec<u8> {
        let disk = self.0.borrow();
        let mut content = disk.durable.clone();
        let sector = [16, 64, 512][random.below(3) as usize];
        for change in &disk.pending {
            match change {
                Change::Truncate(_) if random.below(2) == 0 => apply(&mut content, change),
                Change::Truncate(_) => {}
                Change::Write(at, bytes) => write_some(&mut content, *at, bytes, sector, random),
            }
        }
        content
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Truncate(len) => content.truncate(*len),
        Change::Write(at, bytes) => {
            content.resize(content.len().max(at + bytes.len()), 0);
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}

/// Writes some sectors. The file may have grown by all of them, and is zero where they are missing.
fn write_some(content: &mut Vec<u8>, at: usize, bytes: &[u8], sector: usize, random: &mut Random) {
    let odds = random.below(5);
    let mut begin = at;
    while begin < at + bytes.len() {
        let end = ((begin / sector + 1) * sector).min(at + bytes.len());
        if random.below(4) < odds {
            apply(
                content,
                &Change::Write(begin, bytes[begin - at..end - at].to_vec()),
            );
        }
        begin = end;
    }
    if random.below(2) == 0 {
        content.resize(content.len().max(at + bytes.len()), 0);
    }
}

impl Storage for Plug {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.borrow().cache.len() as u64)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let at = self.0.borrow().cache.len();
        self.change(Change::Write(at, bytes.to_vec()))
            .map(|()| bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        if disk.left <= 1 {
            disk.left = 0;
            return Err(io::ErrorKind::Other.into());
        }
        disk.left -= 1;
        if !disk.is_lying {
            disk.durable = disk.cache.clone();
            disk.pending.clear();
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let disk = self.0.borrow();
        let rest = disk.cache.get(offset as usize..).unwrap_or_default();
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.change(Change::Truncate(len as usize))
    }
}

/// A small generator of its own, so that a seed means the same for ever.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// What somebody who listened to the writer may rely on.
#[derive(Clone, Copy, Debug, Default)]
struct Promised {
    /// Whether there is a log at all.
    is_created: bool,
    events: u64,
    is_closed: bool,
}

fn durable(writer: &Writer<Plug>) -> u64 {
    writer.durable().map_or(0, |seq| seq.0 + 1)
}

/// Goes on with a log until the power is lost or the log is closed.
fn go_on(mut writer: Writer<Plug>, written: &[Event], promised: &mut Promised) {
    promised.is_created = true;
    promised.events = promised.events.max(durable(&writer));
    let begin = writer.next_seq().0 as usize;
    for event in written.iter().skip(begin) {
        let outcome = append(&mut writer, event);
        promised.events = promised
            .events
            .max(writer.durable().map_or(0, |seq| seq.0 + 1));
        if outcome.is_err() {
            return;
        }
    }
    if let Ok(closed) = writer.close() {
        promised.events = closed.events;
        promised.is_closed = true;
    }
}

fn begin(plug: Plug, written: &[Event], policy: SyncPolicy, promised: &mut Promised) {
    if let Ok(writer) = Writer::create(plug, &header(), policy) {
        go_on(writer, written, promised);
    }
}

fn resume(plug: Plug, written: &[Event], policy: SyncPolicy, promised: &mut Promised) {
    if let Ok((writer, _)) = recover_storage(plug, policy) {
        go_on(writer, written, promised);
    }
}

/// What is promised and does not hold.
fn broken_promise(
    content: &[u8],
    written: &[Event],
    policy: SyncPolicy,
    promised: Promised,
) -> Option<String> {
    if !promised.is_created {
        return None;
    }
    let kept = match recover_storage(Memory(content.to_vec()), policy) {
        Ok((_, recovered)) if !promised.is_closed => recovered.events,
        Err(LogError::AlreadyClosed { events }) => events,
        Ok(_) => return Some("a closed log is open again".into()),
        Err(error) => return Some(error.to_string()),
    };
    let (found, outcome) = read(content);
    if let Err(error) = outcome {
        return Some(error.to_string());
    }
    if kept < promised.events || found.len() as u64 != kept {
        return Some(format!(
            "{} of {} promised events are left, {kept} are said to be",
            found.len(),
            promised.events
        ));
    }
    (!written.starts_with(&found)).then(|| "an event is another one".into())
}

/// Loses power at each operation of writing, and for each at each operation of recovering and
/// going on, and then at one more. The first broken promise.
fn lose_power_everywhere(policy: SyncPolicy, is_lying: bool) -> Option<String> {
    let written = events(12);
    for seed in 0..SEEDS {
        for first in 1.. {
            let random = &mut Random(0x9E37_79B9_7F4A_7C15 ^ (seed << 32) ^ first);
            let mut promised = Promised::default();
            let plug = Plug::new(Vec::new(), first, is_lying);
            begin(plug.clone(), &written, policy, &mut promised);
            if promised.is_closed {
                break;
            }
            let content = plug.after_loss(random);
            let broken = broken_promise(&content, &written, policy, promised);
            if broken.is_some() {
                return broken;
            }
            for second in 1.. {
                let mut promised = promised;
                let plug = Plug::new(content.clone(), second, is_lying);
                resume(plug.clone(), &written, policy, &mut promised);
                let content = plug.after_loss(random);
                let mut broken = broken_promise(&content, &written, policy, promised);
                if broken.is_none() && !promised.is_closed {
                    let mut promised = promised;
                    let plug = Plug::new(content, 1 + random.below(8), is_lying);
                    resume(plug.clone(), &written, policy, &mut promised);
                    broken = broken_promise(&plug.after_loss(random), &written, policy, promised);
                }
                if broken.is_some() {
                    return broken;
                }
                if promised.is_closed || second > 60 {
                    break;
                }
            }
        }
    }
    None
}

#[test]
fn nothing_acknowledged_is_lost() {
    for policy in [SyncPolicy::Every, SyncPolicy::Interval(4)] {
        assert_eq!(lose_power_everywhere(policy, false), None, "{policy:?}");
    }
}

/// What a killed process left in the cache is durable once it was recovered.
#[test]
fn what_was_recovered_after_a_kill_outlives_a_loss_of_power() {
    let written = events(12);
    let policy = SyncPolicy::Interval(4);
    for seed in 1..=SEEDS {
        for first in 3..14 {
            let mut promised = Promised::default();
            let plug = Plug::new(Vec::new(), first, false);
            begin(plug.clone(), &written, policy, &mut promised);
            for second in 1..8 {
                let mut promised = promised;
                let plug = plug.after_kill(second);
                resume(plug.clone(), &written, policy, &mut promised);
                let content = plug.after_loss(&mut Random(seed * 1_000 + first));
                assert_eq!(broken_promise(&content, &written, policy, promised), None);
            }
        }
    }
}

/// The test would notice a missing sync.
#[test]
fn storage_that_lies_about_syncing_is_caught() {
    for policy in [SyncPolicy::Every, SyncPolicy::Interval(4)] {
        assert!(lose_power_everywhere(policy, true).is_some(), "{policy:?}");
    }
}

/// Several blocks between two syncs: the writer syncs at the end of each, or a lost block in front
/// of one that was kept would look like damage.
#[test]
fn a_full_block_is_synced_before_the_next_is_written() {
    let mut written = events(8);
    for event in &mut written {
        event.body = vec![0x5A; 30_000];
    }
    let policy = SyncPolicy::Interval(1_000);
    assert!(closed(&written, policy).bytes > 200_000);
    for seed in 1..=SEEDS {
        for first in 1.. {
            let mut promised = Promised::default();
            let plug = Plug::new(Vec::new(), first, false);
            begin(plug.clone(), &written, policy, &mut promised);
            let content = plug.after_loss(&mut Random(seed * 1_000 + first));
            assert_eq!(broken_promise(&content, &written, policy, promised), None);
            if promised.is_closed {
                break;
            }
        }
    }
}
