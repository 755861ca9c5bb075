//! Appends records, block by block, and says what is durable.
//!
//! What the records mean is the business of whoever appends them. A writer that is dropped without
//! being closed leaves what it has written; records that were not written yet are gone, as they
//! would be if the process were killed.

use std::path::Path;

use super::chain::{Chain, PREFIX_LEN};
use super::error::LogError;
use super::file::{File, Replacement};
use super::footer::Footer;
use super::frame::{self, BLOCK_HEAD, BLOCK_PAYLOAD, BlockHead, Head, RECORD_HEAD};
use super::header::Header;
use super::index::{Index, Mark, Tally};
use super::storage::{Storage, append_all, io_error};
use crate::codec::{CodecError, MAX_BODY};
use crate::id::{Seq, Time};

const FULL: usize = BLOCK_HEAD + BLOCK_PAYLOAD;
/// Room for a full block and for the record that turns out not to fit.
const CAPACITY: usize = FULL + BLOCK_PAYLOAD / 4;

/// When what was appended is made durable, and so acknowledged: events are committed in groups, and
/// [`Writer::durable`] names the last one of which a loss of power takes nothing any more. Whichever
/// is chosen, [`Writer::sync`] and [`Writer::close`] make everything durable.
///
/// A sync ends a block, and the chain depends on where blocks end: two logs of one run have the
/// same fingerprint if they were written with the same policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Only when asked. The fastest. Nothing is acknowledged before that, and a loss of power may take
    /// any part of what was written since, or leave a log that is refused as damaged.
    #[default]
    Never,
    /// After so many events, or earlier when a block is full (64 KiB of records): one sync
    /// acknowledges the whole group. At any time at most one block has been written and not synced,
    /// so what a loss of power leaves is always a torn tail, and what it takes is at most one group.
    Interval(u64),
    /// After every event. An event that was appended without an error is durable.
    Every,
    /// After every answer from outside, and when a block is full: an answer that may have cost something, and will not
    /// be given again, is durable before anything follows from it.
    Answers,
}

/// Appends to a log.
#[derive(Debug)]
pub struct Writer<S: Storage> {
    storage: S,
    /// Room for the head of the block, then its records.
    block: Vec<u8>,
    /// Records in the block.
    count: u32,
    /// Time of the first record in the block.
    first_time: Time,
    /// What the next event is called.
    next: Seq,
    last_time: Time,
    tally: Tally,
    due: u64,
    policy: SyncPolicy,
    /// Everything before this one is durable.
    durable: Seq,
    ended: bool,
    first_seq: Seq,
    index: Index,
    epoch: u32,
    /// The chain after the last block that was written.
    chain: Chain,
    /// Where the next block goes, in bytes.
    offset: u64,
    /// Everything before this byte is durable.
    synced: u64,
}

/// What a writer needs to know to go on with a log.
#[derive(Debug)]
pub(crate) struct Resume {
    pub(crate) first_seq: Seq,
    pub(crate) next: Seq,
    pub(crate) last_time: Time,
    pub(crate) chain: Chain,
    pub(crate) epoch: u32,
    /// The length of the log in bytes, all of it durable.
    pub(crate) offset: u64,
    pub(crate) index: Index,
    pub(crate) tally: Tally,
}

/// A log that was closed.
#[derive(Clone, Debug)]
pub struct Closed<S> {
    /// The final chain: the fingerprint of the run.
    pub chain: Chain,
    /// How many events the log holds.
    pub events: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Where it is.
    pub storage: S,
}

impl Writer<File> {
    /// Begins a log in a new file.
    ///
    /// # Errors
    /// Those of [`File::create_new`] and [`Writer::create`].
    pub fn create_path(path: &Path, header: &Header, sync: SyncPolicy) -> Result<Self, LogError> {
        Writer::create(File::create_new(path)?, header, sync)
    }

    /// Begins a log in a file that takes the place of the one at `path`, if there is one, in a
    /// single step as soon as its header is durable.
    ///
    /// # Errors
    /// Those of [`File::open_locked`] for the old log, which stays as it was then; and those of
    /// [`Writer::create`].
    pub fn replace_path(path: &Path, header: &Header, sync: SyncPolicy) -> Result<Self, LogError> {
        let (replacement, file) = Replacement::begin(path)?;
        let writer = Writer::create(file, header, sync)?;
        replacement.take_name()?;
        Ok(writer)
    }
}

