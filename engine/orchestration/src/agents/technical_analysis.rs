//! Technical analysis: where two moving averages of the price lead.

use super::MarketView;
use super::indicator::Bias;
use crate::message::{Name, Payload, TechnicalBias, TechnicalSignal};

/// What the prices of a symbol say; nothing until there are enough of them.
pub(super) fn run(symbol: &Name, market: &MarketView) -> Option<Payload> {
    let reading = market.trend(symbol)?;
    let bias = match reading.bias {
        Bias::Long => TechnicalBias::Long,
        Bias::Short => TechnicalBias::Short,
        Bias::Neutral => TechnicalBias::Neutral,
    };
    let signal = TechnicalSignal {
        symbol: symbol.clone(),
        bias,
        confidence: reading.confidence,
    };
    Some(signal.into())
}
