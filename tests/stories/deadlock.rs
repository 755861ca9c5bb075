//! A handler that calls the bus which is calling it: with the defect on, and its sound twins.

use std::collections::BTreeMap;

use dacapo_kernel::{Body, Event, Finding, KernelEvent, LockBlocked, Process, TaskId, Verdict};
use dacapo_lab::Failure;
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::{Recorded, Story, defects, events, record, world_after};

use super::{examined, judged, property};

const NO_DEADLOCK: &str = "live.no-deadlock";

fn broken() -> Recorded {
    record(&Story::Deadlock.path(), &defects(&["handler-under-lock"]))
}

#[test]
fn the_publisher_waits_for_the_lock_that_it_holds() {
    let run = broken();
    let Verdict::Deadlock(cycle) = &run.outcome.verdict else {
        panic!("the verdict is {}", run.outcome.verdict);
    };
    let [link] = cycle.links.as_slice() else {
        panic!("the cycle has other members: {cycle}");
    };
    assert_eq!(link.name.as_str(), "outside", "the task that publishes");
    assert_eq!(link.lock.as_ref().map(|lock| lock.as_str()), Some("bus"));
    assert_eq!(link.held_by, [link.task]);
    assert!(!cycle.breakable, "whoever publishes has no time limit");
}

#[test]
fn the_cycle_is_reported_by_the_event_after_the_wait_that_closes_it() {
    let run = broken();
    let events = events(&run.log);
    let closed = events
        .iter()
        .position(|event| matches!(event.kernel(), Some(KernelEvent::CycleClosed(_))))
        .expect("a cycle was closed");
    let wait = &events[closed - 1];
    let Some(KernelEvent::LockBlocked(LockBlocked { task, holders, .. })) = wait.kernel() else {
        panic!("the event before is {wait:?}");
    };
    assert_eq!(holders, &[*task]);
    assert_eq!(events[closed].time, wait.time);

    let world = world_after(&run.log, Some(wait.seq));
    let bus: Vec<_> = world.contended.values().collect();
    assert_eq!(bus.len(), 1);
    assert_eq!(bus[0].name.as_str(), "bus");
    assert_eq!(
        (bus[0].holders.as_slice(), bus[0].waiters.len()),
        (&[*task][..], 1)
    );
    assert!(
        world.cycles.is_empty(),
        "one event earlier nothing is known of it"
    );

    let violated = property(&run.outcome.findings, NO_DEADLOCK);
    let Finding::Violated { at, .. } = &violated.finding else {
        panic!("{NO_DEADLOCK} is {:?}", violated.finding);
    };
    assert_eq!(*at, Some(events[closed].seq));
}

/// A watchdog that only asks whether anything still moves would have seen nothing.
#[test]
fn everything_but_the_publisher_goes_on() {
    let run = broken();
    let events = events(&run.log);
    let world = world_after(&run.log, None);
    let (coordinator, process) = task_named(&world.processes, "coordinator");
    assert_eq!(process.wait, None, "it sleeps until its next task is due");
    let ticks = |event: &&Event<DomainEvent>| match event.kernel() {
        Some(KernelEvent::TimerFired(fired)) => fired.task == coordinator,
        _ => false,
    };
    let last = events
        .iter()
        .rfind(ticks)
        .expect("its timer has fired before");
    assert!(
        events
            .iter()
            .any(|event| event.seq > last.seq && event.domain().is_some()),
        "the run went on after that"
    );
    assert!(world.now < run.plan.end().expect("the scenario has a duration"));
    assert!(world.view.market["BTC/USDT"].trades > 0);
}

#[test]
fn the_run_is_judged_by_the_property_and_by_what_the_scenario_expects() {
    let examined = examined(&broken().log);
    let judgement = judged(&examined);
    assert!(!judgement.is_good());
    assert_eq!(judgement.failures[0].property, "bus.reentrant");
    let failures = &judgement.failures;
    let stuck = failures.iter().find(|it| it.property == NO_DEADLOCK);
    let stuck = stuck.expect("the cycle of waits is a failure");
    assert_eq!(stuck.waits.len(), 1);
    assert!(
        stuck.waits[0].contains("outside") && stuck.waits[0].contains("bus"),
        "{stuck:?}"
    );
    let expected: Vec<(&str, bool)> = judgement
        .expectations
        .iter()
        .map(|expectation| (expectation.of.as_str(), expectation.met))
        .collect();
    assert_eq!(expected, [("verdict", false), ("figure task_runs", false)]);
}

