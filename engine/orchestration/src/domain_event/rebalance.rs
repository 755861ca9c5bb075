//! What became of a rebalancing.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::message::{Instant, Name};

/// One trade of a rebalancing that is to be carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TradePlanned {
    /// Its name, which no other trade of a run has, and the name of the intent when it is sent.
    pub key: Name,
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// In dollars.
    pub amount_usd: Amount,
    /// Which batch it belongs to, counted from 0; the first is carried out at once.
    pub batch_index: i64,
    /// When it is due.
    pub due: Instant,
}

/// A rebalancing begins: what is traded at once, and what later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RebalancePlanned {
    /// Its number, counted from 1.
    pub plan: u64,
    /// Into how many batches it is divided.
    pub batches: u32,
    /// Hours between two batches.
    pub interval_hours: i64,
    /// What all trades are worth, in dollars, before they are divided.
    pub total_usd: Amount,
    /// The trades, in the order of the plan.
    pub trades: Vec<TradePlanned>,
}

/// Trades of a rebalancing wait for their time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegsPlanned {
    /// The number of the rebalancing.
    pub plan: u64,
    /// How many.
    pub count: u64,
    /// How many of them are kept in memory, because they are not stored.
    pub held: u64,
    /// Whether they count as accepted; otherwise they are pending until they are stored.
    pub accepted: bool,
}

/// A trade of a rebalancing was not carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RebalanceTradeSkipped {
    /// Its name.
    pub key: Name,
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// Which batch it belongs to, counted from 0.
    pub batch_index: i64,
    /// Why, as a code.
    pub reason: Name,
}
