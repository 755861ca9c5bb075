//! Reads all of a log and remembers what a writer would know at its end.

use super::blocks::{Block, Blocks, Next, Position};
use super::ending::Ending;
use super::error::LogError;
use super::frame::{RECORD_HEAD, split_record};
use super::index::{Index, Mark, Tally};
use super::storage::Storage;
use super::window::Window;
use super::writer::Resume;
use crate::id::{Seq, Time};

/// Reads a log from its beginning and remembers what a writer would know at its end.
#[derive(Debug)]
pub(super) struct Survey {
    /// Behind the last sound block.
    pub(super) position: Position,
    /// Where the last sound block begins, or the header if there is none.
    pub(super) last: u64,
    index: Index,
    tally: Tally,
    is_begun: bool,
}

impl Survey {
    pub(super) fn new(start: Position) -> Survey {
        Survey {
            position: start,
            last: 0,
            index: Index::new(),
            tally: Tally::default(),
            is_begun: false,
        }
    }

    pub(super) fn run<S: Storage>(&mut self, blocks: &Blocks<S>) -> Result<Ending, LogError> {
        let mut window = Window::default();
        loop {
            match blocks.read(&mut window, &self.position)? {
                Next::End(ending) => return Ok(ending),
                Next::Block(block) => {
                    let payload =
                        &window.bytes()[block.at..block.at + block.head.payload_len as usize];
                    self.add(&block, payload).ok_or_else(|| {
                        blocks.damaged(&self.position, "the records of a block do not fill it")
                    })?;
                }
            }
        }
    }

    /// Takes a block in; `None`, and nothing changed, if its records do not fill it.
    fn add(&mut self, block: &Block, payload: &[u8]) -> Option<()> {
        let time = last_time(block, payload)?;
        let mut rest = payload;
        while let Some((head, body)) = split_record(rest, Time::ZERO) {
            self.tally.count(head.kind);
            rest = &rest[RECORD_HEAD + body.len()..];
        }
        let (head, offset) = (&block.head, self.position.offset);
        self.index.note(Mark {
            seq: head.first_seq,
            time: head.first_time,
            offset,
        });
        self.last = offset;
        self.position = Position {
            time: Some(time),
            ..self.position.after(head)
        };
        self.is_begun = true;
        Some(())
    }

    /// The blocks that follow are from the next epoch.
    pub(super) fn resume(&self, first_seq: Seq) -> Resume {
        let Position {
            offset,
            seq,
            time,
            chain,
            epoch,
        } = self.position;
        Resume {
            first_seq,
            next: seq,
            last_time: time.unwrap_or(Time::ZERO),
            chain,
            epoch: if self.is_begun {
                epoch.saturating_add(1)
            } else {
                epoch
            },
            offset,
            index: self.index.clone(),
            tally: self.tally.clone(),
        }
    }
}

/// The time of a block's last record; `None` if its records do not fill it.
fn last_time(block: &Block, payload: &[u8]) -> Option<Time> {
    let (mut rest, mut time) = (payload, block.base);
    for _ in 0..block.head.count {
        let (head, body) = split_record(rest, time)?;
        time = head.time;
        rest = &rest[RECORD_HEAD + body.len()..];
    }
    rest.is_empty().then_some(time)
}
