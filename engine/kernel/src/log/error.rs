//! What can go wrong with a log. A torn tail is not here: it is an [`Ending`](super::Ending).
//!
//! Each message says where, what was expected and found, and what to do next. Which file it was is
//! added by whoever opened it, except where the path itself is the trouble.

use std::io;
use std::path::PathBuf;

use super::chain::Chain;
use crate::codec::CodecError;
use crate::id::{Seq, Time};

/// Why a log could not be written or read. An I/O error is never reported as damage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The bytes do not begin like a log.
    #[error("not a log: it begins with {found:02x?}; give a file that was written by a recorder")]
    NotALog {
        /// The first bytes, at most eight.
        found: Vec<u8>,
    },
    /// The log was written in a later format.
    #[error(
        "the log has format {found}, this program reads up to {supported}: use a newer version of the program"
    )]
    NewerFormat {
        /// Format version of the log.
        found: u16,
        /// Highest format version that this program reads.
        supported: u16,
    },
    /// Something that this program does not know, such as a compression.
    #[error(
        "at byte {offset}: {what} {value} is not known here, only {supported}: use a program that writes it"
    )]
    Unsupported {
        /// Where the block or header begins, in bytes.
        offset: u64,
        /// What it is that has the value.
        what: &'static str,
        /// The value found.
        value: u64,
        /// What would have been understood.
        supported: &'static str,
    },
    /// Bytes that were written are no longer what they were.
    #[error(
        "the log is damaged at byte {offset}, at event {seq}: {what}; the events before it are sound, salvage copies them into a new log"
    )]
    Damaged {
        /// Where the damaged part begins, in bytes.
        offset: u64,
        /// The event that should have stood there.
        seq: Seq,
        /// What does not hold.
        what: &'static str,
    },
    /// What stands at the beginning is no longer what it was. Nothing behind it can be tied to a run.
    #[error(
        "the header of the log is damaged at byte {offset}: {what}; nothing can be read without it: take another copy of the log, or make the run again"
    )]
    HeaderDamaged {
        /// Where, in bytes.
        offset: u64,
        /// What does not hold.
        what: &'static str,
    },
    /// A sound block that does not carry the next sequence number: one was deleted, moved or repeated.
    #[error(
        "at byte {offset} the log goes on with event {found} where event {expected} belongs: a block was removed, moved or repeated; salvage copies the events before it into a new log"
    )]
    Gap {
        /// Where the block begins, in bytes.
        offset: u64,
        /// The sequence number that belongs there.
        expected: Seq,
        /// The sequence number found.
        found: Seq,
    },
    /// A sound block that does not follow from what stands before it: it belongs to another history.
    #[error(
        "at byte {offset}, at event {seq}, the log goes on from another history: chain {found} where {expected} follows; salvage copies the events before it into a new log"
    )]
    Fork {
        /// Where the block begins, in bytes.
        offset: u64,
        /// The first event of the block.
        seq: Seq,
        /// The chain that follows from what stands before.
        expected: Chain,
        /// The chain that the block carries.
        found: Chain,
    },
    /// No such event in this log.
    #[error(
        "there is no event {seq}: the log holds events from {first} up to, not including, {end}"
    )]
    NoSuchEvent {
        /// The event that was asked for.
        seq: Seq,
        /// The first event of the log.
        first: Seq,
        /// One after the last event of the log.
        end: Seq,
    },
    /// Somebody else is writing this log.
    #[error("{} is being written by another process: wait until it ends, or write to another file", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A symbolic link, folder, pipe or device where a log should be.
    #[error("{} is {found}, not a regular file: give the path of the log itself", path.display())]
    NotRegularFile {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },
    /// There is a file of this name already.
    #[error("{} exists already: choose another name, or ask for it to be replaced", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The storage for a new log holds something.
    #[error("a new log needs empty storage, this holds {len} bytes: recover it, or give another")]
    NotEmpty {
        /// Its length in bytes.
        len: u64,
    },
    /// A file could not be opened, created or renamed.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The storage failed. Nothing is known about the bytes; they are not called damaged.
    #[error(
        "cannot {doing} at byte {offset}: {source}; see to the disk and try again, what was acknowledged before is in the log"
    )]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where, in bytes.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Something has more bytes than the format holds.
    #[error("{what} takes {size} bytes, the log holds at most {limit}: make it smaller")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The header of a new log contradicts itself.
    #[error("the header names kind {kind} twice: give each kind one entry")]
    KindTwice {
        /// The kind that has two entries.
        kind: u16,
    },
    /// An event lies before the one that was appended last.
    #[error(
        "event {seq} is at {time}, before the last one at {last}: append events in the order of their times"
    )]
    TimeBackwards {
        /// The event.
        seq: Seq,
        /// Its virtual time.
        time: Time,
        /// The virtual time of the event before it.
        last: Time,
    },
    /// The body of an event could not be encoded. The log goes on without it.
    #[error("event {seq} cannot be encoded: {source}")]
    Encode {
        /// The event.
        seq: Seq,
        /// Why not.
        source: CodecError,
    },
    /// The writer ended at an earlier error.
    #[error("this writer ended when the storage failed: recover the log to go on with it")]
    WriterEnded,
    /// A log that is closed is not written to any more.
    #[error(
        "the log is closed with {events} events, there is nothing to recover: go on in a new segment"
    )]
    AlreadyClosed {
        /// How many events it holds.
        events: u64,
    },
    /// There is not enough memory for one block or footer.
    #[error("cannot allocate {bytes} bytes for the part at byte {offset}: free some memory")]
    OutOfMemory {
        /// Where the part begins, in bytes.
        offset: u64,
        /// How much was asked for, in bytes.
        bytes: usize,
    },
}