#[test]
fn the_code_as_it_was_reviewed_had_the_defect() {
    let reviewed = Overrides {
        profile: Some("reviewed".to_owned()),
        ..Overrides::default()
    };
    let run = record(&Story::Deadlock.path(), &reviewed);
    assert_eq!(run.outcome.verdict.name(), "deadlock");
}

#[test]
fn without_the_defect_the_same_pause_passes() {
    let review_fixed = Overrides {
        profile: Some("review-fixed".to_owned()),
        ..Overrides::default()
    };
    for overrides in [Overrides::default(), review_fixed] {
        let keeps_pauses = overrides.profile.is_none();
        let run = record(&Story::Deadlock.path(), &overrides);
        assert_eq!(run.outcome.verdict, Verdict::Complete);
        let examined = examined(&run.log);
        let judgement = judged(&examined);
        let of_pause = |failure: &&Failure| failure.property == "halt.sticks";
        let (forgotten, others): (Vec<_>, Vec<_>) = judgement.failures.iter().partition(of_pause);
        assert!(others.is_empty(), "{others:?}");
        // What the review found was repaired, and not yet that a restart forgets the pause.
        assert_eq!(forgotten.is_empty(), keeps_pauses, "{forgotten:?}");
        assert_eq!(examined.world.view.coordinator.state.name(), "paused");
        assert_eq!(
            property(&examined.findings, NO_DEADLOCK).finding,
            Finding::Held
        );
        assert!(examined.world.cycles.is_empty());
    }
}

/// The lock is free again before any handler is called.
#[test]
fn without_the_defect_no_handler_runs_under_the_lock() {
    let under_lock = |log: &[u8]| -> Vec<bool> {
        let events = events(log);
        let delivered = events.iter().filter_map(|event| match &event.body {
            Body::Domain(DomainEvent::Delivered(delivered)) => Some(delivered.under_lock),
            _ => None,
        });
        delivered.collect()
    };
    assert_eq!(under_lock(&broken().log), [true]);
    let sound = under_lock(Story::Deadlock.log());
    assert!(!sound.is_empty() && !sound.contains(&true), "{sound:?}");
}

fn task_named<'a>(processes: &'a BTreeMap<TaskId, Process>, name: &str) -> (TaskId, &'a Process) {
    let mut found = processes
        .iter()
        .filter(|(_, process)| process.name.as_str() == name);
    match (found.next(), found.next()) {
        (Some((id, process)), None) => (*id, process),
        _ => panic!("there is not exactly one task {name}"),
    }
}

/// A report without the picture of the circle, or with one of a run that had none, fails here.
#[test]
fn the_report_of_it_draws_the_circle() {
    let desk = tempfile::tempdir().expect("a temporary folder can be made");
    let scenario = Story::Deadlock.path();
    for (defects, is_drawn) in [(Some("handler-under-lock"), true), (None, false)] {
        let log = desk.path().join(format!("{is_drawn}.dlog"));
        let words = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let console = dacapo_cli::Console::captured(&mut out, &mut err);
            let _exit =
                dacapo_cli::execute::<dacapo_orchestration::Orchestration, _>(&words, console);
        };
        let path = |path: &std::path::Path| path.display().to_string();
        let mut run = vec!["dacapo".to_owned(), "run".to_owned(), path(&scenario)];
        run.extend(["--out".to_owned(), path(&log)]);
        run.extend(defects.map(|name| format!("--defects={name}")));
        words(&run.iter().map(String::as_str).collect::<Vec<_>>());
        words(&["dacapo", "report", &path(&log)]);
        let page = std::fs::read_to_string(log.with_extension("html")).expect("a page was written");
        assert_eq!(page.contains("Who waits for whom"), is_drawn);
        assert_eq!(page.contains(">outside (t9)</text>"), is_drawn);
    }
}
