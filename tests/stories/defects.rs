//! Each defect as a story of its own, `scenarios/defects/NAME.toml`: with the switch on, a property that
//! the list of defects assigns to it is violated; without it nothing is.

use dacapo_kernel::{Checked, Finding, System, Verdict, Verified};
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::Orchestration;
use dacapo_tests::{defects, record, replay, root};

use super::judged;

/// The names of the stories that there are.
fn stories() -> Vec<String> {
    let folder = root().join("scenarios/defects");
    let files = std::fs::read_dir(folder).expect("the folder of stories is there");
    let names = files.filter_map(|file| {
        let path = file.ok()?.path();
        let is_story = path.extension().is_some_and(|end| end == "toml");
        is_story.then(|| {
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
        })?
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The properties that were violated.
pub(super) fn violated(findings: &[Checked]) -> Vec<&'static str> {
    let violated = findings
        .iter()
        .filter(|checked| matches!(checked.finding, Finding::Violated { .. }));
    violated.map(|checked| checked.id).collect()
}

/// What is wrong with a story; empty if it tells what it should.
fn complaints(name: &str) -> Vec<String> {
    let path = root().join(format!("scenarios/defects/{name}.toml"));
    let switches = Orchestration::defects();
    let Some(switch) = switches.iter().find(|switch| switch.name == name) else {
        return vec![format!("{name}: there is no such defect")];
    };
    let mut complaints = Vec::new();
    let mut complain = |what: String| complaints.push(format!("{name}: {what}"));
    let sound = record(&path, &Overrides::default());
    if sound.outcome.verdict != Verdict::Complete {
        complain(format!("sound, it ends as {}", sound.outcome.verdict));
    }
    let found = violated(&sound.outcome.findings);
    if !found.is_empty() {
        complain(format!("sound, it violates {found:?}"));
    }
    if !matches!(replay(&sound.log), Verified::Same { .. }) {
        complain("sound, it replays otherwise".to_owned());
    }
    let missed = judged(&super::examined(&sound.log)).expectations;
    for missed in missed.iter().filter(|expectation| !expectation.met) {
        complain(format!("sound, {} is {}", missed.of, missed.actual));
    }
    let broken = record(&path, &defects(&[name]));
    let found = violated(&broken.outcome.findings);
    let assigned = |id: &&str| switch.caught_by.split(", ").any(|by| by == *id);
    if !found.iter().any(assigned) {
        complain(format!(
            "broken, it violates {found:?} and none of {}",
            switch.caught_by
        ));
    }
    complaints
}

#[test]
fn every_story_of_a_defect_fails_with_it_and_passes_without() {
    let complaints: Vec<String> = stories().iter().flat_map(|name| complaints(name)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_defect_has_a_story() {
    let told = stories();
    let mut named: Vec<&str> = Orchestration::defects().iter().map(|it| it.name).collect();
    named.sort_unstable();
    assert_eq!(told, named);
}
