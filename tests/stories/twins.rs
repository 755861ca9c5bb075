//! Findings of the review as stories: with the defect the run is judged to have failed, by the
//! figures that the story is about; without it the same run passes.

use dacapo_kernel::{Verdict, Verified};
use dacapo_lab::scenario::Overrides;
use dacapo_tests::{defects, record, replay, root};

use super::{examined, judged};

/// Runs a story as it is and with one defect, and compares what is said of it.
#[track_caller]
fn twins(story: &str, defect: &str, told_by: &[&str]) {
    let path = root().join("scenarios").join(format!("{story}.toml"));
    let missed = |overrides: &Overrides| -> Vec<String> {
        let run = record(&path, overrides);
        assert_eq!(run.outcome.verdict, Verdict::Complete);
        assert!(
            matches!(replay(&run.log), Verified::Same { .. }),
            "{story} replays otherwise"
        );
        let expectations = judged(&examined(&run.log)).expectations;
        let missed = expectations.into_iter().filter(|expected| !expected.met);
        let figures = missed.map(|expected| expected.of.replace("figure ", ""));
        figures.collect()
    };
    assert_eq!(missed(&Overrides::default()), [""; 0], "{story} is sound");
    assert_eq!(
        missed(&defects(&[defect])),
        told_by,
        "{story} with {defect}"
    );
}

#[test]
fn evidence_about_another_symbol_makes_a_conflict() {
    twins("wrong-symbol", "no-symbol-filter", &["conflicts", "orders"]);
}

#[test]
fn an_agent_that_fails_degrades_the_level() {
    twins("failing-agent", "task-errors-ignored", &["level_changes"]);
}

#[test]
fn trades_that_could_not_be_stored_are_not_lost() {
    twins(
        "lost-legs",
        "db-failure-drops-trades",
        &["legs_executed", "orders"],
    );
}

#[test]
fn a_halt_survives_a_crash() {
    twins("forgotten-halt", "halt-forgotten-on-restart", &["orders"]);
}

#[test]
fn a_pause_does_not_lift_a_halt() {
    twins("pause-after-halt", "halt-lifted-by-pause", &["orders"]);
}

#[test]
fn a_reply_of_the_wrong_shape_is_not_obeyed() {
    twins("trusted-reply", "trust-llm-reply", &["orders"]);
}

#[test]
fn a_subscriber_that_fails_is_left_alone() {
    twins(
        "broken-subscriber",
        "no-handler-breaker",
        &["delivery_errors"],
    );
}
