//! The fixed-width frames: a block's head and a record's head.
//!
//! Whether a block stands in the right place is the business of whoever reads it.

use super::bytes::Fields;
use super::chain::Chain;
use crate::codec::MAX_BODY;
use crate::id::{Seq, Time};

/// Bytes of a block's head.
pub(crate) const BLOCK_HEAD: usize = 64;
/// Bytes of a record's head.
pub(crate) const RECORD_HEAD: usize = 16;
/// The most bytes of records in a block, unless it holds a single larger one.
pub(crate) const BLOCK_PAYLOAD: usize = 64 * 1024;
/// The most bytes of records in any block.
pub(crate) const MAX_PAYLOAD: usize = RECORD_HEAD + MAX_BODY;
pub(crate) const BLOCK_MAGIC: [u8; 4] = *b"DBLK";

/// How the bodies are encoded: 0 is bincode 2, `standard()`.
const CODEC: u8 = 0;
/// How the payload is compressed: 0 is not at all.
const COMPRESSION: u8 = 0;

/// What a record says about itself besides its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What happened; the log's header has its name.
    pub kind: u16,
    /// The version of the body.
    pub version: u8,
    /// For whoever appends; the log only keeps it.
    pub flags: u8,
    /// When it happened: absolute virtual time. Stored as the difference from the record before.
    pub time: Time,
}

/// Appends a record's head whose body length is filled in later by [`set_body_len`].
#[inline]
pub(crate) fn push_record_head(out: &mut Vec<u8>, head: Head, since_last_ns: u64) {
    let mut bytes = [0; RECORD_HEAD];
    bytes[4..6].copy_from_slice(&head.kind.to_le_bytes());
    bytes[6] = head.version;
    bytes[7] = head.flags;
    bytes[8..].copy_from_slice(&since_last_ns.to_le_bytes());
    out.extend_from_slice(&bytes);
}

#[inline]
pub(crate) fn set_body_len(record: &mut [u8], len: u32) {
    record[..4].copy_from_slice(&len.to_le_bytes());
}

/// The first record in `bytes`: its head, with the time counted from `last`, and its body.
#[inline]
pub(crate) fn split_record(bytes: &[u8], last: Time) -> Option<(Head, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<RECORD_HEAD>()?;
    let [l0, l1, l2, l3, k0, k1, version, flags, since @ ..] = *head;
    let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let body = rest.get(..len)?;
    let time = last.as_nanos().checked_add(u64::from_le_bytes(since))?;
    let kind = u16::from_le_bytes([k0, k1]);
    Some((
        Head {
            kind,
            version,
            flags,
            time: Time::from_nanos(time),
        },
        body,
    ))
}

/// What a block says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHead {
    pub(crate) payload_len: u32,
    pub(crate) count: u32,
    pub(crate) first_seq: Seq,
    pub(crate) first_time: Time,
    pub(crate) payload_crc: u32,
    pub(crate) epoch: u32,
    /// The chain after this block.
    pub(crate) chain: Chain,
}

/// Why 64 bytes are not the head of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHead {
    /// They never were, or were only partly written, or have changed.
    Unsound,
    /// They are as they were written, but this program does not know one of the values.
    Unsupported {
        what: &'static str,
        value: u64,
        supported: &'static str,
    },
    /// They are as they were written, but no writer of ours writes this.
    Impossible,
}

impl BlockHead {
    pub(crate) fn write(&self, out: &mut [u8]) {
        out[4..8].copy_from_slice(&BLOCK_MAGIC);
        out[8] = CODEC;
        out[9] = COMPRESSION;
        out[10..12].fill(0);
        out[12..16].copy_from_slice(&self.payload_len.to_le_bytes());
        out[16..20].copy_from_slice(&self.payload_len.to_le_bytes());
        out[20..24].copy_from_slice(&self.count.to_le_bytes());
        out[24..32].copy_from_slice(&self.first_seq.0.to_le_bytes());
        out[32..40].copy_from_slice(&self.first_time.as_nanos().to_le_bytes());
        out[40..44].copy_from_slice(&self.payload_crc.to_le_bytes());
        out[44..48].copy_from_slice(&self.epoch.to_le_bytes());
        out[48..BLOCK_HEAD].copy_from_slice(&self.chain.0);
        let checksum = crc32c::crc32c(&out[4..BLOCK_HEAD]);
        out[..4].copy_from_slice(&checksum.to_le_bytes());
    }

    pub(crate) fn read(bytes: &[u8; BLOCK_HEAD]) -> Result<BlockHead, BadHead> {
        let checksum = crc32c::crc32c(&bytes[4..]).to_le_bytes();
        if bytes[..4] != checksum || bytes[4..8] != BLOCK_MAGIC {
            return Err(BadHead::Unsound);
        }
        read_fields(&bytes[8..]).ok_or(BadHead::Impossible)?
    }