impl<S: Storage> Writer<S> {
    /// Begins a log in empty storage. The header is durable when this returns.
    ///
    /// # Errors
    /// If the storage is not empty or fails, or the header names a kind twice or is too large.
    pub fn create(mut storage: S, header: &Header, sync: SyncPolicy) -> Result<Self, LogError> {
        let len = storage
            .len()
            .map_err(|source| io_error("measure the log", 0, source))?;
        if len > 0 {
            return Err(LogError::NotEmpty { len });
        }
        let bytes = header.to_bytes()?;
        append_all(&mut storage, 0, &bytes)?;
        storage
            .sync()
            .map_err(|source| io_error("sync the log", 0, source))?;
        let resume = Resume {
            first_seq: header.first_seq,
            next: header.first_seq,
            last_time: Time::ZERO,
            chain: header.initial_chain(),
            epoch: 0,
            offset: bytes.len() as u64,
            index: Index::new(),
            tally: Tally::default(),
        };
        Ok(Writer::resume(storage, resume, sync))
    }

    pub(crate) fn resume(storage: S, from: Resume, policy: SyncPolicy) -> Self {
        let mut block = Vec::with_capacity(CAPACITY);
        block.resize(BLOCK_HEAD, 0);
        Writer {
            storage,
            block,
            count: 0,
            first_time: from.last_time,
            next: from.next,
            last_time: from.last_time,
            tally: from.tally,
            due: 0,
            policy,
            durable: from.next,
            ended: false,
            first_seq: from.first_seq,
            index: from.index,
            epoch: from.epoch,
            chain: from.chain,
            offset: from.offset,
            synced: from.offset,
        }
    }

    /// A writer for a log that was copied and of which nothing is known to be durable.
    pub(crate) fn resume_unsynced(storage: S, from: Resume) -> Self {
        let mut writer = Writer::resume(storage, from, SyncPolicy::Never);
        (writer.durable, writer.synced) = (writer.first_seq, 0);
        writer
    }

