//! A log as a row of blocks: is the next one sound, and does it follow?
//!
//! It looks into a block's payload only to check it; records are read elsewhere. What it means that
//! a block is not sound is told in `tail`.

use super::chain::{Chain, PREFIX_LEN};
use super::ending::Ending;
use super::error::LogError;
use super::footer::{END_MARK, Footer, read_end_mark};
use super::frame::{BLOCK_HEAD, BadHead, BlockHead, split_record};
use super::header::Header;
use super::storage::{Storage, io_error, read_full};
use super::window::Window;
use crate::id::{Seq, Time};

/// A place between two blocks, and what is known of everything before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) offset: u64,
    /// The event that comes next.
    pub(crate) seq: Seq,
    /// The time of the event before, unless blocks were skipped unread.
    pub(crate) time: Option<Time>,
    pub(crate) chain: Chain,
    pub(crate) epoch: u32,
}

impl Position {
    /// The place behind a block that begins here; the times in it have not been looked at.
    pub(crate) fn after(&self, head: &BlockHead) -> Position {
        Position {
            offset: self.offset + head.block_len(),
            seq: Seq(self.seq.0 + u64::from(head.count)),
            time: None,
            chain: head.chain,
            epoch: head.epoch,
        }
    }
}

/// What stands at a position.
pub(crate) enum Next {
    Block(Block),
    End(Ending),
}

/// A block that is sound and in its place.
pub(crate) struct Block {
    pub(crate) head: BlockHead,
    /// Where the payload begins in the window.
    pub(crate) at: usize,
    /// The time from which the first record counts.
    pub(crate) base: Time,
}

/// A block's head at a position.
enum HeadAt {
    Sound(BlockHead),
    /// Not whole. Whatever was written after it begins at or behind `resume`.
    Unsound {
        what: &'static str,
        resume: u64,
    },
}

/// The blocks of a log.
#[derive(Debug)]
pub(crate) struct Blocks<S> {
    pub(crate) storage: S,
    pub(crate) footer: Option<Footer>,
    first_seq: Seq,
    pub(super) file_len: u64,
    /// Whether the file ends like a closed log, be its footer sound or not.
    pub(super) ends_with_mark: bool,
}

impl<S: Storage> Blocks<S> {
    /// Reads the header and, if there is one, the footer.
    pub(crate) fn open(storage: S) -> Result<(Header, Blocks<S>, Position), LogError> {
        let file_len = storage
            .len()
            .map_err(|source| io_error("measure the log", 0, source))?;
        let (header, offset) = Header::read(&storage, file_len)?;
        let marked = marked_footer(&storage, offset, file_len)?;
        let footer = match marked {
            Some(at) if (offset..file_len).contains(&at) => Footer::read(&storage, at, file_len)?
                .filter(|found| found.end == file_len)
                .and_then(|found| found.footer),
            _ => None,
        };
        let start = Position {
            offset,
            seq: header.first_seq,
            time: Some(Time::ZERO),
            chain: header.initial_chain(),
            epoch: 0,
        };
        if let Some(footer) = footer
            .as_ref()
            .filter(|at| !at.index_fits(offset, header.first_seq))
        {
            let (offset, seq) = (footer.offset, header.first_seq);
            let what = "the index in the footer contradicts itself";
            return Err(LogError::Damaged { offset, seq, what });
        }
        let first_seq = header.first_seq;
        let blocks = Blocks {
            storage,
            footer,
            first_seq,
            file_len,
            ends_with_mark: marked.is_some(),
        };
        Ok((header, blocks, start))
    }

    /// The block at `position`, checked and held in `window`; or how the log ends there.
    pub(crate) fn read(&self, window: &mut Window, position: &Position) -> Result<Next, LogError> {
        let limit = self.limit();
        if position.offset == limit {
            return self.end(position).map(Next::End);
        }
        let head = if limit - position.offset < BLOCK_HEAD as u64 {
            HeadAt::Unsound {
                what: HEAD_CUT,
                resume: limit,
            }
        } else {
            let at = window.hold(&self.storage, position.offset, BLOCK_HEAD, limit)?;
            self.check_head(&window.bytes()[at..], position)?
        };
        let head = match head {
            HeadAt::Sound(head) => head,
            HeadAt::Unsound { what, resume } => {
                return self.tail(position, what, resume).map(Next::End);
            }
        };
        let len = head.block_len();
        let begin = window.hold(&self.storage, position.offset, len as usize, limit)?;
        let at = begin + BLOCK_HEAD;
        let block = &mut window.bytes_mut()[begin..begin + len as usize];
        if crc32c::crc32c(&block[BLOCK_HEAD..]) != head.payload_crc {
            let resume = position.offset + len;
            return self
                .tail(
                    position,
                    "the checksum of a block's records does not match",
                    resume,
                )
                .map(Next::End);
        }
        self.check_chain(block, &head, position)?;
        let base = self.base_time(&block[BLOCK_HEAD..], &head, position)?;
        Ok(Next::Block(Block { head, at, base }))
    }

    /// The place before the block that holds `seq`, or the end of the log, from `position` on;
    /// without a look at payloads.
    pub(crate) fn skip_to(&self, mut position: Position, seq: Seq) -> Result<Position, LogError> {
        while let Some(head) = self.head_only(&position)? {
            if seq.0 < position.seq.0 + u64::from(head.count) {
                return Ok(position);
            }
            position = position.after(&head);
        }
        Ok(position)
    }

