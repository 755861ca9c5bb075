//! The bus as a list of messages and a list of subscriptions for each topic.

use std::collections::BTreeMap;

use dacapo_orchestration::bus::subscriptions::FailureCount;
use dacapo_orchestration::message::Topic;

use super::step::{Deed, Habit, Look, Step, Wanted};

/// How a bus is set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) history: usize,
    pub(super) per_topic: usize,
    pub(super) failures: u32,
    pub(super) counting: FailureCount,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Nothing,
    Refused,
    Count(usize),
    /// Numbers of messages.
    Found(Vec<u64>),
}

/// Who was called, under which label, with which message.
pub(super) type Call = (String, Option<&'static str>, u64);

/// A message, as far as the bus cares.
#[derive(Clone, Debug)]
struct Stored {
    number: u64,
    topic: Topic,
    source: String,
    at_s: i64,
    life_s: i64,
}

#[derive(Clone, Debug)]
struct Subscription {
    subscriber: String,
    label: Option<&'static str>,
    habit: Habit,
    /// Tells one handler from the one that took its place.
    handler: u64,
    failures: u32,
}

/// What the bus would be after the steps so far.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) setting: Setting,
    now_s: i64,
    history: Vec<Stored>,
    subscriptions: BTreeMap<Topic, Vec<Subscription>>,
    /// How often each handler has been called.
    called: BTreeMap<u64, u32>,
    handlers: u64,
    pub(super) published: u64,
    pub(super) delivered: u64,
    pub(super) errors: u64,
    /// Of the last step.
    pub(super) calls: Vec<Call>,
    pub(super) answer: Answer,
}

impl Model {
    pub(super) fn new(setting: Setting) -> Model {
        Model {
            setting,
            now_s: 0,
            history: Vec::new(),
            subscriptions: BTreeMap::new(),
            called: BTreeMap::new(),
            handlers: 0,
            published: 0,
            delivered: 0,
            errors: 0,
            calls: Vec::new(),
            answer: Answer::Nothing,
        }
    }

    pub(super) fn history_size(&self) -> usize {
        self.history.len()
    }

    /// Who is subscribed, in the order of delivery, without topics that nobody is subscribed to.
    pub(super) fn subscribers(&self) -> BTreeMap<Topic, Vec<String>> {
        let topics = self.subscriptions.iter();
        let names = topics.map(|(topic, all)| {
            let names = all.iter().map(|each| each.subscriber.clone());
            (*topic, names.collect::<Vec<_>>())
        });
        names.filter(|(_, names)| !names.is_empty()).collect()
    }

    pub(super) fn take(&mut self, step: &Step) {
        self.calls.clear();
        self.answer = match step.clone() {
            Step::Subscribe {
                topic,
                who,
                label,
                habit,
            } => match self.subscribe(topic, who, label, habit) {
                true => Answer::Nothing,
                false => Answer::Refused,
            },
            Step::Crowd { topic, from, count } => {
                let all = from..from + count;
                let names = all.map(|number| format!("crowd-{number}"));
                let taken = names.filter(|name| self.subscribe(topic, name, None, Habit::QUIET));
                Answer::Count(taken.count())
            }
            Step::Unsubscribe { who, topic } => Answer::Count(self.unsubscribe(who, topic)),
            Step::Publish {
                topic,
                source,
                life_s,
                times,
            } => {
                let mut delivered = Some(0);
                for _ in 0..times {
                    let more = self.publish(topic, source, life_s, Some(0));
                    delivered = delivered.zip(more).map(|(sum, more)| sum + more);
                }
                delivered.map_or(Answer::Refused, Answer::Count)
            }
            Step::Wait { seconds } => {
                self.now_s += seconds;
                Answer::Nothing
            }
            Step::CleanUp => {
                let now_s = self.now_s;
                Answer::Count(self.drop_messages(|message| message.is_over(now_s)))
            }
            Step::Clear { topic } => {
                let is_meant = |message: &Stored| topic.is_none_or(|topic| topic == message.topic);
                Answer::Count(self.drop_messages(is_meant))
            }
            Step::Latest { topic, look } => {
                let found = self.newest_first(Some(topic), &look);
                Answer::Found(found.into_iter().take(1).collect())
            }
            Step::List { topic, look, limit } => {
                let found = self.newest_first(topic, &look);
                Answer::Found(found.into_iter().take(limit).collect())
            }
        };
    }

