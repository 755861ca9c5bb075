//! What the market did.

use dacapo_market::{BarReport, Stamped};
pub use dacapo_market::{ClockRead, TapeRead};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::message::{Instant, Json, Name};

/// Two parties traded in the market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketTrade {
    /// The pair.
    pub symbol: Name,
    /// In the pair's quote currency.
    pub price: Amount,
    /// In the pair's base currency.
    pub size: Amount,
    /// Whether the party that came to the market bought, where that is known.
    pub taker_buys: Option<bool>,
}

/// The best prices on offer changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketQuote {
    /// The pair.
    pub symbol: Name,
    /// The best price that somebody buys at.
    pub bid: Amount,
    /// How much of the base currency is wanted there.
    pub bid_size: Amount,
    /// The best price that somebody sells at.
    pub ask: Amount,
    /// How much of the base currency is offered there.
    pub ask_size: Amount,
}

/// A step of time is over, and what the market did in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketBar {
    /// The pair.
    pub symbol: Name,
    /// The first price, in the pair's quote currency.
    pub open: Amount,
    /// The highest price.
    pub high: Amount,
    /// The lowest price.
    pub low: Amount,
    /// The last price.
    pub close: Amount,
    /// How much of the base currency was traded; zero where nobody knows.
    pub volume: Amount,
}

/// A file of bars was read, to its last row, before anything happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BarsRead {
    /// The pair.
    pub symbol: Name,
    /// The file, as the scenario names it.
    pub file: String,
    /// Whether its times are those at which bars opened.
    pub stamped_open: bool,
    /// The zone that was taken for times that have none.
    pub zone: Option<Name>,
    /// How long a bar is, in nanoseconds.
    pub bar_ns: i64,
    /// Whether the scenario says so.
    pub bar_is_stated: bool,
    /// Rows that were read.
    pub rows: u64,
    /// Bars that are used.
    pub bars: u64,
    /// When the first closed, in nanoseconds since 1970-01-01 UTC.
    pub from_ns: i64,
    /// When the last closed, in nanoseconds since 1970-01-01 UTC.
    pub to_ns: i64,
    /// Rows that are earlier than one before them.
    pub backwards: u64,
    /// Rows of the same time as one before, which are left out.
    pub repeats: u64,
    /// Rows that no market can have made, which are left out.
    pub nonsense: u64,
    /// Places where bars are missing.
    pub gaps: u64,
    /// The longest time from one bar to the next, in nanoseconds; zero if there is no gap.
    pub longest_pause_ns: i64,
    /// Bars that closed before the start of the run, which are left out.
    pub before_start: u64,
}

impl From<&BarReport> for BarsRead {
    fn from(report: &BarReport) -> BarsRead {
        BarsRead {
            symbol: report.symbol.as_str().into(),
            file: report.file.clone(),
            stamped_open: report.stamped == Stamped::Open,
            zone: report.zone.as_deref().map(Name::from),
            bar_ns: report.bar_ns,
            bar_is_stated: report.bar_is_stated,
            rows: report.rows,
            bars: report.bars,
            from_ns: report.from_ns,
            to_ns: report.to_ns,
            backwards: report.backwards,
            repeats: report.repeats,
            nonsense: report.nonsense,
            gaps: report.gaps,
            longest_pause_ns: report.longest_pause_ns,
            before_start: report.before_start,
        }
    }
}

/// An output that was worked out before can be known from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// The agent whose output it is.
    pub agent: Name,
    /// The pair.
    pub symbol: Name,
    /// From when on it can be known; before the start of the run if it is older than the run.
    pub knowable_at: Instant,
    /// The line of the file, counted from 1.
    pub line: u64,
    /// What the agent says.
    pub output: Json,
}
