//! What stands behind the place where a log stops being sound: told, never used.
//!
//! Blocks that are whole by themselves are named with their events, so that a person knows what was
//! there. They do not follow from anything that is sound, so nothing reads them.

use std::ops::Range;

use super::blocks::{Blocks, Position};
use super::ending::Ending;
use super::error::LogError;
use super::footer::{FOOTER_HEAD, sound_head};
use super::frame::{BLOCK_HEAD, BlockHead};
use super::scan::{Part, find_part};
use super::storage::{Storage, read_full};
use super::window::Window;
use crate::id::Seq;

/// So many parts are told apart; what lies behind them is one more.
const MOST_PARTS: usize = 1_000;

/// A part of a log that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Where it is: from, up to and not including.
    pub bytes: Range<u64>,
    /// The events that are or were in it, from, up to and not including; `None` where nothing tells.
    pub events: Option<Range<Seq>>,
    /// What is left of it.
    pub remains: Remains,
}

/// What is left of a part that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// A write that did not come to its end.
    Torn,
    /// Bytes that are no longer what they were, or never were of this log.
    Damaged,
    /// Blocks that are whole by themselves but do not follow from what stands before.
    Whole,
    /// The footer of a closed log: no events, only what was said of them.
    Footer,
}

/// The parts behind `position`, in their order, without a gap between them.
pub(super) fn lost_parts<S: Storage>(
    blocks: &Blocks<S>,
    position: &Position,
    ending: Option<&Ending>,
) -> Result<Vec<Lost>, LogError> {
    match ending {
        Some(Ending::Closed { .. } | Ending::Open { .. }) => Ok(Vec::new()),
        Some(Ending::Torn { .. }) => torn_part(blocks, position.offset).map(|part| vec![part]),
        None => Walk::new(blocks, position).parts(),
    }
}

fn torn_part<S: Storage>(blocks: &Blocks<S>, at: u64) -> Result<Lost, LogError> {
    let (events, remains) = match part_at(&blocks.storage, at, blocks.file_len)? {
        Some(Part::Block(head)) => (Some(events_of(&head)), Remains::Torn),
        Some(Part::Footer) => (None, Remains::Footer),
        None => (None, Remains::Torn),
    };
    Ok(Lost {
        bytes: at..blocks.file_len,
        events,
        remains,
    })
}

/// What begins at this byte, if its head is sound.
fn part_at<S: Storage>(storage: &S, at: u64, file_len: u64) -> Result<Option<Part>, LogError> {
    let mut head = [0; BLOCK_HEAD];
    let len = (file_len - at).min(BLOCK_HEAD as u64) as usize;
    read_full(storage, at, &mut head[..len])?;
    if len == BLOCK_HEAD
        && let Ok(head) = BlockHead::read(&head)
    {
        return Ok(Some(Part::Block(head)));
    }
    let footer = head[..len].first_chunk::<FOOTER_HEAD>();
    let is_footer = footer.is_some_and(|head| sound_head(head, at).is_some());
    Ok(is_footer.then_some(Part::Footer))
}

fn events_of(head: &BlockHead) -> Range<Seq> {
    head.first_seq..Seq(head.first_seq.0 + u64::from(head.count))
}

/// A way through what is not sound.
struct Walk<'a, S> {
    blocks: &'a Blocks<S>,
    window: Window,
    at: u64,
    parts: Vec<Lost>,
    /// The event that the next part would begin with if nothing were missing.
    next: Seq,
}

impl<'a, S: Storage> Walk<'a, S> {
    fn new(blocks: &'a Blocks<S>, position: &Position) -> Walk<'a, S> {
        Walk {
            blocks,
            window: Window::default(),
            at: position.offset,
            parts: Vec::new(),
            next: position.seq,
        }
    }

    fn parts(mut self) -> Result<Vec<Lost>, LogError> {
        let file_len = self.blocks.file_len;
        while self.at < file_len && self.parts.len() < MOST_PARTS {
            match part_at(&self.blocks.storage, self.at, file_len)? {
                Some(Part::Block(head)) => self.block(&head)?,
                Some(Part::Footer) => self.push(file_len, None, Remains::Footer),
                None => {
                    let storage = &self.blocks.storage;
                    let next = find_part(storage, self.at + 1, file_len, |_| true)?;
                    self.push(next.unwrap_or(file_len), None, Remains::Damaged);
                }
            }
        }
        if self.at < file_len {
            self.push(file_len, None, Remains::Damaged);
        }
        self.infer();
        Ok(self.parts)
    }

    fn block(&mut self, head: &BlockHead) -> Result<(), LogError> {
        let (events, len) = (Some(events_of(head)), head.block_len());
        let file_len = self.blocks.file_len;
        if len > file_len - self.at {
            self.push(file_len, events, Remains::Damaged);
            return Ok(());
        }
        let storage = &self.blocks.storage;
        let at = self.window.hold(storage, self.at, len as usize, file_len)?;
        let payload = &self.window.bytes()[at + BLOCK_HEAD..at + len as usize];
        let is_whole = crc32c::crc32c(payload) == head.payload_crc;
        let remains = if is_whole {
            Remains::Whole
        } else {
            Remains::Damaged
        };
        self.push(self.at + len, events, remains);
        Ok(())
    }

    /// Adds what lies up to `end`, to the last part if it goes on from there.
    fn push(&mut self, end: u64, events: Option<Range<Seq>>, remains: Remains) {
        let begin = std::mem::replace(&mut self.at, end);
        if let Some(last) = self.parts.last_mut()
            && last.remains == remains
            && let (Some(before), Some(more)) = (&mut last.events, &events)
            && before.end == more.start
        {
            last.bytes.end = end;
            before.end = more.end;
            return;
        }
        self.parts.push(Lost {
            bytes: begin..end,
            events,
            remains,
        });
    }

    /// Tells which events a damaged part held by what stands around it.
    fn infer(&mut self) {
        let total = self.blocks.events_in_footer();
        let mut next = self.next;
        for at in 0..self.parts.len() {
            let after = self.parts[at + 1..].iter().find_map(|part| {
                part.events
                    .as_ref()
                    .map(|events| events.start)
                    .or(total.filter(|_| part.remains == Remains::Footer))
            });
            let part = &mut self.parts[at];
            if part.events.is_none() && part.remains == Remains::Damaged {
                part.events = after.filter(|end| next < *end).map(|end| next..end);
            }
            if let Some(events) = &part.events {
                next = events.end;
            }
        }
    }
}
