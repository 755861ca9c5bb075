//! What a model's `modify` does to a copy of the signal: leverage, size, entry price.
//!
//! With `trust-llm-reply` on, values are converted as the original converts them, texts included,
//! and what cannot be converted raises. Otherwise only finite numbers get this far, and with
//! `llm-raises-risk` off nothing that a model says makes the trade riskier.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::evidence::{Leaning, of_action};
use super::reply::Loose;
use crate::defect::{Defect, Defects};
use crate::message::{Field, Payload, Raised};

mod conversion;

const LEVERAGE: &str = "leverage";
const SIZE_REDUCTION: &str = "size_reduction_pct";
const ENTRY_ADJUSTMENT: &str = "entry_adjustment_pct";

/// How far a model may go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModificationBounds {
    /// Leverage, least and most.
    pub leverage: (i64, i64),
    /// Percentage by which the size is reduced, least and most.
    pub size_reduction_pct: (f64, f64),
    /// Percentage by which the entry price is moved, least and most.
    pub entry_adjustment_pct: (f64, f64),
    /// The lowest entry price that a move leads to.
    pub min_entry_price: f64,
}

impl Default for ModificationBounds {
    /// Leverage 1 to 5, size reduced by 0 to 100 %, entry moved by up to 50 % and not below 0.0001.
    fn default() -> ModificationBounds {
        ModificationBounds {
            leverage: (1, 5),
            size_reduction_pct: (0.0, 100.0),
            entry_adjustment_pct: (-50.0, 50.0),
            min_entry_price: 0.0001,
        }
    }
}

/// What becomes of the signal.
#[derive(Clone, Debug, PartialEq)]
pub enum Modified {
    /// It is traded like this.
    Signal(Payload),
    /// It is not traded: its entry price would lie beyond its stop.
    Wait,
}

/// Why modifications cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ModificationError {
    /// The simulated code raises.
    #[error(transparent)]
    Raised(#[from] Raised),
    /// A modification, or the field that it changes, is not a finite number.
    #[error("modifications refused: {field} is not a finite number")]
    Invalid {
        /// Which.
        field: &'static str,
    },
}

/// Whether every known field of the object is a finite number. Unknown fields are ignored.
pub fn is_valid(modifications: &Loose) -> bool {
    match modifications {
        Loose::Object(fields) => first_invalid(fields).is_none(),
        _ => false,
    }
}

/// Applies modifications to a copy of `signal`, in the order leverage, size, entry price.
///
/// Leverage is cut to a whole number. `size := max(0, size × (1 − pct/100))`; a missing size is
/// 0. `entry := max(least, entry × (1 + pct/100))` if there is an entry above 0. Stop and target
/// stay, nothing is rounded.
///
/// # Errors
///
/// What the original raises while replies are trusted; otherwise a value that is not a number.
pub fn apply(
    signal: &Payload,
    modifications: &Loose,
    bounds: &ModificationBounds,
    defects: Defects,
) -> Result<Modified, ModificationError> {
    if !defects.has(Defect::TrustLlmReply) {
        validate(signal, modifications)?;
    }
    let mut changed = signal.clone();
    if let Some(wanted) = asked(modifications, LEVERAGE)? {
        let leverage = set_leverage(signal, wanted, bounds, defects)?;
        changed.set(LEVERAGE, Field::Int(leverage));
    }
    if let Some(wanted) = asked(modifications, SIZE_REDUCTION)? {
        let pct = clamp(conversion::float(wanted)?, bounds.size_reduction_pct);
        let size = changed.field("size_usd").or(Field::Int(0)).number()?;
        let reduced = size * (1.0 - pct / 100.0);
        let reduced = if reduced > 0.0 { reduced } else { 0.0 };
        changed.set("size_usd", Field::Float(reduced));
    }
    if let Some(wanted) = asked(modifications, ENTRY_ADJUSTMENT)? {
        let pct = clamp(conversion::float(wanted)?, bounds.entry_adjustment_pct);
        let entry = changed.field("entry_price").or(Field::Int(0)).number()?;
        if entry > 0.0 {
            let moved = (entry * (1.0 + pct / 100.0)).max(bounds.min_entry_price);
            changed.set("entry_price", Field::Float(moved));
            if !defects.has(Defect::LlmRaisesRisk) && is_beyond_stop(&changed, moved) {
                return Ok(Modified::Wait);
            }
        }
    }
    Ok(Modified::Signal(changed))
}

