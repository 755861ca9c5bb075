//! The coordinator's own subscriptions.

use dacapo_kernel::{ActorId, Event, Invariant};

use super::table::{is, key_of};
use crate::bus::subscriptions::SubscriberKey;
use crate::domain_event::{DomainEvent, HandlerFailed, Unsubscribed, number};
use crate::message::Topic;

/// The coordinator's own subscriptions never fail and are never removed.
///
/// Its own are those that it made itself: somebody outside may subscribe in its name, which
/// replaces what it had, and may end what it likes.
#[derive(Default)]
pub(super) struct CoordinatorStays {
    coordinator: Option<ActorId>,
    own: Vec<(Topic, SubscriberKey)>,
    /// What others subscribed to, on whatever topic: a failure does not say whose handler it was.
    foreign: Vec<SubscriberKey>,
}

impl Invariant<DomainEvent> for CoordinatorStays {
    fn id(&self) -> &'static str {
        "bus.coordinator-stays"
    }

    fn statement(&self) -> &'static str {
        "the coordinator's own subscriptions never fail and are never removed"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::Subscribed,
            number::Unsubscribed,
            number::HandlerFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Started], &[number::Subscribed]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let mine = self.coordinator == Some(event.actor);
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.coordinator = Some(event.actor);
                self.own.clear();
                self.foreign.clear();
            }
            Some(DomainEvent::Subscribed(it)) => {
                let key = key_of(&it.subscriber, it.label.as_ref());
                let ends = |own: &SubscriberKey| *own == key || it.replaced.contains(own);
                self.own
                    .retain(|(topic, own)| *topic != it.topic || !ends(own));
                if mine {
                    self.own.push((it.topic, key));
                } else if it.subscriber == "coordinator" {
                    self.foreign.push(key);
                }
            }
            Some(DomainEvent::Unsubscribed(it)) => return self.removed(it, mine),
            Some(DomainEvent::HandlerFailed(it)) => return self.failed(it),
            _ => {}
        }
        Ok(())
    }
}

impl CoordinatorStays {
    fn removed(&mut self, it: &Unsubscribed, mine: bool) -> Result<(), String> {
        let ended = |(topic, key): &(Topic, SubscriberKey)| {
            *topic == it.topic && is(key, &it.subscriber, it.label.as_ref())
        };
        let Some(at) = self.own.iter().position(ended) else {
            return Ok(());
        };
        self.own.remove(at);
        match it.failures {
            Some(failures) => Err(format!(
                "expected the coordinator to stay on `{}`, found it removed after {failures} failures",
                it.topic
            )),
            None if mine => Err(format!(
                "expected the coordinator to stay on `{}`, found it unsubscribed by itself",
                it.topic
            )),
            None => Ok(()),
        }
    }

    fn failed(&self, it: &HandlerFailed) -> Result<(), String> {
        let its = |key: &SubscriberKey| is(key, &it.subscriber, it.label.as_ref());
        if self.own.iter().any(|(_, key)| its(key)) && !self.foreign.iter().any(its) {
            return Err(format!(
                "expected the handlers of the coordinator not to fail, found {}",
                it.error
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{failed, subscribed, unsubscribed};
    use super::*;
    use crate::domain_event::Started;
    use crate::invariants::planted::Planted;

    fn up() -> Planted {
        Planted::of(CoordinatorStays::default())
            .then(Started {})
            .then(subscribed("coordinator", None))
    }

    #[test]
    fn others_may_fail_and_go() {
        up().then(failed(0, "a"))
            .then(unsubscribed("a", Some(10)))
            .by_another(unsubscribed("coordinator", None))
            .holds();
    }

    #[test]
    fn who_speaks_in_its_name_may_fail() {
        up().by_another(subscribed("coordinator", None))
            .then(failed(0, "coordinator"))
            .then(unsubscribed("coordinator", Some(10)))
            .holds();
    }

    #[test]
    fn it_neither_fails_nor_goes() {
        let found = up().then(failed(0, "coordinator")).violated();
        assert!(found.contains("not to fail"), "{found}");
        let found = up().then(unsubscribed("coordinator", Some(10))).violated();
        assert!(found.contains("removed after"), "{found}");
        let found = up().then(unsubscribed("coordinator", None)).violated();
        assert!(found.contains("by itself"), "{found}");
    }
}
