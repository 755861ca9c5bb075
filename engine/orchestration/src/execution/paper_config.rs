//! Settings and counters of the paper exchange.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::symbol::DOLLAR;

/// Settings of the paper exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaperConfig {
    /// What the account begins with, by asset.
    pub initial_balance: BTreeMap<String, Amount>,
    /// How long an order is on its way.
    pub fill_delay_ms: u64,
    /// The largest slippage of a market order, in percent.
    pub simulated_slippage_pct: Amount,
    /// The parts of the largest slippage that market orders suffer, in order, the last one again
    /// and again; drawn from the seed, between 0.5 and 1, if left out.
    pub slippage_draws: Vec<Amount>,
    /// Whether some orders fill in part only.
    pub simulate_partial_fills: bool,
    /// How many finished orders, and how many fills, are remembered.
    pub max_trade_history: usize,
}

impl Default for PaperConfig {
    fn default() -> PaperConfig {
        PaperConfig {
            initial_balance: BTreeMap::from([(DOLLAR.to_owned(), Amount::from_int(10_000))]),
            fill_delay_ms: 100,
            simulated_slippage_pct: Amount::new(1, 1),
            slippage_draws: Vec::new(),
            simulate_partial_fills: false,
            max_trade_history: 1_000,
        }
    }
}

/// What the exchange has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperStats {
    /// Trades that were accepted.
    pub placed: u64,
    /// Trades that were filled.
    pub filled: u64,
    /// Trades that failed; one that lacks balance counts twice, as order and as trade.
    pub rejected: u64,
    /// Fills, of bare orders as well.
    pub trade_count: u64,
}
