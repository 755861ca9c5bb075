//! The matrix says which defects are found and which are not.

use std::time::Duration;

use dacapo_lab::fuzz::{Campaign, Runs, Seeds, Shard, caught};
use dacapo_lab::matrix::{Matrix, Sowing};

use crate::hall::{Desk, Turnstile};

fn matrix(desk: &Desk, watch: impl FnMut(Option<&'static str>) -> bool) -> Matrix {
    let scenario = desk.path("hall.toml");
    let mut watch = watch;
    let sowing = Sowing {
        campaign: Campaign {
            scenario: &scenario,
            overrides: &desk.overrides,
            runs: Runs::Drawn(&desk.swarm),
            seeds: Seeds {
                from: 0,
                to: 100,
                shard: Shard::ALL,
            },
            jobs: 2,
            max_failures: None,
            sought: None,
            again_per_mille: 0,
            canary_per_mille: 0,
            caught,
            keep: None,
        },
        shrink: true,
        elapsed: &|| Duration::ZERO,
    };
    sowing
        .run::<Turnstile>(|defect, _| watch(defect), |_| {})
        .unwrap()
}

#[test]
fn a_defect_is_found_by_its_property_and_nothing_without_it() {
    // What the scenario has on itself does not count.
    let desk = Desk::broken();
    let matrix = matrix(&desk, |_| true);
    assert_eq!(matrix.rows.len(), 2);
    let hit = matrix.rows[0].hit.as_ref().unwrap();
    assert_eq!(hit.property, "hall.counted");
    let small = hit.small.as_ref();
    assert!(small.is_some_and(|small| small.inputs <= 4), "{hit:?}");
    assert_eq!(matrix.rows[0].seeds, hit.seed + 1);
    assert_eq!(matrix.rows[1].hit, None);
    assert_eq!(matrix.rows[1].caught_by, ["hall.counted", "verdict"]);
    assert_eq!(matrix.rows[1].seeds, 100);
    let missed: Vec<&str> = matrix.missed().map(|row| row.defect).collect();
    assert_eq!(missed, ["unseen"]);
    let sound = matrix.sound.as_ref().unwrap();
    assert_eq!((sound.runs, sound.failing), (100, 0));
    assert!(!matrix.is_good());
}

#[test]
fn a_matrix_that_was_cut_short_says_nothing_of_the_rest() {
    let desk = Desk::new();
    let matrix = matrix(&desk, |defect| defect != Some("unseen"));
    assert_eq!(matrix.rows.len(), 1);
    assert!(matrix.sound.is_none() && !matrix.is_good());
}
