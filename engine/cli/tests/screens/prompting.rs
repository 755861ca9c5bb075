//! `prompt-test` of a system in which no service decides anything, and its help.

use dacapo_cli::Exit;
use insta::assert_snapshot;

use crate::desk::Desk;

/// Fails if a system that has no decisions of services panics, asks, or is told of what it does not have.
#[test]
fn a_system_without_services_has_no_prompt_to_test() {
    let desk = Desk::new();
    desk.run(&[]);
    std::fs::write(desk.path("new.txt"), "{{anything}}").unwrap();
    let said = desk.call(&["prompt-test", "DESK/a.dlog", "--template", "DESK/new.txt"]);
    assert_eq!(said.exit, Exit::Usage);
    assert_snapshot!("prompt_test_without_services", said);
    let said = desk.call(&[
        "prompt-test",
        "DESK/none.dlog",
        "--template",
        "DESK/new.txt",
    ]);
    assert_eq!(said.exit, Exit::Usage);
    let said = desk.call(&["prompt-test", "DESK/a.dlog"]);
    assert_eq!(said.exit, Exit::Usage);
}

/// Fails if an option is not told, or otherwise than it is.
#[test]
fn the_help_says_what_is_asked_and_what_it_may_cost() {
    let said = Desk::new().call(&["prompt-test", "--help"]);
    assert_eq!(said.exit, Exit::Fine);
    assert_snapshot!("prompt_test_help", said);
}
