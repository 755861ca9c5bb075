//! Sentiment: whether those who come to the market rather buy or sell.

use super::MarketView;
use super::indicator::Mood;
use crate::message::{Name, Payload, SentimentBias, SentimentUpdate};

/// How buyers and sellers of a symbol feel; nothing until there are enough trades.
pub(super) fn run(symbol: &Name, market: &MarketView) -> Option<Payload> {
    let reading = market.mood(symbol)?;
    let bias = match reading.mood {
        Mood::VeryBullish => SentimentBias::VeryBullish,
        Mood::Bullish => SentimentBias::Bullish,
        Mood::Neutral => SentimentBias::Neutral,
        Mood::Bearish => SentimentBias::Bearish,
        Mood::VeryBearish => SentimentBias::VeryBearish,
    };
    let update = SentimentUpdate {
        symbol: symbol.clone(),
        bias,
        confidence: reading.confidence,
    };
    Some(update.into())
}
