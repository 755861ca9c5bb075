//! What the market did.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::message::Name;

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
