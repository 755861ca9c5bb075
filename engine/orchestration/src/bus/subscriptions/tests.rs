//! Order, replacement, labels, the limit and the breaker.

use super::*;
use crate::defect::Profile;

const TOPIC: Topic = Topic::TaSignals;

fn table(defects: Defects) -> Subscriptions<u32> {
    Subscriptions::new(SubscriptionLimits::default(), defects)
}

fn key(subscriber: &str) -> SubscriberKey {
    SubscriberKey::new(subscriber.into())
}

fn order(table: &Subscriptions<u32>) -> Vec<u32> {
    let snapshot = table.snapshot(TOPIC);
    snapshot.iter().map(|each| each.handler).collect()
}

#[test]
fn replacing_moves_to_the_end_and_a_snapshot_does_not_change() {
    let mut table = table(Defects::NONE);
    for (handler, subscriber) in ["a", "b", "c"].iter().enumerate() {
        let id = table.subscribe(TOPIC, key(subscriber), handler as u32);
        assert_eq!(
            id.expect("there is room").to_string(),
            format!("{subscriber}:ta_signals")
        );
    }
    let snapshot = table.snapshot(TOPIC);
    table.subscribe(TOPIC, key("a"), 3).expect("it replaces");
    assert_eq!(order(&table), [1, 2, 3]);
    assert_eq!(snapshot.iter().map(|each| each.handler).max(), Some(2));
    assert_eq!(table.unsubscribe("b", None), 1);
    assert_eq!(table.unsubscribe("b", None), 0);
    assert_eq!(order(&table), [2, 3]);
    assert_eq!((table.count(None), table.topics_active()), (2, 1));
}

#[test]
fn labels_live_side_by_side_unless_resubscribing_replaces() {
    let both = |defects| {
        let mut table = table(defects);
        for (handler, label) in [(1, "x"), (2, "y"), (3, "x")] {
            let key = SubscriberKey::labelled("a".into(), label.into());
            table.subscribe(TOPIC, key, handler).expect("there is room");
        }
        order(&table)
    };
    assert_eq!(both(Defects::NONE), [2, 3]);
    assert_eq!(both(Profile::ReviewFixed.defects()), [3]);
}

#[test]
fn a_full_topic_refuses_newcomers_and_lets_replacements_in() {
    let mut bounded = table(Defects::NONE);
    let mut unbounded = table(Defects::NONE.with(Defect::UnboundedSubscriptions));
    for number in 0..105 {
        let key = key(&number.to_string());
        let told = bounded.subscribe(TOPIC, key.clone(), number);
        assert_eq!(told.is_ok(), number < 100);
        unbounded.subscribe(TOPIC, key, number).expect("no bound");
    }
    assert_eq!(unbounded.count(Some(TOPIC)), 105);
    assert_eq!(bounded.count(Some(TOPIC)), 100);
    bounded.subscribe(TOPIC, key("7"), 7).expect("it replaces");
    assert_eq!(bounded.count(Some(TOPIC)), 100);
}

#[test]
fn the_tenth_failure_removes_and_a_new_subscription_starts_at_zero() {
    let mut table = table(Defects::NONE);
    for _ in 0..2 {
        table.subscribe(TOPIC, key("a"), 1).expect("there is room");
        for _ in 0..9 {
            assert_eq!(table.record_failure(TOPIC, &key("a")), AfterFailure::Kept);
            table.record_success(TOPIC, &key("a"));
        }
    }
    let removed = AfterFailure::Removed { failures: 10 };
    assert_eq!(table.record_failure(TOPIC, &key("a")), removed);
    assert_eq!(table.count(None), 0);
    assert_eq!(table.record_failure(TOPIC, &key("a")), AfterFailure::Kept);
}

#[test]
fn a_success_forgives_only_where_failures_must_be_consecutive() {
    let limits = SubscriptionLimits {
        counting: FailureCount::Consecutive,
        ..SubscriptionLimits::default()
    };
    let mut table = Subscriptions::new(limits, Defects::NONE);
    table.subscribe(TOPIC, key("a"), 1).expect("there is room");
    table.subscribe(TOPIC, key("b"), 2).expect("there is room");
    for _ in 0..9 {
        table.record_failure(TOPIC, &key("a"));
        table.record_failure(TOPIC, &key("b"));
    }
    table.record_success(TOPIC, &key("a"));
    assert_eq!(table.record_failure(TOPIC, &key("a")), AfterFailure::Kept);
    assert_ne!(table.record_failure(TOPIC, &key("b")), AfterFailure::Kept);
    assert_eq!(order(&table), [1]);
}

#[test]
fn without_the_breaker_a_handler_fails_for_ever() {
    let mut table = table(Defects::NONE.with(Defect::NoHandlerBreaker));
    table.subscribe(TOPIC, key("a"), 1).expect("there is room");
    for _ in 0..50 {
        assert_eq!(table.record_failure(TOPIC, &key("a")), AfterFailure::Kept);
    }
}

#[test]
fn a_removal_leaves_the_failures_of_the_others_with_them() {
    let mut table = table(Defects::NONE);
    for (handler, subscriber) in ["a", "b", "c"].iter().enumerate() {
        let subscribed = table.subscribe(TOPIC, key(subscriber), handler as u32);
        subscribed.expect("there is room");
    }
    for _ in 0..9 {
        table.record_failure(TOPIC, &key("c"));
    }
    table.unsubscribe("a", Some(TOPIC));
    assert_eq!(table.record_failure(TOPIC, &key("b")), AfterFailure::Kept);
    assert_ne!(table.record_failure(TOPIC, &key("c")), AfterFailure::Kept);
    assert_eq!(order(&table), [1]);
}
