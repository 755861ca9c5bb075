//! `sweep`, and `figures` of a system that only counts.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;
use serde_json::Value;

use crate::desk::{Desk, Said};

fn sweep(desk: &Desk, options: &[&str]) -> Said {
    let mut words = vec!["sweep", "DESK/kitchen.toml"];
    words.extend(options);
    desk.call(&words)
}

fn rows(desk: &Desk, options: &[&str]) -> String {
    let said = sweep(desk, &[options, &["--csv", "DESK/rows.csv", "-q"]].concat());
    assert_eq!(said.exit, Exit::Fine, "{said}");
    fs::read_to_string(desk.path("rows.csv")).unwrap()
}

const DISHES: [&str; 4] = ["--vary", "kitchen.dishes=1..3", "--vary", "seed=1..4"];

// Fails if a row is left out, comes in another order, or the screen changes.
#[test]
fn every_combination_has_its_row() {
    let desk = Desk::new();
    let said = sweep(&desk, &DISHES);
    assert_eq!(said.exit, Exit::Fine);
    assert_snapshot!("sweep", said);
    assert_snapshot!("sweep_seeds_alone", sweep(&desk, &["--vary", "seed=3..5"]));
    let cold = ["--vary", "faults.stove.cold=0,1000", "--figures", "dishes"];
    assert_snapshot!("sweep_of_a_fault", sweep(&desk, &cold));
    let json = sweep(&desk, &["--vary", "seed=1", "--message-format", "json"]);
    let lines: Vec<String> = json
        .out
        .lines()
        .map(|line| format!("{:#}", serde_json::from_str::<Value>(line).unwrap()))
        .collect();
    assert_snapshot!("sweep_json", lines.join("\n"));
}

// Fails if rows depend on the number of threads, or if those that are there are made again, lost or moved:
// the file is cut off at many lengths and must come to the same bytes each time.
#[test]
fn a_sweep_goes_on_where_it_ended() {
    let desk = Desk::new();
    let whole = rows(&desk, &[&DISHES[..], &["--jobs", "1"]].concat());
    assert_eq!(whole.lines().count(), 13);
    fs::remove_file(desk.path("rows.csv")).unwrap();
    assert_eq!(
        rows(&desk, &[&DISHES[..], &["--jobs", "8"]].concat()),
        whole
    );
    for part in 1..8 {
        fs::write(desk.path("rows.csv"), &whole[..whole.len() * part / 8]).unwrap();
        assert_eq!(rows(&desk, &DISHES), whole, "{part}");
    }
    // A row that was there is taken as it is.
    let changed = whole.replacen(",complete,,", ",complete,planted,", 1);
    fs::write(desk.path("rows.csv"), &changed).unwrap();
    let said = sweep(&desk, &[&DISHES[..], &["--csv", "DESK/rows.csv"]].concat());
    assert_eq!(said.exit, Exit::Violated);
    assert!(
        said.out.contains("12 of them in the file already"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(desk.path("rows.csv")).unwrap(), changed);
}

// Fails if a slip is not explained, or if anything runs or is written because of it.
#[test]
fn slips_are_explained() {
    let desk = Desk::new();
    rows(&desk, &DISHES);
    let slips: [&[&str]; 7] = [
        &["--vary", "kitchen.dishes=3..1"],
        &["--vary", "kitchen.dihses=1..3"],
        &["--vary", "faults.stove.clod=1"],
        &["--vary", "faults.stove.cold=1001"],
        &["--vary", "seed=1", "--figures", "dishse"],
        &["--vary", "seed=1", "--csv", "DESK/rows.csv"],
        &["--vary", "seed=1..3000", "--vary", "kitchen.dishes=1..3000"],
    ];
    let mut told = String::new();
    for slip in slips {
        let said = sweep(&desk, slip);
        assert_eq!(said.exit, Exit::Usage, "{said}");
        told.push_str(&format!(
            "$ kitchen sweep kitchen.toml {}\n{said}\n",
            slip.join(" ")
        ));
    }
    assert_snapshot!("sweep_slips", told);
    let other = [
        &DISHES[..],
        &["--set", "kitchen.cooks=3", "--csv", "DESK/rows.csv"],
    ]
    .concat();
    let said = sweep(&desk, &other);
    assert_eq!(said.exit, Exit::Usage, "{said}");
    assert!(said.err.contains("of another sweep"), "{said}");
}

// Fails if a system that makes no figures of its events shows none at all.
#[test]
fn a_system_that_only_counts_has_those_figures() {
    let desk = Desk::new();
    desk.run(&[]);
    assert_snapshot!("figures_counted", desk.call(&["figures", "DESK/a.dlog"]));
    let said = desk.call(&["figures", "DESK/a.dlog", "--csv", "DESK/a.csv"]);
    assert_eq!(said.exit, Exit::Usage, "{said}");
    let said = desk.call(&["figures", "DESK/a.dlog", "--split", "100h"]);
    assert_eq!(said.exit, Exit::Usage, "{said}");
}
