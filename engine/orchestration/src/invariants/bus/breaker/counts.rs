//! How often each subscription has failed, as far as the events tell.
//!
//! A handler that succeeds leaves no event. Where successes forgive, the count therefore lies between
//! what it is if every call that may have succeeded did so, and what it is if none did.

use std::collections::{BTreeMap, VecDeque};

use dacapo_kernel::Seq;

use super::super::table::key_of;
use crate::bus::subscriptions::{FailureCount, SubscriberKey};
use crate::domain_event::{Delivered, DomainEvent, HandlerFailed, Published};
use crate::message::Topic;

/// How many messages are remembered: a subscriber that is slow may fail on one long after it was published. Of calls with
/// those before nothing is said any more.
const MESSAGES: usize = 4_096;

pub(super) struct Counts {
    counting: FailureCount,
    /// By topic.
    rows: [BTreeMap<SubscriberKey, Row>; Topic::COUNT],
    /// What was published, while somebody has failed before or may now.
    messages: VecDeque<Message>,
    last_failure: Option<u64>,
}

/// How a subscription does.
#[derive(Default)]
struct Row {
    /// Failures since it began.
    total: u32,
    /// Failures that count: at least so many, and at most.
    least: u32,
    most: u32,
}

struct Message {
    number: u64,
    published: Seq,
    topic: Topic,
    /// The last call with it, if nobody knows yet how that ended.
    call: Option<Call>,
}

struct Call {
    key: SubscriberKey,
    /// How often the subscription had failed before it.
    total: u32,
}

impl Counts {
    pub(super) fn new(counting: FailureCount) -> Counts {
        Counts {
            counting,
            rows: Default::default(),
            messages: VecDeque::new(),
            last_failure: None,
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Counts::new(self.counting);
    }

    pub(super) fn published(&mut self, seq: Seq, it: &Published) {
        if self.messages.len() == MESSAGES
            && let Some(Message { topic, call, .. }) = self.messages.pop_front()
            && let Some(call) = call
            && let Some(row) = self.rows[topic.index()].get_mut(&call.key)
        {
            row.least = 0;
        }
        self.messages.push_back(Message {
            number: it.message.id.as_number(),
            published: seq,
            topic: it.message.topic,
            call: None,
        });
    }

    pub(super) fn apply(&mut self, cause: Option<Seq>, event: &DomainEvent) {
        match event {
            DomainEvent::Subscribed(it) => {
                let key = key_of(&it.subscriber, it.label.as_ref());
                it.replaced
                    .iter()
                    .for_each(|key| self.forget(it.topic, key));
                self.forget(it.topic, &key);
                self.rows[it.topic.index()].insert(key, Row::default());
            }
            DomainEvent::Unsubscribed(it) => {
                self.forget(it.topic, &key_of(&it.subscriber, it.label.as_ref()))
            }
            DomainEvent::Delivered(it) if self.counting == FailureCount::Consecutive => {
                self.called(it);
            }
            _ if self.counting == FailureCount::Consecutive => self.over(cause),
            _ => {}
        }
    }

    fn forget(&mut self, topic: Topic, key: &SubscriberKey) {
        self.rows[topic.index()].remove(key);
        for message in self.messages.iter_mut().filter(|it| it.topic == topic) {
            message.call.take_if(|call| call.key == *key);
        }
    }

    /// A failure of a subscription that there is: which one, and how many count at least.
    pub(super) fn failed(&mut self, it: &HandlerFailed) -> Option<(Topic, SubscriberKey, u32)> {
        let at = self.place(it.message)?;
        let message = &mut self.messages[at];
        let topic = message.topic;
        self.last_failure = Some(it.message);
        let key = key_of(&it.subscriber, it.label.as_ref());
        message.call.take_if(|call| call.key == key);
        let is_of_it = |call: &Call| call.key == key;
        let under_way = |it: &Message| it.topic == topic && it.call.as_ref().is_some_and(is_of_it);
        let may_have_succeeded = self.messages.iter().any(under_way);
        let row = self.rows[topic.index()].get_mut(&key)?;
        row.total += 1;
        row.most += 1;
        row.least = if may_have_succeeded { 1 } else { row.least + 1 };
        Some((topic, key, row.least))
    }

    /// How many failures of a subscription count at most.
    pub(super) fn most(&self, topic: Topic, key: &SubscriberKey) -> u32 {
        let row = self.rows[topic.index()].get(key);
        row.map_or(0, |row| row.most)
    }

    /// The event with which the message was published on which a handler failed last.
    pub(super) fn publish_of_last_failure(&self) -> Option<Seq> {
        let at = self.place(self.last_failure?)?;
        Some(self.messages[at].published)
    }

    /// Where a message is kept.
    fn place(&self, number: u64) -> Option<usize> {
        self.messages
            .binary_search_by_key(&number, |it| it.number)
            .ok()
    }

    // Where successes forgive.

    /// A handler is called: the one that was called with the same message before has succeeded.
    fn called(&mut self, it: &Delivered) {
        let Some(at) = self.place(it.message) else {
            return;
        };
        self.succeeded(at);
        let key = key_of(&it.subscriber, it.label.as_ref());
        let message = &mut self.messages[at];
        let row = self.rows[message.topic.index()].get(&key);
        message.call = row.map(|row| Call {
            total: row.total,
            key,
        });
    }

    /// What follows from a publishing and is no delivery shows that the publish is over.
    fn over(&mut self, cause: Option<Seq>) {
        let Some(cause) = cause else { return };
        if let Ok(at) = self
            .messages
            .binary_search_by_key(&cause, |it| it.published)
        {
            self.succeeded(at);
        }
    }

    /// The last call with a message has ended, and not by a failure. When it did is not known: failures
    /// since it began may have come afterwards.
    fn succeeded(&mut self, at: usize) {
        let message = &mut self.messages[at];
        if let Some(call) = message.call.take()
            && let Some(row) = self.rows[message.topic.index()].get_mut(&call.key)
        {
            row.least = 0;
            row.most = row.most.min(row.total - call.total);
        }
    }
}
