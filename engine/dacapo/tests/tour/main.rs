//! The tour of the front page is one that can be taken: each command prints what stands below it.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

#[allow(dead_code, reason = "more of it is used elsewhere")]
#[path = "../durability/desk.rs"]
mod desk;

use std::fs;
use std::path::{Path, PathBuf};

use desk::Desk;

/// Where the tour begins and ends.
const TOUR: (&str, &str) = ("## A tour in five minutes", "## What the summary");
/// What other tests hold, or what begins with a change of the code.
const ELSEWHERE: [&str; 3] = ["dacapo test", "dacapo fuzz", "DIFFERS"];

/// A command of the tour, and what the page shows of its output.
struct Step {
    /// The number of its line.
    line: usize,
    command: String,
    shown: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The steps of the tour; comments behind a command are not of it.
fn steps(page: &str) -> Vec<Step> {
    let lines = (1..).zip(page.lines());
    let tour = lines.skip_while(|(_, line)| !line.starts_with(TOUR.0));
    let tour = tour.take_while(|(_, line)| !line.starts_with(TOUR.1));
    let (mut steps, mut is_fenced) = (Vec::<Step>::new(), false);
    for (number, line) in tour {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_fenced) {
            let command = command.split(" #").next().unwrap_or(command);
            steps.push(Step {
                line: number,
                command: command.trim_end().to_owned(),
                shown: Vec::new(),
            });
        } else if let Some(step) = steps.last_mut().filter(|_| is_fenced) {
            step.shown.push(line.to_owned());
        }
    }
    steps
}

/// The words of a command as a shell has them.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut mark) = (vec![String::new()], None);
    for c in command.chars() {
        let word = words.last_mut().unwrap();
        match c {
            _ if mark == Some(c) => mark = None,
            '\'' | '"' if mark.is_none() => mark = Some(c),
            ' ' if mark.is_none() => words.push(String::new()),
            c => word.push(c),
        }
    }
    words
}

/// A line without what differs from machine to machine, and from version to version: how wide columns are, how long
/// something took, and fingerprints.
fn plain(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_unit = |word: &str| ["ms", "µs", "s"].contains(&word.trim_end_matches(','));
    let is_time = |at: usize| {
        let is_number = words[at].parse::<f64>().is_ok();
        is_number && words.get(at + 1).is_some_and(|next| is_unit(next))
    };
    let is_fingerprint =
        |at: usize| words[at].len() == 32 && u128::from_str_radix(words[at], 16).is_ok();
    let varies = |at: usize| is_time(at) || at > 0 && is_time(at - 1) || is_fingerprint(at);
    let kept = |at: &usize| !varies(*at);
    let kept = (0..words.len()).filter(kept).map(|at| words[at]);
    kept.collect::<Vec<_>>().join(" ")
}

/// The first line that the page shows and the output has not, in its place; `…` stands for anything.
fn missing<'a>(shown: &'a [String], printed: &str) -> Option<&'a str> {
    let mut printed = printed.lines().map(plain);
    let is_rule = |line: &str| line.chars().all(|c| c == '─' || c == ' ');
    let shown = shown.iter().filter(|line| !is_rule(line));
    shown
        .filter(|line| line.trim() != "…")
        .find(|line| {
            let expected = plain(line);
            !printed.any(|printed| fits(&expected, &printed))
        })
        .map(String::as_str)
}

fn fits(expected: &str, printed: &str) -> bool {
    let Some((before, behind)) = expected.split_once('…') else {
        return expected == printed;
    };
    printed.starts_with(before) && printed[before.len()..].ends_with(behind)
}

/// A copy of the scenarios to try them with; the runs that somebody accepted are not needed.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry
            .map(|entry| (entry.path(), entry.file_name()))
            .unwrap();
        let to = to.join(&name);
        if path.is_file() {
            fs::copy(&path, to).unwrap();
        } else if name != "golden" {
            copy(&path, &to);
        }
    }
}

#[test]
fn the_tour_can_be_taken() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let desk = Desk::new();
    copy(&root().join("scenarios"), &desk.path("scenarios"));
    let steps = steps(&page);
    assert!(steps.len() > 12, "only {} steps were found", steps.len());
    let mut complaints = Vec::new();
    for step in steps {
        let first = step.shown.first();
        let begins = |what: &&str| {
            step.command.starts_with(*what) || first.is_some_and(|line| line.starts_with(*what))
        };
        if ELSEWHERE.iter().any(begins) {
            continue;
        }
        let words = words(&step.command);
        let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let said = desk.call(&words);
        if said.code.is_none_or(|code| code > 1) {
            complaints.push(format!("README.md:{}: {}", step.line, said.err));
        } else if let Some(line) = missing(&step.shown, &said.out) {
            complaints.push(format!(
                "README.md:{}: {}: not printed, or not there: {line}",
                step.line, step.command
            ));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn what_is_not_printed_is_noticed() {
    let shown = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    let printed = "PASS  a  in 17.1 s\n one\n two, and three\n";
    let is_missing = |lines: &[&str]| missing(&shown(lines), printed).is_some();
    assert!(!is_missing(&["PASS a in 3 ms", "…", "two, … three"]));
    assert!(is_missing(&["two, and three", " one"]));
    assert!(is_missing(&["PASS a in 3 ms", "four"]));
}
