//! What is known about a tape after reading it: how much there is, and what is wrong with it.
//!
//! Only counts. What follows from a count is decided where the tape is read.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::row::Row;
use super::{TapeConfig, TapeOrder, TickKind};

/// A tape was read, to its last row, before anything happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapeRead {
    /// The file, as the scenario names it.
    pub file: String,
    /// Whether its rows come by exchange time, and not as they were received.
    pub by_exchange_time: bool,
    /// Rows that were read.
    pub rows: u64,
    /// Of these, trades.
    pub trades: u64,
    /// Of these, quotes.
    pub quotes: u64,
    /// Different markets.
    pub symbols: u64,
    /// The clock of the exchange, if the tape has it.
    pub exchange: Option<ClockRead>,
    /// The clock of the recorder, if the tape has it.
    pub received: Option<ClockRead>,
    /// Rows that sorting by exchange time put in another place.
    pub moved: u64,
    /// Seconds without a row above which a gap is counted.
    pub gap_s: u32,
    /// Gaps between rows.
    pub gaps: u64,
    /// The longest time without a row, in nanoseconds.
    pub longest_pause_ns: u64,
    /// Rows with a price of zero or less, which are left out.
    pub without_price: u64,
    /// Quotes that bid above their ask, which are kept.
    pub crossed: u64,
    /// Rows before the start of the run, which are left out.
    pub before_start: u64,
}

/// What one clock of a tape shows, in the order of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockRead {
    /// The earliest time, in nanoseconds since 1970-01-01 UTC.
    pub from_ns: u64,
    /// The latest time, in nanoseconds since 1970-01-01 UTC.
    pub to_ns: u64,
    /// Rows earlier than the row before them.
    pub backwards: u64,
    /// The largest step back, in nanoseconds.
    pub largest_step_back_ns: u64,
    /// Rows at the same time as the row before them.
    pub ties: u64,
}

/// Counts rows while they are read.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) read: TapeRead,
    exchange_before_ns: Option<u64>,
    received_before_ns: Option<u64>,
}

impl Counter {
    pub(super) fn new(config: &TapeConfig, order: TapeOrder) -> Counter {
        let read = TapeRead {
            file: config.file.clone(),
            by_exchange_time: order == TapeOrder::ExchangeTime,
            rows: 0,
            trades: 0,
            quotes: 0,
            symbols: 0,
            exchange: None,
            received: None,
            moved: 0,
            gap_s: config.gap_s,
            gaps: 0,
            longest_pause_ns: 0,
            without_price: 0,
            crossed: 0,
            before_start: 0,
        };
        Counter {
            read,
            exchange_before_ns: None,
            received_before_ns: None,
        }
    }

    /// Counts a row in the order of the file.
    pub(super) fn note_row(&mut self, row: &Row) {
        let read = &mut self.read;
        read.rows += 1;
        note_time(
            &mut read.exchange,
            &mut self.exchange_before_ns,
            row.exchange_ns,
        );
        note_time(
            &mut read.received,
            &mut self.received_before_ns,
            row.received_ns,
        );
        match row.kind {
            TickKind::Trade { .. } => read.trades += 1,
            TickKind::Quote { bid, ask, .. } => {
                read.quotes += 1;
                read.crossed += u64::from(bid > ask);
            }
            // No row of a tape is one.
            TickKind::Bar(_) => {}
        }
        read.without_price += u64::from(!has_positive_prices(&row.kind));
    }

    /// Counts the time between two rows as they become visible.
    pub(super) fn note_pause(&mut self, pause_ns: u64) {
        let read = &mut self.read;
        read.longest_pause_ns = read.longest_pause_ns.max(pause_ns);
        read.gaps += u64::from(pause_ns > u64::from(read.gap_s) * 1_000_000_000);
    }
}

/// Counts a time of one clock, if the row has it, after the one `before`.
fn note_time(clock: &mut Option<ClockRead>, before: &mut Option<u64>, time_ns: Option<u64>) {
    let Some(ns) = time_ns else { return };
    let clock = clock.get_or_insert(ClockRead {
        from_ns: ns,
        to_ns: ns,
        backwards: 0,
        largest_step_back_ns: 0,
        ties: 0,
    });
    clock.from_ns = clock.from_ns.min(ns);
    clock.to_ns = clock.to_ns.max(ns);
    if let Some(before_ns) = before.replace(ns) {
        clock.backwards += u64::from(ns < before_ns);
        clock.ties += u64::from(ns == before_ns);
        let back = before_ns.saturating_sub(ns);
        clock.largest_step_back_ns = clock.largest_step_back_ns.max(back);
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
