//! What agents that go by rules make of prices: trend, regime, mood, and the trades that follow from them.

use serde_json::json;

use crate::agents::{AgentsConfig, AverageCrossConfig};
use crate::config::TaskKind;
use crate::invariants::agents::market::Seen;
use crate::invariants::agents::readings::{self, Reading};
use crate::invariants::agents::replies::Fields;
use crate::invariants::exact::Exact;

/// How near two averages may be without being equal, as a part of them, until nobody can tell which is above.
const TOO_NEAR: f64 = 1e-12;

/// What the prices make of it.
#[derive(Debug)]
pub(super) enum Expected {
    Nothing,
    Message(Fields),
    /// It hangs on how a number is rounded.
    Unsure,
}

/// What an agent of this kind makes of these prices.
pub(super) fn expected(config: &AgentsConfig, kind: TaskKind, seen: &[Seen]) -> Expected {
    let prices: Vec<f64> = seen.iter().map(Seen::price).collect();
    let rules = &config.analysis;
    let by_trend = match kind {
        TaskKind::TechnicalAnalysis => true,
        _ => kind == TaskKind::TradingDecision && config.average_cross().is_none(),
    };
    if by_trend && readings::is_a_hair(&rules.trend, &prices) {
        return Expected::Unsure;
    }
    let fields = match (kind, config.average_cross()) {
        (TaskKind::TechnicalAnalysis, _) => {
            readings::trend(&rules.trend, &prices).map(|it| reading("bias", it))
        }
        (TaskKind::RegimeDetection, _) => {
            readings::regime(&rules.regime, &prices).map(|it| reading("regime", it))
        }
        (TaskKind::SentimentAnalysis, _) => {
            let flow: Vec<f64> = seen.iter().filter_map(Seen::bought).collect();
            readings::mood(&rules.flow, &flow).map(|it| reading("bias", it))
        }
        (_, Some(cross)) => match crosses(cross, &prices) {
            Crossed::Not => None,
            Crossed::Unsure => return Expected::Unsure,
            Crossed::Up => cross_at(config, "BUY", cross, &prices),
            Crossed::Down => cross_at(config, "SELL", cross, &prices),
        },
        (_, None) => decide(config, &prices),
    };
    fields.map_or(Expected::Nothing, Expected::Message)
}

/// A trade in the direction of a clear trend.
fn decide(config: &AgentsConfig, prices: &[f64]) -> Option<Fields> {
    let decision = &config.decision;
    let (bias, sure) = readings::trend(&config.analysis.trend, prices)?;
    let regime = readings::regime(&config.analysis.regime, prices);
    let action = match bias {
        "long" if sure >= decision.min_trend_confidence => "BUY",
        "short" if sure >= decision.min_trend_confidence => "SELL",
        _ => "HOLD",
    };
    let mut fields = trade(config, action, *prices.last()?);
    let base = decision.base_confidence;
    fields.insert("confidence".into(), json!(base + sure - base * sure));
    fields.insert("regime".into(), regime.map_or("unknown", |it| it.0).into());
    fields.insert("size_usd".into(), json!(decision.size_usd));
    Some(fields)
}

/// A trade where two averages crossed.
fn cross_at(
    config: &AgentsConfig,
    action: &str,
    cross: &AverageCrossConfig,
    prices: &[f64],
) -> Option<Fields> {
    let price = *prices.last()?;
    let mut fields = trade(config, action, price);
    let sure = config.decision.base_confidence;
    fields.insert("confidence".into(), json!(sure));
    let stake = cross.quantity.in_floats() * price;
    fields.insert("size_usd".into(), json!(stake));
    Some(fields)
}

/// An action at a price, with stop and target where the settings have them.
fn trade(config: &AgentsConfig, action: &str, price: f64) -> Fields {
    let decision = &config.decision;
    let (below, above) = (decision.stop_pct, decision.target_pct);
    let percent = |pct: f64| price + price * pct / 100.0;
    let levels = match action {
        "BUY" => Some((percent(-below), percent(above))),
        "SELL" => Some((percent(below), percent(-above))),
        _ => None,
    };
    let mut fields = Fields::new();
    fields.insert("action".into(), action.into());
    fields.insert("leverage".into(), 1.into());
    if let Some((stop, target)) = levels {
        fields.insert("entry_price".into(), json!(price));
        fields.insert("stop_loss".into(), json!(stop));
        fields.insert("take_profit".into(), json!(target));
    }
    fields
}

/// A reading as the fields of a message.
fn reading(word: &str, (said, sure): Reading) -> Fields {
    let mut fields = Fields::new();
    fields.insert(word.to_owned(), said.into());
    fields.insert("confidence".into(), json!(sure));
    fields
}

/// Whether the last price made two averages cross.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Crossed {
    Not,
    Up,
    Down,
    Unsure,
}

/// An average begins at the first price; both count from the one that fills the slow window. Where they are equal,
/// each stays on its side.
fn crosses(config: &AverageCrossConfig, prices: &[f64]) -> Crossed {
    let averages = |window: u32| {
        let part = 2.0 / (f64::from(window) + 1.0);
        let step = move |average: &mut Option<f64>, price: &f64| {
            let next = average.map_or(*price, |it| (1.0 - part) * it + part * price);
            Some(*average.insert(next))
        };
        prices.iter().scan(None, step)
    };
    let (mut side, mut crossed) = (None, Crossed::Not);
    let both = averages(config.fast).zip(averages(config.slow));
    for (fast, slow) in both.skip(config.slow as usize - 1) {
        let apart = fast - slow;
        crossed = Crossed::Not;
        if apart == 0.0 {
            continue;
        }
        if apart.abs() < TOO_NEAR * slow {
            return Crossed::Unsure;
        }
        let before = side.replace(apart > 0.0);
        crossed = match (before, apart > 0.0) {
            (Some(false), true) => Crossed::Up,
            (Some(true), false) => Crossed::Down,
            _ => Crossed::Not,
        };
    }
    crossed
}
