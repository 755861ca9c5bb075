//! What was published and is still remembered: one list in publish order, kept per topic.
//!
//! "Newest" always means the place in publish order, never the timestamp. Time is told by the caller.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;
use std::iter::Rev;
use std::rc::Rc;

use crate::message::{Instant, Message, Name, Span, Topic};

/// The remembered messages, no more than so many over all topics.
#[derive(Debug)]
pub struct History {
    cap: usize,
    len: usize,
    next_position: u64,
    topics: [TopicHistory; Topic::COUNT],
}

/// What `latest` looks for. `Default::default()` accepts every unexpired message.
#[derive(Clone, Debug, Default)]
pub struct Criteria {
    /// Only messages of this source. The empty text is a source like any other.
    pub source: Option<Name>,
    /// Only messages that are at most this old. Zero and negative ages are legal.
    pub max_age: Option<Span>,
}

/// What `list` looks for.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Only messages of this topic.
    pub topic: Option<Topic>,
    /// Only messages of this source.
    pub source: Option<Name>,
    /// Only messages with this timestamp or a later one.
    pub since: Option<Instant>,
    /// At most this many.
    pub limit: usize,
}

impl Default for Listing {
    /// The newest hundred.
    fn default() -> Listing {
        Listing {
            topic: None,
            source: None,
            since: None,
            limit: 100,
        }
    }
}

impl History {
    /// An empty history that remembers at most `cap` messages; 0 means without bound.
    pub fn new(cap: usize) -> History {
        History {
            cap,
            len: 0,
            next_position: 0,
            topics: Default::default(),
        }
    }

    /// How many messages it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends the newest message and forgets the oldest, of whatever topic, beyond the cap.
    pub fn push(&mut self, message: Rc<Message>) {
        let position = self.next_position;
        self.next_position += 1;
        self.topics[message.topic.index()].push(position, message);
        self.len += 1;
        if self.cap != 0 && self.len > self.cap {
            self.forget_oldest();
        }
    }

    /// The newest unexpired message of `topic` that meets the criteria and passes `filter`.
    ///
    /// A filter that cannot judge a message answers no.
    pub fn latest(
        &self,
        topic: Topic,
        criteria: &Criteria,
        now: Instant,
        mut filter: impl FnMut(&Message) -> bool,
    ) -> Option<&Rc<Message>> {
        let history = &self.topics[topic.index()];
        for Entry { message, .. } in history.entries.iter().rev() {
            let too_old = criteria.max_age.is_some_and(|max| message.age(now) > max);
            if too_old && history.ages_in_order {
                return None;
            }
            if !too_old
                && is_from(message, criteria.source.as_ref())
                && !message.is_expired(now)
                && filter(message)
            {
                return Some(message);
            }
        }
        None
    }

    /// The unexpired messages that meet the listing, newest first.
    pub fn list(&self, listing: &Listing, now: Instant) -> Vec<Rc<Message>> {
        self.newest_first(listing.topic)
            .filter(|message| {
                !message.is_expired(now)
                    && is_from(message, listing.source.as_ref())
                    && listing.since.is_none_or(|since| message.timestamp >= since)
            })
            .take(listing.limit)
            .cloned()
            .collect()
    }

    /// Every remembered message in publish order, expired or not.
    pub fn all(&self) -> Vec<Rc<Message>> {
        let mut all: Vec<_> = self.newest_first(None).cloned().collect();
        all.reverse();
        all
    }

    /// Forgets everything of `topic`, or of all; how many messages that was.
    pub fn clear(&mut self, topic: Option<Topic>) -> usize {
        let before = self.len;
        for each in Topic::or_all(topic) {
            self.topics[each.index()] = TopicHistory::default();
        }
        self.count();
        before - self.len
    }

    /// Forgets what is expired; how many messages that was.
    pub fn clean_up(&mut self, now: Instant) -> usize {
        let before = self.len;
        for history in &mut self.topics {
            history
                .entries
                .retain(|entry| !entry.message.is_expired(now));
        }
        self.count();
        before - self.len
    }

    /// Changes a remembered message where it stands, for the defect in which a handler does
    /// that. What came of it; none if the message is not remembered any more.
    pub fn rewrite<T>(
        &mut self,
        message: &Message,
        rewrite: impl FnOnce(&mut Message) -> T,
    ) -> Option<T> {
        let entries = &mut self.topics[message.topic.index()].entries;
        let mut newest_first = entries.iter_mut().rev();
        let entry = newest_first.find(|entry| entry.message.id == message.id)?;
        Some(rewrite(Rc::make_mut(&mut entry.message)))
    }

    fn forget_oldest(&mut self) {
        let oldest = self
            .topics
            .iter_mut()
            .filter(|history| !history.entries.is_empty())
            .min_by_key(|history| history.entries.front().map(|entry| entry.position));
        if let Some(history) = oldest {
            history.entries.pop_front();
            self.len -= 1;
        }
    }

    fn newest_first(&self, topic: Option<Topic>) -> NewestFirst<'_> {
        let topics = match topic {
            Some(topic) => &self.topics[topic.index()..=topic.index()],
            None => &self.topics[..],
        };
        NewestFirst {
            rests: topics
                .iter()
                .map(|topic| topic.entries.iter().rev())
                .collect(),
        }
    }

    fn count(&mut self) {
        self.len = self.topics.iter().map(|topic| topic.entries.len()).sum();
    }
}

fn is_from(message: &Message, source: Option<&Name>) -> bool {
    source.is_none_or(|source| message.source == *source)
}

/// A message and its place in the publish order of all.
#[derive(Debug)]
struct Entry {
    position: u64,
    message: Rc<Message>,
}

/// The remembered messages of one topic.
#[derive(Debug)]
struct TopicHistory {
    entries: VecDeque<Entry>,
    /// Whether no timestamp is earlier than one before it. While that holds, everything before a
    /// message that is too old is too old as well.
    ages_in_order: bool,
}

impl Default for TopicHistory {
    fn default() -> TopicHistory {
        TopicHistory {
            entries: VecDeque::new(),
            ages_in_order: true,
        }
    }
}

impl TopicHistory {
    fn push(&mut self, position: u64, message: Rc<Message>) {
        if let Some(newest) = self.entries.back() {
            self.ages_in_order &= newest.message.timestamp <= message.timestamp;
        }
        self.entries.push_back(Entry { position, message });
    }
}

/// Merges the topics' lists from their newest ends.
struct NewestFirst<'a> {
    rests: Vec<Rev<Iter<'a, Entry>>>,
}

impl<'a> Iterator for NewestFirst<'a> {
    type Item = &'a Rc<Message>;

    fn next(&mut self) -> Option<&'a Rc<Message>> {
        let position = |mut rest: Rev<Iter<'a, Entry>>| rest.next().map(|entry| entry.position);
        let rests = self.rests.iter_mut();
        let newest = rests.max_by_key(|rest| position(Rev::clone(rest)))?;
        newest.next().map(|entry| &entry.message)
    }
}

#[cfg(test)]
mod tests;
