//! A summary in Markdown, for the page of a pull request.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use dacapo_lab::golden::{Cause, Standing, Tested};
use dacapo_lab::scenario::printable;

use super::Report;
use super::told::{in_words, sums, word};
use crate::exit::{Exit, Problem};
use crate::text::{counted, grouped};

/// How many logs of a reason are named.
const NAMED: usize = 20;

/// Adds the summary to a file.
pub(super) fn append(
    path: &Path,
    report: &Report<'_>,
    causes: &[Cause],
    program: &str,
) -> Result<(), Problem> {
    append_to(path, &text(report, causes, program))
}

/// Adds a text to a file.
pub(crate) fn append_to(path: &Path, text: &str) -> Result<(), Problem> {
    let mut options = OpenOptions::new();
    let opened = options.create(true).append(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Problem::Other(
            Exit::Usage,
            format!("{} cannot be written: {error}", path.display()),
        )
    })
}

fn text(report: &Report<'_>, causes: &[Cause], program: &str) -> String {
    let parts: Vec<String> = sums(report.all)
        .iter()
        .map(|(count, what)| format!("{} {what}", grouped(*count as u64)))
        .collect();
    let good = report.all.iter().all(|tested| tested.standing.is_good());
    let word_of_all = if good { "PASS" } else { "FAIL" };
    let mut text = format!("## {program} test: {word_of_all}\n\n{}\n", parts.join(", "));
    if !causes.is_empty() {
        text.push_str("\n| | for this reason | first at |\n| --- | --- | --- |\n");
        for cause in causes {
            let logs = counted(cause.of.len() as u64, "case", "cases");
            let first = cause
                .of
                .first()
                .map_or_else(String::new, |at| place(&report.all[*at]));
            text.push_str(&format!("| {logs} | {} | {first} |\n", cell(&cause.what)));
        }
        for cause in causes {
            let names = cause
                .of
                .iter()
                .take(NAMED)
                .map(|at| report.all[*at].case.name());
            let names: Vec<String> = names.map(|name| format!("- {}", cell(&name))).collect();
            let more = cause.of.len().saturating_sub(NAMED);
            let more = if more > 0 {
                format!("\n- and {more} more")
            } else {
                String::new()
            };
            text.push_str(&format!(
                "\n<details><summary>{}</summary>\n\n{}{more}\n\n</details>\n",
                cell(&cause.what),
                names.join("\n")
            ));
        }
    }
    let others = report.all.iter().filter(|tested| {
        !tested.standing.is_good()
            && !matches!(
                tested.standing,
                Standing::Differs(_) | Standing::Failed { .. }
            )
    });
    let others: Vec<&Tested> = others.collect();
    if !others.is_empty() {
        text.push_str("\n| | | |\n| --- | --- | --- |\n");
        for tested in others {
            let (word, _) = word(&tested.standing);
            let (name, what) = (cell(&tested.case.name()), cell(&in_words(&tested.standing)));
            text.push_str(&format!("| {word} | {name} | {what} |\n"));
        }
    }
    text.push('\n');
    text
}

/// Where a log first differs.
fn place(tested: &Tested) -> String {
    match &tested.standing {
        Standing::Differs(apart) => format!(
            "{}, event {}",
            cell(&tested.case.name()),
            grouped(apart.difference.seq.0)
        ),
        _ => cell(&tested.case.name()),
    }
}

/// Foreign text as it is, whatever it means in Markdown or HTML.
pub(crate) fn cell(text: &str) -> String {
    let mut safe = String::new();
    for c in printable(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '\\' | '*' | '_' | '[' | ']' | '#' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            other => safe.push(other),
        }
    }
    safe
}
