//! `run` and what surrounds it: help, the summary, where the log goes.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;
use serde_json::Value;

use crate::desk::Desk;

#[test]
fn help_lists_what_there_is_and_teaches_by_example() {
    let desk = Desk::new();
    assert_snapshot!("help", desk.call(&["--help"]));
    assert_snapshot!("no_command", desk.call(&[]));
    assert_snapshot!("help_run", desk.call(&["run", "--help"]));
    assert_snapshot!("help_replay", desk.call(&["replay", "-h"]));
    assert_snapshot!("help_check", desk.call(&["check", "-h"]));
    assert_snapshot!("help_show", desk.call(&["show", "-h"]));
}

#[test]
fn a_slip_on_the_command_line_is_explained() {
    let desk = Desk::new();
    let slips = [
        &["rum", "x.toml"][..],
        &["run"],
        &["run", "DESK/kitchen.toml", "--sead", "3"],
        &["run", "DESK/kitchen.toml", "--seed", "x"],
        &["run", "DESK/kitchen.toml", "--scheduler", "rand"],
        &["run", "DESK/kitchen.toml", "--force"],
        &["show", "DESK/a.dlog", "--at", "noon"],
        &["show", "DESK/a.dlog", "--tag", "orders"],
        &["replay"],
    ]
    .map(|arguments| desk.call(arguments));
    assert!(slips.iter().all(|said| said.exit == Exit::Usage));
    let slips = slips.map(|said| said.to_string()).join("\n");
    assert_snapshot!("slips", slips);
}

