//! Events that are kept back for a while, and which of them are of a kind.

use crate::event::{Event, EventSet};

/// So many events are kept back at most.
const MOST: usize = 512;
/// Words of 64 bits with a bit for each of them.
const WORDS: usize = MOST / 64;

/// Which events of a batch: the lowest bit of the first word is the first of them.
type Marks = [u64; WORDS];

/// Events in the order of their log.
pub(super) struct Batch<E> {
    events: Vec<Event<E>>,
    /// For each kind by its number, once there was an event: which events are of it.
    marks: Vec<Marks>,
    /// How many kinds there are.
    kinds: usize,
}

impl<E: EventSet> Batch<E> {
    /// No events yet, of so many kinds.
    pub(super) fn new(kinds: usize) -> Batch<E> {
        Batch {
            events: Vec::new(),
            marks: Vec::new(),
            kinds,
        }
    }

    /// Adds an event; says whether that was the last for which there is room.
    #[inline]
    pub(super) fn push(&mut self, event: Event<E>) -> bool {
        let at = self.events.len();
        if at == 0 {
            self.make_room();
        }
        self.marks[usize::from(event.kind().number)][at / 64] |= 1 << (at % 64);
        self.events.push(event);
        self.events.len() == MOST
    }

    pub(super) fn events(&self) -> &[Event<E>] {
        &self.events
    }

    /// Of each kind by its number, whether any of them is of it.
    pub(super) fn kinds(&self) -> impl Iterator<Item = bool> {
        self.marks.iter().map(|marks| *marks != [0; WORDS])
    }

    /// Those of some kinds, by their numbers, among the first `count` of them; no kind stands for all.
    #[inline]
    pub(super) fn of(&self, kinds: &[u16], count: usize) -> Marked<'_, E> {
        let mut marks = if kinds.is_empty() {
            [u64::MAX; WORDS]
        } else {
            [0; WORDS]
        };
        for kind in kinds {
            if let Some(more) = self.marks.get(usize::from(*kind)) {
                for word in 0..WORDS {
                    marks[word] |= more[word];
                }
            }
        }
        Marked {
            left: marks[0],
            marks,
            word: 0,
            events: &self.events[..count],
        }
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        self.marks.fill([0; WORDS]);
        self.events.clear();
    }

    #[cold]
    fn make_room(&mut self) {
        self.events.reserve_exact(MOST);
        self.marks.resize(self.kinds, [0; WORDS]);
    }
}

/// The events that are marked, in their order.
pub(super) struct Marked<'a, E> {
    events: &'a [Event<E>],
    marks: Marks,
    /// Which word it is at, and what is left of it.
    word: usize,
    left: u64,
}

impl<'a, E> Iterator for Marked<'a, E> {
    type Item = &'a Event<E>;

    #[inline]
    fn next(&mut self) -> Option<&'a Event<E>> {
        while self.left == 0 {
            self.word += 1;
            self.left = *self.marks.get(self.word)?;
        }
        let at = self.word * 64 + self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        // What is marked may come after what is shown.
        self.events.get(at)
    }
}
