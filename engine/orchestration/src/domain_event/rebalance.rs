//! What became of a rebalancing.

use serde::{Deserialize, Serialize};

use crate::message::Name;

/// Trades of a rebalancing wait for their time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegsPlanned {
    /// How many.
    pub count: u64,
    /// Whether they count as accepted; otherwise they are pending until they are stored.
    pub accepted: bool,
}

/// A trade of a rebalancing was not carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RebalanceTradeSkipped {
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// Which batch it belongs to, counted from 0.
    pub batch_index: i64,
    /// Why, as a code.
    pub reason: Name,
}
