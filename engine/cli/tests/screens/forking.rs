//! `fork`: what if one input had been another one, and which inputs matter.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;
use serde_json::Value;

use crate::desk::Desk;

fn all(desk: &Desk, calls: &[&[&str]]) -> String {
    let said = |call: &&[&str]| format!("{}\n{}", call.join(" "), desk.call(call));
    calls.iter().map(said).collect::<Vec<String>>().join("\n")
}

/// A kitchen with a fault, and with draws.
fn rough(desk: &Desk) {
    let scenario = fs::read_to_string(desk.path("kitchen.toml")).unwrap()
        + "\n[[faults]]\nkind = \"door\"\ndoor = \"stove.cold\"\nper_mille = 500\nleast = 300\nmost = 300\n";
    fs::write(desk.path("kitchen.toml"), scenario).unwrap();
    desk.run(&[]);
}

// Fails if a change is not taken where it is asked for, or the log of a fork does not replay.
#[test]
fn one_input_is_another_one() {
    let desk = Desk::new();
    desk.run(&[]);
    let calls: [&[&str]; 6] = [
        &["fork", "DESK/a.dlog", "--at", "13", "--set", "text=burn it"],
        &[
            "fork",
            "DESK/a.dlog",
            "--at",
            "14",
            "--set",
            "value=0",
            "--quiet",
        ],
        &[
            "fork",
            "DESK/a.dlog",
            "--at",
            "15",
            "--drop",
            "--out",
            "DESK/c.dlog",
        ],
        &[
            "fork",
            "DESK/a.dlog",
            "--at",
            "13",
            "--time",
            "+1s",
            "--out",
            "DESK/d.dlog",
            "--quiet",
        ],
        &[
            "fork",
            "DESK/a.dlog",
            "--at",
            "0",
            "--set",
            "plan.system.kitchen.dishes=2",
            "--quiet",
        ],
        &[
            "replay",
            "DESK/a-fork-13.dlog",
            "DESK/a-fork-14.dlog",
            "DESK/c.dlog",
            "DESK/d.dlog",
            "DESK/a-fork-0.dlog",
            "--quiet",
        ],
    ];
    let told = all(&desk, &calls);
    // How long a replay takes is not the same every time.
    let told: Vec<&str> = told
        .lines()
        .filter(|line| !line.starts_with("SAME"))
        .collect();
    assert_snapshot!("fork", told.join("\n"));
    let replayed = desk.call(calls[5]);
    assert_eq!(replayed.exit, Exit::Fine, "{replayed}");
    assert_eq!(replayed.out.matches("SAME").count(), 5, "{replayed}");
}

// Fails if a change that is none is made in silence, or the reason is not said.
#[test]
fn what_cannot_be_another_one_is_refused() {
    let desk = Desk::new();
    rough(&desk);
    let fork = |rest: &[&'static str]| [&["fork", "DESK/a.dlog"][..], rest].concat();
    let calls = [
        fork(&["--at", "17", "--set", "task=1"]),
        fork(&["--at", "1000", "--drop"]),
        fork(&["--at", "0", "--drop"]),
        fork(&["--at", "0", "--set", "plan.system.kitchen.cooks=0"]),
        fork(&["--at", "0", "--set", "plan.system.kitchen.cocks=3"]),
        fork(&["--at", "13", "--set", "dish=many"]),
        fork(&["--at", "13", "--set", "dish"]),
        fork(&["--at", "13", "--set", "dish=2"]),
        fork(&["--at", "13"]),
        fork(&["--rank", "beauty"]),
        fork(&["--rank", "dishes", "--of", "dish served"]),
        fork(&[]),
    ];
    let calls: Vec<&[&str]> = calls.iter().map(Vec::as_slice).collect();
    assert_snapshot!("fork_refused", all(&desk, &calls));
}

// Fails if an input that matters is not first, or one that does not is said to.
#[test]
fn inputs_are_ranked_by_what_they_are_worth() {
    let desk = Desk::new();
    rough(&desk);
    let calls: [&[&str]; 2] = [
        &["fork", "DESK/a.dlog", "--rank", "dishes"],
        &[
            "fork",
            "DESK/a.dlog",
            "--rank",
            "dishes",
            "--of",
            "fault injected",
        ],
    ];
    assert_snapshot!("fork_rank", all(&desk, &calls));
    let json = [
        "fork",
        "DESK/a.dlog",
        "--rank",
        "dishes",
        "--message-format",
        "json",
    ];
    let value: Value = serde_json::from_str(&desk.call(&json).out).unwrap();
    // Without its answer a cook waits for ever, and serves none of its dishes from there on.
    assert_eq!(value["ranks"][0]["worth"], 2.0, "{value}");
    assert_eq!(value["ranks"][0]["verdict_name"], "stall");
    assert_eq!(value["ranks"][3]["worth"], 1.0, "{value}");
}
