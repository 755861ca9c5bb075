//! Staged legs in whole runs: whatever the store, the executor, the operator and crashes do, each
//! leg is stored with its plan, waits for its time, and ends once.

mod audit;
mod scenario;

use std::path::Path;

use dacapo_kernel::{Event, Verdict, Verified};
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::coordinator::state::RunState;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::{events, record, replay};
use proptest::prelude::*;

use audit::Audit;
use scenario::{Case, case};

/// Records a scenario, and holds it against its replay.
fn run(path: &Path, text: &str) -> Result<Vec<Event<DomainEvent>>, String> {
    std::fs::write(path, text).expect("the scenario is written");
    let recorded = record(path, &Overrides::default());
    if recorded.outcome.verdict != Verdict::Complete {
        return Err(format!("the run ends as {}", recorded.outcome.verdict));
    }
    if !matches!(replay(&recorded.log), Verified::Same(_)) {
        return Err("the replay differs".to_owned());
    }
    Ok(events(&recorded.log))
}

/// Runs a case with one crash more each time: where the next one strikes is chosen among the events
/// of the run before. Every run is audited.
fn check(case: &Case) -> Result<(usize, usize), String> {
    let folder = tempfile::tempdir().expect("a folder for the scenario");
    let path = folder.path().join("legs.toml");
    let mut crashes: Vec<(u64, u32)> = Vec::new();
    loop {
        let text = case.scenario(&crashes);
        let told = |wrong: String| format!("{wrong}\nin the scenario\n{text}");
        let events = run(&path, &text).map_err(told)?;
        let audit = Audit::of(&case.plans, &events).map_err(told)?;
        let Some(crash) = case.crashes.get(crashes.len()) else {
            return Ok(audit.counts());
        };
        let before = crashes.last().map_or(0, |(seq, _)| *seq);
        let later = || events.iter().filter(|event| event.seq.0 > before);
        let at_legs: Vec<u64> = later()
            .filter(|event| event.domain().is_some_and(is_of_legs))
            .map(|event| event.seq.0)
            .collect();
        let any: Vec<u64> = later().map(|event| event.seq.0).collect();
        let places = if crash.at_a_leg && !at_legs.is_empty() {
            at_legs
        } else {
            any
        };
        crashes.push((*crash.place.get(&places), crash.restart_s));
    }
}

fn is_of_legs(event: &DomainEvent) -> bool {
    matches!(
        event,
        DomainEvent::LegsPlanned(_)
            | DomainEvent::LegStored(_)
            | DomainEvent::LegMarked(_)
            | DomainEvent::StoreFailed(_)
            | DomainEvent::OrderSubmitted(_)
            | DomainEvent::OrderAnswered(_)
    )
}

/// Runs one plan of three trades with a crash right after an event, and says how many legs were
/// stored and executed.
#[track_caller]
fn after_crash_at(twice: bool, is_meant: impl Fn(&DomainEvent) -> bool) -> (usize, usize) {
    let folder = tempfile::tempdir().expect("a folder for the scenario");
    let path = folder.path().join("legs.toml");
    let case = Case::of_one_plan(twice);
    let before = run(&path, &case.scenario(&[])).expect("it runs without a crash");
    let at = before
        .iter()
        .find(|event| event.domain().is_some_and(&is_meant));
    let at = at.expect("there is such an event").seq.0;
    let events = run(&path, &case.scenario(&[(at, 0)])).expect("it runs with a crash");
    let audit = Audit::of(&case.plans, &events).unwrap_or_else(|wrong| panic!("{wrong}"));
    audit.counts()
}

/// The crash came between the rows of one transaction, and only the first was there.
#[test]
fn a_crash_while_a_plan_is_stored_leaves_all_of_it() {
    let stored = after_crash_at(false, |event| matches!(event, DomainEvent::LegStored(_)));
    assert_eq!(stored, (3, 3));
}

/// Both plans had the same keys, and the second was taken for what was there already.
#[test]
fn a_plan_at_the_instant_of_a_crash_is_not_taken_for_the_one_before_it() {
    let planned = after_crash_at(true, |event| matches!(event, DomainEvent::LegsPlanned(_)));
    assert_eq!(planned, (6, 6));
}

/// The first of two due legs takes its time, and trading is paused meanwhile: the second was sent
/// all the same.
#[test]
fn a_pause_between_two_due_legs_holds_the_second_back() {
    let folder = tempfile::tempdir().expect("a folder for the scenario");
    let path = folder.path().join("legs.toml");
    let text = Case::of_one_plan(false)
        .slow(3.0)
        .paused(3_611.0, 5_000.0)
        .scenario(&[]);
    for kind in ["memory", "none"] {
        let text = text.replace("[store]", &format!("[store]\nkind = \"{kind}\""));
        let events = run(&path, &text).expect("it runs");
        let sent = events.iter().filter_map(|event| match event.domain()? {
            DomainEvent::OrderSubmitted(order) => Some((event.time.as_secs_f64(), order.state)),
            _ => None,
        });
        let on = |seconds| (seconds, RunState::Running);
        assert_eq!(
            sent.collect::<Vec<_>>(),
            [on(3_610.0), on(5_000.0), on(7_210.0)],
            "with the store {kind}"
        );
    }
}

proptest! {
    #![proptest_config(super::cases(60))]

    #[test]
    fn each_leg_is_stored_with_its_plan_and_ends_once(case in case()) {
        check(&case).map_err(TestCaseError::fail)?;
    }
}
