//! Who is subscribed to what, in the order of delivery, as the events tell it.

use std::rc::Rc;

use crate::bus::subscriptions::SubscriberKey;
use crate::domain_event::DomainEvent;
use crate::message::{Name, Topic};

/// The subscriptions of a topic at one moment; later changes do not touch it.
pub(in crate::invariants) type Keys = Rc<Vec<SubscriberKey>>;

/// The subscriptions of every topic.
#[derive(Debug, Default)]
pub(in crate::invariants) struct Table {
    topics: [Keys; Topic::COUNT],
}

impl Table {
    /// Takes a subscription or its end into account; anything else changes nothing.
    pub(in crate::invariants) fn apply(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::Started(_) => *self = Table::default(),
            DomainEvent::Subscribed(it) => {
                let keys = Rc::make_mut(&mut self.topics[it.topic.index()]);
                keys.retain(|key| !it.replaced.contains(key));
                keys.push(key_of(&it.subscriber, it.label.as_ref()));
            }
            DomainEvent::Unsubscribed(it) => {
                let keys = Rc::make_mut(&mut self.topics[it.topic.index()]);
                keys.retain(|key| !is(key, &it.subscriber, it.label.as_ref()));
            }
            _ => {}
        }
    }

    /// The subscriptions of a topic.
    pub(in crate::invariants) fn of(&self, topic: Topic) -> &Keys {
        &self.topics[topic.index()]
    }
}

/// Whether it is this subscriber's subscription under this label.
pub(super) fn is(key: &SubscriberKey, subscriber: &Name, label: Option<&Name>) -> bool {
    key.subscriber == *subscriber && key.label.as_ref() == label
}

/// Whose subscription it is, and which of them.
pub(in crate::invariants) fn key_of(subscriber: &Name, label: Option<&Name>) -> SubscriberKey {
    SubscriberKey {
        subscriber: subscriber.clone(),
        label: label.cloned(),
    }
}
