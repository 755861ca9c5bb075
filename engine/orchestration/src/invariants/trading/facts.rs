//! What a payload says, field by field, read by other code than the one that reads it in the coordinator.

use serde_json::Value;

use crate::message::{Payload, RegimeUpdate, SentimentUpdate, TechnicalSignal, TradingSignal};

/// What a field says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fact<'a> {
    Null,
    Truth(bool),
    Whole(i128),
    Number(f64),
    Text(&'a str),
    /// A list or an object.
    Other(&'a Value),
}

impl<'a> Fact<'a> {
    /// A text, if it is one.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Fact::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, if it is one. True and false are the numbers 1 and 0 here.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Fact::Truth(truth) => Some(f64::from(u8::from(truth))),
            Fact::Whole(number) => Some(number as f64),
            Fact::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Whether both say the same, where 1 is 1.0.
    pub(super) fn agrees(self, other: Fact<'_>) -> bool {
        match (self, other) {
            (Fact::Truth(one), Fact::Truth(other)) => one == other,
            (Fact::Truth(_), _) | (_, Fact::Truth(_)) => false,
            (Fact::Other(one), Fact::Other(other)) => equal(one, other),
            (one, other) => {
                one == other || one.number().is_some_and(|it| Some(it) == other.number())
            }
        }
    }

    /// As JSON.
    pub(super) fn to_json(self) -> Value {
        match self {
            Fact::Null => Value::Null,
            Fact::Truth(truth) => truth.into(),
            Fact::Whole(number) => match u64::try_from(number) {
                Ok(number) => number.into(),
                Err(_) => i64::try_from(number).unwrap_or(i64::MIN).into(),
            },
            Fact::Number(number) => number.into(),
            Fact::Text(text) => text.into(),
            Fact::Other(value) => value.clone(),
        }
    }
}

impl<'a> From<&'a Value> for Fact<'a> {
    fn from(value: &'a Value) -> Fact<'a> {
        match value {
            Value::Null => Fact::Null,
            Value::Bool(truth) => Fact::Truth(*truth),
            Value::String(text) => Fact::Text(text),
            Value::Number(number) => match (number.as_i128(), number.as_f64()) {
                (Some(whole), _) => Fact::Whole(whole),
                (None, Some(number)) => Fact::Number(number),
                (None, None) => Fact::Null,
            },
            other => Fact::Other(other),
        }
    }
}

/// The fields of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a>(&'a Payload);

impl<'a> Facts<'a> {
    /// What it says; nothing if it is no object.
    pub(super) fn of(payload: &'a Payload) -> Facts<'a> {
        Facts(payload)
    }

    /// What it says of this, if anything.
    pub(super) fn get(self, name: &str) -> Option<Fact<'a>> {
        match self.0 {
            Payload::Raw(Value::Object(fields)) => fields.get(name).map(Fact::from),
            Payload::TradingSignal(said) => of_signal(said, name),
            Payload::TechnicalSignal(TechnicalSignal {
                symbol,
                bias,
                confidence,
            }) => opinion(name, symbol, ("bias", bias.name()), *confidence),
            Payload::RegimeUpdate(RegimeUpdate {
                symbol,
                regime,
                confidence,
            }) => opinion(name, symbol, ("regime", regime.name()), *confidence),
            Payload::SentimentUpdate(SentimentUpdate {
                symbol,
                bias,
                confidence,
            }) => opinion(name, symbol, ("bias", bias.name()), *confidence),
            _ => None,
        }
    }

    /// A text, if it is one.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Fact::text)
    }

    /// A number, or what stands for one that is missing; none if it is no number.
    pub(super) fn number(self, name: &str, missing: f64) -> Option<f64> {
        self.get(name).map_or(Some(missing), Fact::number)
    }

    /// The number that it says itself, if it says one.
    pub(super) fn own_number(self, name: &str) -> Option<f64> {
        self.get(name).and_then(Fact::number)
    }
}

fn of_signal<'a>(said: &'a TradingSignal, name: &str) -> Option<Fact<'a>> {
    match name {
        "symbol" => Some(Fact::Text(&said.symbol)),
        "action" => Some(Fact::Text(said.action.name())),
        "confidence" => float(said.confidence),
        "entry_price" => said.entry_price.and_then(float),
        "stop_loss" => said.stop_loss.and_then(float),
        "take_profit" => said.take_profit.and_then(float),
        "size_usd" => said.size_usd.and_then(float),
        "leverage" => said.leverage.map(|it| Fact::Whole(it.into())),
        "regime" => said.regime.map(|it| Fact::Text(it.name())),
        "consensus_multiplier" => said.consensus_multiplier.and_then(float),
        _ => None,
    }
}

