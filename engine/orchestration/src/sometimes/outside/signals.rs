//! Signals of every kind, from agents and from others.

use serde_json::{Map, Value};

use super::Kind;
use crate::message::{Action, TradingSignal};

/// Signals. A leverage is 1 to 5, a size above zero.
pub(super) const SHAPED: &[Kind<TradingSignal>] = &[
    ("signal.no-stop", "a signal named no stop", |it| {
        it.stop_loss.is_none()
    }),
    ("signal.no-target", "a signal named no target", |it| {
        it.take_profit.is_none()
    }),
    ("signal.no-size", "a signal named no size", |it| {
        it.size_usd.is_none()
    }),
    ("signal.no-leverage", "a signal named no leverage", |it| {
        it.leverage.is_none()
    }),
    ("signal.no-regime", "a signal named no regime", |it| {
        it.regime.is_none()
    }),
    (
        "signal.leverage-zero",
        "a signal asked for a leverage of nothing",
        |it| it.leverage == Some(0),
    ),
    (
        "signal.leverage-beyond",
        "a signal asked for more leverage than there is",
        |it| it.leverage > Some(5),
    ),
    ("signal.size-zero", "a signal was for nothing", |it| {
        it.size_usd == Some(0.0)
    }),
    (
        "signal.size-negative",
        "a signal was for less than nothing",
        |it| it.size_usd.is_some_and(|size| size < 0.0),
    ),
    (
        "signal.stop-wrong",
        "a stop was on the wrong side of its entry",
        |it| risked(it) < 0.0,
    ),
    (
        "signal.stop-near",
        "a stop was within half a percent of its entry",
        |it| risked(it) > 0.0 && risked(it) < 0.005,
    ),
    (
        "signal.stop-far",
        "a stop was more than a twentieth from its entry",
        |it| risked(it) > 0.05,
    ),
    (
        "signal.target-wrong",
        "a target was on the wrong side of its entry",
        |it| hoped(it) < 0.0,
    ),
    (
        "signal.target-near",
        "a target promised less than what was risked",
        |it| hoped(it) > 0.0 && hoped(it) < risked(it),
    ),
];

/// Signals that can only be read as they are written, field by field.
pub(super) const UNSHAPED: &[Kind<Map<String, Value>>] = &[
    ("signal.null", "a field of a signal was null", |it| {
        it.values().any(Value::is_null)
    }),
    ("signal.truth", "a field of a signal was true", |it| {
        it.values().any(Value::is_boolean)
    }),
    ("signal.symbol-missing", "a signal named no symbol", |it| {
        !it.contains_key("symbol")
    }),
];

/// How far the stop is from the entry on the side on which it belongs, as a share of the entry; not a number
/// where one of them is missing.
fn risked(signal: &TradingSignal) -> f64 {
    -share(signal, signal.stop_loss)
}

/// The same of the target.
fn hoped(signal: &TradingSignal) -> f64 {
    share(signal, signal.take_profit)
}

fn share(signal: &TradingSignal, level: Option<f64>) -> f64 {
    let up = match signal.action {
        Action::Buy => 1.0,
        Action::Sell => -1.0,
        Action::Hold | Action::CloseLong | Action::CloseShort => f64::NAN,
    };
    match (signal.entry_price, level) {
        (Some(entry), Some(level)) => up * (level / entry - 1.0),
        _ => f64::NAN,
    }
}
