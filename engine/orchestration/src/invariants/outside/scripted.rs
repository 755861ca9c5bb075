//! `outside.as-scripted`: a subscriber with a script fails, takes its time and answers as it says.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Time, number as kernel};

use super::EXACT;
use crate::bus::subscriptions::SubscriberKey;
use crate::config::{Config, ScriptedSubscriber};
use crate::domain_event::{
    Delivered, DomainEvent, HandlerFailed, OutsideAction, Published, Subscribed, number,
};
use crate::invariants::bus::table::key_of;
use crate::invariants::liveness::up::{Turn, Up};
use crate::invariants::outsiders::Outsiders;
use crate::message::{Name, Topic};

/// How many calls are kept whose end may still be told.
const KEPT: usize = 64;

/// A call of which it is not known how it ended.
#[derive(Debug)]
struct Call {
    script: Rc<ScriptedSubscriber>,
    /// Which one it is in the life of the subscriber, counted from 0.
    number: u64,
    message: u64,
    /// When it may end.
    due: Time,
    /// Whether it is still to answer, at once.
    answers: bool,
}

impl Call {
    fn fails(&self) -> bool {
        self.script.always_fails || self.script.fails.contains(&self.number)
    }

    fn is_of(&self, failed: &HandlerFailed) -> bool {
        self.message == failed.message
            && self.script.subscriber == failed.subscriber
            && self.script.label == failed.label
    }

    /// Whether it takes no time.
    fn is_quick(&self) -> bool {
        self.script.delay_seconds <= 0.0
    }
}

/// What a subscriber has done so far.
#[derive(Debug, Default)]
struct Done {
    calls: u64,
    answers: u64,
}

/// The scripts that hold, and the calls that are under way.
#[derive(Debug)]
pub(super) struct AsScripted {
    /// Those that begin before the coordinator, whenever it is started.
    first: Vec<ScriptedSubscriber>,
    /// Those that somebody outside asked for since.
    asked: Vec<ScriptedSubscriber>,
    /// None of a subscription of which nobody knows which script it follows.
    scripts: BTreeMap<(Topic, SubscriberKey), Option<Rc<ScriptedSubscriber>>>,
    /// Whether a script may be called with what is said on a topic.
    listens: [bool; Topic::COUNT],
    /// The topic of the latest messages that a script may be called with.
    topics: VecDeque<(u64, Topic)>,
    /// By subscriber, of all that follow a script.
    done: BTreeMap<Name, Done>,
    /// The calls of this instant that take no time, and those that do.
    quick: Vec<Call>,
    slow: VecDeque<Call>,
    life: Up,
    outsiders: Outsiders,
    judged: bool,
}

impl AsScripted {
    pub(super) fn new(plan: &Plan<Config>) -> AsScripted {
        let events = plan.system.events.iter();
        let first = events.filter(|event| event.at_seconds < 0.0);
        AsScripted {
            first: first.filter_map(|event| event.subscribe.clone()).collect(),
            asked: Vec::new(),
            scripts: BTreeMap::new(),
            listens: [false; Topic::COUNT],
            topics: VecDeque::new(),
            done: BTreeMap::new(),
            quick: Vec::new(),
            slow: VecDeque::new(),
            life: Up::default(),
            outsiders: Outsiders::default(),
            judged: false,
        }
    }

    /// What takes no time has happened before time goes on.
    fn pass(&mut self, now: Time) -> Result<(), String> {
        if self.quick.first().is_none_or(|call| now <= call.due) {
            return Ok(());
        }
        let mut open = self
            .quick
            .iter()
            .filter(|call| call.fails() || call.answers);
        if let Some(call) = open.next() {
            let to = if call.fails() { "fail" } else { "answer" };
            return Err(format!(
                "expected call {} of a subscriber to {to} as its script says, found that it did not",
                call.number
            ));
        }
        self.quick.clear();
        Ok(())
    }