fn opinion<'a>(
    name: &str,
    symbol: &'a str,
    (field, word): (&str, &'static str),
    confidence: f64,
) -> Option<Fact<'a>> {
    match name {
        "symbol" => Some(Fact::Text(symbol)),
        "confidence" => float(confidence),
        _ => (name == field).then_some(Fact::Text(word)),
    }
}

/// What is no number says nothing.
fn float<'a>(number: f64) -> Option<Fact<'a>> {
    number.is_finite().then_some(Fact::Number(number))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::Topic;

    // Fails if a field is lost, or one that is missing becomes null, in either form of a payload.
    #[test]
    fn both_forms_of_a_payload_say_the_same() {
        let said = |json: &Value| Payload::from_json(Topic::TradingSignals, json.clone());
        let full = json!({
            "symbol": "BTC/USDT", "action": "SELL", "confidence": 0.25, "leverage": 2,
            "entry_price": 10.5, "stop_loss": 11.0, "take_profit": 9.0, "size_usd": 50.0,
            "regime": "choppy", "consensus_multiplier": 1.1,
        });
        let known = said(&full);
        assert!(!matches!(known, Payload::Raw(_)));
        let raw = Payload::Raw(full.clone());
        for name in full.as_object().expect("an object").keys() {
            let fact = Facts::of(&known).get(name);
            assert!(fact.is_some(), "{name}");
            assert_eq!(fact, Facts::of(&raw).get(name), "{name}");
        }
        let least = json!({"symbol": "BTC/USDT", "action": "SELL", "confidence": 0.25});
        let mut more = least.clone();
        more["extra"] = Value::Null;
        let (least, more) = (said(&least), said(&more));
        for facts in [Facts::of(&least), Facts::of(&more)] {
            assert_eq!(facts.text("action"), Some("SELL"));
            assert_eq!(facts.number("confidence", 0.5), Some(0.25));
            assert_eq!(facts.get("stop_loss"), None);
            assert_eq!(facts.number("size_usd", 100.0), Some(100.0));
        }
        assert_eq!(Facts::of(&more).get("extra"), Some(Fact::Null));
        assert_eq!(Facts::of(&more).number("extra", 1.0), None);
        let text = said(&json!("buy everything"));
        assert_eq!(Facts::of(&text).get("action"), None);
    }

    #[test]
    fn opinions_have_their_own_words() {
        for (topic, field, word) in [
            (Topic::TaSignals, "bias", "long"),
            (Topic::RegimeUpdates, "regime", "choppy"),
            (Topic::SentimentUpdates, "bias", "bearish"),
        ] {
            let said = json!({"symbol": "BTC/USDT", field: word, "confidence": 0.5});
            let known = Payload::from_json(topic, said);
            assert!(!matches!(known, Payload::Raw(_)), "{topic}");
            let facts = Facts::of(&known);
            assert_eq!(facts.text(field), Some(word));
            assert_eq!(facts.text("symbol"), Some("BTC/USDT"));
            assert_eq!(facts.own_number("confidence"), Some(0.5));
            assert_eq!(facts.get("action"), None);
        }
    }

    // Fails if what is written otherwise counts as something else, or a truth as a number.
    #[test]
    fn one_is_one_however_it_is_written() {
        let agree = |one: Value, other: Value| Fact::from(&one).agrees(Fact::from(&other));
        assert!(agree(json!(1), json!(1.0)));
        assert!(agree(json!([1, "x"]), json!([1.0, "x"])));
        assert!(agree(Value::Null, Value::Null));
        assert!(!agree(json!(true), json!(1)));
        assert!(!agree(json!("1"), json!(1)));
        assert!(!agree(json!("BTC"), json!("ETH")));
        for json in [
            json!(u64::MAX),
            json!(-3),
            json!(0.5),
            json!("x"),
            json!({"a": 1}),
        ] {
            assert_eq!(Fact::from(&json).to_json(), json);
        }
    }
}
