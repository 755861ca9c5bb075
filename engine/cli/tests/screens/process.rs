//! What only the real program shows: panics, closed pipes, the default place of a log.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::desk::Desk;

/// The example, which `cargo test` builds along with the tests.
fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples/kitchen");
    assert!(
        path.exists(),
        "call `cargo test -p dacapo-cli`, which builds the example too"
    );
    path
}

fn call(desk: &Desk, arguments: &[&str]) -> Output {
    command(desk, arguments).output().unwrap()
}

fn command(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.current_dir(desk.path("")).args(arguments);
    command.env_remove("RUST_LOG");
    command
}

#[test]
fn a_panic_under_simulation_makes_no_noise() {
    let desk = Desk::new();
    let output = call(
        &desk,
        &["run", "kitchen.toml", "--defects", "dropped-plate"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains(r"a plate was dropped: \u{1b}[31mred"), "{out}");
}

#[test]
fn what_is_changed_for_a_run_has_a_log_of_its_own() {
    let desk = Desk::new();
    for changed in [
        &[][..],
        &["--profile", "sound"],
        &["--defects", "served-twice"],
        &["--defects", "served-twice,pan-first"],
    ] {
        call(&desk, &[&["run", "kitchen.toml"], changed].concat());
    }
    let mut names: Vec<String> = std::fs::read_dir(desk.path("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".dlog"))
        .collect();
    names.sort();
    let expected = [
        "kitchen-7-pan-first-and-1-more.dlog",
        "kitchen-7-served-twice.dlog",
        "kitchen-7-sound.dlog",
        "kitchen-7.dlog",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_mistake_in_the_program_itself_says_what_to_do() {
    let desk = Desk::new();
    let broken = "kitchen.recipe=\"a recipe that breaks the program\"";
    let output = call(&desk, &["run", "kitchen.toml", "--set", broken]);
    assert_eq!(output.status.code(), Some(70));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.starts_with("internal error: a mistake in the program itself, at "),
        "{err}"
    );
    assert!(err.contains("Please report it with this command:"), "{err}");
    assert!(err.contains("run kitchen.toml --set"), "{err}");
}

#[test]
fn a_log_goes_to_runs_under_the_working_directory() {
    let desk = Desk::new();
    for _ in 0..2 {
        let output = call(&desk, &["run", "kitchen.toml", "--seed", "0x5eed42"]);
        assert_eq!(output.status.code(), Some(0));
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(
            out.contains("log          runs/kitchen-5eed42.dlog\n"),
            "{out}"
        );
    }
    assert!(desk.path("runs/kitchen-5eed42.dlog.meta.json").exists());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let desk = Desk::new();
    call(
        &desk,
        &["run", "kitchen.toml", "--set", "kitchen.dishes=20000"],
    );
    let mut child = command(&desk, &["show", "runs/kitchen-7.dlog"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 100]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let desk = Desk::new();
    let output = command(&desk, &["defects"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(70));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("the results cannot be written"), "{err}");
}

#[test]
fn diagnostics_carry_virtual_time_and_are_off_unless_asked_for() {
    let desk = Desk::new();
    let quiet = call(&desk, &["run", "kitchen.toml", "-q"]);
    assert_eq!(String::from_utf8(quiet.stderr).unwrap(), "");
    let loud = call(&desk, &["run", "kitchen.toml", "-vvv"]);
    let err = String::from_utf8(loud.stderr).unwrap();
    assert!(
        err.lines()
            .any(|line| line.starts_with("00:00:00.") && !line.starts_with("00:00:00.000 ")),
        "{err}"
    );
    let wanted = command(&desk, &["run", "kitchen.toml", "-q"])
        .env("RUST_LOG", "dacapo::event=trace")
        .output()
        .unwrap();
    assert!(
        String::from_utf8(wanted.stderr)
            .unwrap()
            .contains("TRACE dacapo::event:")
    );
    assert_eq!(
        quiet.stdout, wanted.stdout,
        "diagnostics are no part of a run"
    );
}
