//! The cross of two moving averages: buy when the fast one rises through the slow one, sell when it falls.
//!
//! How the averages are made is said in [`indicator::Cross`](super::indicator::Cross); each bar that closes,
//! or trade, is one price. A crossing is said once, right after the price that made it; in between nothing is
//! said at all, so that a long run has no messages that tell of nothing.

use serde::{Deserialize, Serialize};

use super::indicator::Crossing;
use super::{DecisionConfig, MarketView};
use crate::amount::Amount;
use crate::message::{Action, Name, Payload, TradingSignal};

/// Which averages, and how much is traded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AverageCrossConfig {
    /// The window of the fast average, in bars; at least 1.
    pub fast: u32,
    /// That of the slow average; longer.
    pub slow: u32,
    /// How much of the base currency each trade buys or sells.
    pub quantity: Amount,
}

/// What a crossing says to do with a symbol, at the last price. Stop and target lie where the
/// settings of the rules have them; the stake is what the quantity costs.
pub(super) fn run(
    symbol: &Name,
    market: &MarketView,
    cross: &AverageCrossConfig,
    rules: &DecisionConfig,
) -> Option<Payload> {
    let (action, up) = match market.crossing(symbol)? {
        Crossing::Up => (Action::Buy, 1.0),
        Crossing::Down => (Action::Sell, -1.0),
    };
    let last = market.price(symbol)?;
    let price = last.to_f64();
    let level = |pct: f64| Some(price * (1.0 + up * pct / 100.0));
    // A stake that no decimal can hold is none.
    let stake = cross.quantity.times(last).ok()?;
    let signal = TradingSignal {
        symbol: symbol.clone(),
        action,
        confidence: rules.base_confidence,
        entry_price: Some(price),
        stop_loss: level(-rules.stop_pct),
        take_profit: level(rules.target_pct),
        size_usd: Some(stake.to_f64()),
        leverage: Some(1),
        regime: None,
        consensus_multiplier: None,
    };
    Some(signal.into())
}