    /// Appends one event; `encode` appends its body to the vector that it is given, and nothing
    /// else. Whether the event is durable when this returns is a matter of the [`SyncPolicy`].
    ///
    /// # Errors
    /// [`LogError::Encode`], [`LogError::TooLarge`] and [`LogError::TimeBackwards`] leave the log as it was.
    /// [`LogError::Io`] ends the writer, and every call after it is [`LogError::WriterEnded`].
    ///
    /// # Panics
    /// If `encode` takes bytes away that were there before.
    #[inline]
    pub fn append(
        &mut self,
        head: Head,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), CodecError>,
    ) -> Result<Seq, LogError> {
        let since_last = head.time.as_nanos().checked_sub(self.last_time.as_nanos());
        let Some(since_last) = since_last.filter(|_| !self.ended) else {
            return Err(self.refusal(head.time));
        };
        let start = self.block.len();
        frame::push_record_head(&mut self.block, head, since_last);
        if let Err(source) = encode(&mut self.block) {
            self.block.truncate(start);
            return Err(LogError::Encode {
                seq: self.next,
                source,
            });
        }
        let end = self.block.len();
        assert!(
            end >= start + RECORD_HEAD,
            "the encoder of a body must only append to its buffer"
        );
        let body_len = end - start - RECORD_HEAD;
        if body_len > MAX_BODY {
            self.block.truncate(start);
            return Err(too_large(body_len));
        }
        frame::set_body_len(&mut self.block[start..], body_len as u32);
        if end > FULL {
            self.spill(start)?;
        }
        self.accept(head)
    }

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// If the storage fails. That ends the writer; a failed sync is never tried again.
    pub fn sync(&mut self) -> Result<(), LogError> {
        if self.ended {
            return Err(LogError::WriterEnded);
        }
        self.seal(self.block.len())?;
        self.block.truncate(BLOCK_HEAD);
        self.sync_storage()?;
        self.durable = self.next;
        self.due = 0;
        Ok(())
    }

    /// Whether the log is to be made durable at each answer, which only whoever knows the events can tell.
    pub(crate) fn syncs_answers(&self) -> bool {
        self.policy == SyncPolicy::Answers
    }

    /// The last event that was acknowledged: this one and every one before it outlive a kill of the
    /// process and a loss of power. It never goes back, and stands still once the storage has failed.
    pub fn durable(&self) -> Option<Seq> {
        (self.durable > self.first_seq).then(|| Seq(self.durable.0 - 1))
    }

    /// What the next event will be called.
    pub fn next_seq(&self) -> Seq {
        self.next
    }

    /// Writes the footer and closes the log, which is durable when this returns.
    ///
    /// # Errors
    /// If the storage fails, or has failed before.
    pub fn close(mut self) -> Result<Closed<S>, LogError> {
        self.sync()?;
        let events = self.next.0 - self.first_seq.0;
        let footer = Footer {
            offset: self.offset,
            marks: self.index.marks().to_vec(),
            counts: self.tally.counts().collect(),
            events,
            last_time: self.last_time,
            chain: self.chain,
        };
        let (bytes, end_mark) = footer.to_bytes();
        self.write(&bytes)?;
        self.sync_storage()?;
        self.write(&end_mark)?;
        self.sync_storage()?;
        Ok(Closed {
            chain: self.chain,
            events,
            bytes: self.offset,
            storage: self.storage,
        })
    }

    /// Counts the record that now stands at the end of the block, and writes what is due.
    #[inline]
    fn accept(&mut self, head: Head) -> Result<Seq, LogError> {
        if self.count == 0 {
            self.first_time = head.time;
        }
        let seq = self.next;
        self.count += 1;
        self.next = seq.next();
        self.last_time = head.time;
        self.tally.count(head.kind);
        self.due += 1;
        let sync_is_due = match self.policy {
            SyncPolicy::Never | SyncPolicy::Answers => false,
            SyncPolicy::Interval(events) => self.due >= events,
            SyncPolicy::Every => true,
        };
        if sync_is_due {
            self.sync()?;
        } else if self.block.len() > FULL {
            self.write_large()?;
        }
        Ok(seq)
    }

    /// Writes the records before `start` as a block, and keeps the one that did not fit.
    #[cold]
    fn spill(&mut self, start: usize) -> Result<(), LogError> {
        if self.count == 0 {
            return Ok(());
        }
        self.seal(start)?;
        self.block.copy_within(start.., BLOCK_HEAD);
        self.block.truncate(self.block.len() - start + BLOCK_HEAD);
        if self.policy != SyncPolicy::Never {
            self.sync_storage()?;
            self.durable = self.next;
            self.due = 0;
        }
        Ok(())
    }

    /// Writes the block of a single record that is larger than blocks are otherwise.
    #[cold]
    fn write_large(&mut self) -> Result<(), LogError> {
        if self.policy == SyncPolicy::Never {
            self.seal(self.block.len())?;
            self.block.truncate(BLOCK_HEAD);
        } else {
            self.sync()?;
        }
        self.block.shrink_to(CAPACITY);
        Ok(())
    }

    /// Writes the block that ends at `end` in the buffer, if it has records.
    fn seal(&mut self, end: usize) -> Result<(), LogError> {
        if self.count == 0 {
            return Ok(());
        }
        let first_seq = Seq(self.next.0 - u64::from(self.count));
        let room = &mut self.block[BLOCK_HEAD - PREFIX_LEN..end];
        let chain = self.chain.follow(first_seq, self.count, room);
        let payload_len = end - BLOCK_HEAD;
        let head = BlockHead {
            payload_len: u32::try_from(payload_len).expect("a record's size was checked"),
            count: self.count,
            first_seq,
            first_time: self.first_time,
            payload_crc: crc32c::crc32c(&self.block[BLOCK_HEAD..end]),
            epoch: self.epoch,
            chain,
        };
        head.write(&mut self.block[..BLOCK_HEAD]);
        let mark = Mark {
            seq: first_seq,
            time: self.first_time,
            offset: self.offset,
        };
        let written = append_all(&mut self.storage, self.offset, &self.block[..end]);
        self.end_on_error(written)?;
        self.index.note(mark);
        self.offset += end as u64;
        self.chain = chain;
        self.count = 0;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        let written = append_all(&mut self.storage, self.offset, bytes);
        self.end_on_error(written)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn sync_storage(&mut self) -> Result<(), LogError> {
        if self.synced < self.offset {
            let synced = self.storage.sync();
            let synced = synced.map_err(|source| io_error("sync the log", self.offset, source));
            self.end_on_error(synced)?;
            self.synced = self.offset;
        }
        Ok(())
    }

    fn end_on_error<T>(&mut self, outcome: Result<T, LogError>) -> Result<T, LogError> {
        self.ended |= outcome.is_err();
        outcome
    }

    #[cold]
    fn refusal(&self, time: Time) -> LogError {
        if self.ended {
            return LogError::WriterEnded;
        }
        LogError::TimeBackwards {
            seq: self.next,
            time,
            last: self.last_time,
        }
    }
}

#[cold]
fn too_large(body_len: usize) -> LogError {
    LogError::TooLarge {
        what: "the body of an event",
        size: body_len as u64,
        limit: MAX_BODY as u64,
    }
}
