//! A trade of a rebalancing that waits for its time.

use super::RebalanceTrade;
use crate::message::{Instant, Name};

/// A trade that waits for its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// The plan and the place in it: no other trade of a run has the same. It is also the name of
    /// the intent when the trade is sent.
    pub key: Name,
    /// When it is due.
    pub due: Instant,
    /// The trade.
    pub trade: RebalanceTrade,
}
