//! The footer of a closed log: sparse index, counts, totals; and the end mark behind it.
//!
//! The end mark is written when the footer is durable. So a file that has its end mark was closed,
//! and whatever does not hold in it is damage; a footer without one is a torn write.

use super::bytes::Fields;
use super::chain::Chain;
use super::error::LogError;
use super::index::{MAX_MARKS, Mark};
use super::storage::{Storage, read_full};
use crate::id::{Seq, Time};

/// Bytes of the footer's head.
pub(crate) const FOOTER_HEAD: usize = 24;
/// Bytes of the end mark.
pub(crate) const END_MARK: usize = 16;
pub(crate) const FOOTER_MAGIC: [u8; 4] = *b"DFTR";
/// The first and the last bytes of the end mark. The outermost bytes have more than one bit set each, so
/// that no single flipped bit makes a mark look partly unwritten.
const MARK_MAGIC: [u8; 4] = *b"DEND";
const END_MAGIC: [u8; 4] = *b"\r\n\x1a\n";
const MARK_LEN: usize = 24;
const COUNT_LEN: usize = 10;
/// Total length, events, last time, final chain, checksum.
const TOTALS_LEN: usize = 8 + 8 + 8 + 16 + 4;
const MAX_KINDS: usize = 1 << 16;

/// What a closed log says about itself at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Where it begins, in bytes: the end of the last block.
    pub(crate) offset: u64,
    pub(crate) marks: Vec<Mark>,
    /// Kinds in ascending order, with the number of their records.
    pub(crate) counts: Vec<(u16, u64)>,
    pub(crate) events: u64,
    /// Virtual time of the last event; zero if there is none.
    pub(crate) last_time: Time,
    /// The chain after the last block.
    pub(crate) chain: Chain,
}

impl Footer {
    /// The footer and, apart from it, the end mark.
    pub(crate) fn to_bytes(&self) -> (Vec<u8>, [u8; END_MARK]) {
        let len = footer_len(self.marks.len(), self.counts.len());
        let mut out = Vec::with_capacity(len);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&FOOTER_MAGIC);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&(self.marks.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.counts.len() as u32).to_le_bytes());
        let checksum = crc32c::crc32c(&out[4..]);
        out[..4].copy_from_slice(&checksum.to_le_bytes());
        for mark in &self.marks {
            out.extend_from_slice(&mark.seq.0.to_le_bytes());
            out.extend_from_slice(&mark.time.as_nanos().to_le_bytes());
            out.extend_from_slice(&mark.offset.to_le_bytes());
        }
        for (kind, count) in &self.counts {
            out.extend_from_slice(&kind.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
        }
        out.extend_from_slice(&self.file_len().to_le_bytes());
        out.extend_from_slice(&self.events.to_le_bytes());
        out.extend_from_slice(&self.last_time.as_nanos().to_le_bytes());
        out.extend_from_slice(&self.chain.0);
        let checksum = crc32c::crc32c(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        (out, end_mark(self.offset))
    }

    /// The length of the whole closed log in bytes.
    pub(crate) fn file_len(&self) -> u64 {
        let len = footer_len(self.marks.len(), self.counts.len());
        self.offset + len as u64 + END_MARK as u64
    }

    /// The footer that begins at `offset`, if its head says so and its checksum holds.
    ///
    /// The outer `None` means that no footer begins there, the inner that a sound head is followed
    /// by something else.
    pub(crate) fn read<S: Storage>(
        storage: &S,
        offset: u64,
        file_len: u64,
    ) -> Result<Option<FooterFound>, LogError> {
        let left = file_len.saturating_sub(offset);
        if left < FOOTER_HEAD as u64 {
            return Ok(None);
        }
        let mut head = [0; FOOTER_HEAD];
        read_full(storage, offset, &mut head)?;
        let Some(len) = sound_head(&head, offset) else {
            return Ok(None);
        };
        let end = offset + len as u64 + END_MARK as u64;
        if (len as u64) > left {
            return Ok(Some(FooterFound { end, footer: None }));
        }
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(len)
            .map_err(|_| LogError::OutOfMemory { offset, bytes: len })?;
        bytes.resize(len, 0);
        read_full(storage, offset, &mut bytes)?;
        let footer = parse(&bytes)
            .filter(|(_, total)| *total == end)
            .map(|(footer, _)| footer);
        Ok(Some(FooterFound { end, footer }))
    }

    /// Whether the index is one of a log whose first block begins at `start` with `first_seq`.
    pub(crate) fn index_fits(&self, start: u64, first_seq: Seq) -> bool {
        let lowest = self.marks.first();
        let highest = self.marks.last();
        lowest.is_none_or(|mark| mark.offset >= start && mark.seq >= first_seq)
            && highest.is_none_or(|mark| mark.offset < self.offset)
            && self
                .marks
                .windows(2)
                .all(|at| at[0].offset < at[1].offset && at[0].seq < at[1].seq)
    }
}