    /// The head of the block at `position`; `None` where the log ends.
    pub(crate) fn head_only(&self, position: &Position) -> Result<Option<BlockHead>, LogError> {
        let limit = self.limit();
        if position.offset == limit {
            self.end(position)?;
            return Ok(None);
        }
        let mut bytes = [0; BLOCK_HEAD];
        let head = if limit - position.offset < BLOCK_HEAD as u64 {
            HeadAt::Unsound {
                what: HEAD_CUT,
                resume: limit,
            }
        } else {
            read_full(&self.storage, position.offset, &mut bytes)?;
            self.check_head(&bytes, position)?
        };
        match head {
            HeadAt::Sound(head) => Ok(Some(head)),
            HeadAt::Unsound { what, resume } => self.tail(position, what, resume).map(|_| None),
        }
    }

    /// An error that says that the log is damaged at `position`.
    pub(crate) fn damaged(&self, position: &Position, what: &'static str) -> LogError {
        LogError::Damaged {
            offset: position.offset,
            seq: position.seq,
            what,
        }
    }

    /// Where the blocks end.
    fn limit(&self) -> u64 {
        self.footer
            .as_ref()
            .map_or(self.file_len, |footer| footer.offset)
    }

    fn check_head(&self, bytes: &[u8], position: &Position) -> Result<HeadAt, LogError> {
        let (bytes, _) = bytes
            .split_first_chunk()
            .expect("the caller has read a whole head");
        let offset = position.offset;
        let head = match BlockHead::read(bytes) {
            Ok(head) => head,
            Err(BadHead::Unsound) => {
                let what = "the checksum of a block's head does not match";
                return Ok(HeadAt::Unsound {
                    what,
                    resume: offset + 1,
                });
            }
            Err(BadHead::Unsupported {
                what,
                value,
                supported,
            }) => {
                return Err(LogError::Unsupported {
                    offset,
                    what,
                    value,
                    supported,
                });
            }
            Err(BadHead::Impossible) => {
                return Err(self.damaged(
                    position,
                    "the fields of a block's head contradict each other",
                ));
            }
        };
        if head.first_seq != position.seq {
            return Err(LogError::Gap {
                offset,
                expected: position.seq,
                found: head.first_seq,
            });
        }
        if head.epoch < position.epoch {
            return Err(self.damaged(
                position,
                "a block is from an earlier recovery than the one before it",
            ));
        }
        if head.block_len() > self.limit() - offset {
            let what = "the records of a block are cut short";
            return Ok(HeadAt::Unsound {
                what,
                resume: self.limit(),
            });
        }
        Ok(HeadAt::Sound(head))
    }

    /// Recomputes the chain. What the chain's prefix is laid over is put back afterwards, because
    /// the window may be read again.
    fn check_chain(
        &self,
        block: &mut [u8],
        head: &BlockHead,
        position: &Position,
    ) -> Result<(), LogError> {
        let room = &mut block[BLOCK_HEAD - PREFIX_LEN..];
        let (covered, _) = room
            .split_first_chunk::<PREFIX_LEN>()
            .expect("a block is longer than the prefix");
        let covered = *covered;
        let expected = position.chain.follow(head.first_seq, head.count, room);
        room[..PREFIX_LEN].copy_from_slice(&covered);
        if expected != head.chain {
            let (offset, seq) = (position.offset, head.first_seq);
            return Err(LogError::Fork {
                offset,
                seq,
                expected,
                found: head.chain,
            });
        }
        Ok(())
    }

    /// The time before the first record, which must be that of the last event of the block before.
    fn base_time(
        &self,
        payload: &[u8],
        head: &BlockHead,
        position: &Position,
    ) -> Result<Time, LogError> {
        let (first, _) = split_record(payload, Time::ZERO)
            .ok_or_else(|| self.damaged(position, "a record is longer than its block"))?;
        let base = head
            .first_time
            .as_nanos()
            .checked_sub(first.time.as_nanos())
            .map(Time::from_nanos);
        base.filter(|base| position.time.is_none_or(|time| time == *base))
            .ok_or_else(|| {
                self.damaged(
                    position,
                    "the time of a block does not follow from the one before it",
                )
            })
    }

    /// How the log ends where no byte is left, or where the footer begins.
    fn end(&self, position: &Position) -> Result<Ending, LogError> {
        let (chain, events) = (position.chain, self.events_before(position));
        let Some(footer) = &self.footer else {
            return Ok(Ending::Open { chain, events });
        };
        let time_agrees = events == 0 || position.time.is_none_or(|time| time == footer.last_time);
        if footer.events != events || footer.chain != chain || !time_agrees {
            return Err(self.damaged(
                position,
                "the footer does not agree with the blocks before it",
            ));
        }
        Ok(Ending::Closed { chain, events })
    }

    /// One after the last event, if a sound footer tells.
    pub(super) fn events_in_footer(&self) -> Option<Seq> {
        let footer = self.footer.as_ref()?;
        self.first_seq.0.checked_add(footer.events).map(Seq)
    }

    pub(super) fn events_before(&self, position: &Position) -> u64 {
        position.seq.0 - self.first_seq.0
    }
}

const HEAD_CUT: &str = "the head of a block is cut short";

/// Where the footer of the file begins according to its end mark, if it has one.
fn marked_footer<S: Storage>(
    storage: &S,
    header_end: u64,
    file_len: u64,
) -> Result<Option<u64>, LogError> {
    if file_len < header_end + END_MARK as u64 {
        return Ok(None);
    }
    let mut mark = [0; END_MARK];
    read_full(storage, file_len - END_MARK as u64, &mut mark)?;
    Ok(read_end_mark(&mark))
}
