//! What is left of a run that fails: as few inputs as it takes, and small ones, which fail in the
//! same way.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot prepare itself fails, and says where"
)]

mod mill;

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_kernel::log::{Memory, Reader, SyncPolicy};
use dacapo_kernel::{BoxedStorage, Fault, FaultPlan, Finding, Plan, Run, System, Time, When};
use dacapo_lab::scenario::{Loaded, Overrides, load};
use dacapo_lab::shrink::{RecordedFiles, Stopped, keep, listed};
use dacapo_lab::{Group, ShrinkError, ShrinkOptions, Shrunk, examine, shrink};

use mill::{Mill, Yard};

type MillPlan = Plan<<Mill as System>::Config>;

/// The way in which the mill fails.
fn target() -> Group {
    Group {
        property: "mill.runs".to_owned(),
        cause: "expected the mill runs as it should, found it does not".to_owned(),
    }
}

fn shrunk(loaded: &Loaded<Mill>) -> Shrunk<Mill> {
    shrunk_with(loaded, &target(), ShrinkOptions::default()).unwrap()
}

fn shrunk_with(
    loaded: &Loaded<Mill>,
    target: &Group,
    options: ShrinkOptions,
) -> Result<Shrunk<Mill>, ShrinkError> {
    shrink::<Mill>(&loaded.plan, &loaded.files, target, options, &mut |_| true)
}

fn faults(shrunk: &Shrunk<Mill>) -> &[Fault] {
    &shrunk.plan.faults.faults
}

#[test]
fn one_strike_is_left_with_the_least_value_that_fails() {
    let left = shrunk(&Yard::new().rough("hard_jam"));
    assert!(left.inputs_before > 100, "{} inputs", left.inputs_before);
    assert_eq!(
        (left.inputs, left.one_by_one, left.stopped),
        (1, true, None)
    );
    let [Fault::Strike { door, value, .. }] = faults(&left) else {
        panic!("{:?}", faults(&left));
    };
    // The least that fails is 700, and it is round.
    assert_eq!((door.as_str(), *value), ("mill.jam", 700));
    let minute = Some(60_000_000_000);
    assert!(
        left.plan.duration_ns < minute,
        "{:?}",
        left.plan.duration_ns
    );
}

#[test]
fn one_that_always_fails_is_one_input() {
    let left = shrunk(&Yard::new().rough("five_jams"));
    let [
        Fault::Door {
            actor,
            per_mille,
            least,
            most,
            ..
        },
    ] = faults(&left)
    else {
        panic!("{:?}", faults(&left));
    };
    assert_eq!((actor.as_deref(), *per_mille), (Some("ada"), 1_000));
    assert_eq!((*least, *most), (10, 10), "the least of its kind");
    assert_eq!(left.plan.duration_ns, Some(5_000_000_000));
}

#[test]
fn a_crash_after_an_event_moves_to_a_round_instant() {
    let left = shrunk(&Yard::new().rough("crash_after_jam"));
    assert_eq!(left.inputs, 2, "{:?}", faults(&left));
    let crash = faults(&left).iter().find_map(|fault| match fault {
        Fault::CrashHost {
            when: When::Time(at),
            restart_after,
            ..
        } => Some((at.as_nanos(), *restart_after)),
        _ => None,
    });
    let (at, restart_after) = crash.unwrap();
    assert!(at.is_multiple_of(60_000_000_000), "{at}");
    assert_eq!(restart_after, Some(100_000_000), "the least of its kind");
}

#[test]
fn one_choice_is_enough_for_what_depends_on_an_order() {
    let left = shrunk(&Yard::new().rough("second_first"));
    assert!(
        matches!(faults(&left), [Fault::Choose { index: 1, .. }]),
        "{:?}",
        faults(&left)
    );
}

#[test]
fn an_act_is_made_smaller_and_moved_to_the_beginning() {
    let left = shrunk(&Yard::new().rough("loud"));
    let quiet = Fault::Act {
        what: "mill.bell".to_owned(),
        at: Time::ZERO,
        value: 3,
    };
    assert_eq!(faults(&left), [quiet]);
}

#[test]
fn what_only_the_end_shows_is_made_shorter_as_a_whole() {
    let group = Group {
        property: "mill.runs".to_owned(),
        cause: "expected the mill runs as it should, found there was a jam".to_owned(),
    };
    let loaded = Yard::new().rough("jam_by_the_end");
    let left = shrunk_with(&loaded, &group, ShrinkOptions::default()).unwrap();
    assert_eq!(left.inputs, 1);
    let minute = Some(60_000_000_000);
    assert!(
        left.plan.duration_ns < minute,
        "{:?}",
        left.plan.duration_ns
    );
}

