//! What reaches a subscription that has ended.

use dacapo_kernel::{Event, Invariant};

use super::table::{is, key_of};
use crate::bus::subscriptions::SubscriberKey;
use crate::domain_event::{DomainEvent, number};
use crate::message::Topic;

/// Nothing published after a removal is delivered to the removed subscription.
///
/// The numbers of messages rise over the whole run, so they tell what was published later.
#[derive(Default)]
pub(super) struct RemovedIsSilent {
    removed: Vec<Removed>,
    /// The number that the next message has at least.
    next: u64,
    /// The topics of what was published since the first removal that is remembered, in order.
    since: Vec<(u64, Topic)>,
}

struct Removed {
    topic: Topic,
    key: SubscriberKey,
    /// Messages from this number on were published after it.
    from: u64,
}

impl Invariant<DomainEvent> for RemovedIsSilent {
    fn id(&self) -> &'static str {
        "bus.removed-is-silent"
    }

    fn statement(&self) -> &'static str {
        "nothing published after a removal is delivered to the removed subscription"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::Subscribed,
            number::Unsubscribed,
            number::Published,
            number::Delivered,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Unsubscribed], &[number::Published]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.removed.clear();
                self.since.clear();
            }
            Some(DomainEvent::Subscribed(it)) => {
                let key = key_of(&it.subscriber, it.label.as_ref());
                self.removed
                    .retain(|removed| removed.topic != it.topic || removed.key != key);
                for key in it.replaced.iter().filter(|other| **other != key) {
                    self.remove(it.topic, key.clone());
                }
            }
            Some(DomainEvent::Unsubscribed(it)) => {
                self.remove(it.topic, key_of(&it.subscriber, it.label.as_ref()))
            }
            Some(DomainEvent::Published(it)) => {
                let number = it.message.id.as_number();
                self.next = number + 1;
                if !self.removed.is_empty() {
                    self.remember(number, it.message.topic);
                }
            }
            Some(DomainEvent::Delivered(it)) if !self.removed.is_empty() => {
                return self.check(it.message, |key| is(key, &it.subscriber, it.label.as_ref()));
            }
            _ => {}
        }
        Ok(())
    }
}

/// How many removals are remembered, and how many messages with their topic.
const REMEMBERED: usize = 64;

impl RemovedIsSilent {
    fn remove(&mut self, topic: Topic, key: SubscriberKey) {
        let from = self.next;
        if self.removed.len() == REMEMBERED {
            self.removed.remove(0);
        }
        self.removed.push(Removed { topic, key, from });
    }

    /// A delivery that takes longer than so many further messages is not looked at.
    fn remember(&mut self, number: u64, topic: Topic) {
        if self.since.len() == REMEMBERED {
            self.since.remove(0);
        }
        self.since.push((number, topic));
    }

    fn check(&self, number: u64, is_its: impl Fn(&SubscriberKey) -> bool) -> Result<(), String> {
        let mut found = self.removed.iter().filter(|it| is_its(&it.key));
        let silent = |removed: &Removed| {
            let same = |(known, topic): &(u64, Topic)| *known == number && *topic == removed.topic;
            number >= removed.from && self.since.iter().any(same)
        };
        match found.find(|removed| silent(removed)) {
            None => Ok(()),
            Some(removed) => Err(format!(
                "expected nothing for {} after its removal, found msg-{number} delivered",
                removed.key.subscriber
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{delivered, key, published, subscribed, unsubscribed};
    use super::*;
    use crate::domain_event::Subscribed;
    use crate::invariants::planted::Planted;

    fn removed() -> Planted {
        Planted::of(RemovedIsSilent::default())
            .then(subscribed("a", None))
            .then(published(3, "agent"))
            .then(unsubscribed("a", Some(10)))
    }

    #[test]
    fn what_was_published_before_may_still_come_and_a_new_subscription_gets_everything() {
        removed()
            .then(delivered(3, "a"))
            .then(subscribed("a", None))
            .then(published(4, "agent"))
            .then(delivered(4, "a"))
            .holds();
    }

    #[test]
    fn what_is_published_later_must_not_come() {
        let late = removed().then(published(4, "agent"));
        assert!(late.then(delivered(4, "a")).violated().contains("removal"));
    }

    #[test]
    fn a_replaced_subscription_is_removed_too() {
        let replacing = Subscribed {
            replaced: vec![key("a", None)],
            ..subscribed("a", Some("x"))
        };
        let log = Planted::of(RemovedIsSilent::default())
            .then(subscribed("a", None))
            .then(replacing)
            .then(unsubscribed("b", None))
            .then(published(4, "agent"));
        assert!(log.then(delivered(4, "a")).violated().contains("removal"));
    }
}
