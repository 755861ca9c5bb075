//! A replay runs the code again, asks nobody outside, and names the first event that differs.

mod changed_code;
mod follows;
mod nobody_outside;

use dacapo_kernel::Verified;
use dacapo_orchestration::Orchestration;
use dacapo_tests::{Story, begun_with, defects, fingerprint, record, replay, world_after};

/// Whether a replay met every event of the log again.
fn assert_same(verified: Verified<Orchestration>, log: &[u8]) {
    match verified {
        Verified::Same(outcome) => {
            let chain = outcome.fingerprint.map(|chain| chain.to_string());
            assert_eq!(chain, Some(fingerprint(log)));
            assert_eq!(outcome.world, world_after(log, None), "run and fold differ");
        }
        Verified::SameSoFar(outcome) => panic!("the log ends after {} events", outcome.events),
        Verified::Diverged(divergence, _) => panic!("{divergence:#?}"),
    }
}

#[test]
fn every_story_replays_to_its_last_event() {
    for story in Story::ALL {
        assert_same(replay(story.log()), story.log());
    }
}

#[test]
fn a_failed_run_replays_to_the_same_failure() {
    let run = record(&Story::Deadlock.path(), &defects(&["handler-under-lock"]));
    let Verified::Same(outcome) = replay(&run.log) else {
        panic!("the replay differs");
    };
    assert_eq!(outcome.verdict, run.outcome.verdict);
    assert_eq!(outcome.findings, run.outcome.findings);
}

#[test]
fn a_log_told_again_without_a_change_is_the_same_log() {
    let log = Story::Deadlock.log();
    assert!(begun_with(log, |_| {}) == log);
}
