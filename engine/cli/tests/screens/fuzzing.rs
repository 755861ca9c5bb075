//! `fuzz` and its matrix, and the lists of what can go wrong and what must hold.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;
use serde_json::Value;

use crate::desk::{Desk, Said};

/// A campaign without crashes, after which the kitchen would serve every dish again.
fn fuzz(desk: &Desk, options: &[&str]) -> Said {
    let mut words = vec!["fuzz", "DESK/kitchen.toml", "--out", "DESK/failures"];
    words.extend(["--jobs", "2", "--faults", "stove.", "--no-shrink"]);
    words.extend(options);
    desk.call(&words)
}

fn logs(desk: &Desk) -> usize {
    let entries = fs::read_dir(desk.path("failures"));
    entries.map_or(0, |entries| entries.count())
}

#[test]
fn a_campaign_that_finds_nothing_says_what_it_reached() {
    let desk = Desk::new();
    let said = fuzz(&desk, &["--seeds", "60"]);
    assert_eq!(said.exit, Exit::Fine);
    assert_snapshot!("fuzz", said);
    assert_snapshot!("fuzz_quiet", fuzz(&desk, &["--seeds", "20", "-q"]));
    assert_snapshot!("fuzz_verbose", fuzz(&desk, &["--seeds", "20", "-v"]));
    let json = fuzz(&desk, &["--seeds", "20", "--message-format", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_snapshot!("fuzz_json", format!("{json:#}"));
    assert_eq!(logs(&desk), 0);
}

#[test]
fn failures_are_put_together_and_shown_with_what_to_do() {
    let desk = Desk::new();
    let defects = ["--seeds", "30", "--defects", "served-twice,dropped-plate"];
    let said = fuzz(&desk, &defects);
    assert_eq!(said.exit, Exit::Violated);
    assert_snapshot!("fuzz_failures", said);
    assert_eq!(logs(&desk), 30);
    let github = fuzz(
        &desk,
        &[&defects[..], &["--message-format", "github"]].concat(),
    );
    let annotations: Vec<&str> = github.out.lines().filter(|l| l.starts_with("::")).collect();
    assert_snapshot!("fuzz_failures_github", annotations.join("\n"));
    let json = fuzz(
        &desk,
        &[&defects[..], &["--message-format", "json"]].concat(),
    );
    let group: Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_snapshot!("fuzz_failures_json", format!("{group:#}"));
    let log = "DESK/failures/kitchen-0-served-twice-and-1-more.dlog";
    assert_eq!(desk.call(&["replay", log, "-q"]).exit, Exit::Fine);
}

#[test]
fn a_campaign_ends_with_as_many_failures_as_are_wanted_and_says_how_to_go_on() {
    let desk = Desk::new();
    // On two threads a run that was under way when the last failure came may be counted or not.
    let said = desk.call(&[
        "fuzz",
        "DESK/kitchen.toml",
        "--out",
        "DESK/failures",
        "--jobs",
        "1",
        "--faults",
        "stove.",
        "--no-shrink",
        "--seeds",
        "5..40",
        "--defects",
        "served-twice",
        "--max-failures",
        "3",
    ]);
    assert_snapshot!("fuzz_max_failures", said);
    assert_eq!(logs(&desk), 3);
}

#[test]
fn one_failure_of_each_group_is_shrunk_into_a_scenario_of_its_own() {
    let desk = Desk::new();
    let words = ["fuzz", "DESK/kitchen.toml", "--out", "DESK/failures"];
    let options = ["--jobs", "2", "--seeds", "20", "--defects", "pan-first"];
    let said = desk.call(&[&words[..], &options].concat());
    assert_eq!(said.exit, Exit::Violated);
    assert_snapshot!("fuzz_shrunk", said);
    let scenario = "DESK/failures/kitchen-0-pan-first-1-shrunk.toml";
    let again = desk.call(&["run", scenario, "--out", "DESK/again.dlog", "-q"]);
    assert_eq!(again.exit, Exit::Violated);
    let bytes = |name: &str| fs::read(desk.path(name)).unwrap();
    assert_eq!(
        bytes("again.dlog"),
        bytes("failures/kitchen-0-pan-first-1-shrunk.dlog")
    );
}

#[test]
fn the_canary_and_what_was_never_reached_show() {
    let desk = Desk::new();
    let said = fuzz(&desk, &["--seeds", "40", "--canary", "100"]);
    assert_eq!(said.exit, Exit::Violated);
    assert_snapshot!("fuzz_canary", said);
    let options = ["--seeds", "1000", "--check-determinism", "0", "-q"];
    assert_eq!(fuzz(&desk, &options).exit, Exit::Fine);
    let required = fuzz(&desk, &[&options[..], &["--require-reached"]].concat());
    assert_eq!(required.exit, Exit::Violated);
}

#[test]
fn a_campaign_in_which_nothing_happens_is_no_success() {
    let desk = Desk::new();
    let said = fuzz(&desk, &["--seeds", "5", "--set", "kitchen.dishes=0", "-q"]);
    assert_eq!(said.exit, Exit::NothingRan);
    let exhausted = fuzz(&desk, &["--seeds", "5", "--set", "budgets.events=30", "-q"]);
    assert_eq!(exhausted.exit, Exit::Exhausted);
}

#[test]
fn a_slip_is_explained() {
    let desk = Desk::new();
    let slips = [
        &["--faults", "stove.hot"][..],
        &["--seeds", "9..3"],
        &["--shard", "3/2"],
        &["--budget", "soon"],
        &["--scheduler", "fair"],
        &["--defects", "pan-frist"],
        &["--markdown", "DESK/a.md"],
        &["--matrix", "--markdown", "DESK/a.md"],
    ]
    .map(|options| desk.call(&[&["fuzz", "DESK/kitchen.toml"][..], options].concat()));
    assert!(slips.iter().all(|said| said.exit == Exit::Usage));
    assert_snapshot!("fuzz_slips", slips.map(|said| said.to_string()).join("\n"));
    assert_snapshot!("help_fuzz", desk.call(&["fuzz", "-h"]));
}

#[test]
fn the_matrix_says_what_is_found_and_stands_in_a_page() {
    let desk = Desk::new();
    let page = "# Defects\n<!-- matrix: begin -->\n<!-- matrix: end -->\n";
    fs::write(desk.path("page.md"), page).unwrap();
    let options = ["--seeds", "12", "--matrix", "--set", "budgets.events=500"];
    let said = fuzz(
        &desk,
        &[&options[..], &["--markdown", "DESK/page.md"]].concat(),
    );
    assert_eq!(said.exit, Exit::Violated, "one defect is not found");
    assert_snapshot!("matrix", said);
    let page = fs::read_to_string(desk.path("page.md")).unwrap();
    let folder = desk.path("").to_string_lossy().into_owned();
    assert_snapshot!("matrix_page", page.replace(&folder, "DESK/"));
    let json = fuzz(
        &desk,
        &[&options[..], &["--message-format", "json"]].concat(),
    );
    let last: Value = serde_json::from_str(json.out.lines().last().unwrap()).unwrap();
    assert_snapshot!("matrix_json", format!("{last:#}"));
}

#[test]
fn what_can_go_wrong_and_what_must_hold_is_listed() {
    let desk = Desk::new();
    assert_snapshot!("faults", desk.call(&["faults"]));
    assert_snapshot!("faults_quiet", desk.call(&["faults", "-q"]));
    assert_snapshot!(
        "faults_json",
        desk.call(&["faults", "--message-format", "json"])
    );
    assert_snapshot!("invariants_nowhere", desk.call(&["invariants"]));
    assert_snapshot!(
        "invariants",
        desk.call(&["invariants", "DESK/kitchen.toml"])
    );
    let json = desk.call(&[
        "invariants",
        "DESK/kitchen.toml",
        "--message-format",
        "json",
    ]);
    assert_snapshot!("invariants_json", json);
}
