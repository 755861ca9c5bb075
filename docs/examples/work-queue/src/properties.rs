//! What must hold of a queue in every run, and what many runs must have reached.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::{Event, Invariant, Sometimes, Time};

use super::QueueEvent;

const LEASED: u16 = 64;
const COMPLETED: u16 = 65;

/// Who did each item.
#[derive(Default)]
pub struct AtMostOnce(BTreeMap<u32, u32>);

impl Invariant<QueueEvent> for AtMostOnce {
    fn id(&self) -> &'static str {
        "queue.at-most-once"
    }

    fn statement(&self) -> &'static str {
        "every item is completed at most once"
    }

    fn watches(&self) -> &'static [u16] {
        &[COMPLETED]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[COMPLETED]]
    }

    fn observe(&mut self, event: &Event<QueueEvent>) -> Result<(), String> {
        let Some(QueueEvent::Completed(it)) = event.domain() else {
            return Ok(());
        };
        let (item, by) = (it.item, it.worker);
        match self.0.insert(item, by) {
            Some(first) => Err(format!("worker {first} and worker {by} did item {item}")),
            None => Ok(()),
        }
    }
}

/// The items that somebody began and nobody has done.
#[derive(Default)]
pub struct AllDone(BTreeSet<u32>);

impl Invariant<QueueEvent> for AllDone {
    fn id(&self) -> &'static str {
        "queue.all-done"
    }

    fn statement(&self) -> &'static str {
        "every item that was begun is done in the end"
    }

    fn watches(&self) -> &'static [u16] {
        &[LEASED, COMPLETED]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[LEASED]]
    }

    fn observe(&mut self, event: &Event<QueueEvent>) -> Result<(), String> {
        match event.domain() {
            Some(QueueEvent::Leased(it)) => self.0.insert(it.item),
            Some(QueueEvent::Completed(it)) => self.0.remove(&it.item),
            None => false,
        };
        Ok(())
    }

    fn finish(&mut self, _: Time) -> Result<(), String> {
        match self.0.first() {
            Some(item) => Err(format!("item {item} was begun and never done")),
            None => Ok(()),
        }
    }
}

/// A campaign in which no lease ever passed to another worker has not tested what leases are for.
pub fn taken_over() -> Sometimes<QueueEvent> {
    let mut begun = BTreeSet::new();
    Sometimes {
        id: "queue.taken-over",
        meaning: "an item whose lease ran out is leased again",
        watches: &[LEASED],
        reached: Box::new(move |event| match event.domain() {
            Some(QueueEvent::Leased(it)) => !begun.insert(it.item),
            _ => false,
        }),
    }
}
