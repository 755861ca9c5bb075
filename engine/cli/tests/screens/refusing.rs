//! Changes to a scenario that must be refused: those that are, those that run, and those refused in other words.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;

use crate::desk::{Desk, Said};

/// Adds entries of `[[refused]]` to the scenario of a desk.
fn add(desk: &Desk, entries: &str) {
    let path = desk.path("kitchen.toml");
    let scenario = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{scenario}\n{entries}")).unwrap();
}

/// What is said of a scenario with these entries.
fn test(entries: &str) -> Said {
    let desk = Desk::new();
    add(&desk, entries);
    desk.call(&["test", "DESK", "--jobs", "1"])
}

/// Fails if a refusal that comes as it should is no success, or is not counted.
#[test]
fn what_is_refused_as_it_should_passes() {
    let said = test(
        r#"
        [[refused]]
        set = ["run.scheduler='fiffo'"]
        says = "unknown word `fiffo`"

        [[refused]]
        scenario = "name ="
        says = "not valid TOML"
        "#,
    );
    assert_eq!(said.exit, Exit::Fine, "{said}");
    assert_snapshot!("refused", said);
}

/// Fails if a change that runs, or is refused for another reason, passes.
#[test]
fn what_runs_or_is_refused_in_other_words_fails() {
    let said = test(
        r#"
        [[refused]]
        set = ["run.seed=8"]
        says = "eight is no seed"

        [[refused]]
        set = ["run.seed='eight'"]
        says = "eight is no seed"
        "#,
    );
    assert_eq!(said.exit, Exit::Violated, "{said}");
    assert_snapshot!("refused_fails", said);
}

/// Fails if `run` takes notice of what must be refused.
#[test]
fn a_run_is_that_of_the_scenario_itself() {
    let desk = Desk::new();
    let plain = desk.run(&[]);
    add(
        &desk,
        "[[refused]]\nset = [\"run.seed=8\"]\nsays = \"no\"\n",
    );
    assert_eq!(desk.run(&[]).out, plain.out);
}