#[test]
fn the_way_is_the_same_every_time_and_ends_where_it_is_told_to() {
    let loaded = Yard::new().rough("crash_after_jam");
    let (one, other) = (shrunk(&loaded), shrunk(&loaded));
    assert_eq!(one.plan.faults, other.plan.faults);
    assert_eq!(one.runs, other.runs);
    let options = ShrinkOptions { max_runs: 9 };
    let few = shrunk_with(&loaded, &target(), options).unwrap();
    assert_eq!(few.stopped, Some(Stopped::Runs(9)));
    assert!(
        few.inputs >= one.inputs && few.runs <= 10,
        "{} runs",
        few.runs
    );
    let mut steps = 0;
    let mut until = |_| {
        steps += 1;
        steps < 5
    };
    let options = ShrinkOptions::default();
    let (plan, files) = (&loaded.plan, &loaded.files);
    let early = shrink::<Mill>(plan, files, &target(), options, &mut until).unwrap();
    assert_eq!(early.stopped, Some(Stopped::Time));
    // What is returned early fails, too.
    let yard = Yard::new();
    keep(&early, files, &yard.path("early.toml")).unwrap();
}

#[test]
fn what_does_not_fail_is_never_returned() {
    let loaded = Yard::new().rough("hard_jam");
    let other = Group {
        property: "mill.stands".to_owned(),
        cause: String::new(),
    };
    let error = shrunk_with(&loaded, &other, ShrinkOptions::default())
        .err()
        .unwrap();
    assert!(
        matches!(&error, ShrinkError::NotAgain(of) if of == "mill.stands"),
        "{error}"
    );
    // Nor is it kept: here the plan is another one by now.
    let mut left = shrunk(&loaded);
    left.plan.faults = FaultPlan::default();
    let yard = Yard::new();
    let error = keep(&left, &loaded.files, &yard.path("a.toml"))
        .err()
        .unwrap();
    assert!(matches!(error, ShrinkError::Lost(_)), "{error}");
}

#[test]
fn a_plan_with_an_unknown_act_is_refused() {
    let mut loaded = Yard::new().rough("hard_jam");
    loaded.plan.faults.faults.push(Fault::Act {
        what: "mill.flood".to_owned(),
        at: Time::ZERO,
        value: 0,
    });
    let error = shrunk_with(&loaded, &target(), ShrinkOptions::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains("mill.flood"), "{error}");
}

#[test]
fn a_log_is_held_against_the_configuration_that_its_acts_made() {
    // The bell is in the plan only once the act among its faults is.
    let loaded = Yard::new().rough("no_other_bell");
    let (plan, files) = (&loaded.plan, &loaded.files);
    let log = Rc::new(RefCell::new(Memory(Vec::new())));
    let storage: BoxedStorage = Box::new(Rc::clone(&log));
    let run = Run::<Mill>::new(plan).record(files, storage, SyncPolicy::Never);
    let of_run = run.unwrap().findings;
    let storage: BoxedStorage = Box::new(Memory(log.take().0));
    let examined = examine::<Mill>(Reader::open(storage).unwrap(), |_, _| ()).unwrap();
    assert_eq!(examined.findings, of_run);
    assert_eq!(of_run[0].finding, Finding::Held);
}

#[test]
fn what_is_kept_is_a_scenario_that_makes_the_log() {
    let left = shrunk(&Yard::new().rough("crash_after_jam"));
    let yard = Yard::new();
    let scenario = yard.path("deep/in/small.toml");
    let kept = keep(&left, &RecordedFiles::default(), &scenario).unwrap();
    assert_eq!(kept.failure.property, "mill.runs");
    let again = load::<Mill>(&scenario, &Overrides::default()).unwrap();
    let plan: &MillPlan = &again.plan;
    assert_eq!(plan.faults, left.plan.faults);
    assert_eq!(plan.name, "rough-shrunk");
    let storage: BoxedStorage = Box::new(Memory(kept.log.clone()));
    let inputs = listed::<Mill>(plan, Reader::open(storage).unwrap()).unwrap();
    let told: Vec<(&str, &str)> = inputs
        .iter()
        .map(|input| (input.name.as_str(), input.actor.as_str()))
        .collect();
    assert_eq!(told, [("mill.jam", "bob"), ("crash-host", "mill")]);
    assert!(inputs.iter().all(|input| input.seq.is_some()), "{inputs:?}");
}

#[test]
fn data_files_lie_beside_what_is_kept() {
    let yard = Yard::new();
    std::fs::create_dir(yard.path("in")).unwrap();
    std::fs::write(yard.path("in/table.csv"), "1,2\n").unwrap();
    let text = "name = \"t\"\nproperty = \"loud\"\ntable = \"in/table.csv\"\nbells = [[2, 9]]\n[run]\nduration = \"1m\"\n";
    let loaded = yard.scenario(text);
    let folders = [yard.path("in"), yard.path("")];
    let files = RecordedFiles::find(&loaded.plan.data, &folders).unwrap();
    let left = shrunk(&loaded);
    assert_eq!(left.inputs, 0, "it fails without anything going wrong");
    keep(&left, &files, &yard.path("out/small.toml")).unwrap();
    assert!(yard.path("out/in/table.csv").exists());
    // Another file in its place is not overwritten.
    std::fs::write(yard.path("out/in/table.csv"), "3\n").unwrap();
    let error = keep(&left, &files, &yard.path("out/small.toml"))
        .err()
        .unwrap();
    assert!(matches!(error, ShrinkError::Write { .. }), "{error}");
    // Nor is one taken that is not as it was.
    std::fs::write(yard.path("in/table.csv"), "3\n").unwrap();
    let error = RecordedFiles::find(&loaded.plan.data, &[yard.path("")]).unwrap_err();
    assert!(error.contains("not as it was"), "{error}");
}
