//! No file grows beyond what a person takes in.

use super::source::Source;
use super::{assert_none, project};

/// Lines at which a file is split.
const MOST_LINES: usize = 500;

fn too_long(sources: &[Source]) -> Vec<String> {
    let lines = sources
        .iter()
        .map(|source| (source, source.text.lines().count()));
    lines
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(source, lines)| format!("{}: {lines} lines; split it", source.path))
        .collect()
}

/// Files whose first line does not say what they are for.
fn silent(sources: &[Source]) -> Vec<String> {
    let silent = sources
        .iter()
        .filter(|source| !source.text.starts_with("//! "));
    silent
        .map(|source| {
            format!(
                "{}: expected a first line that says what it is for",
                source.path
            )
        })
        .collect()
}

#[test]
fn no_file_is_longer_than_a_person_takes_in() {
    assert_none(&too_long(&project()));
}

#[test]
fn every_file_says_what_it_is_for() {
    assert_none(&silent(&project()));
}

#[test]
fn a_long_or_silent_file_is_noticed() {
    let planted = |lines: usize| [Source::new("engine/lab/src/a.rs", &"\n".repeat(lines))];
    assert_eq!(too_long(&planted(MOST_LINES)).len(), 0);
    assert_eq!(too_long(&planted(MOST_LINES + 1)).len(), 1);
    assert_eq!(silent(&planted(1)).len(), 1);
}
