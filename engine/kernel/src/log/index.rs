//! What a writer remembers for the footer: where blocks are, sparsely, and how many records of each
//! kind there were. Both stay small however long the log grows.

use crate::id::{Seq, Time};

/// At first every block that begins a megabyte or more after the last one noted is noted.
const FIRST_SPACING: u64 = 1024 * 1024;
/// When so many are noted, every second one is dropped and the spacing doubled.
pub(crate) const MAX_MARKS: usize = 65_536;

/// Where a block begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// First event of the block.
    pub(crate) seq: Seq,
    /// Its virtual time.
    pub(crate) time: Time,
    /// Where the block's head begins, in bytes.
    pub(crate) offset: u64,
}

/// A sparse index that thins itself out. It depends on the blocks alone, so a recovered log has
/// the same one as a log that was never interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    marks: Vec<Mark>,
    spacing: u64,
}

impl Index {
    pub(crate) fn new() -> Index {
        Index {
            marks: Vec::new(),
            spacing: FIRST_SPACING,
        }
    }

    pub(crate) fn note(&mut self, mark: Mark) {
        if self
            .marks
            .last()
            .is_some_and(|last| mark.offset - last.offset < self.spacing)
        {
            return;
        }
        if self.marks.len() == MAX_MARKS {
            let mut at = 0;
            self.marks.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.spacing *= 2;
        }
        self.marks.push(mark);
    }

    pub(crate) fn marks(&self) -> &[Mark] {
        &self.marks
    }
}

/// How many records of each kind there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Vec<u64>);

impl Tally {
    #[inline]
    pub(crate) fn count(&mut self, kind: u16) {
        let at = usize::from(kind);
        if at >= self.0.len() {
            self.grow(at);
        }
        self.0[at] += 1;
    }

    #[cold]
    fn grow(&mut self, at: usize) {
        self.0.resize(at + 1, 0);
    }

    /// The kinds that occurred, in ascending order, each with its number of records.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        let numbered = self.0.iter().enumerate();
        numbered
            .filter(|(_, count)| **count > 0)
            .map(|(kind, count)| (kind as u16, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(offset: u64) -> Mark {
        Mark {
            seq: Seq(offset),
            time: Time::from_nanos(offset),
            offset,
        }
    }

    #[test]
    fn near_blocks_are_not_noted() {
        let mut index = Index::new();
        for offset in [100, 200, 100 + FIRST_SPACING - 1, 100 + FIRST_SPACING] {
            index.note(mark(offset));
        }
        assert_eq!(index.marks(), [mark(100), mark(100 + FIRST_SPACING)]);
    }

    #[test]
    fn a_full_index_thins_itself_out_and_keeps_the_first() {
        let mut index = Index::new();
        for block in 0..=MAX_MARKS as u64 * 4 {
            index.note(mark(block * FIRST_SPACING));
        }
        assert!(index.marks().len() <= MAX_MARKS);
        assert!(index.marks().len() >= MAX_MARKS / 2);
        assert_eq!(index.marks()[0], mark(0));
        let gap = |pair: &[Mark]| pair[1].offset - pair[0].offset;
        let first_gap = gap(&index.marks()[..2]);
        assert!(first_gap > FIRST_SPACING);
        assert!(index.marks().windows(2).all(|pair| gap(pair) == first_gap));
    }

    #[test]
    fn only_kinds_that_occurred_are_counted() {
        let mut tally = Tally::default();
        for kind in [3, u16::MAX, 3] {
            tally.count(kind);
        }
        assert_eq!(tally.counts().collect::<Vec<_>>(), [(3, 2), (u16::MAX, 1)]);
    }
}
