//! What will happen at a later instant, unless it is cancelled: by (deadline, creation).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::id::Time;

/// A handle to a timer that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerKey {
    slot: u32,
    created: u64,
}

/// Timers with what each is for.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    /// Deadline, number of the timer, place of its target: the earliest first, of equal deadlines
    /// the one that was set first.
    heap: BinaryHeap<Reverse<(Time, u64, u32)>>,
    /// What each timer is for; none once it has fired or been cancelled. With it the number of
    /// the timer, since places are used again.
    slots: Vec<(u64, Option<T>)>,
    free: Vec<u32>,
    created: u64,
    /// How many timers in the heap are cancelled.
    cancelled: usize,
}

impl<T> Default for Timers<T> {
    fn default() -> Timers<T> {
        Timers {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            created: 0,
            cancelled: 0,
        }
    }
}

impl<T> Timers<T> {
    /// Sets a timer.
    #[inline]
    pub(crate) fn set(&mut self, deadline: Time, target: T) -> TimerKey {
        self.created += 1;
        let created = self.created;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = (created, Some(target));
                slot
            }
            None => {
                self.slots.push((created, Some(target)));
                (self.slots.len() - 1) as u32
            }
        };
        self.heap.push(Reverse((deadline, created, slot)));
        TimerKey { slot, created }
    }

    /// Whether a timer that was set has neither fired nor been cancelled.
    #[inline]
    pub(crate) fn is_pending(&self, key: TimerKey) -> bool {
        let (created, target) = &self.slots[key.slot as usize];
        *created == key.created && target.is_some()
    }

    /// Cancels a timer, unless it has fired already.
    #[inline]
    pub(crate) fn cancel(&mut self, key: TimerKey) {
        if self.is_pending(key) {
            self.slots[key.slot as usize].1 = None;
            self.free.push(key.slot);
            self.cancelled += 1;
            if self.cancelled > 64 && self.cancelled * 2 > self.heap.len() {
                self.sweep();
            }
        }
    }

    /// The earliest deadline.
    #[inline]
    pub(crate) fn next_deadline(&mut self) -> Option<Time> {
        loop {
            let Reverse((deadline, created, slot)) = *self.heap.peek()?;
            if self.cancelled == 0 || self.is_pending(TimerKey { slot, created }) {
                return Some(deadline);
            }
            self.heap.pop();
            self.cancelled -= 1;
        }
    }

    /// Takes the earliest timer: when it was due, and what it is for.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(Time, T)> {
        self.next_deadline()?;
        let Reverse((deadline, _, slot)) = self.heap.pop()?;
        let target = self.slots[slot as usize].1.take()?;
        self.free.push(slot);
        Some((deadline, target))
    }

    /// Cancelled timers do not pile up until their deadlines.
    #[cold]
    fn sweep(&mut self) {
        let slots = &self.slots;
        self.heap.retain(|Reverse((_, created, slot))| {
            let (now, target) = &slots[*slot as usize];
            now == created && target.is_some()
        });
        self.cancelled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Stream;

    #[test]
    fn equal_deadlines_fire_in_the_order_of_creation() {
        let mut timers = Timers::default();
        for name in ["a", "b", "c"] {
            timers.set(Time::from_secs(5), name);
        }
        timers.set(Time::from_secs(1), "first");
        let order: Vec<_> = std::iter::from_fn(|| timers.pop())
            .map(|(_, name)| name)
            .collect();
        assert_eq!(order, ["first", "a", "b", "c"]);
    }

    #[test]
    fn a_cancelled_timer_neither_fires_nor_takes_the_one_that_reuses_its_place_along() {
        let mut timers = Timers::default();
        let old = timers.set(Time::from_secs(1), "old");
        timers.cancel(old);
        let new = timers.set(Time::from_secs(2), "new");
        timers.cancel(old);
        assert!(timers.is_pending(new) && !timers.is_pending(old));
        assert_eq!(timers.pop(), Some((Time::from_secs(2), "new")));
        assert_eq!(timers.pop(), None);
    }

    #[test]
    fn cancelled_timers_do_not_pile_up() {
        let mut timers = Timers::default();
        for _ in 0..10_000 {
            let key = timers.set(Time::from_secs(3_600), ());
            timers.cancel(key);
        }
        assert!(timers.heap.len() < 200, "{}", timers.heap.len());
    }

    #[test]
    fn any_mixture_of_setting_cancelling_and_firing_keeps_the_order() {
        let mut chance = Stream::new(7, "timers", "test");
        let mut timers = Timers::default();
        let mut expected: Vec<(Time, u64)> = Vec::new();
        let mut keys = Vec::new();
        for number in 0..20_000 {
            match chance.below(5) {
                0..=2 => {
                    let deadline = Time::from_nanos(chance.below(50));
                    keys.push(((deadline, number), timers.set(deadline, number)));
                    expected.push((deadline, number));
                }
                3 if !keys.is_empty() => {
                    let at = chance.below(keys.len() as u64) as usize;
                    let (gone, key) = keys.swap_remove(at);
                    timers.cancel(key);
                    expected.retain(|timer| *timer != gone);
                }
                _ => {
                    let first = expected.iter().min().copied();
                    assert_eq!(timers.next_deadline(), first.map(|(deadline, _)| deadline));
                    assert_eq!(timers.pop(), first);
                    expected.retain(|timer| Some(*timer) != first);
                }
            }
        }
        expected.sort();
        let rest: Vec<_> = std::iter::from_fn(|| timers.pop()).collect();
        assert_eq!(rest, expected);
    }
}
