//! What is written beside the code is true of the project: commands work, files exist, and no text
//! knows the machine it was written on.

mod commands;
mod examples;
mod log_kinds;
mod paths;
mod texts;

use std::fs;
use std::path::Path;

use dacapo_tests::root;

/// A text file of the project.
struct Document {
    /// From the root of the project, with slashes.
    path: String,
    text: String,
}

/// The files of the project that are text, without what builds and runs leave behind.
fn documents() -> Vec<Document> {
    let mut found = Vec::new();
    collect(&root(), "", &mut found);
    assert!(found.len() > 200, "only {} files were found", found.len());
    found
}

fn collect(folder: &Path, name: &str, found: &mut Vec<Document>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let file = entry.file_name().to_string_lossy().into_owned();
        let path = if name.is_empty() {
            file.clone()
        } else {
            format!("{name}/{file}")
        };
        let left_behind = ["target", "runs", ".git"].contains(&file.as_str());
        let kind = entry.file_type().expect("the folder was just read");
        if kind.is_dir() && !left_behind {
            collect(&entry.path(), &path, found);
        } else if kind.is_file() && !left_behind {
            // What is not text (a tape, a log) says nothing to a reader.
            if let Ok(text) = fs::read_to_string(entry.path()) {
                found.push(Document { path, text });
            }
        }
    }
}

/// The lines of the fenced blocks of a Markdown text, with their numbers.
fn fenced(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut is_inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            is_inside = !is_inside;
        } else if is_inside {
            lines.push((number, line));
        }
    }
    lines
}
