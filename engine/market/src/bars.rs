//! Bars: open, high, low and close of each step of time, from CSV files.
//!
//! A bar is visible when it has closed and never before: its times are turned into closes here, and what
//! comes out of this file carries nothing but closed bars. How a bar moves orders and positions is the
//! affair of the exchange.

mod clean;
mod columns;
mod config;
mod report;
mod step;

use std::io::Read;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::{Tick, TickKind};
use crate::sheet::{Row, Sheet, SheetError, SheetProblem, TimeFormat, Times, number};

pub use columns::{BarColumn, ColumnNames, Columns};
pub use config::{Backwards, BarFile, BarsConfig, Gaps, Nonsense, Repeats, Stamped};
pub use report::{BarReport, length, utc};

/// What a market did in one step of time. Prices are in the quote currency, and above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The first price.
    pub open: Decimal,
    /// The highest.
    pub high: Decimal,
    /// The lowest.
    pub low: Decimal,
    /// The last.
    pub close: Decimal,
    /// How much of the base currency was traded; zero where the file does not say.
    pub volume: Decimal,
}

impl Bar {
    /// Whether a market can surely have done this, seen from the digits alone: prices nearly always have the
    /// same number of decimals.
    fn makes_sense(&self) -> bool {
        let scale = self.low.scale();
        let (open, high) = (self.open.mantissa(), self.high.mantissa());
        let (low, close) = (self.low.mantissa(), self.close.mantissa());
        self.open.scale() == scale
            && self.high.scale() == scale
            && self.close.scale() == scale
            && low > 0
            && (low..=high).contains(&open)
            && (low..=high).contains(&close)
            && !self.volume.is_sign_negative()
    }

    /// What is wrong with it, if no market can have done this: the column, and why.
    fn nonsense(&self) -> Option<(BarColumn, String)> {
        if self.makes_sense() {
            return None;
        }
        let prices = [
            (BarColumn::Open, self.open),
            (BarColumn::High, self.high),
            (BarColumn::Low, self.low),
            (BarColumn::Close, self.close),
        ];
        for (column, price) in prices {
            if price <= Decimal::ZERO {
                return Some((
                    column,
                    format!("{price} is no price; expected one above zero"),
                ));
            }
        }
        if self.high < self.low {
            let what = format!("the high {} is below the low {}", self.high, self.low);
            return Some((BarColumn::High, what));
        }
        let outside = |price: &Decimal| *price < self.low || *price > self.high;
        let [open, _, _, close] = prices;
        for (column, price) in [open, close] {
            if outside(&price) {
                let what = format!("{price} lies outside of {} to {}", self.low, self.high);
                return Some((column, what));
            }
        }
        (self.volume < Decimal::ZERO).then(|| {
            let what = format!("{} is below zero", self.volume);
            (BarColumn::Volume, what)
        })
    }
}

/// A bar with the instant at which it is stamped, in nanoseconds since 1970-01-01 UTC, and its line.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    at_ns: i64,
    line: u64,
    bar: Bar,
}

/// The bars of one file, closed and in the order of time.
#[derive(Clone, Debug)]
pub struct Bars {
    symbol: Arc<str>,
    report: BarReport,
    clock: Clock,
    bars: std::vec::IntoIter<Stamp>,
}

/// From the time at which a bar is stamped to the time of the run at which it closed.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// The start of the run, in nanoseconds since 1970-01-01 UTC.
    start_ns: i64,
    /// By how much a bar closes later than it is stamped.
    shift_ns: i64,
}

impl Clock {
    /// When it closed, in nanoseconds since the start of the run; none if that was before.
    fn since_start(self, bar: &Stamp) -> Option<u64> {
        let closed_ns = bar.at_ns.saturating_add(self.shift_ns);
        u64::try_from(i128::from(closed_ns) - i128::from(self.start_ns)).ok()
    }
}

impl Bars {
    /// Reads the bars of one file to the last row. `start_ns` is the instant of virtual time zero, in nanoseconds
    /// since 1970-01-01 UTC: what closed before it is left out.
    ///
    /// # Errors
    /// What [`SheetProblem`] lists, with the line and the column, unless the configuration has it dropped.
    pub fn read(
        config: &BarsConfig,
        file: &BarFile,
        start_ns: i64,
        input: impl Read,
    ) -> Result<Bars, SheetError> {
        let mut sheet = Sheet::open(&file.file, input, config.max_rows, config.max_bytes)?;
        let columns = Columns::find(sheet.header(), &file.columns, file.stamped)
            .map_err(|problem| sheet.error(1, None, problem))?;
        let times = Times::new(
            file.time_format.as_deref().map(TimeFormat::named),
            file.zone.as_deref(),
        );
        let nonsense = |what| SheetProblem::Nonsense { what };
        let mut times = times.map_err(|what| sheet.error(1, None, nonsense(what)))?;
        let mut report = BarReport::new(file, &sheet, &columns);
        let read = rows(config, &mut sheet, &columns, &mut times, &mut report)?;
        report.note_times(&times);
        let mut bars = clean::in_order(config, &sheet, &columns, read, &mut report)?;
        let shift_ns = step::shift_ns(config, file, &sheet, &bars, &mut report)?;
        let clock = Clock { start_ns, shift_ns };
        let all = bars.len();
        let before = bars.partition_point(|bar| clock.since_start(bar).is_none());
        bars.drain(..before);
        report.note_start(all, bars.len());
        if bars.is_empty() {
            let what = format!(
                "no bar closes at or after the start of the run: the last closes at {}; see run.start",
                utc(report.to_ns)
            );
            return Err(sheet.error(1, None, nonsense(what)));
        }
        Ok(Bars {
            symbol: Arc::from(file.symbol.as_str()),
            report,
            clock,
            bars: bars.into_iter(),
        })
    }

