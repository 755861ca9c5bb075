//! Goes on with a log that was not closed.

use std::path::Path;

use super::blocks::Blocks;
use super::ending::Ending;
use super::error::LogError;
use super::file::File;
use super::storage::{Storage, cut, io_error, write_again};
use super::survey::Survey;
use super::writer::{SyncPolicy, Writer};

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
/// left durable, also where the writer before ended at a sync that failed. Doing it twice is the
/// same as doing it once.
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
        cut(&mut blocks.storage, offset)?;
    }
    // Whoever wrote it may have ended at a sync that failed, and then the last block is perhaps on no
    // disk, however well it reads. With a policy that syncs, no block before it can be missing.
    write_again(&mut blocks.storage, survey.last, survey.position.offset)?;
    blocks
        .storage
        .sync()
        .map_err(|source| io_error("sync the log", offset, source))?;
    let events = survey.position.seq.0 - start.seq.0;
    let writer = Writer::resume(blocks.storage, survey.resume(start.seq), sync);
    Ok((writer, Recovered { events, dropped }))
}
