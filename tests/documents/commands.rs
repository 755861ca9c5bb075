//! The commands in the pages are commands of the program.

use std::fs;

use dacapo_cli::{Console, Exit, execute};
use dacapo_kernel::System;
use dacapo_lab::scenario::{Overrides, load};
use dacapo_orchestration::Orchestration;
use dacapo_tests::root;

use super::{Document, documents, fenced};

/// What stands before the arguments of the program.
const CALLS: [&str; 3] = ["dacapo ", "cargo run --release -- ", "cargo run -- "];

/// The arguments of each call of the program in the fenced blocks of a page, with the line.
fn calls(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut calls = Vec::new();
    for (number, line) in fenced(text) {
        let line = line.trim_start().trim_start_matches("$ ");
        let Some(rest) = CALLS.iter().find_map(|call| line.strip_prefix(call)) else {
            continue;
        };
        let rest = rest.split(" #").next().unwrap_or_default();
        calls.push((number, arguments(rest)));
    }
    calls
}

/// The words of a command up to where the shell takes over, without their quotation marks.
fn arguments(command: &str) -> Vec<String> {
    let (mut words, mut word, mut mark) = (Vec::new(), String::new(), None);
    for c in command.chars() {
        match c {
            _ if mark == Some(c) => mark = None,
            '\'' | '"' if mark.is_none() => mark = Some(c),
            '|' | '>' | ';' | '&' if mark.is_none() => break,
            ' ' if mark.is_none() => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// What is wrong with a call: the program refuses it, or its scenario does not load with it.
fn mistake(arguments: &[String]) -> Option<String> {
    let mut told = Vec::new();
    let mut call = vec!["dacapo".to_owned()];
    call.extend_from_slice(arguments);
    // Help is shown once everything before it has been understood.
    call.push("--help".to_owned());
    let exit = execute::<Orchestration, _>(&call, Console::captured(std::io::sink(), &mut told));
    if exit != Exit::Fine {
        return Some(String::from_utf8_lossy(&told).into_owned());
    }
    let scenario = arguments
        .iter()
        .find(|word| word.starts_with("scenarios/") && word.ends_with(".toml"))?;
    let after = |option: &str| -> Vec<String> {
        let pairs = arguments.windows(2).filter(|pair| pair[0] == option);
        pairs.map(|pair| pair[1].clone()).collect()
    };
    let overrides = Overrides {
        set: after("--set"),
        profile: after("--profile").pop(),
        defects: after("--defects")
            .iter()
            .flat_map(|names| names.split(',').map(str::to_owned))
            .collect(),
        scheduler: after("--scheduler").pop(),
        ..Overrides::default()
    };
    let loaded = load::<Orchestration>(&root().join(scenario), &overrides);
    loaded.err().map(|error| error.to_string())
}

fn mistakes(document: &Document) -> Vec<String> {
    let calls = calls(&document.text).into_iter();
    calls
        .filter_map(|(line, arguments)| {
            let mistake = mistake(&arguments)?;
            Some(format!(
                "{}:{line}: {arguments:?}: {mistake}",
                document.path
            ))
        })
        .collect()
}

#[test]
fn every_command_in_the_pages_is_one_of_the_program() {
    let pages = documents();
    let pages = pages
        .iter()
        .filter(|document| document.path.ends_with(".md"));
    let complaints: Vec<String> = pages.flat_map(mistakes).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The two commands that do all the set-up there is.
#[test]
fn the_readme_begins_with_the_two_commands() {
    let Ok(text) = fs::read_to_string(root().join("README.md")) else {
        return;
    };
    let commands: Vec<&str> = fenced(&text)
        .into_iter()
        .map(|(_, line)| line.trim())
        .collect();
    for command in [
        "cargo run --release -- run scenarios/binance-tape.toml",
        "cargo test",
    ] {
        let begins = |line: &&str| line.split(" #").next().map(str::trim_end) == Some(command);
        assert!(commands.iter().any(begins), "the README lacks `{command}`");
    }
    assert!(calls(&text).len() >= 4, "the tour calls the program");
}

#[test]
fn a_command_that_does_not_exist_is_noticed() {
    let planted = |command: &str| {
        let page = Document {
            path: "README.md".to_owned(),
            text: format!("text\n```sh\n{command}\n```\n"),
        };
        mistakes(&page).len()
    };
    for wrong in [
        "dacapo simulate scenarios/day.toml",
        "dacapo run scenarios/day.toml --no-such-option",
        "cargo run --release -- run scenarios/no-such.toml",
        "dacapo run scenarios/deadlock.toml --defects no-such-defect",
        "dacapo run scenarios/day.toml --set run.durration=2h",
        "$ dacapo show runs/day-24.dlog --at yesterday",
    ] {
        assert_eq!(planted(wrong), 1, "{wrong}");
    }
    for right in [
        "dacapo run scenarios/deadlock.toml --defects handler-under-lock  # exits 1",
        "dacapo run scenarios/day.toml --set run.duration=2h --seed 0x7",
        "dacapo show runs/day-24.dlog --at 00:10:00 | less",
        "dacapo replay runs/*.dlog",
        "cargo test",
    ] {
        assert_eq!(planted(right), 0, "{right}");
    }
}

#[test]
fn the_program_of_the_pages_is_the_orchestration() {
    assert_eq!(Orchestration::NAME, "orchestration");
}