/// A place where a footer begins.
pub(crate) struct FooterFound {
    /// Where the file ends that has this footer.
    pub(crate) end: u64,
    /// Its content, if it is complete and sound.
    pub(crate) footer: Option<Footer>,
}

/// What a file ends with that was closed with a footer at `offset`.
fn end_mark(offset: u64) -> [u8; END_MARK] {
    let mut mark = [0; END_MARK];
    mark[..4].copy_from_slice(&MARK_MAGIC);
    mark[4..12].copy_from_slice(&offset.to_le_bytes());
    mark[12..].copy_from_slice(&END_MAGIC);
    mark
}

/// Where the footer begins, according to the last bytes of a file, if they are an end mark.
pub(crate) fn read_end_mark(bytes: &[u8; END_MARK]) -> Option<u64> {
    let mut fields = Fields(bytes);
    let magic = fields.array::<4>()?;
    let offset = fields.u64()?;
    (magic == MARK_MAGIC && fields.0 == END_MAGIC).then_some(offset)
}

/// Whether the writing of an end mark behind a footer at `offset` left these bytes and did not come
/// to its end: what is missing at one side is zero, as the space of a grown file is.
pub(crate) fn is_torn_mark(bytes: &[u8; END_MARK], offset: u64) -> bool {
    let whole = end_mark(offset);
    let is_unwritten = |part: &[u8]| part.iter().all(|byte| *byte == 0);
    (0..END_MARK).any(|at| bytes[..at] == whole[..at] && is_unwritten(&bytes[at..]))
        || (1..END_MARK).any(|at| is_unwritten(&bytes[..at]) && bytes[at..] == whole[at..])
}

/// Whether the head of a footer is whole and says that it begins at `offset`; the footer's length
/// without the end mark.
pub(crate) fn sound_head(head: &[u8; FOOTER_HEAD], offset: u64) -> Option<usize> {
    let mut fields = Fields(head);
    let checksum = fields.u32()?;
    if checksum != crc32c::crc32c(&head[4..]) || fields.array()? != FOOTER_MAGIC {
        return None;
    }
    let (at, marks, kinds) = (
        fields.u64()?,
        fields.u32()? as usize,
        fields.u32()? as usize,
    );
    (at == offset && marks <= MAX_MARKS && kinds <= MAX_KINDS).then(|| footer_len(marks, kinds))
}

fn footer_len(marks: usize, kinds: usize) -> usize {
    FOOTER_HEAD + marks * MARK_LEN + kinds * COUNT_LEN + TOTALS_LEN
}

/// The footer and the total length of the file, if the checksum holds.
fn parse(bytes: &[u8]) -> Option<(Footer, u64)> {
    let (body, checksum) = bytes.split_last_chunk::<4>()?;
    if u32::from_le_bytes(*checksum) != crc32c::crc32c(body) {
        return None;
    }
    let mut fields = Fields(&body[8..]);
    let (offset, mark_count, kind_count) = (fields.u64()?, fields.u32()?, fields.u32()?);
    let marks = (0..mark_count)
        .map(|_| parse_mark(&mut fields))
        .collect::<Option<Vec<_>>>()?;
    let counts = (0..kind_count)
        .map(|_| Some((fields.u16()?, fields.u64()?)))
        .collect::<Option<Vec<_>>>()?;
    let total = fields.u64()?;
    let events = fields.u64()?;
    let last_time = Time::from_nanos(fields.u64()?);
    let chain = Chain(fields.array()?);
    Some((
        Footer {
            offset,
            marks,
            counts,
            events,
            last_time,
            chain,
        },
        total,
    ))
}

fn parse_mark(fields: &mut Fields<'_>) -> Option<Mark> {
    Some(Mark {
        seq: Seq(fields.u64()?),
        time: Time::from_nanos(fields.u64()?),
        offset: fields.u64()?,
    })
}
