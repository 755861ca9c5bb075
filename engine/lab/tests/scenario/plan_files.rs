//! A plan that is written as a scenario file loads as that very plan.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use dacapo_kernel::{
    Budgets, Expect, Fault, FaultPlan, FigureBound, Plan, SchedulerKind, Seq, Time, When,
};
use dacapo_lab::plan_file;
use dacapo_lab::scenario::Overrides;
use proptest::prelude::*;

use crate::system::{Depot, DepotConfig, Folder, LEAST};

fn least() -> Plan<DepotConfig> {
    let folder = Folder::with(LEAST);
    folder.load(&Overrides::default()).unwrap().plan
}

/// The plan after it was written and loaded, and the text between.
fn there_and_back(plan: &Plan<DepotConfig>, data: &[(&str, &str)]) -> (Plan<DepotConfig>, String) {
    let text = plan_file::<Depot>(plan).unwrap();
    let folder = Folder::with(&text);
    for (name, contents) in data {
        folder.write(name, contents);
    }
    let loaded = folder.load(&Overrides::default());
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.plan, text)
}

#[test]
fn what_is_not_as_usual_is_written_and_nothing_else() {
    let mut plan = least();
    plan.story = "Ada \"sleeps\".".to_owned();
    plan.seed = u64::MAX;
    plan.duration_ns = Some(90_000_250_007);
    plan.defects = vec!["drops-parcels".to_owned()];
    plan.budgets.idle_seconds = 60;
    plan.faults.quiet_from = Some(Time::from_secs(60));
    plan.faults.faults = vec![Fault::CrashHost {
        host: "east".to_owned(),
        when: When::Time(Time::from_secs(30)),
        restart_after: Some(1_500_000_000),
    }];
    let (back, text) = there_and_back(&plan, &[]);
    assert_eq!(back, plan);
    insta::assert_snapshot!("plan_file", text);
}

#[test]
fn awkward_names_and_texts_come_back() {
    let mut plan = least();
    plan.name = "a \"b\" 'c' = [d] # e".to_owned();
    plan.story = format!(
        "{} end.",
        "many words that need more than a line ".repeat(9).trim()
    );
    for name in [
        "",
        "\u{1b}[31mred",
        "tab\tand\nline",
        "größe — 東京",
        "\\u0041",
        "\u{202e}",
    ] {
        let mut worker = plan.system.workers[0].clone();
        worker.name = name.to_owned();
        plan.system.workers.push(worker);
    }
    plan.system.belt.metres_per_second = 1e-7;
    let (back, text) = there_and_back(&plan, &[]);
    assert_eq!(back, plan);
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text}"
    );
}

#[test]
fn data_files_are_named_as_they_were() {
    let folder = Folder::with(
        "name = \"depot\"\nworkers = [{ name = \"ada\" }]\nparcels = { from = \"file\", path = \"in/p.csv\" }\n",
    );
    folder.write("in/p.csv", "1\n2\n");
    let plan = folder.load(&Overrides::default()).unwrap().plan;
    assert_eq!(plan.data.len(), 1);
    let (back, _) = there_and_back(&plan, &[("in/p.csv", "1\n2\n")]);
    assert_eq!(back, plan);
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![any::<u64>(), 0..10_000_000_000u64].prop_map(Time::from_nanos)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z.-]{1,12}", any::<String>()]
}

/// Any fault that a scenario can say.
fn fault() -> impl Strategy<Value = Fault> {
    let when = prop_oneof![
        time().prop_map(When::Time),
        any::<u64>().prop_map(|seq| When::Event(Seq(seq))),
        any::<u64>().prop_map(When::Recovery),
    ];
    prop_oneof![
        (name(), when, any::<Option<u64>>()).prop_map(|(host, when, restart_after)| {
            Fault::CrashHost {
                host,
                when,
                restart_after,
            }
        }),
        (name(), time()).prop_map(|(task, at)| Fault::CrashTask { task, at }),
        (time(), -i64::MAX..=i64::MAX).prop_map(|(at, by)| Fault::JumpClock { at, by }),
        (name(), name(), any::<u64>(), any::<u64>()).prop_map(|(door, actor, asked, value)| {
            Fault::Strike {
                door,
                actor,
                asked,
                value,
            }
        }),
        (any::<u64>(), any::<u32>()).prop_map(|(choice, index)| Fault::Choose { choice, index }),
        (name(), time(), any::<u64>()).prop_map(|(what, at, value)| Fault::Act { what, at, value }),
    ]
}

fn door(number: usize) -> impl Strategy<Value = Fault> {
    let range = (any::<u64>(), any::<u64>());
    let who = proptest::option::of(name());
    (who, 0..=1_000u32, range, proptest::option::of(time())).prop_map(
        move |(actor, per_mille, (one, other), until)| Fault::Door {
            // A door has one rate.
            door: format!("door.{number}"),
            actor,
            per_mille,
            least: one.min(other),
            most: one.max(other),
            until,
        },
    )
}

fn plan() -> impl Strategy<Value = Plan<DepotConfig>> {
    let faults = (proptest::collection::vec(fault(), 0..8), door(0), door(1));
    let scheduler = prop_oneof![
        Just(SchedulerKind::Fifo),
        Just(SchedulerKind::Random),
        Just(SchedulerKind::Pct)
    ];
    let bound = (any::<bool>(), -1e9..1e9f64, 0.0..1e9f64);
    (
        any::<(u64, i64)>(),
        proptest::option::of(1..u64::MAX),
        scheduler,
        faults,
        proptest::option::of(time()),
        proptest::option::of(bound),
        1..1_000_000u64,
    )
        .prop_map(
            |(
                (seed, start),
                duration_ns,
                scheduler,
                (some, one, two),
                quiet_from,
                bound,
                events,
            )| {
                let figures = bound.map(|(is_both, least, span)| FigureBound {
                    figure: "parcels_passed".to_owned(),
                    at_least: Some(least),
                    at_most: is_both.then_some(least + span),
                });
                let mut faults = some;
                faults.extend([one, two]);
                Plan {
                    seed,
                    start_unix_ns: start,
                    duration_ns,
                    scheduler,
                    budgets: Budgets {
                        events,
                        ..Budgets::default()
                    },
                    faults: FaultPlan { faults, quiet_from },
                    expect: Expect {
                        verdict: Some("deadlock".to_owned()),
                        figures: figures.into_iter().collect(),
                    },
                    ..least()
                }
            },
        )
}

proptest! {
    #[test]
    fn every_plan_comes_back(plan in plan()) {
        let (back, text) = there_and_back(&plan, &[]);
        prop_assert_eq!(back, plan, "{}", text);
    }
}
