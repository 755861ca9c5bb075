//! What a sound scenario becomes.

use std::process::Command;

use dacapo_kernel::{Budgets, Fault, SchedulerKind, Seq, Time, When};
use dacapo_lab::scenario::{Overrides, load};

use crate::system::{Belt, Depot, Folder, LEAST, Parcels, set};

#[test]
fn what_is_left_out_has_its_default() {
    let plan = Folder::with(LEAST)
        .load(&Overrides::default())
        .unwrap()
        .plan;
    assert_eq!(plan.name, "depot");
    assert_eq!(plan.story, "");
    assert_eq!(plan.seed, 0);
    // 2025-01-06T00:00:00Z is 20,094 days after 1970-01-01.
    assert_eq!(plan.start_unix_ns, 20_094 * 86_400 * 1_000_000_000);
    assert_eq!(plan.duration_ns, None);
    assert_eq!(plan.scheduler, SchedulerKind::Fifo);
    assert_eq!(plan.budgets, Budgets::default());
    assert!(plan.faults.faults.is_empty());
    assert_eq!(plan.profile, "sound");
    assert!(plan.defects.is_empty());
    assert!(plan.data.is_empty());
    assert_eq!(plan.expect.verdict, None);
    assert!(plan.expect.figures.is_empty());
    assert_eq!(plan.system.belt, Belt::default());
    assert_eq!(plan.system.parcels, None);
}

const FULL: &str = r#"
name = "a-long-day"
story = """
Ada is slow.
Bob waits."""

[run]
seed = 18446744073709551615
start = 2025-03-25T23:07:00.5+01:00
duration = "24h 250ms"
scheduler = "random"
profile = "as-found"
defects = ["drops-parcels"]

[budgets]
events = 1_000
idle_seconds = 60

[[faults]]
kind = "crash_host"
host = "east"
after_event = 123
restart_after = "1.5s"

[[faults]]
kind = "crash_host"
host = "west"
at = "0s"

[[faults]]
kind = "crash_task"
task = "bob"
at = "1h"

[[faults]]
kind = "door"
door = "rain"
per_mille = 1000

[expect]
verdict = "stall"

[expect.figures]
parcels_passed = { at_least = 3, at_most = 50.5 }
parcels_lost = { at_most = 0 }

[parcels]
from = "generated"
count = 7
heaviest_kg = 30

[[workers]]
name = "ada"
pace = "slow"
"#;

#[test]
fn every_key_arrives() {
    let plan = Folder::with(FULL).load(&Overrides::default()).unwrap().plan;
    assert_eq!(plan.story, "Ada is slow. Bob waits.");
    assert_eq!(plan.seed, u64::MAX);
    // 2025-03-25T22:07:00.5Z.
    assert_eq!(plan.start_unix_ns, 1_742_940_420_500_000_000);
    assert_eq!(plan.duration_ns, Some(86_400_250_000_000));
    assert_eq!(plan.scheduler, SchedulerKind::Random);
    assert_eq!(plan.budgets.events, 1_000);
    assert_eq!(plan.budgets.idle_seconds, 60);
    assert_eq!(plan.budgets.queue, Budgets::default().queue);
    assert_eq!(plan.profile, "as-found");
    let crash = |host: &str, when, restart_after| Fault::CrashHost {
        host: host.to_owned(),
        when,
        restart_after,
    };
    assert_eq!(
        plan.faults.faults,
        [
            crash("east", When::Event(Seq(123)), Some(1_500_000_000)),
            crash("west", When::Time(Time::ZERO), None),
            Fault::CrashTask {
                task: "bob".to_owned(),
                at: Time::from_secs(3_600),
            },
            Fault::Door {
                door: "rain".to_owned(),
                actor: None,
                per_mille: 1_000,
                least: 0,
                most: 0,
                until: None,
            },
        ]
    );
    assert_eq!(plan.expect.verdict.as_deref(), Some("stall"));
    let bounds: Vec<_> = plan
        .expect
        .figures
        .iter()
        .map(|bound| (bound.figure.as_str(), bound.at_least, bound.at_most))
        .collect();
    assert_eq!(
        bounds,
        [
            ("parcels_lost", None, Some(0.0)),
            ("parcels_passed", Some(3.0), Some(50.5))
        ]
    );
    let generated = Parcels::Generated {
        count: 7,
        heaviest_kg: 30.0,
    };
    assert_eq!(plan.system.parcels, Some(generated));
}

