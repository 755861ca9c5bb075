//! Looks for proof that writing went on behind a place that is not sound: the head of a later
//! block, or of a footer.
//!
//! A sound head is proof enough, whatever its payload: blocks are written in order.

use super::error::LogError;
use super::footer::{FOOTER_HEAD, FOOTER_MAGIC, sound_head};
use super::frame::{BLOCK_HEAD, BLOCK_MAGIC, BlockHead};
use super::storage::{Storage, read_full};
use crate::id::Seq;

const CHUNK: u64 = 64 * 1024;
/// Before the magic of either head stands its checksum.
const CHECKSUM_LEN: usize = 4;

/// What begins at some byte.
pub(crate) enum Part {
    /// A block with this head.
    Block(BlockHead),
    /// A footer.
    Footer,
}

/// Whether any byte from `from` on begins a footer, or a block of event `seq` or later that is
/// from recovery `epoch` or later.
pub(crate) fn later_part<S: Storage>(
    storage: &S,
    from: u64,
    file_len: u64,
    seq: Seq,
    epoch: u32,
) -> Result<bool, LogError> {
    let is_later = |part: &Part| match part {
        Part::Block(head) => head.first_seq >= seq && head.epoch >= epoch,
        Part::Footer => true,
    };
    let found = find_part(storage, from, file_len, is_later)?;
    Ok(found.is_some())
}

/// The first byte from `from` on that begins a footer or a block, if its head is sound and wanted.
pub(crate) fn find_part<S: Storage>(
    storage: &S,
    from: u64,
    file_len: u64,
    mut is_wanted: impl FnMut(&Part) -> bool,
) -> Result<Option<u64>, LogError> {
    let mut chunk = vec![0; CHUNK.min(file_len.saturating_sub(from)) as usize];
    let mut at = from;
    while at < file_len {
        let len = CHUNK.min(file_len - at) as usize;
        read_full(storage, at, &mut chunk[..len])?;
        if let Some(found) = find_in(&chunk[..len], at, &mut is_wanted) {
            return Ok(Some(at + found as u64));
        }
        if at + len as u64 == file_len {
            break;
        }
        // The next chunk begins with the heads that this one cuts off.
        at += (len - BLOCK_HEAD + 1) as u64;
    }
    Ok(None)
}

fn find_in(
    chunk: &[u8],
    chunk_offset: u64,
    mut is_wanted: impl FnMut(&Part) -> bool,
) -> Option<usize> {
    let behind_checksum = chunk.get(CHECKSUM_LEN..)?;
    let mut magics = behind_checksum.windows(BLOCK_MAGIC.len()).enumerate();
    let found = magics.find(|&(at, magic)| {
        let part = if magic == BLOCK_MAGIC {
            let head = chunk[at..].first_chunk::<BLOCK_HEAD>().map(BlockHead::read);
            head.and_then(Result::ok).map(Part::Block)
        } else if magic == FOOTER_MAGIC {
            let head = chunk[at..].first_chunk::<FOOTER_HEAD>();
            head.and_then(|head| sound_head(head, chunk_offset + at as u64))
                .map(|_| Part::Footer)
        } else {
            None
        };
        part.is_some_and(|part| is_wanted(&part))
    });
    found.map(|(at, _)| at)
}
