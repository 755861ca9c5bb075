//! What entered the bus reaches everybody who subscribed to it.

use dacapo_kernel::{Event, Invariant, Plan, Time, number as kernel};

use super::up::{Turn, Up};
use super::{BOUND, EXCLUDED, is_late, is_undisturbed};
use crate::config::Config;
use crate::domain_event::{DomainEvent, Published, number};
use crate::message::{Name, Topic};

/// A message that somebody has not been called with yet.
#[derive(Debug)]
struct Waiting {
    message: u64,
    topic: Topic,
    since: Time,
    /// How many subscriptions are still to be called.
    left: u32,
}

/// `live.delivered`
pub(super) struct Delivery {
    quiet: Option<Time>,
    life: Up,
    subscribed: Vec<(Topic, Name, Option<Name>)>,
    waiting: Vec<Waiting>,
}

impl Delivery {
    pub(super) fn new(plan: &Plan<Config>) -> Delivery {
        Delivery {
            quiet: plan.faults.ends().filter(|_| is_undisturbed(plan)),
            life: Up::default(),
            subscribed: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn pass(&self, now: Time) -> Result<(), String> {
        // The oldest come first.
        match self.waiting.first() {
            Some(oldest) if is_late(oldest.since, self.quiet, BOUND, now) => Err(format!(
                "expected a message on `{}` to reach every subscription, found one not called",
                oldest.topic.name()
            )),
            _ => Ok(()),
        }
    }

    fn publish(&mut self, published: &Published, now: Time) {
        let message = &published.message;
        // One that lives shorter than the bound may have expired by then.
        if message.ttl.as_secs() < BOUND.as_secs_f64() {
            return;
        }
        let of_topic = |(topic, ..): &&(Topic, Name, Option<Name>)| *topic == message.topic;
        let left = self.subscribed.iter().filter(of_topic).count() as u32;
        if left > 0 {
            self.waiting.push(Waiting {
                message: message.id.as_number(),
                topic: message.topic,
                since: now,
                left,
            });
        }
    }

    fn one_less(&mut self, of: impl Fn(&Waiting) -> bool) {
        for waiting in self.waiting.iter_mut().filter(|waiting| of(waiting)) {
            waiting.left -= 1;
        }
        self.waiting.retain(|waiting| waiting.left > 0);
    }
}

impl Invariant<DomainEvent> for Delivery {
    fn id(&self) -> &'static str {
        "live.delivered"
    }

    fn statement(&self) -> &'static str {
        "unexpired messages that reached the bus are delivered within the bound"
    }

    fn applies(&self) -> bool {
        self.quiet.is_some()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::Published,
            number::Delivered,
            number::Subscribed,
            number::Unsubscribed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Published]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        if self.life.note(event) != Turn::Nothing {
            self.subscribed.clear();
            self.waiting.clear();
        }
        match event.domain() {
            Some(DomainEvent::Published(published)) => self.publish(published, event.time),
            Some(DomainEvent::Delivered(delivered)) => {
                self.one_less(|waiting| waiting.message == delivered.message);
            }
            Some(DomainEvent::Subscribed(it)) => {
                let same = |(topic, who, label): &(Topic, Name, Option<Name>)| {
                    (topic, who, label) == (&it.topic, &it.subscriber, &it.label)
                };
                if let Some(at) = self.subscribed.iter().position(same) {
                    self.subscribed.remove(at);
                }
                let (who, label) = (it.subscriber.clone(), it.label.clone());
                self.subscribed.push((it.topic, who, label));
            }
            Some(DomainEvent::Unsubscribed(it)) => {
                self.subscribed.retain(|(topic, who, label)| {
                    (topic, who, label) != (&it.topic, &it.subscriber, &it.label)
                });
                // It may be called once more with what is on its way, or not.
                self.one_less(|waiting| waiting.topic == it.topic);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{crashed, ended, minimal, name, published, raw, started};
    use super::*;
    use crate::domain_event::{Delivered, Subscribed, Unsubscribed};
    use crate::invariants::planted::Planted;
    use serde_json::json;

    fn subscribed(who: &str) -> Subscribed {
        Subscribed {
            topic: Topic::TaSignals,
            subscriber: name(who),
            label: None,
            replaced: Vec::new(),
        }
    }

    fn delivered(who: &str) -> Delivered {
        Delivered {
            message: 7,
            subscriber: name(who),
            label: None,
            under_lock: false,
        }
    }

    fn told() -> Planted {
        let log = Planted::of(Delivery::new(&minimal())).then(started());
        let log = log.then(subscribed("ada")).then(subscribed("bob"));
        log.then(published(7, Topic::TaSignals, raw(json!({}))))
            .then(delivered("ada"))
    }

    #[test]
    fn whoever_subscribed_is_called() {
        told()
            .then(delivered("bob"))
            .at(500.0)
            .kernel(ended())
            .holds();
    }

    #[test]
    fn whoever_is_never_called_is_found() {
        let found = told().at(120.5).then(subscribed("eve")).violated();
        assert!(found.contains("ta_signals"), "{found}");
        told().at(120.0).then(subscribed("eve")).holds();
    }

    #[test]
    fn whoever_leaves_or_crashes_is_not_waited_for() {
        let left = Unsubscribed {
            topic: Topic::TaSignals,
            subscriber: name("bob"),
            label: None,
            failures: None,
        };
        told().then(left).at(500.0).then(subscribed("eve")).holds();
        told()
            .at(1.0)
            .kernel(crashed())
            .at(500.0)
            .then(started())
            .holds();
    }
}
