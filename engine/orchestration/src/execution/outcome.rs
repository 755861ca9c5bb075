//! What a trade is between its two steps, and what became of it.

use serde::{Deserialize, Serialize};

use super::error::ExecutionError;
use super::order::{Fill, Order, OrderTerms, TradeRequest};
use super::position::Position;

/// A trade that is on its way to the market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// What was asked for.
    pub request: TradeRequest,
    /// What it became.
    pub terms: OrderTerms,
}

/// How far an accepted order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Filled, at least in part.
    Filled,
    /// It waits for its price.
    Resting,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How far it has come, or why it failed. It may have failed although it was filled: the
    /// balances have changed if there is a fill.
    pub result: Result<Progress, ExecutionError>,
    /// The order, if there was one.
    pub order: Option<Order>,
    /// Its fill.
    pub fill: Option<Fill>,
    /// The position that it opened.
    pub position: Option<Position>,
}

impl Outcome {
    /// A failure before there was an order.
    pub(super) fn failed(error: ExecutionError) -> Outcome {
        Outcome {
            result: Err(error),
            order: None,
            fill: None,
            position: None,
        }
    }
}
