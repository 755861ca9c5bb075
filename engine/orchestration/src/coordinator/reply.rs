//! A language model's answer to a conflict: read, validated, and what it amounts to.
//!
//! With `trust-llm-reply` on, whatever the model wrote is kept with its JSON type, and what it
//! leads to shows where it is used. Otherwise every part is validated and anything doubtful means
//! waiting. Asking the model is not done here.

mod loose_json;

use std::collections::BTreeMap;

pub use loose_json::{Loose, ParseError, Parsed};

use super::modification;
use crate::defect::{Defect, Defects};
use crate::message::Raised;

/// Where a resolution comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A model's reply as it came.
    Reply,
    /// A model's reply that had to be read as `wait`, because its action or its changes are none.
    Corrected,
    /// A model's reply that cannot be used at all.
    Unusable,
    /// No model answered in time.
    Timeout,
    /// Every model failed.
    Failed,
    /// Decided without a model, because at LIMITED there are too few of them to spare.
    Limited,
    /// Decided without a model, because at EMERGENCY none is asked.
    Emergency,
}

/// What is to be done about the conflicts of a signal.
///
/// The parts are JSON values because the simulated code may keep what a model wrote. A validated
/// reply has a known text as action, a number in 0 to 1 as confidence, an object or null as
/// modifications and a text as reasoning.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// `proceed`, `wait`, `modify` or `abort`.
    pub action: Loose,
    /// How sure the model is.
    pub confidence: Loose,
    /// What to change about the signal.
    pub modifications: Loose,
    /// For people; decides nothing.
    pub reasoning: Loose,
    /// Where it comes from.
    pub origin: Origin,
}

impl Resolution {
    /// A resolution that no model gave.
    pub fn decided(action: &str, confidence: f64, origin: Origin) -> Resolution {
        Resolution {
            action: action.into(),
            confidence: Loose::Float(confidence),
            modifications: Loose::Null,
            reasoning: Loose::Null,
            origin,
        }
    }

    /// The cautious way out: wait, with no confidence at all.
    pub fn waiting(origin: Origin) -> Resolution {
        Resolution::decided("wait", 0.0, origin)
    }

    /// Whether the signal is traded: the action is exactly `proceed` or `modify`.
    pub fn proceeds(&self) -> bool {
        matches!(self.action.text(), Some("proceed" | "modify"))
    }

    /// What to change about the signal before it is traded, if anything.
    pub fn changes(&self) -> Option<&Loose> {
        let is_change = self.action.text() == Some("modify");
        (is_change && modification::is_truthy(&self.modifications)).then_some(&self.modifications)
    }

    /// Whether getting this reply counts as a success of the model: only one that could be used.
    pub fn counts_as_success(&self, defects: Defects) -> bool {
        match self.origin {
            Origin::Reply => true,
            Origin::Corrected | Origin::Unusable => defects.has(Defect::GarbageCountsAsSuccess),
            Origin::Timeout | Origin::Failed | Origin::Limited | Origin::Emergency => false,
        }
    }
}

/// Reads a model's reply: the JSON object between the first `{` and the last `}`.
///
/// # Errors
///
/// Only with `trust-llm-reply` on: a value error for a whole number of more than 4,300 digits, a
/// recursion limit for JSON that is nested too deeply.
pub fn parse(text: &str, defects: Defects) -> Result<Resolution, Raised> {
    let unusable = Resolution::waiting(Origin::Unusable);
    let Some(json) = object_text(text) else {
        return Ok(unusable);
    };
    let parsed = Loose::parse(json);
    if defects.has(Defect::TrustLlmReply) {
        return match parsed {
            Ok(Parsed {
                value: Loose::Object(fields),
                ..
            }) => Ok(trusted(fields)),
            Err(ParseError::TooDeep) => Err(Raised::RecursionLimit),
            Err(ParseError::TooLong) => Err(Raised::Value),
            Ok(_) | Err(ParseError::Syntax { .. }) => Ok(unusable),
        };
    }
    Ok(match parsed {
        Ok(Parsed {
            value: Loose::Object(fields),
            is_strict: true,
        }) => validated(fields).unwrap_or(unusable),
        _ => unusable,
    })
}

/// The text from the first `{` to the last `}`.
pub(crate) fn object_text(text: &str) -> Option<&str> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    text.get(start..=end)
}

fn trusted(mut fields: BTreeMap<String, Loose>) -> Resolution {
    let mut take = |name, default| fields.remove(name).unwrap_or(default);
    Resolution {
        action: take("action", "wait".into()),
        confidence: take("confidence", Loose::Float(0.5)),
        modifications: take("modifications", Loose::Null),
        reasoning: take("reasoning", "".into()),
        origin: Origin::Reply,
    }
}

/// None if the whole reply is unusable.
fn validated(mut fields: BTreeMap<String, Loose>) -> Option<Resolution> {
    let confidence = match fields.get("confidence") {
        Some(stated) => clamp(stated.finite()?),
        None => 0.5,
    };
    let mut origin = Origin::Reply;
    let mut action = match fields.get("action").and_then(Loose::text) {
        Some(known @ ("proceed" | "wait" | "modify" | "abort")) => known.to_owned(),
        _ => {
            origin = Origin::Corrected;
            "wait".to_owned()
        }
    };
    let modifications = match fields.remove("modifications") {
        Some(stated @ Loose::Object(_)) if modification::is_valid(&stated) => stated,
        Some(Loose::Object(_)) => {
            if action == "modify" {
                origin = Origin::Corrected;
                action = "wait".to_owned();
            }
            Loose::Null
        }
        _ => Loose::Null,
    };
    let reasoning = match fields.remove("reasoning") {
        Some(text @ Loose::Text(_)) => text,
        _ => "".into(),
    };
    Some(Resolution {
        action: Loose::Text(action),
        confidence: Loose::Float(confidence),
        modifications,
        reasoning,
        origin,
    })
}

/// Into 0 to 1, where minus zero becomes zero.
fn clamp(confidence: f64) -> f64 {
    if confidence > 0.0 {
        confidence.min(1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
