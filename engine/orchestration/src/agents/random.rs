//! Agents whose outputs are drawn from the seed: for exercising everything behind them.

mod wild;

use super::MarketView;
use crate::Ctx;
use crate::config::TaskKind;
use crate::message::{
    Action, Name, Payload, Regime, RegimeUpdate, SentimentBias, SentimentUpdate, TechnicalBias,
    TechnicalSignal, TradingSignal,
};

/// The stake of a drawn signal, in dollars.
const SIZE_USD: f64 = 100.0;

/// Any output that the agent could give; nothing where it needs a price and there is none. Of a thousand
/// signals so many are wild.
pub(super) fn run(
    ctx: &Ctx,
    kind: TaskKind,
    symbol: &Name,
    market: &MarketView,
    wild_per_mille: u32,
) -> Option<Payload> {
    let symbol = symbol.clone();
    let confidence = ctx.random("confidence", 1_001) as f64 / 1_000.0;
    Some(match kind {
        TaskKind::TechnicalAnalysis => TechnicalSignal {
            symbol,
            bias: one_of(ctx, TechnicalBias::ALL),
            confidence,
        }
        .into(),
        TaskKind::RegimeDetection => RegimeUpdate {
            symbol,
            regime: one_of(ctx, Regime::ALL),
            confidence,
        }
        .into(),
        TaskKind::SentimentAnalysis => SentimentUpdate {
            symbol,
            bias: one_of(ctx, SentimentBias::ALL),
            confidence,
        }
        .into(),
        TaskKind::TradingDecision => {
            let price = market.price(&symbol)?.to_f64();
            let mut signal = signal(ctx, symbol, confidence, price);
            if wild_per_mille > 0 && ctx.random("wild", 1_000) < u64::from(wild_per_mille) {
                wild::spoil(ctx, &mut signal, price);
            }
            signal.into()
        }
        TaskKind::PortfolioRebalance => return None,
    })
}

fn signal(ctx: &Ctx, symbol: Name, confidence: f64, price: f64) -> TradingSignal {
    let action = one_of(ctx, &[Action::Buy, Action::Sell, Action::Hold]);
    let up = if action == Action::Sell { -1.0 } else { 1.0 };
    TradingSignal {
        symbol,
        action,
        confidence,
        entry_price: Some(price),
        stop_loss: Some(price * (1.0 - up * 0.02)),
        take_profit: Some(price * (1.0 + up * 0.04)),
        size_usd: Some(SIZE_USD),
        leverage: Some(1 + ctx.random("leverage", 3) as i64),
        regime: Some(Regime::Ranging),
        consensus_multiplier: None,
    }
}

fn one_of<T: Copy>(ctx: &Ctx, all: &[T]) -> T {
    all[ctx.random("choice", all.len() as u64) as usize]
}
