//! Which message the reply of a model is, if it is one.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::message::{Name, Regime, SentimentBias, TechnicalBias, Topic};

/// The fields of a message but its symbol.
pub(super) type Fields = BTreeMap<String, Value>;

/// The message on a topic about a symbol that a text has in it; none if it is none.
pub(super) fn message(text: &str, topic: Topic, symbol: &Name) -> Option<Fields> {
    let object = text.get(text.find('{')?..=text.rfind('}')?)?;
    let Pairs(pairs) = serde_json::from_str(object).ok()?;
    let count = pairs.len();
    let mut fields: Fields = pairs.into_iter().collect();
    // What says a thing twice says nothing.
    (fields.len() == count).then_some(())?;
    for reason in ["reason", "reasoning"] {
        if let Some(said) = fields.remove(reason) {
            (said.is_string() || said.is_null()).then_some(())?;
        }
    }
    fields.retain(|_, value| !value.is_null());
    if let Some(said) = fields.remove("symbol") {
        (said == *symbol.as_str()).then_some(())?;
    }
    let needed: &[&str] = match topic {
        Topic::TradingSignals => &["action", "confidence"],
        Topic::TaSignals | Topic::SentimentUpdates => &["bias", "confidence"],
        Topic::RegimeUpdates => &["regime", "confidence"],
        _ => return Some(fields),
    };
    let is_whole = needed.iter().all(|name| fields.contains_key(*name));
    let all = fields.iter().all(|(name, value)| fits(topic, name, value));
    (is_whole && all).then_some(fields)
}

/// The fields of an object as they come, those that come twice included.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// Whether a field may stand in a message on a topic, with this value.
fn fits(topic: Topic, name: &str, value: &Value) -> bool {
    let number = value.as_f64();
    let one_of = |words: &[&str]| value.as_str().is_some_and(|word| words.contains(&word));
    match (topic, name) {
        (_, "confidence") => number.is_some_and(|share| (0.0..=1.0).contains(&share)),
        (Topic::TaSignals, "bias") => one_of(TechnicalBias::NAMES),
        (Topic::SentimentUpdates, "bias") => one_of(SentimentBias::NAMES),
        (Topic::RegimeUpdates | Topic::TradingSignals, "regime") => one_of(Regime::NAMES),
        (Topic::TradingSignals, "action") => one_of(&["BUY", "SELL", "HOLD"]),
        (Topic::TradingSignals, "leverage") => value.as_i64().is_some_and(|count| count >= 1),
        (Topic::TradingSignals, "entry_price" | "stop_loss" | "take_profit" | "size_usd") => {
            number.is_some_and(|number| number > 0.0)
        }
        _ => false,
    }
}
