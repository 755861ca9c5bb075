//! What is drawn: the same for the same seed, of every kind in some seed, and nothing late.

use std::collections::BTreeMap;

use dacapo_kernel::{Fault, FaultKind, FigureBound, How, Plan, SchedulerKind, Time, When};

use super::{FaultChoice, Swarm};

fn base(duration: Option<u64>) -> Plan<()> {
    Plan {
        duration_ns: duration.map(|seconds| seconds * 1_000_000_000),
        ..Plan::of("test", ())
    }
}

fn kind(name: &'static str, how: How) -> FaultKind {
    FaultKind {
        name,
        meaning: "",
        value: "",
        least: 10,
        most: 1_000,
        how,
    }
}

fn kinds() -> Vec<FaultKind> {
    vec![
        kind(
            "door.a",
            How::Door {
                most_per_mille: 300,
            },
        ),
        kind("door.b", How::Door { most_per_mille: 5 }),
        kind("act.a", How::Act { times: 4 }),
        kind("crash-host", How::CrashHost { host: "one" }),
        kind("crash-task", How::CrashTask { task: "two" }),
        kind("jump-clock", How::JumpClock),
    ]
}

fn drawn(swarm: &Swarm, seed: u64) -> Plan<()> {
    swarm.plan(&base(Some(100)), &kinds(), seed)
}

#[test]
fn a_seed_draws_the_same_plan_whenever_it_is_asked() {
    for seed in 0..50 {
        assert_eq!(
            drawn(&Swarm::default(), seed),
            drawn(&Swarm::default(), seed)
        );
    }
    assert_ne!(drawn(&Swarm::default(), 1), drawn(&Swarm::default(), 2));
}

#[test]
fn seeds_differ_in_kind_and_some_have_no_fault_at_all() {
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    let (mut calm, mut schedulers) = (0, BTreeMap::new());
    for seed in 0..400 {
        let plan = drawn(&Swarm::default(), seed);
        *schedulers
            .entry(format!("{:?}", plan.scheduler))
            .or_insert(0) += 1;
        calm += u32::from(plan.faults.faults.is_empty());
        let mut of_run: Vec<&str> = plan.faults.faults.iter().map(Fault::name).collect();
        of_run.dedup();
        for name in of_run {
            *names.entry(name.to_owned()).or_default() += 1;
        }
    }
    assert!((30..200).contains(&calm), "{calm} of 400 have no fault");
    assert_eq!(names.len(), kinds().len());
    assert!(
        names.values().all(|runs| (80..320).contains(runs)),
        "{names:?}"
    );
    assert_eq!(schedulers.len(), 3);
    assert!(schedulers.values().all(|runs| *runs > 80), "{schedulers:?}");
}

#[test]
fn faults_leave_the_last_part_of_a_run_alone_and_keep_to_their_ranges() {
    let quiet = Time::from_secs(55);
    for seed in 0..500 {
        let plan = drawn(&Swarm::default(), seed);
        if !plan.faults.faults.is_empty() {
            assert_eq!(plan.faults.quiet_from, Some(quiet));
        }
        for fault in &plan.faults.faults {
            match fault {
                Fault::Door {
                    door,
                    per_mille,
                    least,
                    most,
                    ..
                } => {
                    let bound = if door == "door.a" { 300 } else { 5 };
                    assert!((1..=bound).contains(per_mille), "{fault:?}");
                    assert!(10 <= *least && least <= most && *most <= 1_000, "{fault:?}");
                }
                Fault::Act { at, value, .. } => {
                    assert!(*at < quiet && (10..=1_000).contains(value), "{fault:?}");
                }
                Fault::CrashHost {
                    when: When::Time(at),
                    restart_after: Some(after),
                    ..
                } => assert!(at.as_nanos() + after <= quiet.as_nanos(), "{fault:?}"),
                Fault::CrashTask { at, .. } | Fault::JumpClock { at, .. } => {
                    assert!(*at < quiet, "{fault:?}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn crashes_come_at_instants_at_events_and_in_recovery() {
    let (mut at_time, mut at_event, mut in_recovery) = (0, 0, 0);
    for seed in 0..200 {
        for fault in drawn(&Swarm::default(), seed).faults.faults {
            match fault {
                Fault::CrashHost {
                    when: When::Time(_),
                    ..
                } => at_time += 1,
                Fault::CrashHost {
                    when: When::Event(_),
                    ..
                } => at_event += 1,
                Fault::CrashHost {
                    when: When::Recovery(_),
                    ..
                } => in_recovery += 1,
                _ => {}
            }
        }
    }
    assert!(at_time > 20 && at_event > 20 && in_recovery > 20);
}

/// The draws of one kind, as far as it is on.
fn of_kind(kinds: &[FaultKind], seed: u64, name: &str) -> Vec<Fault> {
    let faults = FaultChoice::All.draw(kinds, seed, Time::from_secs(55));
    faults.into_iter().filter(|f| f.name() == name).collect()
}

#[test]
fn a_new_kind_changes_no_draw_of_the_others() {
    let mut more = kinds();
    more.insert(0, kind("new", How::Door { most_per_mille: 9 }));
    let mut compared = 0;
    for seed in 0..200 {
        let (before, after) = (
            of_kind(&kinds(), seed, "act.a"),
            of_kind(&more, seed, "act.a"),
        );
        // Whether it is on at all may change, since the number of kinds that are on is drawn.
        if !before.is_empty() && !after.is_empty() {
            assert_eq!(before, after);
            compared += 1;
        }
    }
    assert!(compared > 50);
}

#[test]
fn a_campaign_can_be_held_to_kinds_and_a_scheduler() {
    let swarm = |faults: &str| Swarm {
        faults: faults.parse().expect("any text is a choice"),
        scheduler: Some(SchedulerKind::Pct),
    };
    let mut met = 0;
    for seed in 0..100 {
        assert!(drawn(&swarm("none"), seed).faults.faults.is_empty());
        let plan = drawn(&swarm("door.*"), seed);
        assert_eq!(plan.scheduler, SchedulerKind::Pct);
        met += plan.faults.faults.len();
        let is_door = |fault: &Fault| fault.name().starts_with("door.");
        assert!(plan.faults.faults.iter().all(is_door));
    }
    assert!(met > 50);
    let unknown = swarm("act.b").faults.check(&kinds()).expect_err("no such");
    assert_eq!(unknown.near.as_deref(), Some("act.a"));
    assert_eq!(swarm("door.,act.a").faults.check(&kinds()), Ok(()));
}

#[test]
fn what_the_scenario_says_stays_but_for_its_figures() {
    let mut written = base(None);
    let own = Fault::JumpClock {
        at: Time::from_secs(3),
        by: 5,
    };
    written.faults.faults.push(own.clone());
    written.expect.verdict = Some("deadlock".to_owned());
    written.expect.figures.push(FigureBound {
        figure: "done".to_owned(),
        at_least: Some(1.0),
        at_most: None,
    });
    for seed in 0..20 {
        let plan = Swarm::default().plan(&written, &kinds(), seed);
        assert_eq!(plan.faults.faults[0], own);
        assert_eq!(plan.faults.quiet_from, None, "the run has no planned end");
        assert_eq!(plan.expect.verdict.as_deref(), Some("deadlock"));
        assert!(plan.expect.figures.is_empty());
    }
}
