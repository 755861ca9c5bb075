//! The closing table: what passed and failed, by family and profile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use libtest_mimic::{Arguments, FormatSetting, Trial};

use crate::case::Case;
use crate::folder;
use crate::notes;

/// How to run one case again.
const RERUN: &str = "cargo test --release --test conformance -- --exact";

/// Counts cases while they run, in the order in which their families were read.
#[derive(Default)]
pub(crate) struct Tally {
    rows: Vec<Row>,
}

struct Row {
    family: String,
    profile: &'static str,
    counts: Arc<Counts>,
}

/// Shared with the cases, which run in threads.
#[derive(Default)]
struct Counts {
    passed: AtomicU32,
    failed: AtomicU32,
}

/// Whether these arguments ask for a table. A list has no results, and JSON is read by programs.
pub(crate) fn is_wanted(arguments: &Arguments) -> bool {
    !arguments.list && arguments.format != Some(FormatSetting::Json)
}

impl Tally {
    /// The test of a case, which counts how it ends.
    pub(crate) fn counted(&mut self, case: Case) -> Trial {
        let name = case.name();
        let counts = self.row(&case);
        let rerun = rerun(&name);
        Trial::test(name, move || {
            let result = case.check.run();
            let count = match result {
                Ok(()) => &counts.passed,
                Err(_) => &counts.failed,
            };
            count.fetch_add(1, Ordering::Relaxed);
            result.map_err(|failure| format!("{failure}\nrun it again: {rerun}").into())
        })
    }

    fn row(&mut self, case: &Case) -> Arc<Counts> {
        // Cases of one row follow each other, but for the profiles: it is among the last rows.
        let same = |row: &&Row| row.family == case.family && row.profile == case.profile;
        if let Some(row) = self.rows.iter().rev().find(same) {
            return Arc::clone(&row.counts);
        }
        let counts = Arc::default();
        self.rows.push(Row {
            family: case.family.clone(),
            profile: case.profile,
            counts: Arc::clone(&counts),
        });
        counts
    }

    /// Prints the table, and below it what cases have to say.
    #[expect(
        clippy::print_stdout,
        reason = "the table closes the output of the tests"
    )]
    pub(crate) fn print(&self) {
        let is_empty = self.rows.iter().all(|row| row.counts.get() == (0, 0));
        if is_empty {
            // The arguments chose tests of another program.
            return;
        }
        for line in self.table().lines() {
            println!("{}", line.trim_end());
        }
        println!();
        for (heading, lines) in notes::all() {
            println!("{heading} ({}):", lines.len());
            for line in lines {
                println!("  {line}");
            }
            println!();
        }
    }

    fn table(&self) -> Table {
        let rule = LineStyle::none().fill('─').junction('─');
        let mut table = Table::new();
        table.load_style(TableStyle::new().header_separator(rule));
        table.set_header(["family", "profile", "passed", "failed"]);
        let mut total = (0, 0);
        for row in &self.rows {
            let (passed, failed) = row.counts.get();
            if passed + failed > 0 {
                total = (total.0 + passed, total.1 + failed);
                table.add_row(cells(&row.family, row.profile, passed, failed));
            }
        }
        table.add_row(cells("total", "", total.0, total.1));
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

impl Counts {
    /// How many passed, and how many failed.
    fn get(&self) -> (u32, u32) {
        let count = |count: &AtomicU32| count.load(Ordering::Relaxed);
        (count(&self.passed), count(&self.failed))
    }
}

fn cells(family: &str, profile: &str, passed: u32, failed: u32) -> [String; 4] {
    let count = |number: u32| number.to_string();
    [
        family.to_owned(),
        profile.to_owned(),
        count(passed),
        count(failed),
    ]
}

/// The command that runs one case again, from the root of the project.
fn rerun(name: &str) -> String {
    let folders: String = folder::named()
        .map(|(variable, folder)| format!("{variable}={folder} "))
        .collect();
    format!("{folders}{RERUN} {name}")
}