    fn subscribe(&mut self, it: &Subscribed, is_outside: bool) {
        let is_it = |script: &ScriptedSubscriber| {
            script.topic == it.topic
                && script.subscriber == it.subscriber
                && script.label == it.label
        };
        let asked = self.asked.iter().position(&is_it);
        let asked = asked.map(|at| self.asked.remove(at));
        let script = asked.or_else(|| self.first.iter().rfind(|it| is_it(it)).cloned());
        let place = (it.topic, key_of(&it.subscriber, it.label.as_ref()));
        let script = script.map(Rc::new);
        if script.is_none() && !is_outside {
            self.scripts.remove(&place);
            return;
        }
        self.listens[it.topic.index()] = true;
        self.done.entry(it.subscriber.clone()).or_default();
        // Whoever is being served already is still called as it was.
        let before = self.scripts.get(&place);
        let is_clear = before.is_none_or(|before| *before == script);
        self.scripts.insert(place, script.filter(|_| is_clear));
    }

    fn publish(&mut self, it: &Published) -> Result<(), String> {
        let message = &it.message;
        if self.listens[message.topic.index()] {
            if self.topics.len() == KEPT {
                self.topics.pop_front();
            }
            let number = message.id.as_number();
            self.topics.push_back((number, message.topic));
        }
        if !self.done.contains_key(&message.source) {
            return Ok(());
        }
        let open = self.scripts.values().flatten();
        let mut speakers = open.filter(|script| script.subscriber == message.source);
        let says_it = |script: &&Rc<ScriptedSubscriber>| {
            script.reply.as_ref().is_some_and(|reply| {
                reply.topic == message.topic && reply.payload.0 == message.payload.to_json()
            })
        };
        let Some(script) = speakers.find(says_it) else {
            return Ok(());
        };
        let done = self.done.entry(message.source.clone()).or_default();
        done.answers += 1;
        let newest_first = self.quick.iter_mut().rev();
        let mut awaited = newest_first.filter(|call| call.script.subscriber == message.source);
        if let Some(call) = awaited.find(|call| call.answers) {
            call.answers = false;
        }
        match script.reply.as_ref().and_then(|reply| reply.max) {
            Some(max) if done.answers > max => Err(format!(
                "expected a subscriber to answer at most {max} times, found answer {}",
                done.answers
            )),
            _ => Ok(()),
        }
    }

    fn deliver(&mut self, it: &Delivered, now: Time) {
        let Some(done) = self.done.get_mut(&it.subscriber) else {
            return;
        };
        done.calls += 1;
        let mut topics = self.topics.iter().rev();
        let topic = topics.find(|(number, _)| *number == it.message);
        let key = key_of(&it.subscriber, it.label.as_ref());
        let script = topic.and_then(|(_, topic)| self.scripts.get(&(*topic, key)));
        let Some(Some(script)) = script else { return };
        let mut call = Call {
            script: Rc::clone(script),
            number: done.calls - 1,
            message: it.message,
            due: now + Duration::from_secs_f64(script.delay_seconds.max(0.0)),
            answers: false,
        };
        let may_answer = |max: Option<u64>| max.is_none_or(|max| done.answers < max);
        let has_answer = script
            .reply
            .as_ref()
            .is_some_and(|reply| may_answer(reply.max));
        call.answers = has_answer && call.is_quick() && !call.fails();
        if call.is_quick() {
            self.quick.push(call);
        } else {
            if self.slow.len() == KEPT {
                self.slow.pop_front();
            }
            self.slow.push_back(call);
        }
        self.judged = true;
    }

