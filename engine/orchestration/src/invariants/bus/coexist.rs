//! What a new subscription ends.

use dacapo_kernel::{Event, Invariant};

use super::table::{Table, key_of};
use crate::domain_event::{DomainEvent, Subscribed, number};

/// Two subscriptions of one subscriber to one topic under different labels both stay; one under the
/// same label takes the place of the other.
#[derive(Default)]
pub(super) struct Coexist {
    table: Table,
}

impl Invariant<DomainEvent> for Coexist {
    fn id(&self) -> &'static str {
        "bus.coexist"
    }

    fn statement(&self) -> &'static str {
        "two filters of one subscriber on one topic both stay subscribed"
    }

    fn watches(&self) -> &'static [u16] {
        &[number::Started, number::Subscribed, number::Unsubscribed]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Subscribed]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(domain) = event.domain() else {
            return Ok(());
        };
        if let DomainEvent::Subscribed(it) = domain {
            self.check(it)?;
        }
        self.table.apply(domain);
        Ok(())
    }
}

impl Coexist {
    fn check(&self, it: &Subscribed) -> Result<(), String> {
        let key = key_of(&it.subscriber, it.label.as_ref());
        if let Some(other) = it.replaced.iter().find(|other| **other != key) {
            let whose = if other.subscriber == key.subscriber {
                "under another label"
            } else {
                "of somebody else"
            };
            return Err(format!(
                "expected the other subscriptions to stay, found one of {} {whose} replaced",
                other.subscriber
            ));
        }
        let was_there = self.table.of(it.topic).contains(&key);
        match (was_there, it.replaced.len()) {
            (true, 0) => Err(format!(
                "expected the same label to replace, found {} subscribed twice",
                it.subscriber
            )),
            (false, 1..) => Err(format!(
                "expected nothing to replace, found a subscription of {} replaced",
                it.subscriber
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{key, subscribed, unsubscribed};
    use super::*;
    use crate::bus::subscriptions::SubscriberKey;
    use crate::invariants::planted::Planted;

    fn replacing(label: Option<&str>, replaced: SubscriberKey) -> Subscribed {
        Subscribed {
            replaced: vec![replaced],
            ..subscribed("a", label)
        }
    }

    #[test]
    fn different_labels_live_side_by_side_and_the_same_one_replaces() {
        Planted::of(Coexist::default())
            .then(subscribed("a", None))
            .then(subscribed("a", Some("x")))
            .then(replacing(Some("x"), key("a", Some("x"))))
            .then(unsubscribed("a", None))
            .then(subscribed("a", None))
            .holds();
    }

    #[test]
    fn every_other_way_is_found() {
        let after_x = |it| {
            let first = Planted::of(Coexist::default()).then(subscribed("a", Some("x")));
            first.then(it).violated()
        };
        let other = after_x(replacing(Some("y"), key("a", Some("x"))));
        assert!(other.contains("under another label"), "{other}");
        let foreign = after_x(replacing(Some("x"), key("b", None)));
        assert!(foreign.contains("of somebody else"), "{foreign}");
        assert!(after_x(subscribed("a", Some("x"))).contains("twice"));
        let nothing = after_x(replacing(None, key("a", None)));
        assert!(nothing.contains("nothing to replace"), "{nothing}");
    }
}
