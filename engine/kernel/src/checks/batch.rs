//! Events that are kept back for a while, and which of them are of a kind.

use crate::event::{Event, EventSet};

/// So many events are kept back at most.
const MOST: usize = 512;

/// Events in the order of their log.
pub(super) struct Batch<E> {
    events: Vec<Event<E>>,
    /// Of each 64 events in turn, and there for each kind by its number: which of them are of it, a bit for each.
    marks: Vec<u64>,
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
        let kind = usize::from(event.kind().number);
        self.marks[at / 64 * self.kinds + kind] |= 1 << (at % 64);
        self.events.push(event);
        self.events.len() == MOST
    }

    pub(super) fn events(&self) -> &[Event<E>] {
        &self.events
    }

    /// So many of them from the first on; without a number all.
    #[inline]
    pub(super) fn up_to(&self, count: Option<usize>) -> Shown<'_, E> {
        Shown {
            events: &self.events[..count.unwrap_or(self.events.len())],
            marks: &self.marks,
            kinds: self.kinds,
        }
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        let used = self.events.len().div_ceil(64) * self.kinds;
        self.marks[..used].fill(0);
        self.events.clear();
    }

    #[cold]
    fn make_room(&mut self) {
        self.events.reserve_exact(MOST);
        self.marks.resize(MOST.div_ceil(64) * self.kinds, 0);
    }
}

/// The first events of a batch.
pub(super) struct Shown<'a, E> {
    events: &'a [Event<E>],
    marks: &'a [u64],
    kinds: usize,
}

impl<E> Shown<'_, E> {
    /// The first thing that is found at an event of some kinds, by their numbers; none stand for all.
    #[inline]
    pub(super) fn first<T>(
        &self,
        kinds: &[u16],
        mut find: impl FnMut(&Event<E>) -> Option<T>,
    ) -> Option<T> {
        let marks = self.marks.chunks(self.kinds);
        for (events, marks) in self.events.chunks(64).zip(marks) {
            // What is marked may come after what is shown.
            let mut left = marked(marks, kinds) & (u64::MAX >> (64 - events.len()));
            while left != 0 {
                if let Some(found) = find(&events[left.trailing_zeros() as usize]) {
                    return Some(found);
                }
                left &= left - 1;
            }
        }
        None
    }
}

/// Which of 64 events are of some kinds; none stand for all.
#[inline]
fn marked(marks: &[u64], kinds: &[u16]) -> u64 {
    let mut marked = 0;
    if kinds.is_empty() {
        marks.iter().for_each(|more| marked |= more);
    }
    for kind in kinds {
        marked |= marks.get(usize::from(*kind)).unwrap_or(&0);
    }
    marked
}