#[test]
fn the_order_of_sections_and_of_defects_does_not_matter() {
    let one = Folder::with(format!(
        "{LEAST}[run]\ndefects = [\"never-rests\", \"drops-parcels\"]\n[belt]\nrunning = false\n"
    ));
    let other = Folder::with(
        "workers = [{ name = 'ada' }]\nbelt.running = false\nname = \"depot\"\n\
         run.defects = [\"drops-parcels\", \"never-rests\", \"drops-parcels\"]\n",
    );
    let one = one.load(&Overrides::default()).unwrap();
    let other = other.load(&Overrides::default()).unwrap();
    assert_eq!(one.plan, other.plan);
    assert_eq!(one.digest(), other.digest());
}

#[test]
fn the_digest_tells_two_runs_apart() {
    let folder = Folder::with(FULL);
    let other = Overrides {
        seed: Some(1),
        ..Overrides::default()
    };
    let digest = |overrides| folder.load(overrides).unwrap().digest();
    assert_ne!(digest(&Overrides::default()), digest(&other));
}

#[test]
fn the_reference_tells_the_truth() {
    let reference = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scenarios.md");
    let reference = std::fs::read_to_string(reference).unwrap();
    let example = reference.split("```toml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let plan = Folder::with(example)
        .load(&Overrides::default())
        .unwrap()
        .plan;
    assert_eq!(plan.name, "two-workers");
    assert_eq!(plan.faults.faults.len(), 1);

    let mistaken = format!("{LEAST}[run]\nscheduller = \"fifo\"\n");
    let report = Folder::with(mistaken).report("depot.toml", &Overrides::default());
    assert!(reference.contains(&report), "{report}");
    let soon = Folder::with(LEAST).report("depot.toml", &set(&["run.seed=soon"]));
    assert!(reference.contains(&soon), "{soon}");

    let budgets = Budgets::default();
    for (key, default) in [
        ("events", budgets.events),
        ("events_at_one_instant", budgets.events_at_one_instant),
        ("tasks", budgets.tasks),
        ("queue", budgets.queue),
        ("virtual_seconds", budgets.virtual_seconds),
        ("idle_seconds", budgets.idle_seconds),
    ] {
        let row = reference
            .lines()
            .find(|line| line.starts_with(&format!("| `{key}` |")));
        let row = row.expect("every budget has a row");
        assert!(row.contains(&format!("`{default}`")), "{row}");
    }
}

/// Where the test below leaves the scenario for the process that it starts.
const SCENARIO: &str = "DACAPO_TEST_SCENARIO";

#[test]
fn the_plan_is_the_same_in_another_place_zone_and_language() {
    let folder = Folder::with(format!("{FULL}\n").replace(
        "from = \"generated\"\ncount = 7\nheaviest_kg = 30",
        "from = \"file\"\npath = \"data/parcels.csv\"",
    ));
    folder.write("data/parcels.csv", "1\n2\n");
    let here = folder.load(&Overrides::default()).unwrap().digest();
    for (place, path) in [("", "depot.toml"), ("data", "../depot.toml")] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "resolved::digest_of_a_scenario",
                "--nocapture",
            ])
            .current_dir(folder.path(place))
            .env(SCENARIO, path)
            .env("TZ", "Pacific/Kiritimati")
            .env("LC_ALL", "tr_TR.UTF-8")
            .env("LANG", "tr_TR.UTF-8")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(&format!("digest {here}")), "{said}");
    }
}

#[test]
#[ignore = "run by the test above, in another process"]
fn digest_of_a_scenario() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the way in for the path from the other process"
    )]
    let path = std::env::var(SCENARIO).unwrap();
    let loaded = load::<Depot>(path.as_ref(), &Overrides::default()).unwrap();
    println!("digest {}", loaded.digest());
}
