//! Where the evidence contradicts itself or the signal, and what is done about it at which level.
//!
//! Asking a language model is not done here, only whether to ask and about what.

use serde_json::{Value, json};

use super::evidence::{Evidence, of_sentiment, of_technical};
use super::reply::{Origin, Resolution};
use crate::defect::{Defect, Defects};
use crate::message::{DegradationLevel, Field, Payload, Raised};

/// Technical analysis and sentiment conflict only if their confidences differ by less than this.
pub const DEFAULT_CONFIDENCE_THRESHOLD: f64 = 0.2;

/// One contradiction.
#[derive(Clone, Debug, PartialEq)]
pub enum Conflict {
    /// Technical analysis and sentiment point in opposite directions, about equally sure.
    TaSentiment {
        /// `long` or `short`.
        ta_bias: String,
        /// How sure the technical analysis is.
        ta_confidence: f64,
        /// Anything but neutral.
        sent_bias: String,
        /// How sure sentiment is.
        sent_confidence: f64,
    },
    /// A trade is proposed in a choppy market.
    Regime {
        /// The regime.
        regime: String,
        /// What the signal wants.
        proposed_action: String,
    },
}

impl Conflict {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Conflict::TaSentiment { .. } => "ta_sentiment_conflict",
            Conflict::Regime { .. } => "regime_conflict",
        }
    }

    /// Whose outputs contradict each other.
    pub fn agents(&self) -> [&'static str; 2] {
        match self {
            Conflict::TaSentiment { .. } => ["technical_analysis", "sentiment_analysis"],
            Conflict::Regime { .. } => ["regime_detection", "trading_decision"],
        }
    }

    /// The facts, for the question to the model.
    pub fn details(&self) -> Value {
        match self {
            Conflict::TaSentiment {
                ta_bias,
                ta_confidence,
                sent_bias,
                sent_confidence,
            } => json!({
                "ta_bias": ta_bias,
                "ta_confidence": ta_confidence,
                "sent_bias": sent_bias,
                "sent_confidence": sent_confidence,
                "confidence_diff": (ta_confidence - sent_confidence).abs(),
            }),
            Conflict::Regime {
                regime,
                proposed_action,
            } => json!({"regime": regime, "proposed_action": proposed_action}),
        }
    }
}

/// The conflicts between `signal` and the evidence, technical analysis and sentiment first.
///
/// # Errors
///
/// A type error if technical analysis and sentiment oppose each other and a confidence of theirs
/// is not a number.
pub fn detect(
    signal: &Payload,
    evidence: &Evidence,
    threshold: f64,
) -> Result<Vec<Conflict>, Raised> {
    let mut conflicts = Vec::new();
    if let (Some(technical), Some(sentiment)) = (&evidence.technical, &evidence.sentiment) {
        let opposition = opposition(&technical.payload, &sentiment.payload, threshold)?;
        conflicts.extend(opposition);
    }
    if let Some(regime) = &evidence.regime {
        conflicts.extend(against_the_market(&regime.payload, signal));
    }
    Ok(conflicts)
}

/// What is to be done about conflicts.
#[derive(Clone, Debug, PartialEq)]
pub enum Approach {
    /// Ask a model about these.
    Ask(Vec<Conflict>),
    /// Nothing is to be asked: this is the answer.
    Settled(Resolution),
}

/// Whether a model is asked at `level`, and about which of the conflicts.
///
/// At EMERGENCY none is. At LIMITED only conflicts with the regime are worth a call; any other
/// stays unresolved, which means waiting.
pub fn approach(level: DegradationLevel, conflicts: Vec<Conflict>, defects: Defects) -> Approach {
    match level {
        DegradationLevel::Normal | DegradationLevel::Reduced => Approach::Ask(conflicts),
        DegradationLevel::Emergency => {
            Approach::Settled(Resolution::decided("wait", 0.3, Origin::Emergency))
        }
        DegradationLevel::Limited => {
            let is_worth_a_call = |conflict: &Conflict| matches!(conflict, Conflict::Regime { .. });
            if defects.has(Defect::LimitedProceeds) {
                let asked: Vec<_> = conflicts.into_iter().filter(is_worth_a_call).collect();
                if asked.is_empty() {
                    return Approach::Settled(Resolution::decided("proceed", 0.5, Origin::Limited));
                }
                return Approach::Ask(asked);
            }
            if conflicts.iter().all(is_worth_a_call) {
                return Approach::Ask(conflicts);
            }
            Approach::Settled(Resolution::decided("wait", 0.3, Origin::Limited))
        }
    }
}

