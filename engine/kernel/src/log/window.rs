//! A part of the storage in memory: one block, and as much of what follows as costs no second read.

use super::error::LogError;
use super::frame::{BLOCK_HEAD, BLOCK_PAYLOAD};
use super::storage::{Storage, read_full};

/// A full block and the head of the next one.
const READ_AHEAD: u64 = (BLOCK_HEAD + BLOCK_PAYLOAD + BLOCK_HEAD) as u64;

/// Bytes of the storage from some offset on.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    /// Where in the storage the bytes begin.
    start: u64,
    /// How many of them were read from there.
    filled: usize,
}

impl Window {
    /// Sees to it that the `len` bytes at `offset` are here, and says where. They end at or before
    /// `limit`, up to which it may read ahead; the caller has checked that.
    pub(crate) fn hold<S: Storage>(
        &mut self,
        storage: &S,
        offset: u64,
        len: usize,
        limit: u64,
    ) -> Result<usize, LogError> {
        let end = offset + len as u64;
        if offset < self.start || end > self.start + self.filled as u64 {
            let wanted = (len as u64).max(READ_AHEAD).min(limit - offset) as usize;
            self.fill(storage, offset, wanted)?;
        }
        Ok((offset - self.start) as usize)
    }

    fn fill<S: Storage>(&mut self, storage: &S, offset: u64, len: usize) -> Result<(), LogError> {
        self.filled = 0;
        if len > self.bytes.len() {
            let more = len - self.bytes.len();
            let reserved = self.bytes.try_reserve_exact(more);
            reserved.map_err(|_| LogError::OutOfMemory { offset, bytes: len })?;
            self.bytes.resize(len, 0);
        }
        read_full(storage, offset, &mut self.bytes[..len])?;
        (self.start, self.filled) = (offset, len);
        Ok(())
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}