    /// What was found in the file.
    pub fn report(&self) -> &BarReport {
        &self.report
    }
}

impl Iterator for Bars {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let stamp = self.bars.next()?;
        Some(Tick {
            time_ns: self.clock.since_start(&stamp)?,
            symbol: Arc::clone(&self.symbol),
            kind: TickKind::Bar(stamp.bar),
        })
    }
}

/// Every row that makes sense, in the order of the file.
fn rows<R: Read>(
    config: &BarsConfig,
    sheet: &mut Sheet<R>,
    columns: &Columns,
    times: &mut Times,
    report: &mut BarReport,
) -> Result<Vec<Stamp>, SheetError> {
    let mut stamps = Vec::new();
    let mut other = None;
    loop {
        // The row borrows the sheet, so what is wrong with it is told after it is gone.
        let (line, read) = match sheet.next_row()? {
            None => break,
            Some(row) => (row.line, read_row(&row, columns, times, &mut other)),
        };
        let stamp = match read {
            Ok(stamp) => stamp,
            Err(Flaw::Nonsense(..)) if config.nonsense == Nonsense::Drop => {
                report.nonsense += 1;
                continue;
            }
            Err(Flaw::Nonsense(column, problem) | Flaw::Other(column, problem)) => {
                return Err(sheet.error(line, column, problem));
            }
        };
        stamps.push(stamp);
    }
    report.rows = sheet.rows();
    if report.rows == 0 {
        return Err(sheet.error(1, None, SheetProblem::NoRows));
    }
    Ok(stamps)
}

/// What is wrong with a row.
enum Flaw {
    /// Its prices are those of no market.
    Nonsense(Option<usize>, SheetProblem),
    /// It cannot be placed at all.
    Other(Option<usize>, SheetProblem),
}

fn read_row(
    row: &Row<'_>,
    columns: &Columns,
    times: &mut Times,
    symbol: &mut Option<String>,
) -> Result<Stamp, Flaw> {
    let time = columns.place(BarColumn::Time);
    let at_ns = time.map_or("", |place| row.cell(place));
    let at_ns = times
        .read(at_ns)
        .map_err(|problem| Flaw::Other(time, problem))?;
    same_symbol(row, columns, symbol)?;
    let price = |column: BarColumn| {
        let place = columns.place(column);
        let text = place.map_or("", |place| row.cell(place));
        let missing = text.is_empty()
            || !text.as_bytes()[0].is_ascii_digit()
                && ["nan", "null", "na"]
                    .iter()
                    .any(|word| text.eq_ignore_ascii_case(word));
        let read = if missing {
            Err(SheetProblem::NoValue {
                expected: "a price",
            })
        } else {
            number(text)
        };
        read.map_err(|problem| Flaw::Nonsense(place, problem))
    };
    let close = price(BarColumn::Close)?;
    let or_close = |column| match columns.is_close_only() {
        true => Ok(close),
        false => price(column),
    };
    let bar = Bar {
        open: or_close(BarColumn::Open)?,
        high: or_close(BarColumn::High)?,
        low: or_close(BarColumn::Low)?,
        close,
        volume: match columns.place(BarColumn::Volume) {
            Some(place) if !row.cell(place).is_empty() => price(BarColumn::Volume)?,
            _ => Decimal::ZERO,
        },
    };
    if let Some((column, what)) = bar.nonsense() {
        return Err(Flaw::Nonsense(
            columns.place(column),
            SheetProblem::Nonsense { what },
        ));
    }
    Ok(Stamp {
        at_ns,
        line: row.line,
        bar,
    })
}

/// Rows of two markets in one file would be taken for repeats, and half of them dropped.
fn same_symbol(row: &Row<'_>, columns: &Columns, symbol: &mut Option<String>) -> Result<(), Flaw> {
    let Some(place) = columns.place(BarColumn::Symbol) else {
        return Ok(());
    };
    let found = row.cell(place);
    match symbol {
        None => *symbol = Some(found.to_owned()),
        Some(known) if known != found => {
            let what = format!(
                "rows of {} and of {} in one file; write one file for each",
                crate::sheet::Shown(known),
                crate::sheet::Shown(found)
            );
            return Err(Flaw::Other(Some(place), SheetProblem::Nonsense { what }));
        }
        Some(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