fn opposition(
    technical: &Payload,
    sentiment: &Payload,
    threshold: f64,
) -> Result<Option<Conflict>, Raised> {
    let leanings = (of_technical(technical), of_sentiment(sentiment));
    let (Some(ta_leaning), Some(sent_leaning)) = leanings else {
        return Ok(None);
    };
    if ta_leaning == sent_leaning {
        return Ok(None);
    }
    let ta_confidence = confidence(technical)?;
    let sent_confidence = confidence(sentiment)?;
    let is_close = (ta_confidence - sent_confidence).abs() < threshold;
    Ok(is_close.then(|| Conflict::TaSentiment {
        ta_bias: as_text(technical.field("bias")),
        ta_confidence,
        sent_bias: as_text(sentiment.field("bias")),
        sent_confidence,
    }))
}

fn against_the_market(regime: &Payload, signal: &Payload) -> Option<Conflict> {
    let action = signal.field("action").or(Field::Text("HOLD"));
    let is_conflict = regime.field("regime").is("choppy") && !action.is("HOLD");
    is_conflict.then(|| Conflict::Regime {
        regime: as_text(regime.field("regime")),
        proposed_action: as_text(action),
    })
}

fn confidence(payload: &Payload) -> Result<f64, Raised> {
    payload.field("confidence").or(Field::Float(0.5)).number()
}

fn as_text(field: Field<'_>) -> String {
    match field.text() {
        Some(text) => text.to_owned(),
        None => field.to_json().unwrap_or_default().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regime() -> Conflict {
        Conflict::Regime {
            regime: "choppy".into(),
            proposed_action: "BUY".into(),
        }
    }

    fn opinion() -> Conflict {
        Conflict::TaSentiment {
            ta_bias: "long".into(),
            ta_confidence: 0.7,
            sent_bias: "bearish".into(),
            sent_confidence: 0.6,
        }
    }

    fn settled(approach: Approach) -> Option<String> {
        match approach {
            Approach::Settled(resolution) => resolution.action.text().map(str::to_owned),
            Approach::Ask(_) => None,
        }
    }

    #[test]
    fn while_enough_works_every_conflict_is_asked_about() {
        for level in [DegradationLevel::Normal, DegradationLevel::Reduced] {
            let both = vec![opinion(), regime()];
            assert_eq!(
                approach(level, both.clone(), Defects::NONE),
                Approach::Ask(both)
            );
        }
    }

    #[test]
    fn at_emergency_nobody_is_asked() {
        let approach = approach(DegradationLevel::Emergency, vec![regime()], Defects::NONE);
        assert_eq!(settled(approach).as_deref(), Some("wait"));
    }

    #[test]
    fn at_limited_what_is_not_resolved_waits_unless_it_proceeds() {
        let found = Defects::NONE.with(Defect::LimitedProceeds);
        let limited = |conflicts, defects| approach(DegradationLevel::Limited, conflicts, defects);
        let asks_about_regime = Approach::Ask(vec![regime()]);
        assert_eq!(limited(vec![regime()], Defects::NONE), asks_about_regime);
        assert_eq!(limited(vec![opinion(), regime()], found), asks_about_regime);
        for (conflicts, defects, action) in [
            (vec![opinion()], Defects::NONE, "wait"),
            (vec![opinion(), regime()], Defects::NONE, "wait"),
            (vec![opinion()], found, "proceed"),
        ] {
            assert_eq!(
                settled(limited(conflicts, defects)).as_deref(),
                Some(action)
            );
        }
    }

    #[test]
    fn only_opposed_opinions_need_numbers() {
        use std::rc::Rc;

        use crate::message::{Draft, Instant, MessageId, Topic};

        let said = |topic: Topic, bias: &str| {
            let json = json!({"symbol": "BTC/USDT", "bias": bias, "confidence": "high"});
            let draft = Draft::new(topic, "a".into(), Payload::from_json(topic, json));
            let message = draft.stamp(MessageId::number(0), Instant::START);
            Some(Rc::new(message.expect("it is valid")))
        };
        let between = |technical: &str, sentiment: &str| {
            let evidence = Evidence {
                technical: said(Topic::TaSignals, technical),
                sentiment: said(Topic::SentimentUpdates, sentiment),
                regime: None,
            };
            detect(&Payload::empty(), &evidence, DEFAULT_CONFIDENCE_THRESHOLD)
        };
        assert_eq!(between("long", "bullish"), Ok(Vec::new()));
        assert_eq!(between("long", "bearish"), Err(Raised::Type));
    }
}
