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

    /// The first thing that is found among the first `count` of them, at an event of some kinds, by their numbers; none
    /// stand for all.
    #[inline]
    pub(super) fn first<T>(
        &self,
        count: usize,
        kinds: &[u16],
        mut find: impl FnMut(&Event<E>) -> Option<T>,
    ) -> Option<T> {
        if kinds.is_empty() {
            return self.events[..count].iter().find_map(find);
        }
        let events = &self.events[..count];
        for (word, mut left) in self.marked(kinds).into_iter().enumerate() {
            while left != 0 {
                // What is marked may come after what is shown.
                let event = events.get(word * 64 + left.trailing_zeros() as usize)?;
                if let Some(found) = find(event) {
                    return Some(found);
                }
                left &= left - 1;
            }
        }
        None
    }

    /// Which events are of some kinds.
    #[inline]
    fn marked(&self, kinds: &[u16]) -> Marks {
        let mut marked = [0; WORDS];
        for more in kinds
            .iter()
            .filter_map(|kind| self.marks.get(usize::from(*kind)))
        {
            for (word, more) in marked.iter_mut().zip(more) {
                *word |= more;
            }
        }
        marked
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
