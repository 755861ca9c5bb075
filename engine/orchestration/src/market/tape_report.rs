//! What is known about a tape after reading it: how much there is, and what is wrong with it.
//!
//! Only counts. What follows from a count is decided where the tape is read.

use rust_decimal::Decimal;

use super::row::Row;
use super::{TapeOrder, TickKind};

/// Counts over the rows read so far; complete when the tape has been read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapeReport {
    /// The file, as it was named.
    pub file: String,
    /// The order in which rows become visible.
    pub order: TapeOrder,
    /// Rows read.
    pub rows: u64,
    /// Of these, trades.
    pub trades: u64,
    /// Of these, quotes.
    pub quotes: u64,
    /// Different markets.
    pub symbols: usize,
    /// The clock of the exchange, if the tape has it.
    pub exchange: Option<ClockReport>,
    /// The clock of the recorder, if the tape has it.
    pub received: Option<ClockReport>,
    /// Rows that sorting by exchange time put in another place; 0 when rows keep the order of the file.
    pub moved: u64,
    /// Seconds without a visible row above which a gap is counted.
    pub gap_s: u32,
    /// Gaps between rows as they become visible.
    pub gaps: u64,
    /// The longest such time, gap or not, in nanoseconds.
    pub longest_pause_ns: u64,
    /// Rows with a price of zero or less. They are left out.
    pub non_positive_prices: u64,
    /// Quotes that bid above their ask. They are kept.
    pub crossed_quotes: u64,
    /// Rows before the instant at which the run begins. They are left out.
    pub before_start: u64,
}

/// One clock of a tape, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReport {
    /// The earliest time, in nanoseconds since 1970-01-01 UTC.
    pub earliest_ns: u64,
    /// The latest time, in nanoseconds since 1970-01-01 UTC.
    pub latest_ns: u64,
    /// Rows earlier than the row before them.
    pub backwards: u64,
    /// Rows at the same time as the row before them.
    pub ties: u64,
    /// The largest step back from one row to the next, in nanoseconds.
    pub largest_step_back_ns: u64,
    previous_ns: u64,
}

impl ClockReport {
    fn note(clock: &mut Option<ClockReport>, time_ns: Option<u64>) {
        let Some(ns) = time_ns else { return };
        match clock {
            Some(report) => report.advance(ns),
            None => *clock = Some(ClockReport::first(ns)),
        }
    }

    fn first(ns: u64) -> Self {
        ClockReport {
            earliest_ns: ns,
            latest_ns: ns,
            backwards: 0,
            ties: 0,
            largest_step_back_ns: 0,
            previous_ns: ns,
        }
    }

    fn advance(&mut self, ns: u64) {
        if ns < self.previous_ns {
            self.backwards += 1;
            self.largest_step_back_ns = self.largest_step_back_ns.max(self.previous_ns - ns);
        } else if ns == self.previous_ns {
            self.ties += 1;
        }
        self.earliest_ns = self.earliest_ns.min(ns);
        self.latest_ns = self.latest_ns.max(ns);
        self.previous_ns = ns;
    }
}

impl TapeReport {
    pub(super) fn new(file: String, order: TapeOrder, gap_s: u32) -> Self {
        TapeReport {
            file,
            order,
            rows: 0,
            trades: 0,
            quotes: 0,
            symbols: 0,
            exchange: None,
            received: None,
            moved: 0,
            gap_s,
            gaps: 0,
            longest_pause_ns: 0,
            non_positive_prices: 0,
            crossed_quotes: 0,
            before_start: 0,
        }
    }

    /// Counts a row in the order of the file.
    pub(super) fn note_row(&mut self, row: &Row) {
        self.rows += 1;
        ClockReport::note(&mut self.exchange, row.exchange_ns);
        ClockReport::note(&mut self.received, row.received_ns);
        match row.kind {
            TickKind::Trade { .. } => self.trades += 1,
            TickKind::Quote { bid, ask, .. } => {
                self.quotes += 1;
                self.crossed_quotes += u64::from(bid > ask);
            }
            // No row of a tape is one.
            TickKind::Bar(_) => {}
        }
        self.non_positive_prices += u64::from(!has_positive_prices(&row.kind));
    }

    /// Counts the time between two rows as they become visible.
    pub(super) fn note_pause(&mut self, pause_ns: u64) {
        self.longest_pause_ns = self.longest_pause_ns.max(pause_ns);
        self.gaps += u64::from(pause_ns > u64::from(self.gap_s) * 1_000_000_000);
    }
}

/// Whether every price in it is above zero.
pub(super) fn has_positive_prices(kind: &TickKind) -> bool {
    match kind {
        TickKind::Trade { price, .. } => *price > Decimal::ZERO,
        TickKind::Quote { bid, ask, .. } => *bid > Decimal::ZERO && *ask > Decimal::ZERO,
        TickKind::Bar(bar) => bar.low > Decimal::ZERO,
    }
}
