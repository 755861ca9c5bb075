//! The matrix as a Markdown table in a page, between two markers. It has no times, so that the same
//! program writes the same page.

use std::path::Path;

use dacapo_lab::fuzz::Report;
use dacapo_lab::matrix::{Matrix, Row};

use super::matrix::settings;
use crate::exit::Problem;

const BEGIN: &str = "<!-- matrix: begin -->";
const END: &str = "<!-- matrix: end -->";

/// Whether there is such a page, before hours are spent on its table.
pub(super) fn check(path: &Path) -> Result<(), Problem> {
    parts(path).map(drop)
}

/// The page before and after its table.
fn parts(path: &Path) -> Result<(String, String), Problem> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem::usage(format!("{shown} cannot be read: {error}")))?;
    let split = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before.to_owned(), after.to_owned()))
    });
    split.ok_or_else(|| {
        Problem::usage(format!(
            "{shown} has no place for the table: put `{BEGIN}` and `{END}` on two lines"
        ))
    })
}

/// Puts the table into the page.
pub(super) fn write(path: &Path, table: &str) -> Result<(), Problem> {
    let (before, after) = parts(path)?;
    let text = format!("{before}{BEGIN}\n{table}{END}{after}");
    std::fs::write(path, text).map_err(|error| {
        Problem::internal(format!("{} cannot be written: {error}", path.display()))
    })
}

/// The table, and what it comes from.
pub(super) fn markdown(
    matrix: &Matrix,
    sound: &Report,
    scenario: &str,
    seeds: &str,
    program: &str,
) -> String {
    let mut text = format!(
        "Made by `{program} fuzz {scenario} --seeds {seeds} --matrix`; with every defect off, {} of {} runs fail.\n\n",
        sound.failing, sound.runs
    );
    text.push_str(
        "| defect | found by | seeds | first seed | inputs | settings | violated too |\n",
    );
    text.push_str("|---|---|---:|---:|---:|---|---|\n");
    for row in &matrix.rows {
        text.push_str(&line(row));
    }
    text
}

fn line(row: &Row) -> String {
    let hit = row.hit.as_ref();
    let small = hit.and_then(|hit| hit.small.as_ref());
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        row.defect,
        hit.map_or("not found", |hit| hit.property.as_str()),
        row.seeds,
        or_dash(hit.map(|hit| format!("{:#x}", hit.seed))),
        or_dash(small.map(|small| small.inputs.to_string())),
        settings(small),
        row.others.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_between_its_markers_however_often_it_is_written() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("page.md");
        std::fs::write(&path, "no markers").expect("it can be written");
        assert!(check(&path).is_err());
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        std::fs::write(&path, page).expect("it can be written");
        for _ in 0..2 {
            assert!(write(&path, "| new |\n").is_ok());
        }
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, format!("before\n{BEGIN}\n| new |\n{END}\nafter\n"));
    }
}
