//! Reads a log record by record, every block verified before its first record is handed out.
//!
//! At most one block is in memory. What records mean is the business of whoever reads them.

use std::path::Path;

use super::blocks::{Block, Blocks, Next, Position};
use super::ending::Ending;
use super::error::LogError;
use super::file::File;
use super::frame::{Head, RECORD_HEAD, split_record};
use super::header::Header;
use super::storage::Storage;
use super::window::Window;
use crate::id::{Seq, Time};

/// One event as the log holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its sequence number.
    pub seq: Seq,
    /// What it says about itself.
    pub head: Head,
    /// The body, encoded.
    pub body: &'a [u8],
}

/// Reads a log from its beginning or from any event.
///
/// A log that is still being written can be read up to where it was when the reader opened it.
#[derive(Debug)]
pub struct Reader<S: Storage> {
    header: Header,
    blocks: Blocks<S>,
    /// Before the first block.
    start: Position,
    window: Window,
    /// Before the block that is read next.
    ahead: Position,
    /// The block that is being read, if any, began here.
    current: Option<Position>,
    /// Where in the window the next record begins.
    at: usize,
    /// Where in the window the block ends.
    end: usize,
    /// Records of the block that have not been handed out.
    left: u32,
    /// The next record of the block.
    seq: Seq,
    /// The time of the record before it.
    time: Time,
    ending: Option<Ending>,
}

impl Reader<File> {
    /// Opens the log at `path`.
    ///
    /// # Errors
    /// Those of [`File::open`] and [`Reader::open`].
    pub fn open_path(path: &Path) -> Result<Self, LogError> {
        Reader::open(File::open(path)?)
    }
}

impl<S: Storage> Reader<S> {
    /// Opens a log and checks its header. Blocks are checked as they are reached.
    ///
    /// # Errors
    /// If this is not a log, or one of a later format, or its header is damaged, or the storage fails.
    pub fn open(storage: S) -> Result<Self, LogError> {
        let (header, blocks, start) = Blocks::open(storage)?;
        Ok(Reader {
            header,
            blocks,
            start,
            window: Window::default(),
            ahead: start,
            current: None,
            at: 0,
            end: 0,
            left: 0,
            seq: start.seq,
            time: Time::ZERO,
            ending: None,
        })
    }

    /// What stands at the beginning of the log.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The event that [`Reader::next`] returns next, if the log holds it.
    pub fn next_seq(&self) -> Seq {
        if self.left > 0 {
            self.seq
        } else {
            self.ahead.seq
        }
    }

