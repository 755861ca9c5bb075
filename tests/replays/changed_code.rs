//! Code that behaves differently is named at the first event that differs, with what was expected,
//! what happened instead, and why it stood there.

use dacapo_kernel::{Events, Plan, Verified};
use dacapo_lab::{Difference, explain};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::config::Config;
use dacapo_tests::{Story, begun_with, events, reader, replay};
use serde_json::{Value, json};

/// The difference between a log and the same log begun with another plan.
fn difference(story: Story, change: impl FnOnce(&mut Plan<Config>)) -> Difference {
    let log = begun_with(story.log(), change);
    let Verified::Diverged(divergence, common) = replay(&log) else {
        panic!("the change made no difference");
    };
    let mut events = Events::new(reader(&log));
    explain::<Orchestration>(&mut events, &divergence, &common)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn switch_on(defect: &str) -> impl FnOnce(&mut Plan<Config>) + use<> {
    let defect = defect.to_owned();
    |plan| plan.defects.push(defect)
}

/// The first event of a kind in a story as it ships.
fn first(story: Story, kind: &str) -> dacapo_kernel::Seq {
    let events = events(story.log());
    let found = events.iter().find(|event| event.kind().name == kind);
    found
        .unwrap_or_else(|| panic!("no event is of the kind {kind}"))
        .seq
}

/// The fields that differ, each with what was recorded and what is now.
fn fields(difference: &Difference) -> Vec<(&str, Option<Value>, Option<Value>)> {
    let field = difference.fields.iter();
    let field = field.map(|it| (it.path.as_str(), it.expected.clone(), it.actual.clone()));
    field.collect()
}

fn kinds_of_causes(difference: &Difference) -> Vec<&str> {
    let lines = difference.causes.lines.iter();
    lines.map(|line| line.kind).collect()
}

/// The switch decides whether handlers run under the lock, so the first call of a handler differs.
#[test]
fn a_switched_lock_is_named_at_the_first_delivery() {
    let found = difference(Story::Deadlock, switch_on("handler-under-lock"));
    assert_eq!(found.seq, first(Story::Deadlock, "delivered"));
    let told = |line: &Option<dacapo_lab::Line>| line.as_ref().map(|line| line.kind);
    assert_eq!(told(&found.expected), Some("delivered"));
    assert_eq!(told(&found.actual), Some("delivered"));
    assert_eq!(
        fields(&found),
        [("body.under_lock", Some(json!(false)), Some(json!(true)))]
    );
    assert_eq!(
        kinds_of_causes(&found),
        ["outside message", "task started", "published"]
    );
    assert_eq!(found.last_common.map(|seq| seq.next()), Some(found.seq));
}

/// One constant of the coordinator: how much agreement raises confidence.
#[test]
fn a_changed_constant_is_named_at_the_first_event_it_is_used_for() {
    let found = difference(Story::BinanceTape, |plan| {
        plan.system.consensus.max_confidence_boost += 0.01;
        plan.system.consensus.max_confidence_penalty += 0.01;
    });
    let raised = events(Story::BinanceTape.log())
        .into_iter()
        .find(|event| match event.domain() {
            Some(dacapo_orchestration::domain_event::DomainEvent::ConsensusBuilt(built)) => {
                built.multiplier != 1.0
            }
            _ => false,
        })
        .expect("agreement changes some confidence");
    assert_eq!(found.seq, raised.seq);
    let paths = found.fields.iter().map(|field| field.path.as_str());
    // The confidence may stand at its limit before and after.
    let paths: Vec<&str> = paths.filter(|path| *path != "body.confidence").collect();
    assert_eq!(paths, ["body.multiplier"]);
    assert!(
        kinds_of_causes(&found).contains(&"published"),
        "{:?}",
        found.causes
    );
}

/// Evidence of another symbol is taken where it was not.
#[test]
fn a_switched_filter_is_named_at_the_evidence_it_lets_through() {
    let found = difference(Story::BinanceTape, switch_on("no-symbol-filter"));
    assert_eq!(
        found.expected.as_ref().map(|line| line.kind),
        Some("consensus built")
    );
    let evidence = found
        .fields
        .iter()
        .filter(|field| field.path.starts_with("body.evidence"));
    assert!(evidence.count() > 0, "{:?}", found.fields);
}

#[test]
fn what_is_before_the_difference_is_common_to_both() {
    let found = difference(Story::Deadlock, switch_on("handler-under-lock"));
    let before = found.last_common.expect("it is not the first event");
    let common = dacapo_tests::world_after(Story::Deadlock.log(), Some(before));
    assert_eq!(found.common_time, common.now);
    assert_eq!(found.common_state, dacapo_lab::in_short(&common));
}