    fn fail(&mut self, it: &HandlerFailed, now: Time) -> Result<(), String> {
        let quick = self.quick.iter().position(|call| call.is_of(it));
        let slow = self.slow.iter().position(|call| call.is_of(it));
        let call = match quick {
            Some(at) => Some(self.quick.remove(at)),
            None => slow.and_then(|at| self.slow.remove(at)),
        };
        let Some(call) = call else {
            return Ok(());
        };
        if !call.fails() {
            return Err(format!(
                "expected call {} of a subscriber to succeed as its script says, found it failed",
                call.number
            ));
        }
        if now + EXACT < call.due {
            return Err(format!(
                "expected a call to take {} s as its script says, found it over sooner",
                call.script.delay_seconds
            ));
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for AsScripted {
    fn id(&self) -> &'static str {
        "outside.as-scripted"
    }

    fn statement(&self) -> &'static str {
        "a subscriber with a script fails, takes its time and answers as it says"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            kernel::TaskCrashed,
            kernel::ActorNamed,
            number::Started,
            number::OutsideActed,
            number::OutsideRefused,
            number::Subscribed,
            number::Published,
            number::Delivered,
            number::HandlerFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Delivered]]
    }

    fn evaluable(&self) -> bool {
        self.judged
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.outsiders.observe(event);
        self.pass(now)?;
        if self.life.note(event) == Turn::Crashed {
            self.scripts.clear();
            self.listens = [false; Topic::COUNT];
            self.done.clear();
            self.quick.clear();
            self.slow.clear();
            return Ok(());
        }
        // A task that crashes takes with it what it was about to do.
        if let Some(KernelEvent::TaskCrashed(_)) = event.kernel() {
            self.quick.clear();
            return Ok(());
        }
        match event.domain() {
            Some(DomainEvent::OutsideActed(it)) => {
                if let OutsideAction::Subscribe(script) = &it.action {
                    self.asked.push(script.clone());
                }
            }
            Some(DomainEvent::OutsideRefused(it)) if it.outcome == *"subscription_rejected" => {
                self.asked.clear();
            }
            Some(DomainEvent::Subscribed(it)) => {
                self.subscribe(it, self.outsiders.has(event.actor));
            }
            Some(DomainEvent::Published(it)) => return self.publish(it),
            Some(DomainEvent::Delivered(it)) => self.deliver(it, now),
            Some(DomainEvent::HandlerFailed(it)) => return self.fail(it, now),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::{HostCrashed, HostId, TaskCrashed};
    use serde_json::{Value, json};

    use super::*;
    use crate::domain_event::{OutsideActed, Started};
    use crate::invariants::bus::samples::{
        TOPIC, config, delivered, failed, published, subscribed,
    };
    use crate::invariants::planted::Planted;

    /// A subscriber with this script, and a message for it.
    fn with(script: Value) -> Planted {
        let mut whole = json!({"topic": TOPIC, "subscriber": "desk"});
        let fields = whole.as_object_mut().unwrap();
        fields.extend(script.as_object().unwrap().clone());
        let script = serde_json::from_value(whole).unwrap();
        let plan = Plan::of("scripted", config());
        Planted::of(AsScripted::new(&plan))
            .then(Started {})
            .then(OutsideActed {
                action: OutsideAction::Subscribe(script),
            })
            .then(subscribed("desk", None))
            .then(published(1, "agent"))
    }

    #[test]
    fn a_call_fails_if_and_only_if_its_script_says_so() {
        let first = || with(json!({"fails": [1]})).then(delivered(1, "desk"));
        let later = |log: Planted| log.at(1.0).then(published(3, "agent"));
        let second = || {
            first()
                .then(published(2, "agent"))
                .then(delivered(2, "desk"))
        };
        later(first()).holds();
        first().then(failed(1, "desk")).violated();
        later(second().then(failed(2, "desk"))).holds();
        later(second()).violated();
        let always = || with(json!({"always_fails": true})).then(delivered(1, "desk"));
        always().then(failed(1, "desk")).holds();
        later(always()).violated();
    }

    #[test]
    fn a_call_takes_its_time() {
        let slow = json!({"always_fails": true, "delay_seconds": 2.0});
        let slow = || with(slow.clone()).then(delivered(1, "desk"));
        slow().at(2.0).then(failed(1, "desk")).holds();
        slow().at(1.5).then(failed(1, "desk")).violated();
    }

    #[test]
    fn a_call_is_answered_as_often_as_its_script_says() {
        let reply = json!({"reply": {"topic": TOPIC, "payload": {}, "max": 1}});
        let called = || with(reply.clone()).then(delivered(1, "desk"));
        let answered = || called().then(published(2, "desk"));
        called().at(1.0).then(published(3, "agent")).violated();
        answered().at(1.0).then(published(3, "agent")).holds();
        answered().then(published(3, "desk")).violated();
        let again = answered().then(delivered(2, "desk"));
        again.at(1.0).then(published(3, "agent")).holds();
    }

    #[test]
    fn what_a_crash_takes_with_it_is_not_awaited() {
        let called = || with(json!({"always_fails": true})).then(delivered(1, "desk"));
        let later = |log: Planted| log.at(1.0).then(published(2, "agent"));
        let task = TaskCrashed {
            task: dacapo_kernel::TaskId(1),
        };
        later(called().kernel(task)).holds();
        later(called().kernel(HostCrashed {
            host: HostId(1),
            abrupt: true,
        }))
        .holds();
    }
}
