//! The history against the obvious one: a list that is scanned from its end.

use proptest::prelude::*;

use super::*;
use crate::message::{Draft, MessageId, Payload, Ttl};

const TOPICS: [Topic; 3] = [Topic::MarketData, Topic::TaSignals, Topic::SystemEvents];
const SOURCES: [&str; 2] = ["a", "b"];

#[derive(Clone, Debug)]
enum Step {
    Push {
        topic: usize,
        source: usize,
        at: i64,
        ttl: i64,
    },
    CleanUp {
        now: i64,
    },
    Clear {
        topic: Option<usize>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..3_usize, 0..2_usize, 0..20_i64, 1..20_i64)
            .prop_map(|(topic, source, at, ttl)| Step::Push { topic, source, at, ttl }),
        1 => (0..30_i64).prop_map(|now| Step::CleanUp { now }),
        1 => prop::option::of(0..3_usize).prop_map(|topic| Step::Clear { topic }),
    ]
}

fn seconds(secs: i64) -> Instant {
    Instant::START + Span::from_secs(secs)
}

fn message(number: u64, topic: Topic, source: &str, at: i64, ttl: i64) -> Message {
    let draft = Draft::new(topic, source.into(), Payload::empty()).ttl(Ttl::from_secs(ttl as f64));
    let stamped = draft.stamp(MessageId::number(number), seconds(at));
    stamped.expect("it is valid")
}

/// Takes the same steps with a plain list.
fn plain_step(list: &mut Vec<Message>, cap: usize, number: u64, step: &Step) {
    match *step {
        Step::Push {
            topic,
            source,
            at,
            ttl,
        } => {
            list.push(message(number, TOPICS[topic], SOURCES[source], at, ttl));
            if cap != 0 && list.len() > cap {
                list.remove(0);
            }
        }
        Step::CleanUp { now } => list.retain(|message| !message.is_expired(seconds(now))),
        Step::Clear { topic } => {
            list.retain(|message| topic.is_some_and(|topic| message.topic != TOPICS[topic]));
        }
    }
}

proptest! {
    #[test]
    fn it_answers_like_a_list_that_is_scanned(
        cap in 0..8_usize,
        steps in prop::collection::vec(step(), 0..40),
        now in 0..40_i64,
        max_age in prop::option::of(-1..20_i64),
        source in prop::option::of(0..2_usize),
        in_order in any::<bool>(),
    ) {
        let (mut history, mut list) = (History::new(cap), Vec::new());
        for (number, step) in steps.into_iter().enumerate() {
            let step = match step {
                Step::Push { topic, source, ttl, .. } if in_order => {
                    Step::Push { topic, source, at: number as i64, ttl }
                }
                any_order => any_order,
            };
            plain_step(&mut list, cap, number as u64, &step);
            match step {
                Step::Push { topic, source, at, ttl } => history.push(Rc::new(message(
                    number as u64, TOPICS[topic], SOURCES[source], at, ttl,
                ))),
                Step::CleanUp { now } => drop(history.clean_up(seconds(now))),
                Step::Clear { topic } => drop(history.clear(topic.map(|topic| TOPICS[topic]))),
            }
            prop_assert_eq!(history.len(), list.len());
        }
        let source = source.map(|source| Name::fixed(SOURCES[source]));
        let max_age = max_age.map(Span::from_secs);
        let now = seconds(now);
        for topic in TOPICS {
            let criteria = Criteria { source: source.clone(), max_age };
            let is_even = |message: &Message| !message.id.to_string().ends_with(['1', '3', '5']);
            let expected = list.iter().rev().find(|message| {
                message.topic == topic
                    && source.as_ref().is_none_or(|source| message.source == *source)
                    && max_age.is_none_or(|max| message.age(now) <= max)
                    && !message.is_expired(now)
                    && is_even(message)
            });
            let found = history.latest(topic, &criteria, now, is_even);
            prop_assert_eq!(found.map(|found| &**found), expected);
        }
        let all: Vec<_> = history.all().iter().map(|message| Message::clone(message)).collect();
        prop_assert_eq!(all, list);
    }
}

#[test]
fn a_rewritten_message_keeps_its_place_and_leaves_other_holders_alone() {
    let mut history = History::new(10);
    for number in 0..3 {
        history.push(Rc::new(message(number, Topic::TaSignals, "a", 0, 300)));
    }
    let held = history.all()[1].clone();
    let rewritten = history.rewrite(&held, |message| message.source = Name::fixed("b"));
    assert_eq!(rewritten, Some(()));
    let sources: Vec<_> = history
        .all()
        .iter()
        .map(|it| it.source.to_string())
        .collect();
    assert_eq!(sources, ["a", "b", "a"]);
    assert_eq!(held.source, "a");
    history.clear(None);
    assert_eq!(history.rewrite(&held, |_| ()), None);
}
