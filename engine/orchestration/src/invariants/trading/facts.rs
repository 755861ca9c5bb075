//! What a payload says, field by field, read by other code than the one that reads it in the coordinator.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::message::Payload;

/// The fields of a payload.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Facts(Map<String, Value>);

impl Facts {
    /// What it says; nothing if it is no object.
    pub(super) fn of(payload: &Payload) -> Facts {
        Facts(match payload {
            Payload::Raw(Value::Object(fields)) => fields.clone(),
            Payload::TradingSignal(said) => stated(said),
            Payload::TechnicalSignal(said) => stated(said),
            Payload::RegimeUpdate(said) => stated(said),
            Payload::SentimentUpdate(said) => stated(said),
            _ => Map::new(),
        })
    }

    /// What it says of this, if anything.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text, if it is one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A number, or what stands for one that is missing; none if it is no number.
    pub(super) fn number(&self, name: &str, missing: f64) -> Option<f64> {
        self.get(name).map_or(Some(missing), number)
    }

    /// The number that it says itself, if it says one.
    pub(super) fn own_number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(number)
    }
}

/// True and false are the numbers 1 and 0 here.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(true) => Some(1.0),
        Value::Bool(false) => Some(0.0),
        other => other.as_f64(),
    }
}

/// Whether both say the same, where 1 is 1.0.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(name, value): (&String, &Value)| {
                other.get(name).is_some_and(|other| equal(value, other))
            };
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

/// The fields of a message whose shape is known. What it leaves out is not there, rather than null.
fn stated(said: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(said) {
        Ok(Value::Object(mut fields)) => {
            fields.retain(|_, value| !value.is_null());
            fields
        }
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::Topic;

    // Fails if a field is lost, or one that is missing becomes null, in either form of a payload.
    #[test]
    fn both_forms_of_a_payload_say_the_same() {
        let said =
            |json: &Value| Facts::of(&Payload::from_json(Topic::TradingSignals, json.clone()));
        let known =
            json!({"symbol": "BTC/USDT", "action": "SELL", "confidence": 0.25, "leverage": 2});
        let mut raw = known.clone();
        raw["extra"] = Value::Null;
        for facts in [said(&known), said(&raw)] {
            assert_eq!(facts.text("action"), Some("SELL"));
            assert_eq!(facts.number("confidence", 0.5), Some(0.25));
            assert_eq!(facts.own_number("leverage"), Some(2.0));
            assert_eq!(facts.get("stop_loss"), None);
            assert_eq!(facts.number("size_usd", 100.0), Some(100.0));
        }
        assert_eq!(said(&raw).get("extra"), Some(&Value::Null));
        assert_eq!(said(&raw).number("extra", 1.0), None);
        assert_eq!(said(&json!("buy everything")).get("action"), None);
    }
}
