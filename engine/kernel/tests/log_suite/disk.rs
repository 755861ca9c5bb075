//! A simulated disk with a volatile cache. The power can be lost at any operation; then what was not
//! synced is dropped, reordered and torn. It writes less than it is asked to, is full, fails once or
//! for ever, and lies about having synced, as a test wants it. A sync that fails loses what it was to
//! write, and leaves it in the cache as if it had been written, as real systems do.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use dacapo_kernel::log::Storage;

/// What a disk does that a good one does not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flaws {
    /// Returns from a sync of this without having synced.
    pub(crate) swallows: Option<Synced>,
    /// Writes at most so many bytes at once.
    pub(crate) at_most: Option<usize>,
    /// Takes no more bytes than this.
    pub(crate) capacity: Option<usize>,
    pub(crate) fails: Option<Failure>,
}

/// An operation that fails, counted from 0 over every operation, reads included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    pub(crate) at: u64,
    /// Whether all after it fail too.
    pub(crate) sticky: bool,
    pub(crate) kind: io::ErrorKind,
}

/// What a sync is for, told from what was written since the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Synced {
    Header,
    Block,
    Footer,
    EndMark,
    /// What somebody else had written, and the cut of a torn tail.
    Recovered,
    /// Any of them.
    Anything,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Debug, Default)]
struct State {
    /// What outlives a loss of power for certain.
    durable: Vec<u8>,
    /// What else was asked for, in order; any part of it may have been done.
    pending: Vec<Change>,
    /// What the process sees.
    cache: Vec<u8>,
    /// Operations that change something until the power is lost.
    left: u64,
    flaws: Flaws,
    /// Operations so far.
    operations: u64,
    syncs: u64,
    /// The first bytes that were written since the last sync.
    begun: Option<Vec<u8>>,
}

/// One process's way to a disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Rc<RefCell<State>>);

impl Disk {
    /// A disk with this on it, whose power is lost after so many operations.
    pub(crate) fn new(content: Vec<u8>, left: u64, flaws: Flaws) -> Disk {
        Disk(Rc::new(RefCell::new(State {
            durable: content.clone(),
            cache: content,
            left,
            flaws,
            ..State::default()
        })))
    }

    /// The same disk, cache and all, after the process was killed and the power stayed on.
    pub(crate) fn after_kill(&self, left: u64) -> Disk {
        let disk = self.0.borrow();
        Disk(Rc::new(RefCell::new(State {
            durable: disk.durable.clone(),
            pending: disk.pending.clone(),
            cache: disk.cache.clone(),
            left,
            flaws: disk.flaws,
            ..State::default()
        })))
    }

    /// The same after somebody has seen to it: cache and all, without the flaws.
    pub(crate) fn repaired(&self) -> Disk {
        let disk = self.after_kill(u64::MAX);
        disk.0.borrow_mut().flaws = Flaws::default();
        disk
    }

    /// What is on the disk after the power is lost: some of what was pending, in parts.
    pub(crate) fn after_loss(&self, random: &mut Random) -> Vec<u8> {
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

    /// What the process sees.
    pub(crate) fn content(&self) -> Vec<u8> {
        self.0.borrow().cache.clone()
    }

    /// How many operations there were, and how many of them were syncs.
    pub(crate) fn operations(&self) -> (u64, u64) {
        let disk = self.0.borrow();
        (disk.operations, disk.syncs)
    }

    fn operation(&self) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        let now = disk.operations;
        disk.operations += 1;
        match disk.flaws.fails {
            Some(failure) if now == failure.at || (failure.sticky && now > failure.at) => {
                Err(failure.kind.into())
            }
            _ => Ok(()),
        }
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
}

impl State {
    fn synced(&self) -> Synced {
        let begun = self.begun.as_deref();
        match begun {
            None => Synced::Recovered,
            Some(bytes) if bytes.starts_with(b"\x89DLOG") => Synced::Header,
            Some(bytes) if bytes.starts_with(b"DEND") => Synced::EndMark,
            Some(bytes) if bytes.get(4..8) == Some(b"DFTR") => Synced::Footer,
            Some(_) => Synced::Block,
        }
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

impl Storage for Disk {
    fn len(&self) -> io::Result<u64> {
        self.operation()?;
        Ok(self.0.borrow().cache.len() as u64)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.operation()?;
        let (at, some) = {
            let disk = self.0.borrow();
            let (at, flaws) = (disk.cache.len(), disk.flaws);
            let room = flaws.capacity.map_or(usize::MAX, |most| most - at);
            (
                at,
                bytes
                    .len()
                    .min(flaws.at_most.unwrap_or(usize::MAX))
                    .min(room),
            )
        };
        if some == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0
            .borrow_mut()
            .begun
            .get_or_insert_with(|| bytes.to_vec());
        self.change(Change::Write(at, bytes[..some].to_vec()))?;
        Ok(some)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.borrow_mut().syncs += 1;
        let called = self.operation();
        let mut disk = self.0.borrow_mut();
        if called.is_err() {
            // What was to be written stays in the cache, and the system takes it for written.
            disk.pending.clear();
            return called;
        }
        if disk.left <= 1 {
            disk.left = 0;
            return Err(io::ErrorKind::Other.into());
        }
        disk.left -= 1;
        let what = disk.synced();
        disk.begun = None;
        let swallowed = disk.flaws.swallows;
        if swallowed != Some(what) && swallowed != Some(Synced::Anything) {
            let pending = std::mem::take(&mut disk.pending);
            pending
                .iter()
                .for_each(|change| apply(&mut disk.durable, change));
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.operation()?;
        let disk = self.0.borrow();
        let rest = disk.cache.get(offset as usize..).unwrap_or_default();
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_again(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.operation()?;
        let some = bytes
            .len()
            .min(self.0.borrow().flaws.at_most.unwrap_or(usize::MAX));
        self.change(Change::Write(offset as usize, bytes[..some].to_vec()))?;
        Ok(some)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.operation()?;
        self.change(Change::Truncate(len as usize))
    }
}

/// A small generator of its own, so that a seed means the same for ever.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}
