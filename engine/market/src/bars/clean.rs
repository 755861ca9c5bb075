//! Rows in the order of time: those that go backwards and those that repeat are counted and treated as the
//! scenario says.

use std::io::Read;

use super::{Backwards, BarColumn, BarReport, BarsConfig, Columns, Repeats, Stamp, utc};
use crate::sheet::{Sheet, SheetError, SheetProblem};

/// The rows by time, none twice.
pub(super) fn in_order<R: Read>(
    config: &BarsConfig,
    sheet: &Sheet<R>,
    columns: &Columns,
    rows: Vec<Stamp>,
    report: &mut BarReport,
) -> Result<Vec<Stamp>, SheetError> {
    if rows.windows(2).all(|pair| pair[0].at_ns < pair[1].at_ns) {
        return Ok(rows);
    }
    let refuse = |row: &Stamp, what: String| {
        let time = columns.place(BarColumn::Time);
        sheet.error(row.line, time, SheetProblem::Nonsense { what })
    };
    let mut kept: Vec<Stamp> = Vec::with_capacity(rows.len());
    let mut latest = i64::MIN;
    for row in rows {
        if row.at_ns < latest {
            report.backwards += 1;
            match config.backwards {
                Backwards::Sort => {}
                Backwards::Drop => continue,
                Backwards::Refuse => {
                    let what = format!(
                        "{} comes after {}; sort the file, or say backwards = \"sort\"",
                        utc(row.at_ns),
                        utc(latest)
                    );
                    return Err(refuse(&row, what));
                }
            }
        }
        latest = latest.max(row.at_ns);
        kept.push(row);
    }
    // The sort keeps the order of the file among equals, so the first of them stays.
    kept.sort_by_key(|row| row.at_ns);
    let mut single: Vec<Stamp> = Vec::with_capacity(kept.len());
    for row in kept {
        match single.last() {
            Some(before) if before.at_ns == row.at_ns => {
                report.repeats += 1;
                report.differing += u64::from(before.bar != row.bar);
                if config.repeats == Repeats::Refuse {
                    let what = format!(
                        "{} is on line {} already; remove one, or say repeats = \"drop\"",
                        utc(row.at_ns),
                        before.line
                    );
                    return Err(refuse(&row, what));
                }
            }
            _ => single.push(row),
        }
    }
    Ok(single)
}