/// Whether the simulated code takes a value for true: it is not null, false, zero or empty.
pub(super) fn is_truthy(value: &Loose) -> bool {
    match value {
        Loose::Null | Loose::Bool(false) | Loose::Int(0) => false,
        Loose::Float(number) => *number != 0.0,
        Loose::Text(text) => !text.is_empty(),
        Loose::List(items) => !items.is_empty(),
        Loose::Object(fields) => !fields.is_empty(),
        Loose::Bool(true) | Loose::Int(_) | Loose::BigInt(_) => true,
    }
}

fn first_invalid(fields: &BTreeMap<String, Loose>) -> Option<&'static str> {
    [LEVERAGE, SIZE_REDUCTION, ENTRY_ADJUSTMENT]
        .into_iter()
        .find(|known| fields.get(*known).is_some_and(|it| it.finite().is_none()))
}

/// Each field of the signal that a modification changes must be missing or a finite number.
fn validate(signal: &Payload, modifications: &Loose) -> Result<(), ModificationError> {
    let Loose::Object(fields) = modifications else {
        return Err(ModificationError::Invalid {
            field: "modifications",
        });
    };
    if let Some(field) = first_invalid(fields) {
        return Err(ModificationError::Invalid { field });
    }
    for (known, field) in [
        (LEVERAGE, LEVERAGE),
        (SIZE_REDUCTION, "size_usd"),
        (ENTRY_ADJUSTMENT, "entry_price"),
    ] {
        let is_number = match signal.field(field) {
            Field::Missing => true,
            present => present.number().is_ok_and(f64::is_finite),
        };
        if fields.contains_key(known) && !is_number {
            return Err(ModificationError::Invalid { field });
        }
    }
    Ok(())
}

/// What is asked for under `name`. The simulated code asks whatever it was given, be it a text.
fn asked<'a>(modifications: &'a Loose, name: &str) -> Result<Option<&'a Loose>, Raised> {
    let is_named = match modifications {
        Loose::Object(fields) => return Ok(fields.get(name)),
        Loose::Text(text) => text.contains(name),
        Loose::List(items) => items.iter().any(|item| item.text() == Some(name)),
        _ => true,
    };
    if is_named {
        return Err(Raised::Type);
    }
    Ok(None)
}

fn set_leverage(
    signal: &Payload,
    wanted: &Loose,
    bounds: &ModificationBounds,
    defects: Defects,
) -> Result<i64, Raised> {
    let (least, most) = bounds.leverage;
    let leverage = conversion::int(wanted)?.min(most).max(least);
    if defects.has(Defect::LlmRaisesRisk) {
        return Ok(leverage);
    }
    let own = signal.field(LEVERAGE).or(Field::Int(1)).number()?;
    Ok(leverage.min(own as i64))
}

/// Not a number counts as the upper bound, as in the original.
fn clamp(number: f64, (least, most): (f64, f64)) -> f64 {
    let capped = if number < most { number } else { most };
    if capped > least { capped } else { least }
}

/// Whether a trade at `entry` would be stopped out at once. Without a stop, or without knowing which way the
/// signal bets, it would not.
fn is_beyond_stop(signal: &Payload, entry: f64) -> bool {
    let Ok(stop) = signal.field("stop_loss").number() else {
        return false;
    };
    match of_action(signal) {
        Some(Leaning::Up) => entry <= stop,
        Some(Leaning::Down) => entry >= stop,
        None => false,
    }
}

#[cfg(test)]
mod tests;
