//! What is known of a file of bars after reading it: what was recognised, how much there is, what is odd.

use std::fmt;
use std::io::Read;

use jiff::Timestamp;

use super::{BarFile, Columns, Stamped};
use crate::sheet::{Sheet, Shown, Times};

/// What was found in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarReport {
    /// The file, as it was named.
    pub file: String,
    /// The market.
    pub symbol: String,
    /// The columns that are read, each with its name in the file.
    pub columns: Vec<(&'static str, String)>,
    /// The columns that are not read.
    pub ignored: Vec<String>,
    /// Which end of a bar its time is.
    pub stamped: Stamped,
    /// The form of the times.
    pub times: String,
    /// The zone that was taken for times that have none.
    pub zone: Option<String>,
    /// How long a bar is, in nanoseconds; zero if nobody knows.
    pub bar_ns: i64,
    /// Whether the scenario says so.
    pub bar_is_stated: bool,
    /// Rows read.
    pub rows: u64,
    /// Bars that are used.
    pub bars: u64,
    /// When the first closed, in nanoseconds since 1970-01-01 UTC.
    pub from_ns: i64,
    /// When the last closed, in nanoseconds since 1970-01-01 UTC.
    pub to_ns: i64,
    /// Rows that are earlier than one before them.
    pub backwards: u64,
    /// Rows of the same time as one before; they are left out.
    pub repeats: u64,
    /// Of these, rows that say something else.
    pub differing: u64,
    /// Rows that no market can have made; they are left out.
    pub nonsense: u64,
    /// Places where bars are missing.
    pub gaps: u64,
    /// The longest time from one bar to the next, in nanoseconds; zero if there is no gap.
    pub longest_pause_ns: i64,
    /// Rows that come sooner than a bar is long.
    pub short_steps: u64,
    /// Bars that closed before the start of the run; they are left out.
    pub before_start: u64,
}

impl BarReport {
    pub(super) fn new<R: Read>(file: &BarFile, sheet: &Sheet<R>, columns: &Columns) -> BarReport {
        let found: Vec<(&'static str, String)> = columns
            .found(sheet.header())
            .map(|(column, name)| (column.name(), name.to_owned()))
            .collect();
        let is_read = |name: &&String| found.iter().any(|(_, known)| known == *name);
        let ignored = sheet.header().iter().filter(|name| !is_read(name));
        BarReport {
            file: file.file.clone(),
            symbol: file.symbol.clone(),
            ignored: ignored.cloned().collect(),
            columns: found,
            stamped: file.stamped,
            times: String::new(),
            zone: None,
            bar_ns: 0,
            bar_is_stated: false,
            rows: 0,
            bars: 0,
            from_ns: 0,
            to_ns: 0,
            backwards: 0,
            repeats: 0,
            differing: 0,
            nonsense: 0,
            gaps: 0,
            longest_pause_ns: 0,
            short_steps: 0,
            before_start: 0,
        }
    }

    pub(super) fn note_times(&mut self, times: &Times) {
        self.times = times.format().map_or(String::new(), ToString::to_string);
        self.zone = times.zone().map(str::to_owned);
    }

    /// Of all bars, so many are left after those before the start.
    pub(super) fn note_start(&mut self, all: usize, used: usize) {
        self.bars = used as u64;
        self.before_start = all.saturating_sub(used) as u64;
    }
}

impl fmt::Display for BarReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BarReport { file, symbol, .. } = self;
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|(what, name)| format!("{what} = {}", Shown(name)))
            .collect();
        writeln!(
            f,
            "{file}: {} bars of {symbol} from {} rows",
            self.bars, self.rows
        )?;
        writeln!(f, "  columns: {}", columns.join(", "))?;
        let zone = self
            .zone
            .as_ref()
            .map_or(String::new(), |zone| format!(", taken as {zone}"));
        writeln!(f, "  times: {}{zone}", self.times)?;
        let by = if self.bar_is_stated {
            "as stated"
        } else {
            "the most common step"
        };
        writeln!(f, "  each {} long, {by}", length(self.bar_ns))?;
        writeln!(
            f,
            "  closing from {} to {}",
            utc(self.from_ns),
            utc(self.to_ns)
        )?;
        let differing = self.differing;
        writeln!(
            f,
            "  odd rows: {} backwards, {} repeated ({differing} differing), {} without sense, {} short steps",
            self.backwards, self.repeats, self.nonsense, self.short_steps
        )?;
        write!(
            f,
            "  gaps: {} (longest pause {}); before the start: {}",
            self.gaps,
            length(self.longest_pause_ns),
            self.before_start
        )
    }
}

/// An instant in UTC, to the second where that is exact.
pub fn utc(ns: i64) -> String {
    Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |at| at.to_string())
}

/// A length of time in the largest unit in which it is whole.
pub fn length(ns: i64) -> String {
    const UNITS: [(i64, &str); 7] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "min"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let whole = UNITS
        .into_iter()
        .find(|(unit, _)| ns != 0 && ns % unit == 0);
    whole.map_or("0 s".to_owned(), |(unit, name)| {
        format!("{} {name}", ns / unit)
    })
}
