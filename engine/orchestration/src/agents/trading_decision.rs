//! Trading decision: go with the trend if it is clear enough, at the last price, with a stop.

use serde::{Deserialize, Serialize};

use super::MarketView;
use super::indicator::Bias;
use super::regime_detection::regime_of;
use crate::message::{Action, Name, Payload, Regime, TradingSignal};

/// When the rules trade, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionConfig {
    /// The least confidence of the trend.
    pub min_trend_confidence: f64,
    /// How far the stop lies from the entry, in percent.
    pub stop_pct: f64,
    /// How far the target lies from the entry, in percent.
    pub target_pct: f64,
    /// The stake, in dollars.
    pub size_usd: f64,
    /// What the confidence of the signal is at least.
    pub base_confidence: f64,
}

impl Default for DecisionConfig {
    fn default() -> DecisionConfig {
        DecisionConfig {
            min_trend_confidence: 0.2,
            stop_pct: 2.0,
            target_pct: 4.0,
            size_usd: 200.0,
            base_confidence: 0.6,
        }
    }
}

/// Whether to trade a symbol. Without a clear trend the answer is to hold.
pub(super) fn run(symbol: &Name, market: &MarketView, config: &DecisionConfig) -> Option<Payload> {
    let trend = market.trend(symbol)?;
    let price = market.price(symbol)?.to_f64();
    let clear = trend.confidence >= config.min_trend_confidence;
    let action = match trend.bias {
        Bias::Long if clear => Action::Buy,
        Bias::Short if clear => Action::Sell,
        _ => Action::Hold,
    };
    let regime = market
        .regime(symbol)
        .map_or(Regime::Unknown, |reading| regime_of(reading.regime));
    let up = if action == Action::Sell { -1.0 } else { 1.0 };
    let level = |pct: f64| (action != Action::Hold).then(|| price * (1.0 + up * pct / 100.0));
    let confidence = config.base_confidence + (1.0 - config.base_confidence) * trend.confidence;
    let signal = TradingSignal {
        symbol: symbol.clone(),
        action,
        confidence,
        entry_price: level(0.0),
        stop_loss: level(-config.stop_pct),
        take_profit: level(config.target_pct),
        size_usd: Some(config.size_usd),
        leverage: Some(1),
        regime: Some(regime),
        consensus_multiplier: None,
    };
    Some(signal.into())
}
