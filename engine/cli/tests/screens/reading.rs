//! `show`: events as lines, filters, the state at a moment.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;
use serde_json::Value;

use crate::desk::Desk;

fn show(desk: &Desk, options: &[&str]) -> String {
    let said = desk.call(&[&["show", "DESK/a.dlog"][..], options].concat());
    assert_eq!(said.exit, Exit::Fine, "{said}");
    said.to_string()
}

#[test]
fn events_are_lines_with_their_causes() {
    let desk = Desk::new();
    desk.run(&["--defects", "pan-first"]);
    assert_snapshot!("show", show(&desk, &[]));
}

#[test]
fn filters_narrow_the_events() {
    let desk = Desk::new();
    desk.run(&[]);
    let shown = [
        &["--actor", "cook-2", "--limit", "3"][..],
        &["--tag", "dish=3"],
        &["--kind", "dish_served", "--kind", "65", "--limit", "3"],
        &["--task", "t1", "--task", "cook-2", "--limit", "4"],
        &["--from", "10", "--to", "12"],
        &["--from", "242ms", "--to", "0:00.259"],
        &[
            "--tag",
            "dish=3",
            "--kind",
            "dish served",
            "--message-format",
            "json",
        ],
        &["--actor", "cook-9"],
    ]
    .map(|options| format!("show {}\n{}", options.join(" "), show(&desk, options)));
    assert_snapshot!("show_filtered", shown.join("\n"));
    let said = desk.call(&["show", "DESK/a.dlog", "--kind", "dish-swerved"]);
    assert_eq!(said.exit, Exit::Usage);
    assert_snapshot!("show_unknown_kind", said);
}

#[test]
fn every_event_can_be_read_as_json() {
    let desk = Desk::new();
    desk.run(&[]);
    let said = desk.call(&["show", "DESK/a.dlog", "--message-format", "json"]);
    for (at, line) in said.out.lines().enumerate() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["v"], 1);
        assert_eq!(event["type"], "event");
        assert_eq!(event["seq"], at);
        assert!(event["body"].is_object());
    }
}

// Fails if nothing is kept of a long log, if what is kept is of no use, or if it is believed of another log.
#[test]
fn states_of_a_long_log_are_kept_beside_it() {
    let desk = Desk::new();
    let states = desk.path("a.dlog.states");
    let at = |moment| show(&desk, &["--at", moment, "--message-format", "json"]);
    desk.run(&[]);
    at("20");
    assert!(!states.exists(), "a short log is folded at once");

    desk.run(&["--set", "kitchen.dishes=10000"]);
    let folded = at("66000");
    let kept = fs::read_to_string(&states).unwrap();
    assert_eq!(kept.lines().count(), 2, "a head and one state");
    assert_eq!(at("66000"), folded);
    // Another recipe in it shows that it is where the state comes from, and from which event on.
    fs::write(&states, kept.replacen("stir well", "let burn", 1)).unwrap();
    assert!(at("66000").contains("let burn"));
    assert!(!at("65534").contains("let burn"));

    desk.run(&["--set", "kitchen.dishes=10001"]);
    assert!(!at("66000").contains("let burn"));
    assert_ne!(fs::read_to_string(&states).unwrap(), kept);
}

#[test]
fn the_state_at_a_moment_is_a_tree() {
    let desk = Desk::new();
    desk.run(&["--defects", "pan-first"]);
    assert_snapshot!("state_of_a_deadlock", show(&desk, &["--at", "22"]));
    assert_snapshot!(
        "state_json",
        show(&desk, &["--at", "20", "--message-format", "json"])
    );
    desk.run(&[]);
    assert_snapshot!("state_in_the_middle", show(&desk, &["--at", "300ms"]));
    assert_snapshot!("state_at_the_end", show(&desk, &["--at", "1h"]));
    let said = desk.call(&["show", "DESK/a.dlog", "--at", "1000"]);
    assert_eq!(said.exit, Exit::Usage);
    assert_snapshot!("state_behind_the_end", said);
}
