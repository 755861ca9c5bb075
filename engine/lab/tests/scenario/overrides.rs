//! What the command line says goes before what the file says, and a mistake in it names the option.

use dacapo_kernel::{Fault, SchedulerKind, Time};
use dacapo_lab::scenario::Overrides;
use insta::assert_snapshot;

use crate::system::{Folder, LEAST, Pace, set};

const FULL: &str = r#"
name = "depot"
[run]
seed = 1
profile = "as-found"
defects = ["drops-parcels"]
[[workers]]
name = "ada"
[[workers]]
name = "bob"
takes_from = ["ada"]
[[faults]]
kind = "crash_task"
task = "bob"
at = "1m"
"#;

#[test]
fn a_value_is_set_wherever_it_stands() {
    let folder = Folder::with(FULL);
    let loaded = folder
        .load(&set(&[
            "run.seed = 0x10",
            "run.duration=3m 5s",
            "workers.1.pace=hurried",
            "workers.1.takes_from=[]",
            "belt.metres_per_second=2",
            "faults.0.at=5s",
            "expect={verdict=\"stall\"}",
            "story=a short day",
        ]))
        .unwrap();
    let plan = loaded.plan;
    assert_eq!(plan.seed, 16);
    assert_eq!(plan.duration_ns, Some(185_000_000_000));
    assert_eq!(plan.system.workers[1].pace, Pace::Hurried);
    assert!(plan.system.workers[1].takes_from.is_empty());
    assert_eq!(plan.system.belt.metres_per_second, 2.0);
    let at = Time::from_secs(5);
    let task = "bob".to_owned();
    assert_eq!(plan.faults.faults, [Fault::CrashTask { task, at }]);
    assert_eq!(plan.expect.verdict.as_deref(), Some("stall"));
    assert_eq!(plan.story, "a short day");
}

#[test]
fn a_value_that_is_set_replaces_a_wrong_one() {
    let folder = Folder::with(FULL.replace("seed = 1", "seed = \"one\""));
    assert!(folder.load(&Overrides::default()).is_err());
    assert_eq!(folder.load(&set(&["run.seed=2"])).unwrap().plan.seed, 2);
}

#[test]
fn the_later_of_two_settings_counts() {
    let folder = Folder::with(FULL);
    let loaded = folder.load(&set(&["run.seed=2", "run.seed=3"])).unwrap();
    assert_eq!(loaded.plan.seed, 3);
}

#[test]
fn options_of_their_own_replace_what_the_file_says() {
    let folder = Folder::with(FULL);
    let before = folder.load(&Overrides::default()).unwrap().plan;
    assert_eq!(before.profile, "as-found");
    assert_eq!(
        before.defects,
        ["drops-parcels", "takes-twice", "never-rests"]
    );

    let overrides = Overrides {
        seed: Some(u64::MAX),
        set: vec!["run.seed=3".to_owned()],
        profile: Some("sound".to_owned()),
        defects: vec!["takes-twice".to_owned()],
        scheduler: Some("random".to_owned()),
        max_events: Some(500),
    };
    let after = folder.load(&overrides).unwrap().plan;
    assert_eq!(after.seed, u64::MAX);
    assert_eq!(after.profile, "sound");
    assert_eq!(after.defects, ["takes-twice"]);
    assert_eq!(after.scheduler, SchedulerKind::Random);
    assert_eq!(after.budgets.events, 500);
}

/// Mistakes in options: what the option says, and the report.
macro_rules! mistakes {
    ($($name:ident: $overrides:expr;)*) => {$(
        #[test]
        fn $name() {
            let report = Folder::with(FULL).report("depot.toml", &$overrides);
            assert_snapshot!(stringify!($name), report);
        }
    )*};
}

mistakes! {
    set_without_equals: set(&["run.seed"]);
    set_without_a_key: set(&["=3"]);
    set_with_a_broken_key: set(&["run..seed=3"]);
    set_without_a_value: set(&["run.seed="]);
    set_to_a_broken_value: set(&["run.defects=[\"a\""]);
    set_of_an_unknown_section: set(&["runs.seed=3"]);
    set_of_an_unknown_key: set(&["run.sede=3"]);
    set_to_the_wrong_type: set(&["run.seed=soon"]);
    set_to_an_unknown_word: set(&["workers.0.pace=steddy"]);
    set_beyond_a_list: set(&["workers.2.name=eve"]);
    set_inside_a_number: set(&["run.seed.low=3"]);
    set_to_what_the_system_refuses: set(&["workers.1.takes_from=[\"adda\"]"]);
    set_of_half_a_fault: set(&["faults.0.kind=crash_host"]);
    unknown_profile_by_option: Overrides { profile: Some("sond".into()), ..Overrides::default() };
    unknown_defect_by_option: Overrides { defects: vec!["takes-twice".into(), "never-rest".into()], ..Overrides::default() };
    unknown_scheduler_by_option: Overrides { scheduler: Some("lifo".into()), ..Overrides::default() };
    no_events_by_option: Overrides { max_events: Some(0), ..Overrides::default() };
}

#[test]
fn a_mistake_in_the_file_is_still_found_beside_an_option() {
    let folder = Folder::with(format!("{LEAST}pace = \"steddy\"\n"));
    let error = folder.load(&set(&["run.seed=1"])).unwrap_err();
    assert_eq!((error.line, error.column), (Some(4), Some(8)));
}
