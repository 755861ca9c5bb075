//! Copies what is sound out of a log that is damaged, and tells what is left behind.
//!
//! A log is a chain: nothing behind the first damage can be folded or replayed, so nothing of it is
//! copied. What of it is still whole is told in `lost`.

use std::ops::Range;

use super::blocks::Blocks;
use super::chain::Chain;
use super::ending::Ending;
use super::error::LogError;
use super::header::Header;
use super::lost::{Lost, lost_parts};
use super::storage::{Storage, append_all, io_error, read_full};
use super::survey::Survey;
use super::writer::{Closed, Writer};
use crate::id::Seq;

/// A log of which everything has been read, and what can be kept of it.
#[derive(Debug)]
pub struct Salvage<S> {
    header: Header,
    storage: S,
    survey: Survey,
    state: Result<Ending, LogError>,
    lost: Vec<Lost>,
}

/// What was copied out of a log.
#[derive(Debug)]
pub struct Salvaged<T> {
    /// How many events were copied.
    pub events: u64,
    /// How many bytes behind them were left, a footer included.
    pub left: u64,
    /// The final chain of the new log.
    pub chain: Chain,
    /// Why the copy ends where it ends; `None` if the log was sound or only torn.
    pub damage: Option<LogError>,
    /// The new log, closed.
    pub storage: T,
}

impl<S: Storage> Salvage<S> {
    /// Reads all of a log. Nothing is written.
    ///
    /// # Errors
    /// If this is not a log, its header is damaged, it was written by a later program, or the storage
    /// fails: then nothing can be told of it.
    pub fn survey(storage: S) -> Result<Salvage<S>, LogError> {
        let (header, blocks, start) = Blocks::open(storage)?;
        let mut survey = Survey::new(start);
        let state = match survey.run(&blocks) {
            Err(
                error @ (LogError::Io { .. }
                | LogError::OutOfMemory { .. }
                | LogError::Unsupported { .. }),
            ) => return Err(error),
            state => state,
        };
        let lost = lost_parts(&blocks, &survey.position, state.as_ref().ok())?;
        Ok(Salvage {
            header,
            storage: blocks.storage,
            survey,
            state,
            lost,
        })
    }

    /// How the log ends, or what is wrong with it.
    ///
    /// # Errors
    /// The first damage.
    pub fn state(&self) -> Result<&Ending, &LogError> {
        self.state.as_ref()
    }

    /// The events that can be kept: from, up to and not including.
    pub fn events(&self) -> Range<Seq> {
        self.header.first_seq..self.survey.position.seq
    }

    /// Where the last of them ends, in bytes from the beginning of the log.
    pub fn sound_bytes(&self) -> u64 {
        self.survey.position.offset
    }

    /// What stands behind it, part by part. Nothing if the log was closed and is sound.
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// The chain after the last event that can be kept.
    pub fn chain(&self) -> Chain {
        self.survey.position.chain
    }

    /// Copies what can be kept into empty storage. The copy is durable and not closed, like a log
    /// that was cut off there: it does not claim that nothing is missing, and can be gone on with.
    ///
    /// # Errors
    /// If either storage fails, or the new one is not empty.
    pub fn copy_into<T: Storage>(&self, into: T) -> Result<T, LogError> {
        let mut into = self.copied(into)?;
        let synced = into.sync();
        synced.map_err(|source| io_error("sync the new log", self.sound_bytes(), source))?;
        Ok(into)
    }

    /// The same, closed: for whoever knows that the last event is the last of its run.
    ///
    /// # Errors
    /// If either storage fails, or the new one is not empty.
    pub fn copy_closed<T: Storage>(&self, into: T) -> Result<Closed<T>, LogError> {
        let into = self.copied(into)?;
        // Closing syncs what it finds before it writes the footer.
        let resume = self.survey.resume(self.header.first_seq);
        Writer::resume_unsynced(into, resume).close()
    }

    fn copied<T: Storage>(&self, mut into: T) -> Result<T, LogError> {
        let in_it = into
            .len()
            .map_err(|source| io_error("measure the new log", 0, source))?;
        if in_it > 0 {
            return Err(LogError::NotEmpty { len: in_it });
        }
        copy(&self.storage, &mut into, self.sound_bytes())?;
        Ok(into)
    }
}

/// Copies a log up to its first damage into empty storage and closes the copy. The log itself stays
/// as it is.
///
/// # Errors
/// Those of [`Salvage::survey`] and [`Salvage::copy_closed`].
pub fn salvage<S: Storage, T: Storage>(from: S, into: T) -> Result<Salvaged<T>, LogError> {
    let survey = Salvage::survey(from)?;
    let closed = survey.copy_closed(into)?;
    let len = survey
        .storage
        .len()
        .map_err(|source| io_error("measure the log", 0, source))?;
    Ok(Salvaged {
        events: closed.events,
        left: len - survey.sound_bytes(),
        chain: closed.chain,
        damage: survey.state.err(),
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
