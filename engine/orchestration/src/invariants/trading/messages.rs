//! The messages that a property may have to look at again, by number; the oldest are forgotten.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::message::{Message, Topic};

/// How many are kept.
const KEPT: usize = 1_024;

/// The latest messages of some topics.
#[derive(Debug)]
pub(super) struct Messages {
    topics: &'static [Topic],
    by_number: BTreeMap<u64, Rc<Message>>,
}

impl Messages {
    /// None yet, of these topics.
    pub(super) fn of(topics: &'static [Topic]) -> Messages {
        Messages {
            topics,
            by_number: BTreeMap::new(),
        }
    }

    /// Keeps a message, if it is of interest.
    pub(super) fn keep(&mut self, message: &Rc<Message>) {
        if self.topics.contains(&message.topic) {
            self.by_number
                .insert(message.id.as_number(), Rc::clone(message));
            if self.by_number.len() > KEPT {
                self.by_number.pop_first();
            }
        }
    }

    /// The message of that number, if it is still kept.
    pub(super) fn get(&self, number: u64) -> Option<&Rc<Message>> {
        self.by_number.get(&number)
    }

    /// Those that are kept, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Rc<Message>> {
        self.by_number.values().rev()
    }

    /// A new bus remembers nothing.
    pub(super) fn forget(&mut self) {
        self.by_number.clear();
    }
}
