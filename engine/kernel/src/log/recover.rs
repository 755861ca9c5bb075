//! Goes on with a log that was not closed, and copies what is sound out of one that is damaged.

use std::path::Path;

use super::blocks::{Block, Blocks, Next, Position};
use super::chain::Chain;
use super::ending::Ending;
use super::error::LogError;
use super::file::File;
use super::frame::{RECORD_HEAD, split_record};
use super::index::{Index, Mark, Tally};
use super::storage::{Storage, append_all, io_error, read_full};
use super::window::Window;
use super::writer::{Resume, SyncPolicy, Writer};
use crate::id::{Seq, Time};

/// What was found in a log that was not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// How many events were kept.
    pub events: u64,
    /// How many bytes of a torn tail were dropped.
    pub dropped: u64,
}

/// Goes on with the log at `path`, syncing a block at a time or every 1,000 events. See [`recover_storage`].
///
/// # Errors
/// Those of [`File::open_locked`] and [`recover_storage`].
pub fn recover(path: &Path) -> Result<(Writer<File>, Recovered), LogError> {
    recover_storage(File::open_locked(path)?, SyncPolicy::Interval(1_000))
}

/// Goes on with a log that was not closed: verifies all of it, cuts a torn tail, makes what is
/// left durable. Doing it twice is the same as doing it once.
///
/// # Errors
/// [`LogError::AlreadyClosed`] if there is nothing to go on with; what a reader says if the log is
/// damaged, and then nothing is changed; [`LogError::Io`] if the storage fails.
pub fn recover_storage<S: Storage>(
    storage: S,
    sync: SyncPolicy,
) -> Result<(Writer<S>, Recovered), LogError> {
    let (_, mut blocks, start) = Blocks::open(storage)?;
    let mut survey = Survey::new(start);
    let (offset, dropped) = match survey.run(&blocks)? {
        Ending::Closed { events, .. } => return Err(LogError::AlreadyClosed { events }),
        Ending::Open { .. } => (survey.position.offset, 0),
        Ending::Torn {
            offset, dropped, ..
        } => (offset, dropped),
    };
    if dropped > 0 {
        let cut = blocks.storage.truncate(offset);
        cut.map_err(|source| io_error("cut the torn tail", offset, source))?;
    }
    blocks
        .storage
        .sync()
        .map_err(|source| io_error("sync the log", offset, source))?;
    let events = survey.position.seq.0 - start.seq.0;
    let writer = Writer::resume(blocks.storage, survey.resume(start.seq), sync);
    Ok((writer, Recovered { events, dropped }))
}

/// What was copied out of a log.
#[derive(Debug)]
pub struct Salvaged<T> {
    /// How many events were copied.
    pub events: u64,
    /// How many bytes behind them were left.
    pub left: u64,
    /// The final chain of the new log.
    pub chain: Chain,
    /// Why the copy ends where it ends; `None` if the log was sound or only torn.
    pub damage: Option<LogError>,
    /// The new log, closed.
    pub storage: T,
}

/// Copies a log up to its first damage into empty storage and closes the copy. The log itself stays
/// as it is.
///
/// # Errors
/// If the header is not sound, either storage fails, or the new one is not empty.
pub fn salvage<S: Storage, T: Storage>(from: S, mut into: T) -> Result<Salvaged<T>, LogError> {
    let in_it = into
        .len()
        .map_err(|source| io_error("measure the new log", 0, source))?;
    if in_it > 0 {
        return Err(LogError::NotEmpty { len: in_it });
    }
    let (_, blocks, start) = Blocks::open(from)?;
    let mut survey = Survey::new(start);
    let damage = match survey.run(&blocks) {
        Ok(_) => None,
        Err(error @ (LogError::Io { .. } | LogError::OutOfMemory { .. })) => return Err(error),
        Err(error) => Some(error),
    };
    let sound = survey.position.offset;
    let len = blocks
        .storage
        .len()
        .map_err(|source| io_error("measure the log", 0, source))?;
    copy(&blocks.storage, &mut into, sound)?;
    let closed = Writer::resume(into, survey.resume(start.seq), SyncPolicy::Never).close()?;
    Ok(Salvaged {
        events: closed.events,
        left: len - sound,
        chain: closed.chain,
        damage,
        storage: closed.storage,
    })
}

fn copy<S: Storage, T: Storage>(from: &S, into: &mut T, len: u64) -> Result<(), LogError> {
    let mut chunk = vec![0; 64 * 1024];
    let mut at = 0;
    while at < len {
        let part = &mut chunk[..(len - at).min(64 * 1024) as usize];
        read_full(from, at, part)?;
        append_all(into, at, part)?;
        at += part.len() as u64;
    }
    Ok(())
}

/// Reads a log from its beginning and remembers what a writer would know at its end.
struct Survey {
    /// Behind the last sound block.
    position: Position,
    index: Index,
    tally: Tally,
    is_begun: bool,
}

impl Survey {
    fn new(start: Position) -> Survey {
        Survey {
            position: start,
            index: Index::new(),
            tally: Tally::default(),
            is_begun: false,
        }
    }

    fn run<S: Storage>(&mut self, blocks: &Blocks<S>) -> Result<Ending, LogError> {
        let mut window = Window::default();
        loop {
            match blocks.read(&mut window, &self.position)? {
                Next::End(ending) => return Ok(ending),
                Next::Block(block) => {
                    let payload =
                        &window.bytes()[block.at..block.at + block.head.payload_len as usize];
                    self.add(&block, payload).ok_or_else(|| {
                        blocks.damaged(&self.position, "the records of a block do not fill it")
                    })?;
                }
            }
        }
    }

    /// Takes a block in; `None`, and nothing changed, if its records do not fill it.
    fn add(&mut self, block: &Block, payload: &[u8]) -> Option<()> {
        let time = last_time(block, payload)?;
        let mut rest = payload;
        while let Some((head, body)) = split_record(rest, Time::ZERO) {
            self.tally.count(head.kind);
            rest = &rest[RECORD_HEAD + body.len()..];
        }
        let (head, offset) = (&block.head, self.position.offset);
        self.index.note(Mark {
            seq: head.first_seq,
            time: head.first_time,
            offset,
        });
        self.position = Position {
            time: Some(time),
            ..self.position.after(head)
        };
        self.is_begun = true;
        Some(())
    }

    /// The blocks that follow are from the next epoch.
    fn resume(self, first_seq: Seq) -> Resume {
        let Position {
            offset,
            seq,
            time,
            chain,
            epoch,
        } = self.position;
        Resume {
            first_seq,
            next: seq,
            last_time: time.unwrap_or(Time::ZERO),
            chain,
            epoch: if self.is_begun {
                epoch.saturating_add(1)
            } else {
                epoch
            },
            offset,
            index: self.index,
            tally: self.tally,
        }
    }
}

/// The time of a block's last record; `None` if its records do not fill it.
fn last_time(block: &Block, payload: &[u8]) -> Option<Time> {
    let (mut rest, mut time) = (payload, block.base);
    for _ in 0..block.head.count {
        let (head, body) = split_record(rest, time)?;
        time = head.time;
        rest = &rest[RECORD_HEAD + body.len()..];
    }
    rest.is_empty().then_some(time)
}
