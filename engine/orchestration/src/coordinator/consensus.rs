//! How far the agents agree with a trading signal, and what that does to its confidence.
//!
//! Pure arithmetic over [`Evidence`]; evaluated in the order written, so that the last bit is the
//! original's. Writing the result anywhere is the caller's business.

use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, of_action};
use crate::defect::Defects;
use crate::message::{Field, Payload, Raised};

/// The numbers of the confidence multiplier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsensusConfig {
    /// The share of agreeing agents from which confidence is raised.
    pub high_agreement_threshold: f64,
    /// The share of agreeing agents below which confidence is lowered.
    pub low_agreement_threshold: f64,
    /// How much is added at full agreement.
    pub max_confidence_boost: f64,
    /// How much is taken away at no agreement.
    pub max_confidence_penalty: f64,
}

impl Default for ConsensusConfig {
    /// Raised from 0.66 by up to 0.30, lowered below 0.33 by up to 0.15.
    fn default() -> ConsensusConfig {
        ConsensusConfig {
            high_agreement_threshold: 0.66,
            low_agreement_threshold: 0.33,
            max_confidence_boost: 0.30,
            max_confidence_penalty: 0.15,
        }
    }
}

/// How many agents spoke, how many of them agree, and what follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Consensus {
    /// How many agree with the signal.
    pub agreeing: u32,
    /// How many spoke.
    pub total: u32,
    /// What the confidence of the signal is multiplied by.
    pub multiplier: f64,
}

impl Consensus {
    /// Nobody was asked, or nobody spoke: confidence stays as it is.
    pub const NOBODY: Consensus = Consensus {
        agreeing: 0,
        total: 0,
        multiplier: 1.0,
    };
}

/// Counts the agents that agree with `signal`. About a signal to hold, or one without an action, nobody
/// is asked.
///
/// # Errors
///
/// See [`multiplier`].
pub fn assess(
    signal: &Payload,
    evidence: &Evidence,
    config: &ConsensusConfig,
    defects: Defects,
) -> Result<Consensus, Raised> {
    let action = signal.field("action");
    if action.is_missing() || action.is("HOLD") {
        return Ok(Consensus::NOBODY);
    }
    let wanted = of_action(signal);
    let (mut agreeing, mut total) = (0, 0);
    for leaning in evidence.leanings(defects).into_iter().flatten() {
        total += 1;
        agreeing += u32::from(leaning.is_some() && leaning == wanted);
    }
    if total == 0 {
        return Ok(Consensus::NOBODY);
    }
    let multiplier = multiplier(f64::from(agreeing) / f64::from(total), config)?;
    Ok(Consensus {
        agreeing,
        total,
        multiplier,
    })
}

/// What a share `ratio` of agreeing agents multiplies the confidence by.
///
/// From the high threshold on `1 + (ratio − 0.5) × (max_boost × 2)`, from the low one on 1, below it
/// `(1 − max_penalty) + ratio × (max_penalty / low)`. Both thresholds are inclusive.
///
/// # Errors
///
/// A division by zero if the low threshold is 0 and the ratio below it.
pub fn multiplier(ratio: f64, config: &ConsensusConfig) -> Result<f64, Raised> {
    let low = config.low_agreement_threshold;
    if ratio >= config.high_agreement_threshold {
        return Ok(1.0 + (ratio - 0.5) * (config.max_confidence_boost * 2.0));
    }
    if ratio >= low {
        return Ok(1.0);
    }
    if low == 0.0 {
        return Err(Raised::DivisionByZero);
    }
    let penalty = config.max_confidence_penalty;
    Ok((1.0 - penalty) + ratio * (penalty / low))
}

/// The confidence of `signal`, or 0.5 if it states none, multiplied and at most 1.
///
/// # Errors
///
/// A type error if the confidence is not a number.
pub fn adjusted_confidence(signal: &Payload, multiplier: f64) -> Result<f64, Raised> {
    let confidence = signal.field("confidence").or(Field::Float(0.5)).number()?;
    Ok((confidence * multiplier).min(1.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::Topic;

    fn adjusted(signal: serde_json::Value, multiplier: f64) -> Result<f64, Raised> {
        let signal = Payload::from_json(Topic::TradingSignals, signal);
        adjusted_confidence(&signal, multiplier)
    }

    #[test]
    fn an_absent_confidence_is_a_half_and_one_that_is_no_number_raises() {
        assert_eq!(adjusted(json!({}), 1.2), Ok(0.6));
        assert_eq!(adjusted(json!({"confidence": 1}), 1.3), Ok(1.0));
        for wrong in [json!(null), json!("high"), json!([])] {
            assert_eq!(
                adjusted(json!({"confidence": wrong}), 1.0),
                Err(Raised::Type)
            );
        }
    }

    #[test]
    fn a_ratio_below_a_low_threshold_of_zero_cannot_be_scaled() {
        let config = ConsensusConfig {
            low_agreement_threshold: 0.0,
            ..ConsensusConfig::default()
        };
        assert_eq!(multiplier(-0.1, &config), Err(Raised::DivisionByZero));
        assert_eq!(multiplier(0.0, &config), Ok(1.0));
    }
}
