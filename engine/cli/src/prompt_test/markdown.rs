//! What a new prompt would decide, in Markdown, for the page of a pull request.

use std::path::Path;

use super::told::{SHOWN, Told};
use crate::exit::Problem;
use crate::test::{append_to, cell};

/// Adds the summary to a file.
pub(super) fn append(path: &Path, told: &Told<'_>, program: &str) -> Result<(), Problem> {
    append_to(path, &text(told, program))
}

fn text(told: &Told<'_>, program: &str) -> String {
    let (is_good, line) = told.in_short();
    let word = if is_good { "PASS" } else { "FAIL" };
    let template = cell(&told.template);
    let mut text = format!(
        "## {program} prompt-test: {word}\n\n{template}, for {}: {line}\n",
        cell(&told.kind)
    );
    for what in &told.broken {
        text.push_str(&format!("\n- {}", cell(what)));
    }
    if !told.broken.is_empty() {
        text.push('\n');
    }
    let (columns, rows) = told.table();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    table(&mut text, &columns, &rows);
    let (columns, rows) = told.flip_table();
    if !rows.is_empty() {
        text.push_str("\n<details><summary>Decisions that flip</summary>\n");
        table(&mut text, &columns, &rows);
        let more = told.flips().len().saturating_sub(SHOWN);
        if more > 0 {
            text.push_str(&format!("\n… and {more} more\n"));
        }
        text.push_str("\n</details>\n");
    }
    text.push_str(
        "\nIntervals are of 95 % (Wilson); at least half of the replies make a flip.\n\n",
    );
    text
}

fn table(text: &mut String, columns: &[&str], rows: &[Vec<String>]) {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push('\n');
    text.push_str(&line(columns.iter().map(|it| cell(it)).collect()));
    text.push_str(&line(columns.iter().map(|_| "---".to_owned()).collect()));
    for row in rows {
        text.push_str(&line(row.iter().map(|it| cell(it)).collect()));
    }
}