    fn subscribe(
        &mut self,
        topic: Topic,
        subscriber: &str,
        label: Option<&'static str>,
        habit: Habit,
    ) -> bool {
        let all = self.subscriptions.entry(topic).or_default();
        all.retain(|each| (each.subscriber.as_str(), each.label) != (subscriber, label));
        let has_room = all.len() < self.setting.per_topic;
        if has_room {
            self.handlers += 1;
            all.push(Subscription {
                subscriber: subscriber.to_owned(),
                label,
                habit,
                handler: self.handlers,
                failures: 0,
            });
        }
        has_room
    }

    fn unsubscribe(&mut self, who: &str, topic: Option<Topic>) -> usize {
        let mut removed = 0;
        for (at, all) in &mut self.subscriptions {
            if topic.is_none_or(|topic| topic == *at) {
                let before = all.len();
                all.retain(|each| each.subscriber != who);
                removed += before - all.len();
            }
        }
        removed
    }

    /// The number of handlers that finished; none if the message is refused. `depth` is how many
    /// publishes lie around this one; an announcement of the bus has none.
    fn publish(
        &mut self,
        topic: Topic,
        source: &str,
        life_s: i64,
        depth: Option<u32>,
    ) -> Option<usize> {
        if source.is_empty() || life_s <= 0 {
            return None;
        }
        let number = self.published;
        self.published += 1;
        self.history.push(Stored {
            number,
            topic,
            source: source.to_owned(),
            at_s: self.now_s,
            life_s,
        });
        if self.setting.history > 0 && self.history.len() > self.setting.history {
            self.history.remove(0);
        }
        let (mut delivered, mut removed) = (0, 0);
        for each in self.subscriptions.get(&topic).cloned().unwrap_or_default() {
            let wants = match each.habit.wants {
                Wanted::Everything => true,
                Wanted::Of(wanted) => wanted == source,
                Wanted::FilterFails => false,
            };
            if !wants {
                continue;
            }
            let key = (each.subscriber.clone(), each.label);
            self.calls.push((key.0.clone(), key.1, number));
            let call = self.called.entry(each.handler).or_default();
            *call += 1;
            let fails = each.habit.fails_at(*call - 1);
            if let Some(depth) = depth {
                self.perform(topic, &each, depth);
            }
            let now = self.subscriptions.entry(topic).or_default();
            let stands = |it: &Subscription| (it.subscriber.clone(), it.label) == key;
            let place = now.iter().position(stands);
            if fails {
                self.errors += 1;
                if let Some(place) = place {
                    now[place].failures += 1;
                    if now[place].failures >= self.setting.failures {
                        now.remove(place);
                        removed += 1;
                    }
                }
            } else {
                delivered += 1;
                self.delivered += 1;
                if let (Some(place), FailureCount::Consecutive) = (place, self.setting.counting) {
                    now[place].failures = 0;
                }
            }
        }
        for _ in 0..removed {
            self.publish(Topic::SystemEvents, "message_bus", 300, None);
        }
        Some(delivered)
    }

    /// What a handler does on the bus that is calling it.
    fn perform(&mut self, topic: Topic, each: &Subscription, depth: u32) {
        match each.habit.does {
            Deed::Nothing => {}
            Deed::Publish(to) if depth < Habit::DEEPEST => {
                self.publish(to, &each.subscriber, 300, Some(depth + 1));
            }
            Deed::Publish(_) => {}
            Deed::Unsubscribe(who) => drop(self.unsubscribe(who, Some(topic))),
            Deed::Subscribe(who) => drop(self.subscribe(topic, who, each.label, Habit::QUIET)),
        }
    }

    fn drop_messages(&mut self, is_meant: impl Fn(&Stored) -> bool) -> usize {
        let before = self.history.len();
        self.history.retain(|message| !is_meant(message));
        before - self.history.len()
    }

    fn newest_first(&self, topic: Option<Topic>, look: &Look) -> Vec<u64> {
        let fits = |message: &&Stored| {
            topic.is_none_or(|topic| topic == message.topic)
                && look.source.is_none_or(|source| source == message.source)
                && look
                    .max_age_s
                    .is_none_or(|max| self.now_s - message.at_s <= max)
                && look
                    .parity
                    .is_none_or(|parity| message.number % 2 == parity)
                && !message.is_over(self.now_s)
        };
        let newest_first = self.history.iter().rev().filter(fits);
        newest_first.map(|message| message.number).collect()
    }
}

impl Stored {
    fn is_over(&self, now_s: i64) -> bool {
        now_s - self.at_s > self.life_s
    }
}
