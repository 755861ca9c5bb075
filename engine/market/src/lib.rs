//! What the market did: trades, quotes and bars, from files or from a generator, in one order.
//!
//! Everything here is a plain iterator of [`Tick`]s. The bytes of a file are handed in; no path is opened, no clock is
//! read and nothing is published here. Order books deeper than the best level, and live feeds are left out.
//!
//! ```
//! use dacapo_market::{Generated, GeneratedConfig, WalkConfig};
//!
//! let config = GeneratedConfig::new(vec![WalkConfig::new("BTC/USDT", 45_000.into())]);
//! let mut ticks = Generated::new(&config, 7)?;
//! let first = ticks.next().expect("a market that is invented never ends");
//! assert_eq!((first.time_ns, &*first.symbol), (0, "BTC/USDT"));
//! # Ok::<(), dacapo_market::GeneratedError>(())
//! ```

mod bars;
mod config;
mod generated;
mod lines;
mod merge;
mod number;
mod row;
mod section;
pub mod sheet;
mod tape;
mod tape_error;
mod tape_read;
pub mod trouble;
mod unpacked;
mod walk;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod recorded_tests;

use std::sync::Arc;

use rust_decimal::Decimal;

pub use bars::{
    Backwards, Bar, BarColumn, BarFile, BarReport, Bars, BarsConfig, ColumnNames, Columns, Gaps,
    Nonsense, Repeats, Stamped, length, utc,
};
pub use config::{GeneratedConfig, Jump, MarketConfig, TapeConfig, TapeOrder, WalkConfig};
pub use generated::{Generated, GeneratedError};
pub use merge::Merged;
pub use number::NumberProblem;
pub use tape::Tape;
pub use tape_error::{TapeError, TapeProblem};
pub use tape_read::{ClockRead, TapeRead};

/// One thing that became known about one market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Nanoseconds since the start of the run at which it became known. Never goes back within a source.
    pub time_ns: u64,
    /// The market, such as `BTC/USDT`. Shared by all its ticks, so that cloning one is cheap.
    pub symbol: Arc<str>,
    /// What happened.
    pub kind: TickKind,
}

/// What a [`Tick`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickKind {
    /// Two parties traded.
    Trade {
        /// Quote currency per unit of base currency; above zero.
        price: Decimal,
        /// Amount of base currency; not negative.
        size: Decimal,
        /// Who came to the market, where the source says so.
        side: Option<Side>,
    },
    /// The best level of the order book on each side.
    Quote {
        /// The best price somebody buys at, in quote currency; above zero.
        bid: Decimal,
        /// Amount of base currency wanted at `bid`; not negative.
        bid_size: Decimal,
        /// The best price somebody sells at, in quote currency; above zero, and in a sound market not below `bid`.
        ask: Decimal,
        /// Amount of base currency offered at `ask`; not negative.
        ask_size: Decimal,
    },
    /// What the market did in a step of time that is over now.
    Bar(Bar),
}

/// The side of the party that came to the market and took what was on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The taker bought.
    Buy,
    /// The taker sold.
    Sell,
}

/// The longest name of a market, in bytes.
const MAX_SYMBOL_BYTES: usize = 32;

/// Whether `text` can name a market: short, and only of characters that are safe in any file or terminal.
fn is_symbol(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.:".contains(&byte);
    (1..=MAX_SYMBOL_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}
