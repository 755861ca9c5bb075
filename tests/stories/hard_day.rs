//! A day with a crash every hour, a store that goes down and an exchange that fails: nothing is lost
//! but what was counted since the last save, and nothing is done twice.

use std::collections::BTreeMap;

use dacapo_kernel::{Finding, KernelEvent, Verdict};
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::{Recorded, defects, events, record, root};

use super::defects::violated;

/// What must be said of such a day, and have something to be said of.
const HELD: [&str; 8] = [
    "money.conserved",
    "money.non-negative",
    "fill.idempotent",
    "trade.at-most-once",
    "legs.one-state",
    "legs.not-early",
    "recovery.statistics",
    "live.legs-finish",
];

fn day(overrides: &Overrides) -> Recorded {
    record(&root().join("scenarios/hard-day.toml"), overrides)
}

#[test]
fn a_day_in_which_everything_fails_loses_nothing_and_does_nothing_twice() {
    let day = day(&Overrides::default());
    assert_eq!(day.outcome.verdict, Verdict::Complete);
    assert_eq!(violated(&day.outcome.findings), Vec::<&str>::new());
    for id in HELD {
        let found = day.outcome.findings.iter().find(|it| it.id == id);
        assert_eq!(found.map(|it| &it.finding), Some(&Finding::Held), "{id}");
    }
    let (mut crashes, mut executed) = (0, BTreeMap::<u64, u32>::new());
    for event in events(&day.log) {
        if let Some(KernelEvent::HostCrashed(_)) = event.kernel() {
            crashes += 1;
        }
        if let Some(DomainEvent::LegMarked(marked)) = event.domain()
            && marked.status == *"executed"
        {
            *executed.entry(marked.leg).or_default() += 1;
        }
    }
    assert_eq!(crashes, 23);
    assert!(executed.len() > 20, "{} legs were executed", executed.len());
    // Whoever marks a leg twice has sent it twice, or forgotten that it was sent.
    let again: Vec<&u64> = executed
        .iter()
        .filter(|(_, n)| **n > 1)
        .map(|it| it.0)
        .collect();
    assert_eq!(again, Vec::<&u64>::new());
}

#[test]
fn such_a_day_shows_what_is_not_kept() {
    for (defect, property) in [
        ("persist-on-stop-only", "recovery.statistics"),
        ("execute-before-mark", "trade.at-most-once"),
    ] {
        let day = day(&defects(&[defect]));
        let found = violated(&day.outcome.findings);
        assert!(found.contains(&property), "{defect}: {found:?}");
    }
}