    /// The next event; `None` at the end of the log, of which [`Reader::ending`] tells more.
    ///
    /// # Errors
    /// If the log is damaged here, has a gap, goes on from another history, or the storage fails. The
    /// same error comes again if it is asked again.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend its items"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, LogError> {
        if self.left == 0 && !self.load()? {
            return Ok(None);
        }
        let bytes = &self.window.bytes()[self.at..self.end];
        let Some((head, body)) = split_record(bytes, self.time) else {
            return Err(self.malformed());
        };
        let record = Record {
            seq: self.seq,
            head,
            body,
        };
        self.at += RECORD_HEAD + body.len();
        self.left -= 1;
        self.seq = self.seq.next();
        self.time = head.time;
        Ok(Some(record))
    }

    /// The event that [`Reader::next`] returns next. Asking again costs next to nothing.
    ///
    /// # Errors
    /// Those of [`Reader::next`].
    #[inline]
    pub fn peek(&mut self) -> Result<Option<Record<'_>>, LogError> {
        if self.left == 0 && !self.load()? {
            return Ok(None);
        }
        let bytes = &self.window.bytes()[self.at..self.end];
        let Some((head, body)) = split_record(bytes, self.time) else {
            return Err(self.malformed());
        };
        Ok(Some(Record {
            seq: self.seq,
            head,
            body,
        }))
    }

    /// Makes `seq` the next event: by the index of a closed log, by the heads of the blocks
    /// otherwise. One after the last event is allowed and is the end.
    ///
    /// # Errors
    /// [`LogError::NoSuchEvent`] leaves the reader where it was. Otherwise those of [`Reader::next`].
    pub fn seek(&mut self, seq: Seq) -> Result<(), LogError> {
        if self.left == 0 || !(self.seq..self.ahead.seq).contains(&seq) {
            let before = self.blocks.skip_to(self.nearest(seq), seq)?;
            let is_behind = before.seq < seq && self.blocks.head_only(&before)?.is_none();
            if is_behind || seq < self.start.seq {
                let end = self.blocks.skip_to(before, Seq(u64::MAX))?.seq;
                return Err(LogError::NoSuchEvent {
                    seq,
                    first: self.start.seq,
                    end,
                });
            }
            self.ahead = before;
            self.current = None;
            (self.at, self.end, self.left) = (0, 0, 0);
        }
        while self.next_seq() < seq && self.next()?.is_some() {}
        Ok(())
    }

    /// Makes the first event that is not earlier than `time` the next one: from the nearest place in the index of
    /// a closed log on, from the beginning otherwise. If every event is earlier, that is the end.
    ///
    /// # Errors
    /// Those of [`Reader::next`].
    pub fn seek_time(&mut self, time: Time) -> Result<(), LogError> {
        let footer = self.blocks.footer.as_ref();
        let marks = footer.map_or(&[][..], |footer| &footer.marks);
        let earlier = marks.partition_point(|mark| mark.time < time);
        let from = earlier
            .checked_sub(1)
            .map_or(self.start.seq, |at| marks[at].seq);
        self.seek(from)?;
        while self.peek()?.is_some_and(|record| record.head.time < time) {
            self.next()?;
        }
        Ok(())
    }

    /// How the log ends. For a log that was not closed, this reads and checks all that lies ahead,
    /// and leaves the reader where it is.
    ///
    /// # Errors
    /// Those of [`Reader::next`], for what lies ahead.
    pub fn ending(&mut self) -> Result<Ending, LogError> {
        if let Some(ending) = self.ending {
            return Ok(ending);
        }
        if let Some(footer) = &self.blocks.footer {
            return Ok(Ending::Closed {
                chain: footer.chain,
                events: footer.events,
            });
        }
        let mut window = Window::default();
        let mut position = self.ahead;
        loop {
            match self.blocks.read(&mut window, &position)? {
                Next::Block(block) => position = position.after(&block.head),
                Next::End(ending) => {
                    self.ending = Some(ending);
                    return Ok(ending);
                }
            }
        }
    }

    /// Goes to the next block; `false` if there is none.
    #[cold]
    fn load(&mut self) -> Result<bool, LogError> {
        let events_before = self.ahead.seq.0 - self.start.seq.0;
        if self
            .ending
            .is_some_and(|ending| ending.events() == events_before)
        {
            return Ok(false);
        }
        if let Some(current) = &self.current {
            if self.at != self.end {
                return Err(self
                    .blocks
                    .damaged(current, "a block goes on behind its last record"));
            }
            self.ahead.time = Some(self.time);
        }
        match self.blocks.read(&mut self.window, &self.ahead)? {
            Next::End(ending) => {
                self.ending = Some(ending);
                Ok(false)
            }
            Next::Block(Block { head, at, base }) => {
                self.current = Some(self.ahead);
                self.ahead = self.ahead.after(&head);
                (self.at, self.end) = (at, at + head.payload_len as usize);
                (self.left, self.seq, self.time) = (head.count, head.first_seq, base);
                Ok(true)
            }
        }
    }

    /// A known place before `seq`, as near as is known. Behind it lies at least one block whose
    /// head is read on the way to `seq`, or the place's chain is known.
    fn nearest(&self, seq: Seq) -> Position {
        let marks = self
            .blocks
            .footer
            .as_ref()
            .map_or(&[][..], |footer| &footer.marks);
        let not_after = marks.partition_point(|mark| mark.seq <= seq);
        let marked = not_after.checked_sub(2).map(|at| Position {
            offset: marks[at].offset,
            seq: marks[at].seq,
            time: None,
            ..self.start
        });
        let ahead = (self.ahead.seq <= seq).then_some(Position {
            time: None,
            ..self.ahead
        });
        marked
            .into_iter()
            .chain(ahead)
            .max_by_key(|place| place.seq)
            .unwrap_or(self.start)
    }

    #[cold]
    fn malformed(&self) -> LogError {
        let block = self.current.as_ref().unwrap_or(&self.ahead);
        self.blocks.damaged(
            block,
            "a record is longer than its block, or its time has no number",
        )
    }
}
