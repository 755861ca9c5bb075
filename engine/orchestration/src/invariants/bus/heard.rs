//! `outside.heard`: what somebody outside says or asks of the bus arrives there.

use dacapo_kernel::{Event, Invariant, KernelEvent, Time, number as kernel};

use crate::domain_event::{DomainEvent, OutsideAction, number};
use crate::invariants::liveness::up::{Turn, Up};
use crate::message::{Name, Topic};

/// What is awaited of the bus.
#[derive(Clone, Debug, PartialEq)]
enum Awaited {
    /// A message in somebody's name.
    Message(Topic, Name),
    /// A subscription of somebody, under a label.
    Subscription(Topic, Name, Option<Name>),
    /// How the coordinator is.
    Status,
}

/// A message from outside is on the bus, a subscription holds, or was refused, and a question how things are has its
/// answer, before time goes on.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Since when.
    open: Vec<(Time, Awaited)>,
    /// The bus lives with the coordinator.
    life: Up,
    stopped: bool,
}

impl Heard {
    fn pass(&self, now: Time) -> Result<(), String> {
        let Some((_, awaited)) = self.open.iter().find(|(since, _)| *since < now) else {
            return Ok(());
        };
        let what = match awaited {
            Awaited::Message(topic, _) => format!("a message from outside on `{topic}`"),
            Awaited::Subscription(topic, ..) => format!("a subscription from outside to `{topic}`"),
            Awaited::Status => "a question how things are".to_owned(),
        };
        Err(format!("expected {what} to arrive, found it lost"))
    }

    fn wait_for(&mut self, awaited: Awaited, now: Time) {
        if self.life.listens() && !self.stopped {
            self.open.push((now, awaited));
        }
    }

    fn met(&mut self, awaited: &Awaited) {
        if let Some(at) = self.open.iter().position(|(_, open)| open == awaited) {
            self.open.remove(at);
        }
    }
}

impl Invariant<DomainEvent> for Heard {
    fn id(&self) -> &'static str {
        "outside.heard"
    }

    fn statement(&self) -> &'static str {
        "what somebody outside publishes is on the bus, a subscription holds or was refused, and who asks how \
         things are is told, before time goes on"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            kernel::TaskCrashed,
            number::Started,
            number::OutsideMessage,
            number::OutsideActed,
            number::OutsideRefused,
            number::Published,
            number::Subscribed,
            number::StatusReported,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OutsideMessage, number::OutsideActed]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.pass(now)?;
        if self.life.note(event) != Turn::Nothing {
            self.open.clear();
            self.stopped = false;
            return Ok(());
        }
        match event.domain() {
            Some(DomainEvent::OutsideMessage(it)) => {
                self.wait_for(Awaited::Message(it.topic, it.source.clone()), now);
            }
            Some(DomainEvent::OutsideActed(it)) => match &it.action {
                OutsideAction::Subscribe(it) => {
                    let (subscriber, label) = (it.subscriber.clone(), it.label.clone());
                    self.wait_for(Awaited::Subscription(it.topic, subscriber, label), now);
                }
                OutsideAction::Status => self.wait_for(Awaited::Status, now),
                OutsideAction::Stop => {
                    self.open.clear();
                    self.stopped = true;
                }
                _ => {}
            },
            Some(DomainEvent::Published(it)) => {
                let message = &it.message;
                self.met(&Awaited::Message(message.topic, message.source.clone()));
            }
            Some(DomainEvent::Subscribed(it)) => {
                let (subscriber, label) = (it.subscriber.clone(), it.label.clone());
                self.met(&Awaited::Subscription(it.topic, subscriber, label));
            }
            Some(DomainEvent::StatusReported(_)) => self.met(&Awaited::Status),
            // What was refused is not named; any of what is open may be meant.
            Some(DomainEvent::OutsideRefused(_)) => drop(self.open.pop()),
            // A task that crashes takes with it what it was about to do.
            _ => {
                if let Some(KernelEvent::TaskCrashed(_)) = event.kernel() {
                    self.open.clear();
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain_event::{
        OutsideActed, OutsideMessage, OutsideRefused, Published, Started, StatusReported,
        Subscribed,
    };
    use crate::invariants::bus::samples::{TOPIC, published, subscribed};
    use crate::invariants::planted::Planted;
    use crate::message::{Json, Payload, Priority, Ttl};

    fn said() -> OutsideMessage {
        OutsideMessage {
            topic: TOPIC,
            source: "somebody".into(),
            priority: Priority::Normal,
            payload: Payload::from_json(TOPIC, json!({})),
            ttl: Ttl::default(),
        }
    }

    fn asked() -> OutsideActed {
        let script = json!({"topic": TOPIC, "subscriber": "somebody"});
        OutsideActed {
            action: OutsideAction::Subscribe(serde_json::from_value(script).unwrap()),
        }
    }

    fn log() -> Planted {
        Planted::of(Heard::default())
            .then(Started {})
            .then(Subscribed {
                topic: Topic::CoordinatorCommands,
                ..subscribed("coordinator", None)
            })
    }

    fn later(log: Planted) -> Planted {
        log.at(1.0).then(published(9, "another"))
    }

    #[test]
    fn what_is_lost_on_its_way_is_found() {
        let lost = later(log().then(said())).violated();
        assert!(lost.contains("a message from outside"), "{lost}");
        let lost = later(log().then(asked())).violated();
        assert!(lost.contains("a subscription from outside"), "{lost}");
        let anothers = log().then(said()).then(published(1, "another"));
        later(anothers).violated();
    }

    #[test]
    fn a_question_without_an_answer_is_found() {
        let question = || OutsideActed {
            action: OutsideAction::Status,
        };
        let answer = || StatusReported {
            status: Json(json!({})),
        };
        let lost = later(log().then(question())).violated();
        assert!(lost.contains("how things are"), "{lost}");
        later(log().then(question()).then(answer())).holds();
        later(log().then(question()).then(question()).then(answer())).violated();
    }

    #[test]
    fn what_arrives_or_is_refused_is_fine() {
        let arrived: Published = published(1, "somebody");
        later(log().then(said()).then(arrived)).holds();
        later(log().then(asked()).then(subscribed("somebody", None))).holds();
        let refused = OutsideRefused {
            outcome: "subscription_rejected".into(),
            reason: "it is full".to_owned(),
        };
        later(log().then(asked()).then(refused)).holds();
        // Before the coordinator listens there is no bus to reach.
        let early = Planted::of(Heard::default()).then(Started {}).then(said());
        later(early).holds();
    }
}
