//! The messages that a property may have to look at again, by number; the oldest are forgotten.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::message::{Message, Topic};

/// How many are kept.
const KEPT: usize = 1_024;

/// The latest messages of some topics.
#[derive(Debug)]
pub(super) struct Messages {
    /// Whether those of a topic are kept.
    topics: [bool; Topic::COUNT],
    /// By number, the lowest first.
    kept: VecDeque<Rc<Message>>,
}

impl Messages {
    /// None yet, of these topics.
    pub(super) fn of(these: &[Topic]) -> Messages {
        let mut topics = [false; Topic::COUNT];
        these.iter().for_each(|topic| topics[topic.index()] = true);
        Messages {
            topics,
            kept: VecDeque::new(),
        }
    }

    /// Keeps a message, if it is of interest.
    pub(super) fn keep(&mut self, message: &Rc<Message>) {
        if self.topics[message.topic.index()] {
            match self.place(message.id.as_number()) {
                Ok(at) => self.kept[at] = Rc::clone(message),
                Err(at) => self.kept.insert(at, Rc::clone(message)),
            }
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
    }

    /// Where the message of that number is, or belongs. A new one nearly always has the highest.
    fn place(&self, number: u64) -> Result<usize, usize> {
        match self.kept.back() {
            Some(last) if last.id.as_number() >= number => self
                .kept
                .binary_search_by_key(&number, |kept| kept.id.as_number()),
            _ => Err(self.kept.len()),
        }
    }

    /// The message of that number, if it is still kept.
    pub(super) fn get(&self, number: u64) -> Option<&Rc<Message>> {
        self.kept.get(self.place(number).ok()?)
    }

    /// Those that are kept, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Rc<Message>> {
        self.kept.iter().rev()
    }

    /// A new bus remembers nothing.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }
}
