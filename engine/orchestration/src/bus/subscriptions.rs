//! Who is subscribed to what, in delivery order, and which handlers keep failing.
//!
//! This is data: it decides what a publish would call and when a subscription ends, but calls
//! nothing itself. A handler is whatever the bus makes of it.

use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::defect::{Defect, Defects};
use crate::message::{Name, Topic};

/// Who a subscription belongs to. One subscriber may have several on a topic, told apart by label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubscriberKey {
    /// The subscriber.
    pub subscriber: Name,
    /// Which of its subscriptions.
    pub label: Option<Name>,
}

impl SubscriberKey {
    /// The subscription without a label.
    pub fn new(subscriber: Name) -> SubscriberKey {
        SubscriberKey {
            subscriber,
            label: None,
        }
    }

    /// The subscription with this label.
    pub fn labelled(subscriber: Name, label: Name) -> SubscriberKey {
        SubscriberKey {
            subscriber,
            label: Some(label),
        }
    }
}

/// What subscribing returns. As text it is `subscriber:topic`, then `:label` if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionId {
    /// Who is subscribed.
    pub key: SubscriberKey,
    /// To what.
    pub topic: Topic,
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key.subscriber, self.topic)?;
        match &self.key.label {
            Some(label) => write!(f, ":{label}"),
            None => Ok(()),
        }
    }
}

/// One subscription as a publish sees it.
#[derive(Clone, Debug)]
pub struct Subscription<H> {
    /// Who it belongs to.
    pub key: SubscriberKey,
    /// What is called, with whatever filter it has.
    pub handler: H,
}

/// Which failures of a handler count towards its removal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCount {
    /// All since it subscribed.
    #[default]
    Cumulative,
    /// Only those since its last success.
    Consecutive,
}

/// The bounds of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubscriptionLimits {
    /// How many subscriptions a topic can have.
    pub per_topic: usize,
    /// The failure that removes a subscription.
    pub failures: u32,
    /// Which failures count.
    pub counting: FailureCount,
}

impl Default for SubscriptionLimits {
    /// 100 subscriptions per topic; the 10th failure, cumulative, removes one.
    fn default() -> SubscriptionLimits {
        SubscriptionLimits {
            per_topic: 100,
            failures: 10,
            counting: FailureCount::Cumulative,
        }
    }
}

/// A topic has as many subscriptions as it can.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{subscriber}` cannot subscribe to {topic}: it has its {limit} subscriptions; \
     unsubscribe one, or replace one by its own subscriber and label"
)]
pub struct SubscriptionLimit {
    /// Who wanted to subscribe.
    pub subscriber: Name,
    /// To what.
    pub topic: Topic,
    /// How many there are and may be.
    pub limit: usize,
}

/// What a failure of a handler leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// The subscription stays, or was already gone.
    Kept,
    /// It was removed after this many failures.
    Removed {
        /// How many failures counted.
        failures: u32,
    },
}

/// Every subscription, per topic and in delivery order.
#[derive(Debug)]
pub struct Subscriptions<H> {
    limits: SubscriptionLimits,
    defects: Defects,
    topics: [TopicTable<H>; Topic::COUNT],
}

/// The subscriptions of one topic. The list is shared with publishes under way, so a change
/// makes a new one; `failures` runs parallel to it.
#[derive(Debug)]
struct TopicTable<H> {
    entries: Rc<[Subscription<H>]>,
    failures: Vec<u32>,
}

impl<H: Clone> Subscriptions<H> {
    /// An empty table.
    pub fn new(limits: SubscriptionLimits, defects: Defects) -> Subscriptions<H> {
        Subscriptions {
            limits,
            defects,
            topics: std::array::from_fn(|_| TopicTable {
                entries: Rc::new([]),
                failures: Vec::new(),
            }),
        }
    }

