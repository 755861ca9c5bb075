//! A run that follows a recording with unchanged code is the same run, to the last byte: whatever
//! struck in it, whoever chose, and although nothing outside is asked.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use dacapo_kernel::log::Memory;
use dacapo_kernel::{BoxedStorage, Inputs, follow};
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::Orchestration;
use dacapo_tests::{begun_with, defects, events, reader, record, root, set};

/// The log of a run that follows another, and what became of the inputs.
fn followed(log: &[u8]) -> (Vec<u8>, Inputs) {
    let bytes = Rc::new(RefCell::new(Memory::default()));
    let storage: BoxedStorage = Box::new(bytes.clone());
    let outcome = follow::<Orchestration>(reader(log), storage, |_, _| true)
        .unwrap_or_else(|error| panic!("{error}"));
    let inputs = outcome.inputs.expect("it followed a recording");
    (bytes.take().0, inputs)
}

fn assert_same(path: &str, overrides: &Overrides) {
    let log = record(&root().join(path), overrides).log;
    let (again, inputs) = followed(&log);
    if again != log {
        let (before, after) = (events(&log), events(&again));
        let first = before.iter().zip(&after).find(|(a, b)| a != b);
        panic!(
            "{path}: {} events, now {}; first {first:#?}",
            before.len(),
            after.len()
        );
    }
    assert_eq!(
        (inputs.unused, inputs.generated.len()),
        (0, 0),
        "{path}: {inputs:?}"
    );
}

fn scenarios(folder: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let files = files.map(|file| file.expect("the folder is read").path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect()
}

/// Of these the beginning is enough.
const LONG: [(&str, &str); 3] = [
    ("/day.toml", "run.duration=2h"),
    ("/hard-day.toml", "run.duration=3h"),
    ("/binance-tape.toml", "run.duration=20s"),
];

#[test]
fn every_scenario_is_followed_to_its_last_byte() {
    let mut all = scenarios("scenarios");
    all.extend(scenarios("scenarios/regressions"));
    assert!(all.len() > 10, "only {} scenarios", all.len());
    for path in all {
        let path = path.strip_prefix(root()).expect("it is in the project");
        let path = path.to_string_lossy();
        let long = LONG.iter().find(|(name, _)| path.ends_with(name));
        let overrides = long.map(|(_, span)| set(&[span]));
        assert_same(&path, &overrides.unwrap_or_default());
    }
}

#[test]
fn crashes_choices_and_faults_of_a_fuzzed_day_are_found_again() {
    for (seed, scheduler) in [(1, "random"), (2, "pct"), (3, "random")] {
        let overrides = Overrides {
            seed: Some(seed),
            scheduler: Some(scheduler.to_owned()),
            ..set(&["run.duration=3h"])
        };
        assert_same("scenarios/hard-day.toml", &overrides);
    }
    assert_same("scenarios/deadlock.toml", &defects(&["handler-under-lock"]));
}

/// An answer is found by its question although the code asks other questions before it: with changed code the
/// run goes on after the first difference, to an end of its own.
#[test]
fn changed_code_goes_on_with_the_inputs_that_still_apply() {
    let log = record(&root().join("scenarios/day.toml"), &Overrides::default()).log;
    let changed = begun_with(&log, |plan| {
        plan.system.consensus.max_confidence_boost += 0.05;
    });
    let (again, inputs) = followed(&changed);
    assert!(again != changed, "the change made no difference");
    let end = |log: &[u8]| {
        events(log)
            .last()
            .map(|event| (event.time, event.kind().name))
    };
    assert_eq!(end(&again), end(&log));
    assert!(inputs.used > 100, "{inputs:?}");
}
