//! Every way in which a run can fail, on the screen of `run`.

use dacapo_cli::Exit;
use insta::assert_snapshot;

use crate::desk::Desk;

#[test]
fn a_deadlock_shows_who_holds_and_who_waits_while_the_clock_ticks() {
    let desk = Desk::new();
    let options = ["--defects", "pan-first", "--set", "kitchen.clock=true"];
    let said = desk.run(&options);
    assert_eq!(said.exit, Exit::Violated);
    assert_snapshot!("deadlock", said);
    let sound = desk.run(&["--set", "kitchen.clock=true"]);
    assert_eq!(sound.exit, Exit::Fine);
    let github = [&options[..], &["--message-format", "github"]].concat();
    let github = desk.run(&github).out;
    let annotations: Vec<&str> = github
        .lines()
        .filter(|line| line.starts_with("::"))
        .collect();
    assert_snapshot!("deadlock_github", annotations.join("\n"));
    let json = [&options[..], &["--message-format", "json"]].concat();
    let json = desk.run(&json).out;
    assert_snapshot!("deadlock_json", json.lines().nth(1).unwrap());
}

#[test]
fn an_expected_deadlock_is_no_failure() {
    let options = [
        "--defects",
        "pan-first",
        "--set",
        "expect.verdict=deadlock",
        "-q",
    ];
    assert_eq!(Desk::new().run(&options).exit, Exit::Fine);
    let not_come = Desk::new().run(&["--set", "expect.verdict=deadlock", "-q"]);
    assert_eq!(not_come.exit, Exit::Violated);
    assert_snapshot!("deadlock_expected", not_come);
}

#[test]
fn a_violated_property_says_what_was_expected() {
    let said = Desk::new().run(&["--defects", "served-twice", "--quiet"]);
    assert_eq!(said.exit, Exit::Violated);
    assert_snapshot!("violated", said);
}

#[test]
fn a_panic_a_stall_and_a_livelock_are_told_apart() {
    let desk = Desk::new();
    let panic = desk.run(&["--defects", "dropped-plate", "-q"]);
    let stall = desk.run(&["--defects", "no-waiter", "-q"]);
    let livelock = [
        "--defects",
        "no-waiter",
        "-q",
        "--set",
        "kitchen.clock=true",
        "--set",
        "budgets.idle_seconds=30",
    ];
    let livelock = desk.run(&livelock);
    for said in [&panic, &stall, &livelock] {
        assert_eq!(said.exit, Exit::Violated);
    }
    assert_snapshot!("panic", panic);
    assert_snapshot!("stall", stall);
    assert_snapshot!("livelock", livelock);
}

#[test]
fn a_budget_that_is_used_up_has_a_code_of_its_own() {
    let said = Desk::new().run(&["--defects", "too-eager", "--max-events", "60", "-q"]);
    assert_eq!(said.exit, Exit::Exhausted);
    assert_snapshot!("exhausted", said);
}

#[test]
fn a_figure_that_is_not_as_expected_fails_the_run() {
    let said = Desk::new().run(&["--set", "expect.figures.dishes.at_least=5", "-q"]);
    assert_eq!(said.exit, Exit::Violated);
    assert_snapshot!("figure", said);
}