    /// Subscribes a handler at the end of the delivery order.
    ///
    /// A subscription of the same subscriber with the same label is replaced, and with it its
    /// place in the order and its failures; different labels live side by side.
    ///
    /// # Errors
    ///
    /// The topic has as many subscriptions as it can, and none is replaced.
    pub fn subscribe(
        &mut self,
        topic: Topic,
        key: SubscriberKey,
        handler: H,
    ) -> Result<SubscriptionId, SubscriptionLimit> {
        let whatever_the_label = self.defects.has(Defect::ResubscribeReplaces);
        let table = &mut self.topics[topic.index()];
        table
            .remove(|each| *each == key || whatever_the_label && each.subscriber == key.subscriber);
        let is_full = table.entries.len() >= self.limits.per_topic;
        if is_full && !self.defects.has(Defect::UnboundedSubscriptions) {
            return Err(SubscriptionLimit {
                subscriber: key.subscriber,
                topic,
                limit: self.limits.per_topic,
            });
        }
        table.append(Subscription {
            key: key.clone(),
            handler,
        });
        Ok(SubscriptionId { key, topic })
    }

    /// Ends every subscription of `subscriber` on `topic`, or on all; how many that was.
    pub fn unsubscribe(&mut self, subscriber: &str, topic: Option<Topic>) -> usize {
        Topic::or_all(topic)
            .map(|each| self.topics[each.index()].remove(|key| key.subscriber == *subscriber))
            .sum()
    }

    /// Ends the one subscription of this id; whether it was there.
    pub fn remove(&mut self, id: &SubscriptionId) -> bool {
        self.topics[id.topic.index()].remove(|key| *key == id.key) > 0
    }

    /// What a publish on `topic` has to call, in order. Later changes do not touch it.
    pub fn snapshot(&self, topic: Topic) -> Rc<[Subscription<H>]> {
        Rc::clone(&self.topics[topic.index()].entries)
    }

    /// Notes that a handler finished.
    pub fn record_success(&mut self, topic: Topic, key: &SubscriberKey) {
        if self.limits.counting == FailureCount::Consecutive
            && let Some(failures) = self.topics[topic.index()].failures_of(key)
        {
            *failures = 0;
        }
    }

    /// Notes that a handler failed, and removes its subscription if it has failed too often.
    ///
    /// Counted is the subscription that stands now: one that was made anew meanwhile starts from zero.
    pub fn record_failure(&mut self, topic: Topic, key: &SubscriberKey) -> AfterFailure {
        if self.defects.has(Defect::NoHandlerBreaker) {
            return AfterFailure::Kept;
        }
        let table = &mut self.topics[topic.index()];
        let Some(failures) = table.failures_of(key) else {
            return AfterFailure::Kept;
        };
        *failures += 1;
        let failures = *failures;
        if failures < self.limits.failures {
            return AfterFailure::Kept;
        }
        table.remove(|each| each == key);
        AfterFailure::Removed { failures }
    }

    /// How many subscriptions `topic` has, or all topics together.
    pub fn count(&self, topic: Option<Topic>) -> usize {
        Topic::or_all(topic)
            .map(|each| self.topics[each.index()].entries.len())
            .sum()
    }

    /// How many topics have at least one subscription.
    pub fn topics_active(&self) -> usize {
        let active = self.topics.iter().filter(|table| !table.entries.is_empty());
        active.count()
    }
}

impl<H: Clone> TopicTable<H> {
    fn append(&mut self, subscription: Subscription<H>) {
        let mut entries = self.entries.to_vec();
        entries.push(subscription);
        self.entries = entries.into();
        self.failures.push(0);
    }

    fn remove(&mut self, ends: impl Fn(&SubscriberKey) -> bool) -> usize {
        let before = self.entries.len();
        if !self.entries.iter().any(|each| ends(&each.key)) {
            return 0;
        }
        let table = self.entries.iter().cloned().zip(self.failures.drain(..));
        let (entries, failures): (Vec<_>, Vec<_>) =
            table.filter(|(each, _)| !ends(&each.key)).unzip();
        self.entries = entries.into();
        self.failures = failures;
        before - self.entries.len()
    }

    fn failures_of(&mut self, key: &SubscriberKey) -> Option<&mut u32> {
        let place = self.entries.iter().position(|each| each.key == *key)?;
        self.failures.get_mut(place)
    }
}

#[cfg(test)]
mod tests;
