//! What is done to a bus, and what its handlers are like.

use dacapo_orchestration::message::Topic;
use proptest::prelude::*;
use proptest::sample::select;

/// What a handler wants to be called with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    Everything,
    Of(&'static str),
    FilterFails,
}

/// What a handler does on the bus that is calling it, before it fails or finishes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Nothing,
    Publish(Topic),
    /// From the topic of the message.
    Unsubscribe(&'static str),
    /// To the topic of the message, under the same label.
    Subscribe(&'static str),
}

/// What a handler is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    pub(super) wants: Wanted,
    pub(super) does: Deed,
    /// A bit for each of eight calls, over and over: at those that are set it fails.
    pub(super) fails: u8,
}

impl Habit {
    /// Finishes at once.
    pub(super) const QUIET: Habit = Habit {
        wants: Wanted::Everything,
        does: Deed::Nothing,
        fails: 0,
    };

    /// How many publishes lie around a message that no handler publishes for any more.
    pub(super) const DEEPEST: u32 = 2;

    pub(super) fn fails_at(&self, call: u32) -> bool {
        self.fails & (1 << (call % 8)) != 0
    }
}

/// What a query looks for beside the topic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) source: Option<&'static str>,
    pub(super) max_age_s: Option<i64>,
    /// The remainder of the message's number by two.
    pub(super) parity: Option<u64>,
}

/// One thing that is done to a bus.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Subscribe {
        topic: Topic,
        who: &'static str,
        label: Option<&'static str>,
        habit: Habit,
    },
    /// Subscribers of other names, for topics that become full.
    Crowd {
        topic: Topic,
        from: u32,
        count: u32,
    },
    Unsubscribe {
        who: &'static str,
        topic: Option<Topic>,
    },
    /// The same message so many times: handlers that always fail are to reach their limit.
    Publish {
        topic: Topic,
        source: &'static str,
        life_s: i64,
        times: u32,
    },
    Wait {
        seconds: i64,
    },
    CleanUp,
    Clear {
        topic: Option<Topic>,
    },
    Latest {
        topic: Topic,
        look: Look,
    },
    /// Age and parity are for the other query.
    List {
        topic: Option<Topic>,
        look: Look,
        limit: usize,
    },
}

/// Few, so that steps meet: one of them is where the bus speaks itself.
const TOPICS: [Topic; 3] = [Topic::TaSignals, Topic::RiskAlerts, Topic::SystemEvents];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn topic() -> impl Strategy<Value = Topic> {
    select(&TOPICS[..])
}

fn maybe_topic() -> impl Strategy<Value = Option<Topic>> {
    prop::option::of(topic())
}

fn name() -> impl Strategy<Value = &'static str> {
    select(&NAMES[..])
}

fn habit() -> impl Strategy<Value = Habit> {
    let wants = prop_oneof![
        6 => Just(Wanted::Everything),
        2 => name().prop_map(Wanted::Of),
        1 => Just(Wanted::FilterFails),
    ];
    let does = prop_oneof![
        6 => Just(Deed::Nothing),
        2 => topic().prop_map(Deed::Publish),
        1 => name().prop_map(Deed::Unsubscribe),
        1 => name().prop_map(Deed::Subscribe),
    ];
    let fails = prop_oneof![2 => Just(0), 2 => Just(u8::MAX), 2 => any::<u8>()];
    (wants, does, fails).prop_map(|(wants, does, fails)| Habit { wants, does, fails })
}

fn look() -> impl Strategy<Value = Look> {
    let source = prop::option::of(prop_oneof![4 => name(), 1 => Just("")]);
    let max_age_s = prop::option::of(-1..20_i64);
    let parity = prop::option::of(0..2_u64);
    (source, max_age_s, parity).prop_map(|(source, max_age_s, parity)| Look {
        source,
        max_age_s,
        parity,
    })
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let label = prop::option::weighted(0.3, select(&["x", "y"][..]));
    let source = prop_oneof![12 => name(), 1 => Just("")];
    let life_s = prop_oneof![1 => -1..1_i64, 12 => 1..12_i64, 6 => Just(300)];
    let times = prop_oneof![4 => Just(1), 1 => 2..12_u32];
    prop_oneof![
        8 => (topic(), name(), label, habit())
            .prop_map(|(topic, who, label, habit)| Step::Subscribe { topic, who, label, habit }),
        1 => (topic(), 0..50_u32, 1..60_u32)
            .prop_map(|(topic, from, count)| Step::Crowd { topic, from, count }),
        2 => (name(), maybe_topic()).prop_map(|(who, topic)| Step::Unsubscribe { who, topic }),
        12 => (topic(), source, life_s, times).prop_map(|(topic, source, life_s, times)| {
            Step::Publish { topic, source, life_s, times }
        }),
        4 => (1..10_i64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::CleanUp),
        1 => maybe_topic().prop_map(|topic| Step::Clear { topic }),
        3 => (topic(), look()).prop_map(|(topic, look)| Step::Latest { topic, look }),
        2 => (maybe_topic(), look(), 0..6_usize).prop_map(|(topic, look, limit)| {
            let look = Look { max_age_s: None, parity: None, ..look };
            Step::List { topic, look, limit }
        }),
    ]
}
