//! Failures that are undone, and some that are not.

use super::super::samples::{
    counted, ended, listens, plan, run_ended, run_started, started, state,
};
use super::*;
use crate::coordinator::state::RunState::{Halted, Paused, Running};
use crate::domain_event::{ModelAnswered, ModelAsked, ModelReply};
use crate::invariants::planted::Planted;
use serde_json::json;

fn degraded(api_failures: u32) -> Planted {
    let plan = plan(json!({"degradation": {"api_failures": api_failures}}));
    let log = Planted::of(Recovers::new(&plan))
        .then(started())
        .then(listens());
    log.then(counted(Counted::ApiFailure, 0, api_failures))
}

fn succeeding(mut log: Planted, counts: &[u32]) -> Planted {
    for (at, left) in (1..).zip(counts) {
        log = log
            .at(f64::from(at))
            .then(run_started("ta_analysis", false));
        log = log.then(run_ended("ta_analysis", TaskOutcome::Done));
        log = log.then(counted(Counted::ApiSuccess, 0, *left));
    }
    log
}

#[test]
fn three_successes_undo_a_failure() {
    let log = succeeding(degraded(2), &[2, 2, 1, 1, 1, 0]);
    log.at(9.0).kernel(ended()).holds();
}

#[test]
fn successes_that_undo_nothing_are_found() {
    let log = succeeding(degraded(2), &[2, 2, 1, 1, 1, 1]);
    let found = log
        .at(9.0)
        .then(run_started("ta_analysis", false))
        .violated();
    assert!(found.ends_with("found 1 left"), "{found}");
    // Nobody counts them at all.
    let mut log = degraded(1);
    for at in 1..=3 {
        log = log.at(f64::from(at));
        log = log.then(run_ended("ta_analysis", TaskOutcome::Done));
    }
    log.at(9.0)
        .then(run_started("ta_analysis", false))
        .violated();
}

#[test]
fn a_failure_in_between_begins_the_row_anew() {
    let log = succeeding(degraded(1), &[1, 1]);
    let log = log
        .at(3.0)
        .then(run_ended("ta_analysis", TaskOutcome::TimedOut));
    let log = log.then(counted(Counted::ApiFailure, 0, 2));
    let log = log
        .at(4.0)
        .then(run_ended("ta_analysis", TaskOutcome::Done));
    log.at(9.0).then(run_started("ta_analysis", false)).holds();
}

fn probe() -> ModelAsked {
    ModelAsked {
        model: "deepseek-chat".into(),
        purpose: "probe".into(),
        prompt: String::new(),
        max_tokens: 1,
    }
}

#[test]
fn a_bad_level_without_a_probe_is_found() {
    let found = degraded(9)
        .at(191.0)
        .then(run_started("ta_analysis", false));
    assert_eq!(
        found.violated(),
        "expected a probe of the models at EMERGENCY, found none"
    );
    let log = degraded(9).at(60.0).then(probe()).at(130.0).then(probe());
    log.at(200.0)
        .then(run_started("ta_analysis", false))
        .holds();
    let in_state = |to| degraded(9).at(1.0).then(state(Running, to)).at(200.0);
    let later = run_started("ta_analysis", false);
    in_state(Paused).then(later.clone()).violated();
    in_state(Halted).then(later).holds();
    degraded(4)
        .at(9_000.0)
        .then(run_started("ta_analysis", false))
        .holds();
}

#[test]
fn another_model_is_no_probe() {
    let mut other = probe();
    other.model = "m".into();
    let found = degraded(9).at(60.0).then(other).violated();
    assert!(found.contains("to be probed"), "{found}");
}

#[test]
fn a_probe_is_given_up_in_time() {
    let asked = || degraded(9).at(60.0).then(probe());
    let answered = |seconds: f64| {
        let reply = ModelReply::Text("ready".to_owned());
        asked().at(seconds).after(3, ModelAnswered { reply })
    };
    answered(70.0).holds();
    let found = answered(70.5).violated();
    assert!(found.contains("given up in time"), "{found}");
}

#[test]
fn a_model_that_answers_its_probes_counts_as_working() {
    let plan = plan(json!({"degradation": {"recovery_threshold": 1, "llm_failures": 9}}));
    let mut log = Planted::of(Recovers::new(&plan))
        .then(started())
        .then(listens());
    log = log.then(counted(Counted::LlmFailure, 1, 8));
    log = log
        .at(5.0)
        .then(probe())
        .then_caused_by_the_last(ModelAnswered {
            reply: ModelReply::Text("ready".to_owned()),
        });
    log.at(9.0).kernel(ended()).violated();
}