    /// Bytes from the beginning of this block to the next one.
    pub(crate) fn block_len(&self) -> u64 {
        BLOCK_HEAD as u64 + u64::from(self.payload_len)
    }

    /// Whether a writer of ours could have written a block of this shape.
    fn is_possible(&self) -> bool {
        let (len, count) = (self.payload_len as usize, self.count as usize);
        let fits = if count == 1 {
            len <= MAX_PAYLOAD
        } else {
            len <= BLOCK_PAYLOAD
        };
        let seqs_fit = self
            .first_seq
            .0
            .checked_add(u64::from(self.count))
            .is_some();
        count > 0 && fits && seqs_fit && count * RECORD_HEAD <= len
    }
}

/// `None` if the fields contradict each other.
fn read_fields(bytes: &[u8]) -> Option<Result<BlockHead, BadHead>> {
    let mut fields = Fields(bytes);
    let (codec, compression, reserved) = (fields.u8()?, fields.u8()?, fields.u16()?);
    let known = [
        ("codec", u64::from(codec), "0 (bincode 2, standard)"),
        ("compression", u64::from(compression), "0 (none)"),
        ("block flag", u64::from(reserved), "0"),
    ];
    if let Some(&(what, value, supported)) = known.iter().find(|(_, value, _)| *value != 0) {
        return Some(Err(BadHead::Unsupported {
            what,
            value,
            supported,
        }));
    }
    let (payload_len, raw_len) = (fields.u32()?, fields.u32()?);
    let head = BlockHead {
        payload_len,
        count: fields.u32()?,
        first_seq: Seq(fields.u64()?),
        first_time: Time::from_nanos(fields.u64()?),
        payload_crc: fields.u32()?,
        epoch: fields.u32()?,
        chain: Chain(fields.array()?),
    };
    (raw_len == payload_len && head.is_possible()).then_some(Ok(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> BlockHead {
        BlockHead {
            payload_len: 96,
            count: 2,
            first_seq: Seq(7),
            first_time: Time::from_micros(5),
            payload_crc: 0xDEAD_BEEF,
            epoch: 3,
            chain: Chain([9; 16]),
        }
    }

    fn written(head: BlockHead) -> [u8; BLOCK_HEAD] {
        let mut bytes = [0xFF; BLOCK_HEAD];
        head.write(&mut bytes);
        bytes
    }

    /// Changes a head and makes its checksum fit again, as a hostile writer would.
    fn forged(change: impl FnOnce(&mut [u8; BLOCK_HEAD])) -> Result<BlockHead, BadHead> {
        let mut bytes = written(head());
        change(&mut bytes);
        let checksum = crc32c::crc32c(&bytes[4..]);
        bytes[..4].copy_from_slice(&checksum.to_le_bytes());
        BlockHead::read(&bytes)
    }

    #[test]
    fn a_head_comes_back() {
        assert_eq!(BlockHead::read(&written(head())), Ok(head()));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        for bit in 0..BLOCK_HEAD * 8 {
            let mut bytes = written(head());
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(BlockHead::read(&bytes), Err(BadHead::Unsound), "bit {bit}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (at, name) in [(8, "codec"), (9, "compression"), (11, "block flag")] {
            let refused = forged(|bytes| bytes[at] = 1);
            assert!(matches!(refused, Err(BadHead::Unsupported { what, .. }) if what == name));
        }
    }

    #[test]
    fn shapes_that_no_writer_makes_are_refused() {
        let put = |at: usize, value: u32| {
            move |bytes: &mut [u8; BLOCK_HEAD]| {
                bytes[at..at + 4].copy_from_slice(&value.to_le_bytes())
            }
        };
        assert_eq!(forged(put(20, 0)), Err(BadHead::Impossible), "no records");
        assert_eq!(
            forged(put(20, 7)),
            Err(BadHead::Impossible),
            "more records than fit"
        );
        assert_eq!(
            forged(put(16, 97)),
            Err(BadHead::Impossible),
            "raw length differs"
        );
        let both = |len: u32| {
            move |bytes: &mut [u8; BLOCK_HEAD]| {
                put(12, len)(bytes);
                put(16, len)(bytes);
            }
        };
        assert_eq!(
            forged(both(BLOCK_PAYLOAD as u32 + 1)),
            Err(BadHead::Impossible),
            "too long"
        );
        let overflow = |bytes: &mut [u8; BLOCK_HEAD]| bytes[24..32].fill(0xFF);
        assert_eq!(
            forged(overflow),
            Err(BadHead::Impossible),
            "numbers overflow"
        );
    }
}
