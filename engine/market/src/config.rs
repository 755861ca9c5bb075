//! The `[market]` section of a scenario: where prices come from.
//!
//! Only says what can be written and what is assumed where nothing is written. Paths are texts here;
//! whoever loads the scenario resolves them, opens them and takes their digests.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{BarsConfig, number};

/// Where prices come from.
///
/// ```toml
/// [market]
/// source = "tape"
/// file = "data/binance-2025-03-25.csv.gz"
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "source",
    rename_all = "kebab-case",
    try_from = "super::section::Section"
)]
pub enum MarketConfig {
    /// A recording.
    Tape(TapeConfig),
    /// A seeded random walk.
    Generated(GeneratedConfig),
    /// Bars.
    Bars(BarsConfig),
    /// No market: prices are set by hand, or come from nowhere.
    None,
}

/// A recording in a CSV file, plain or gzip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TapeConfig {
    /// The file, relative to the scenario.
    pub file: String,
    /// When a row becomes visible. Without it: `received` if the file has a received column, because
    /// nobody can know a trade before it arrived; `exchange-time` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<TapeOrder>,
    /// The instant of the tape at which the run begins; earlier rows are skipped. Without it: the first visible row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Seconds without a row above which the report counts a gap. Default 60.
    pub gap_s: u32,
    /// The most rows that are read; one more is an error. Default 5,000,000.
    pub max_rows: u64,
    /// The most bytes that are read, counted after decompression; one more is an error. Default 1 GiB.
    pub max_bytes: u64,
}

impl TapeConfig {
    /// The settings of a scenario that names a file and nothing else.
    pub fn new(file: impl Into<String>) -> Self {
        TapeConfig {
            file: file.into(),
            order: None,
            start: None,
            gap_s: 60,
            max_rows: 5_000_000,
            max_bytes: 1 << 30,
        }
    }
}

/// When a row of a tape becomes visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TapeOrder {
    /// In the order of the file. A row whose received time goes back becomes visible together with the
    /// row before it.
    Received,
    /// In the order of exchange time, rows of the same time in the order of the file. Reads the whole tape first.
    ExchangeTime,
}

/// Random walks, one per market, each with draws of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GeneratedConfig {
    /// The seed of the prices. Without it: the seed of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Milliseconds between two trades of a market; 1 to 86,400,000. Default 1,000.
    pub interval_ms: u32,
    /// The markets. At one instant they trade in this order.
    pub symbols: Vec<WalkConfig>,
    /// Sudden moves that the scenario asks for.
    pub jumps: Vec<Jump>,
}

impl GeneratedConfig {
    /// The settings of a scenario that names markets and nothing else.
    pub fn new(symbols: Vec<WalkConfig>) -> Self {
        GeneratedConfig {
            seed: None,
            interval_ms: 1_000,
            symbols,
            jumps: Vec::new(),
        }
    }
}

/// The random walk of one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalkConfig {
    /// The market, such as `BTC/USDT`.
    pub symbol: String,
    /// The first price, in quote currency; a whole number of ticks, at most 10^12 of them.
    #[serde(deserialize_with = "number::from_config")]
    pub start_price: Decimal,
    /// The step in which prices are quoted, in quote currency; at most 9 digits. Default 0.01.
    #[serde(
        default = "default_tick_size",
        deserialize_with = "number::from_config"
    )]
    pub tick_size: Decimal,
    /// The size of every trade, in base currency; above zero. Default 1.
    #[serde(
        default = "default_trade_size",
        deserialize_with = "number::from_config"
    )]
    pub trade_size: Decimal,
    /// The mean return per interval, in basis points; -1,000 to 1,000, at most 4 decimals. Default 0.
    #[serde(default, deserialize_with = "number::from_config")]
    pub drift_bp: Decimal,
    /// The standard deviation of the return per interval, in basis points; 0 to 1,000, at most 4 decimals. Default 2.
    #[serde(
        default = "default_volatility_bp",
        deserialize_with = "number::from_config"
    )]
    pub volatility_bp: Decimal,
}

impl WalkConfig {
    /// A walk with every default, starting at `start_price`.
    pub fn new(symbol: impl Into<String>, start_price: Decimal) -> Self {
        WalkConfig {
            symbol: symbol.into(),
            start_price,
            tick_size: default_tick_size(),
            trade_size: default_trade_size(),
            drift_bp: Decimal::ZERO,
            volatility_bp: default_volatility_bp(),
        }
    }
}

/// A sudden move of one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// Milliseconds since the start of the run. The first trade at or after it has moved.
    pub at_ms: u64,
    /// The market that moves.
    pub symbol: String,
    /// By how much of its price, in percent; above -100, at most 1,000, at most 6 decimals. -30 is a crash.
    #[serde(deserialize_with = "number::from_config")]
    pub percent: Decimal,
}

fn default_tick_size() -> Decimal {
    Decimal::new(1, 2)
}

fn default_trade_size() -> Decimal {
    Decimal::ONE
}

fn default_volatility_bp() -> Decimal {
    Decimal::TWO
}
