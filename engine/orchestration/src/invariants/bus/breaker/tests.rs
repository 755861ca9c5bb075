//! Removals that are due, early, late, silent.

use super::super::samples::{
    TOPIC, config, delivered, failed, published, subscribed, unsubscribed,
};
use super::*;
use crate::bus::subscriptions::FailureCount;
use crate::coordinator::state::RunState;
use crate::domain_event::{Published, StateChanged};
use crate::invariants::planted::Planted;
use crate::message::{Draft, Instant, MessageId};

/// Three failures remove.
fn of(counting: FailureCount) -> Planted {
    let mut config = config();
    config.message_bus.subscriptions.failures = 3;
    config.message_bus.subscriptions.counting = counting;
    Planted::of(Breaker::new(&config)).then(subscribed("a", None))
}

/// A publish that goes well or not, and its publisher going on: three or four events from `at` on.
fn publish(log: Planted, at: u64, number: u64, fails: bool) -> Planted {
    let log = log
        .then(published(number, "agent"))
        .after(at, delivered(number, "a"));
    if fails {
        log.after(at + 1, failed(number, "a"))
    } else {
        log
    }
}

fn goes_on() -> StateChanged {
    StateChanged {
        from: RunState::Running,
        to: RunState::Paused,
        by: "pause".into(),
    }
}

fn announcement() -> Published {
    let removed = HandlerRemoved {
        subscriber: "a".into(),
        label: None,
        topic: TOPIC,
        failures: 3,
    };
    let draft = Draft::new(Topic::SystemEvents, "message_bus".into(), removed);
    let message = draft.stamp(MessageId::number(9), Instant::START);
    Published {
        message: std::rc::Rc::new(message.expect("it names its source")),
        trimmed: 0,
    }
}

/// Three failures; events 1 to 9.
fn thrice(counting: FailureCount) -> Planted {
    let log = publish(of(counting), 1, 0, true);
    publish(publish(log, 4, 1, true), 7, 2, true)
}

#[test]
fn the_last_failure_removes_and_that_is_announced() {
    for counting in [FailureCount::Cumulative, FailureCount::Consecutive] {
        thrice(counting)
            .then(unsubscribed("a", Some(3)))
            .then(announcement())
            .after(7, goes_on())
            .holds();
    }
}

/// Fails if the message that a slow subscriber fails on is forgotten before it comes to it.
#[test]
fn the_last_failure_may_come_long_after_its_message() {
    let log = publish(of(FailureCount::Cumulative), 1, 0, true);
    let mut log = publish(log, 4, 1, true).then(published(2, "agent"));
    for number in 3..303 {
        log = log.then(published(number, "agent"));
    }
    log.after(7, delivered(2, "a"))
        .after(308, failed(2, "a"))
        .then(unsubscribed("a", Some(3)))
        .then(announcement())
        .after(7, goes_on())
        .holds();
}

#[test]
fn who_is_kept_is_found() {
    let what = thrice(FailureCount::Cumulative).after(7, goes_on());
    assert!(what.violated().contains("found it kept"));
}

#[test]
fn a_silent_removal_is_found() {
    let log = thrice(FailureCount::Cumulative).then(unsubscribed("a", Some(3)));
    assert!(log.after(7, goes_on()).violated().contains("announced"));
}

#[test]
fn an_early_removal_is_found() {
    let log = publish(of(FailureCount::Cumulative), 1, 0, true);
    let what = log.then(unsubscribed("a", Some(3))).violated();
    assert!(what.contains("found it removed at 1"), "{what}");
    let log = publish(of(FailureCount::Cumulative), 1, 0, false);
    let what = log.then(unsubscribed("a", Some(3))).violated();
    assert!(what.contains("at another time"), "{what}");
}

#[test]
fn a_new_subscription_starts_at_zero() {
    let log = publish(of(FailureCount::Cumulative), 1, 0, true);
    let log = publish(log, 4, 1, true).then(subscribed("a", None));
    let log = publish(log, 8, 2, true);
    log.after(8, goes_on()).holds();
}

#[test]
fn a_success_forgives_only_where_failures_must_be_consecutive() {
    let mixed = |counting| {
        let log = publish(publish(of(counting), 1, 0, true), 4, 1, true);
        let log = publish(log, 7, 2, false).after(7, goes_on());
        publish(log, 10, 3, true)
    };
    mixed(FailureCount::Consecutive)
        .after(10, goes_on())
        .holds();
    let kept = mixed(FailureCount::Cumulative).after(10, goes_on());
    assert!(kept.violated().contains("found it kept"));
    let removed = mixed(FailureCount::Consecutive).then(unsubscribed("a", Some(3)));
    assert!(removed.violated().contains("found it removed at 1"));
}
