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

/// Whether any byte from `from` on begins a footer, or a block of event `seq` or later that is
/// from recovery `epoch` or later.
pub(crate) fn later_part<S: Storage>(
    storage: &S,
    from: u64,
    file_len: u64,
    seq: Seq,
    epoch: u32,
) -> Result<bool, LogError> {
    let mut chunk = vec![0; CHUNK.min(file_len.saturating_sub(from)) as usize];
    let mut at = from;
    while at < file_len {
        let len = CHUNK.min(file_len - at) as usize;
        read_full(storage, at, &mut chunk[..len])?;
        if holds_later_part(&chunk[..len], at, seq, epoch) {
            return Ok(true);
        }
        if at + len as u64 == file_len {
            break;
        }
        // The next chunk begins with the heads that this one cuts off.
        at += (len - BLOCK_HEAD + 1) as u64;
    }
    Ok(false)
}

fn holds_later_part(chunk: &[u8], chunk_offset: u64, seq: Seq, epoch: u32) -> bool {
    let Some(behind_checksum) = chunk.get(CHECKSUM_LEN..) else {
        return false;
    };
    behind_checksum
        .windows(BLOCK_MAGIC.len())
        .enumerate()
        .any(|(at, magic)| {
            if magic == BLOCK_MAGIC {
                let head = chunk[at..].first_chunk::<BLOCK_HEAD>().map(BlockHead::read);
                matches!(head, Some(Ok(head)) if head.first_seq >= seq && head.epoch >= epoch)
            } else if magic == FOOTER_MAGIC {
                let head = chunk[at..].first_chunk::<FOOTER_HEAD>();
                head.is_some_and(|head| sound_head(head, chunk_offset + at as u64).is_some())
            } else {
                false
            }
        })
}
