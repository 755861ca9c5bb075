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

/// How many calls are remembered; of those before nothing is said any more.
const CALLS: usize = 256;

/// How many messages are remembered: a subscriber that is slow may fail on one long after it was published.
const MESSAGES: usize = 4_096;

pub(super) struct Counts {
    counting: FailureCount,
    /// By topic.
    rows: [BTreeMap<SubscriberKey, Row>; Topic::COUNT],
    /// Calls of which nobody knows yet how they ended.
    calls: VecDeque<Call>,
    /// Number, event and topic of what was published, while somebody has failed before or may now.
    messages: VecDeque<(u64, Seq, Topic)>,
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

struct Call {
    message: u64,
    topic: Topic,
    key: SubscriberKey,
    /// How often the subscription had failed before it.
    total: u32,
}

impl Counts {
    pub(super) fn new(counting: FailureCount) -> Counts {
        Counts {
            counting,
            rows: Default::default(),
            calls: VecDeque::new(),
            messages: VecDeque::new(),
            last_failure: None,
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Counts::new(self.counting);
    }

    pub(super) fn published(&mut self, seq: Seq, it: &Published) {
        if self.messages.len() == MESSAGES {
            self.messages.pop_front();
        }
        let number = it.message.id.as_number();
        self.messages.push_back((number, seq, it.message.topic));
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
        self.calls
            .retain(|call| call.topic != topic || call.key != *key);
    }

    /// A failure of a subscription that there is: which one, and how many count at least.
    pub(super) fn failed(&mut self, it: &HandlerFailed) -> Option<(Topic, SubscriberKey, u32)> {
        let (_, _, topic) = *self.message(it.message)?;
        self.last_failure = Some(it.message);
        let key = key_of(&it.subscriber, it.label.as_ref());
        self.calls
            .retain(|call| call.message != it.message || call.key != key);
        let under_way = |call: &Call| call.topic == topic && call.key == key;
        let may_have_succeeded = self.calls.iter().any(under_way);
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
        self.message(self.last_failure?).map(|(_, seq, _)| *seq)
    }

    fn message(&self, number: u64) -> Option<&(u64, Seq, Topic)> {
        let at = self
            .messages
            .binary_search_by_key(&number, |it| it.0)
            .ok()?;
        self.messages.get(at)
    }

    // Where successes forgive.

    /// A handler is called: the one that was called with the same message before has succeeded.
    fn called(&mut self, it: &Delivered) {
        self.succeeded(it.message);
        let Some((_, _, topic)) = self.message(it.message).copied() else {
            return;
        };
        let key = key_of(&it.subscriber, it.label.as_ref());
        let Some(Row { total, .. }) = self.rows[topic.index()].get(&key) else {
            return;
        };
        let total = *total;
        if self.calls.len() == CALLS
            && let Some(call) = self.calls.pop_front()
            && let Some(row) = self.rows[call.topic.index()].get_mut(&call.key)
        {
            row.least = 0;
        }
        self.calls.push_back(Call {
            message: it.message,
            topic,
            key,
            total,
        });
    }

    /// What follows from a publishing and is no delivery shows that the publish is over.
    fn over(&mut self, cause: Option<Seq>) {
        let Some(cause) = cause else { return };
        if let Ok(at) = self.messages.binary_search_by_key(&cause, |it| it.1) {
            self.succeeded(self.messages[at].0);
        }
    }

    /// The last call with a message has ended, and not by a failure. When it did is not known: failures
    /// since it began may have come afterwards.
    fn succeeded(&mut self, message: u64) {
        // There is one call with it at most, and nearly always a new one.
        let Some(at) = self.calls.iter().rposition(|call| call.message == message) else {
            return;
        };
        if let Some(call) = self.calls.remove(at)
            && let Some(row) = self.rows[call.topic.index()].get_mut(&call.key)
        {
            row.least = 0;
            row.most = row.most.min(row.total - call.total);
        }
    }
}
