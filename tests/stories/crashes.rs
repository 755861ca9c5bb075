//! The coordinator's host crashes at every event of a story, and again while it recovers: whatever it
//! had acknowledged is there, and nothing is done twice.
//!
//! `dacapo fuzz STORY --crash-everywhere --depth 3` is the long form.

use dacapo_lab::CrashPoints;
use dacapo_lab::fuzz::{Campaign, Report, Runs, Seeds, Shard, caught};
use dacapo_lab::scenario::{Overrides, load};
use dacapo_orchestration::Orchestration;
use dacapo_tests::{defects, root};

/// Every `of`-th case of a story with these overrides.
fn crash(name: &str, overrides: &Overrides, depth: u32, of: u64) -> Report {
    let scenario = root().join(format!("scenarios/{name}.toml"));
    let loaded = load::<Orchestration>(&scenario, overrides).expect("the story is right");
    let points = CrashPoints::of::<Orchestration>(&loaded.plan, &loaded.files, depth);
    let points = points.expect("the story can be told");
    let campaign = Campaign {
        scenario: &scenario,
        overrides,
        runs: Runs::Crashes(&points),
        seeds: Seeds {
            from: 0,
            to: points.cases(),
            shard: Shard { number: 1, of },
        },
        jobs: 2,
        max_failures: None,
        sought: None,
        again_per_mille: 5,
        canary_per_mille: 0,
        caught,
        keep: None,
    };
    let report = campaign.run::<Orchestration>(|_| true);
    report.unwrap_or_else(|error| panic!("{error}"))
}

/// No case of a story fails.
fn survives(name: &str, depth: u32, of: u64) {
    let report = crash(name, &Overrides::default(), depth, of);
    let groups = report.groups.iter().map(|found| {
        let (group, case) = (&found.group, found.seed);
        format!("{name}, case {case}: {}: {}", group.property, group.cause)
    });
    assert_eq!(groups.collect::<Vec<String>>(), Vec::<String>::new());
    assert!(report.diverged.is_empty(), "{:?}", report.diverged);
    assert!(report.runs > 10, "{name}: {} runs", report.runs);
}

#[test]
fn every_story_survives_a_crash_at_any_event() {
    for name in [
        "broken-subscriber",
        "deadlock",
        "pause-after-halt",
        "trusted-reply",
        "wrong-symbol",
    ] {
        survives(name, 1, 1);
    }
    // These are long: a prime number, so that each place in a pattern has its turn.
    for name in [
        "failing-agent",
        "lost-legs",
        "regressions/emergency-meets-fills",
    ] {
        survives(name, 1, 7);
    }
}

#[test]
fn a_halt_survives_three_crashes_one_in_the_recovery_from_another() {
    survives("forgotten-halt", 3, 17);
}

#[test]
fn what_is_not_kept_is_missed_after_a_crash() {
    let forgetful = defects(&["halt-forgotten-on-restart"]);
    let report = crash("forgotten-halt", &forgetful, 1, 1);
    assert!(
        report
            .groups
            .iter()
            .any(|it| it.group.property == "halt.sticks")
    );
}
