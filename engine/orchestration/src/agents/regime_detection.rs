//! Regime detection: what kind of market the last prices make.

use super::{MarketView, indicator};
use crate::message::{Name, Payload, Regime, RegimeUpdate};

/// What kind of market a symbol is in; nothing until there are enough prices.
pub(super) fn run(symbol: &Name, market: &MarketView) -> Option<Payload> {
    let reading = market.regime(symbol)?;
    let update = RegimeUpdate {
        symbol: symbol.clone(),
        regime: regime_of(reading.regime),
        confidence: reading.confidence,
    };
    Some(update.into())
}

/// The reading in the words of messages.
pub(super) fn regime_of(reading: indicator::Regime) -> Regime {
    match reading {
        indicator::Regime::TrendingBull => Regime::TrendingBull,
        indicator::Regime::TrendingBear => Regime::TrendingBear,
        indicator::Regime::BreakoutPotential => Regime::BreakoutPotential,
        indicator::Regime::Ranging => Regime::Ranging,
        indicator::Regime::VolatileBull => Regime::VolatileBull,
        indicator::Regime::VolatileBear => Regime::VolatileBear,
        indicator::Regime::Choppy => Regime::Choppy,
    }
}
