//! The same program, scenario and seed write the same log, whatever surrounds the process and in
//! whatever order unrelated things are declared.

mod declarations;
mod draws;
mod surroundings;

use dacapo_lab::scenario::Overrides;
use dacapo_tests::{Story, defects, record};

#[test]
fn two_recordings_are_the_same_to_the_last_byte() {
    for story in Story::ALL {
        let again = record(&story.path(), &Overrides::default()).log;
        assert!(
            again == story.log(),
            "{story:?} differs from one recording to the next"
        );
    }
    let broken = || record(&Story::Deadlock.path(), &defects(&["handler-under-lock"])).log;
    assert!(broken() == broken(), "the deadlock differs");
}

#[test]
fn so_are_two_whose_scheduler_chooses_at_random() {
    let shuffled = |seed| {
        let overrides = Overrides {
            seed: Some(seed),
            scheduler: Some("random".to_owned()),
            ..dacapo_tests::set(&["run.duration=2h"])
        };
        record(&Story::Day.path(), &overrides).log
    };
    assert!(
        shuffled(1) == shuffled(1),
        "the same seed chooses differently"
    );
    assert!(shuffled(1) != shuffled(2), "another seed chooses the same");
}