#[test]
fn a_run_is_summed_up() {
    let desk = Desk::new();
    assert_snapshot!("run", desk.run(&[]));
    assert_snapshot!("run_quiet", desk.run(&["--quiet"]));
    let said = desk.run(&["--message-format", "json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_snapshot!("run_json", format!("{json:#}"));
    assert_snapshot!("run_in_colour", desk.run(&["--color", "always"]));
}

#[test]
fn a_scenario_error_comes_with_its_place() {
    let desk = Desk::new();
    assert_snapshot!("unknown_defect", desk.run(&["--defects", "pan-frist"]));
    assert_snapshot!("unknown_key", desk.run(&["--set", "kitchen.cocks=3"]));
    assert_snapshot!("resolved", desk.run(&["--set", "kitchen.cooks=0"]));
    let github = desk.run(&["--set", "kitchen.cooks=0", "--message-format", "github"]);
    assert_snapshot!("resolved_github", github);
    let json = desk.run(&["--set", "kitchen.cooks=0", "--message-format", "json"]);
    assert_snapshot!("resolved_json", json);
}

#[test]
fn a_run_in_which_nothing_happens_is_no_success() {
    let said = Desk::new().run(&["--set", "kitchen.dishes=0", "--quiet"]);
    assert_eq!(said.exit, Exit::NothingRan);
    assert_snapshot!("nothing_ran", said);
}

#[test]
fn a_log_is_replaced_only_if_that_is_wanted() {
    let desk = Desk::new();
    let run = [
        "run",
        "DESK/kitchen.toml",
        "--quiet",
        "--out",
        "DESK/new/a.dlog",
    ];
    assert_eq!(desk.call(&run).exit, Exit::Fine);
    let first = fs::read(desk.path("new/a.dlog")).unwrap();
    assert_snapshot!("exists", desk.call(&run));
    let again = [&run[..], &["--force", "--seed", "8"]].concat();
    assert_eq!(desk.call(&again).exit, Exit::Fine);
    assert_ne!(fs::read(desk.path("new/a.dlog")).unwrap(), first);
    let mut names: Vec<String> = fs::read_dir(desk.path("new"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["a.dlog", "a.dlog.meta.json"]);
}

#[test]
fn what_is_no_log_is_never_replaced() {
    let desk = Desk::new();
    fs::create_dir(desk.path("a.dlog")).unwrap();
    let said = desk.run(&[]);
    assert_eq!(said.exit, Exit::Usage);
    assert_snapshot!("folder_for_a_log", said);
}

#[test]
fn an_older_log_stays_if_the_run_cannot_begin() {
    let desk = Desk::new();
    desk.run(&[]);
    let before = fs::read(desk.path("a.dlog")).unwrap();
    assert_eq!(desk.run(&["--set", "kitchen.cooks=0"]).exit, Exit::Usage);
    assert_eq!(fs::read(desk.path("a.dlog")).unwrap(), before);
}

#[test]
fn facts_of_the_day_stay_beside_the_log() {
    let desk = Desk::new();
    desk.run(&[]);
    let log = fs::read(desk.path("a.dlog")).unwrap();
    let facts = fs::read_to_string(desk.path("a.dlog.meta.json")).unwrap();
    let facts: Value = serde_json::from_str(&facts).unwrap();
    assert_eq!(facts["v"], 1);
    assert!(facts["made_at"].as_str().unwrap().ends_with('Z'));
    desk.run(&[]);
    assert_eq!(
        fs::read(desk.path("a.dlog")).unwrap(),
        log,
        "the same run, the same bytes"
    );
}

#[test]
fn a_log_in_place_of_a_scenario_is_noticed() {
    let desk = Desk::new();
    desk.run(&[]);
    assert_snapshot!("log_for_a_scenario", desk.call(&["run", "DESK/a.dlog"]));
}

#[test]
fn defects_are_listed() {
    let desk = Desk::new();
    assert_snapshot!("defects", desk.call(&["defects"]));
    assert_snapshot!("defects_quiet", desk.call(&["defects", "-q"]));
    assert_snapshot!(
        "defects_json",
        desk.call(&["defects", "--message-format", "json"])
    );
}

#[test]
fn completions_know_the_commands() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = desk.call(&["completions", shell]);
        assert_eq!(said.exit, Exit::Fine);
        for word in [
            "kitchen",
            "run",
            "replay",
            "check",
            "show",
            "defects",
            "max-events",
        ] {
            assert!(said.out.contains(word), "{shell}: {word}");
        }
    }
}

/// Whoever waits is told up to which event the log is durable: each event, each thousand, or the end.
#[test]
fn a_run_says_what_is_durable_if_it_is_asked_to() {
    let desk = Desk::new();
    let told = |options: &[&str]| desk.run(&[options, &["--acknowledge"]].concat());
    let never = told(&["-q"]);
    assert_snapshot!("acknowledge", never);
    let every = told(&["-q", "--sync", "every"]);
    let lines: Vec<&str> = every.err.lines().collect();
    assert!(lines.len() > 20, "{every}");
    assert_eq!(lines.last(), never.err.lines().last().as_ref());

    let json = told(&["--sync", "every", "--message-format", "json"]);
    let lines: Vec<serde_json::Value> = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let durable = lines.iter().filter(|line| line["type"] == "durable");
    let events: Vec<u64> = durable
        .map(|line| line["event"].as_u64().unwrap())
        .collect();
    assert!(events.is_sorted() && events.len() > 20, "{events:?}");
    let (summary, last) = (lines.last().unwrap(), events.last().unwrap());
    assert_eq!(summary["events"], last + 1, "the summary comes last");
}

// Fails if a system that reads no data files writes a scenario, or says nothing of why it does not.
#[test]
fn a_system_without_use_for_data_files_says_so() {
    let desk = Desk::new();
    let words = [
        "init",
        "--data",
        "DESK/kitchen.toml",
        "--out",
        "DESK/new.toml",
    ];
    let said = desk.call(&words);
    assert_eq!(said.exit, Exit::Usage);
    assert_eq!(
        said.err,
        "error: this system has no use for data files; write the scenario by hand\n"
    );
    assert!(!desk.path("new.toml").exists());
}
