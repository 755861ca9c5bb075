//! A signal of which every part is drawn: too bold, too timid, and now and then no good at all.

use super::one_of;
use crate::Ctx;
use crate::message::{Action, Regime, TradingSignal};

/// In dollars. Nothing, and less than nothing, is no size.
const SIZES: [f64; 9] = [
    40.0, 100.0, 250.0, 600.0, 1_500.0, 2_500.0, 7_000.0, 0.0, -50.0,
];
/// By how much the entry is off the market, in percent.
const ENTRIES: [f64; 4] = [0.0, 0.25, -0.25, 1.0];
/// How far the stop is from the entry, in percent; what is not above 0 is on the wrong side.
const STOPS: [f64; 9] = [0.25, 0.5, 0.75, 1.0, 1.5, 3.0, 5.0, 8.0, -1.0];
/// The reward for the risk; what is not above 0 is on the wrong side.
const REWARDS: [f64; 6] = [1.0, 1.5, 1.75, 2.0, 3.0, -1.0];

/// Draws what the agent left at its usual value.
pub(super) fn spoil(ctx: &Ctx, signal: &mut TradingSignal, price: f64) {
    let up = if signal.action == Action::Sell {
        -1.0
    } else {
        1.0
    };
    let entry = price * (1.0 + one_of(ctx, &ENTRIES) / 100.0);
    let stop = one_of(ctx, &STOPS) / 100.0;
    let target = stop.abs() * one_of(ctx, &REWARDS);
    let is_given = |often: u64| ctx.random("given", often) > 0;
    signal.entry_price = Some(entry);
    signal.stop_loss = is_given(15).then_some(entry * (1.0 - up * stop));
    signal.take_profit = is_given(4).then_some(entry * (1.0 + up * target));
    signal.size_usd = is_given(20).then_some(one_of(ctx, &SIZES));
    // 0 is none, and what is above 5 is too much.
    signal.leverage = is_given(20).then_some(ctx.random("leverage", 8) as i64);
    // Only a trend up allows a leverage that anything else could lower.
    let is_trend = ctx.random("trend", 3) == 0;
    let regime = if is_trend {
        Regime::TrendingBull
    } else {
        one_of(ctx, Regime::ALL)
    };
    signal.regime = is_given(10).then_some(regime);
}
