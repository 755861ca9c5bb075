//! The reply of an agent's model: what it is to be, and whether it is that.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::agents::said::{Holds, Speaker, fields_of, payload};
use crate::coordinator::reply::object_text;
use crate::message::{Name, Topic};

/// Fields in which a model says why. They are in the log with the reply, and in no message.
const REASONS: [&str; 2] = ["reason", "reasoning"];

/// How much of what is wrong is told, in characters.
const SHOWN: usize = 300;

/// The message that a reply is: the JSON object between its first `{` and its last `}`.
///
/// # Errors
/// Why it is none.
pub(super) fn read(text: &str, speaker: &Speaker<'_>, required: &[Name]) -> Result<Value, String> {
    let message = message(text, speaker, required);
    message.map_err(|what| match what.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &what[..cut]),
        None => what,
    })
}

fn message(text: &str, speaker: &Speaker<'_>, required: &[Name]) -> Result<Value, String> {
    let object = object_text(text).ok_or("it has no JSON object")?;
    let read = serde_json::from_str::<Once>(object);
    let mut fields = read.map_err(|error| format!("it is no JSON: {error}"))?.0;
    for reason in REASONS {
        match fields.remove(reason) {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(other) => return Err(format!("{reason}: expected a text, found {other}")),
        }
    }
    // A field without a value is one that was left out.
    fields.retain(|_, value| !value.is_null());
    if let Some(missing) = required
        .iter()
        .find(|name| !fields.contains_key(name.as_str()))
    {
        return Err(format!(
            "`{missing}` is missing, which the scenario requires"
        ));
    }
    payload(speaker, fields).map_err(|unfit| unfit.what)
}

/// An object that says each thing once.
struct Once(Map<String, Value>);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Once, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Once;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
                let mut fields = Map::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if fields.contains_key(&key) {
                        return Err(A::Error::custom(format!("{key:?} is said twice")));
                    }
                    fields.insert(key, value);
                }
                Ok(Once(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// What advice on a rebalancing is to be, told to a model.
const ADVICE: &str = "one JSON object with these fields: execution_strategy (a text such as limit or market, optional); \
     trades (a list in place of the trades that were worked out, optional; each is an object with symbol, action (buy or \
     sell), amount_usd (a number, 0 or more), execution_type (a text, optional) and priority (a whole number, optional)); \
     reason (a text, optional)";

/// What a reply on a topic is to be, told to a model.
pub(super) fn wanted(topic: Topic, required: &[Name]) -> String {
    if topic == Topic::PortfolioUpdates {
        return ADVICE.to_owned();
    }
    let field = |(name, holds, needed): &(&str, Holds, bool)| {
        let is_needed = *needed || required.iter().any(|other| other.as_str() == *name);
        let needed = if is_needed { "needed" } else { "optional" };
        format!("{name} ({}, {needed})", holds.told())
    };
    let fields: Vec<String> = match fields_of(topic) {
        Some(fields) => fields.iter().map(field).collect(),
        None => required
            .iter()
            .map(|name| format!("{name} (needed)"))
            .collect(),
    };
    let reason = "reason (a text, optional)".to_owned();
    let fields: Vec<String> = fields.into_iter().chain([reason]).collect();
    format!(
        "one JSON object with these fields and no others: {}",
        fields.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Result<Value, String> {
        let symbols = ["BTC/USDT", "XRP/USDT"].map(Name::from);
        let speaker = Speaker {
            topic: Topic::TradingSignals,
            symbol: &symbols[0],
            symbols: &symbols,
        };
        read(text, &speaker, &["stop_loss".into()])
    }

    // Fails if what a model says around its reply, its reasons or its nulls make a good reply unusable.
    #[test]
    fn a_reply_is_found_in_what_is_said_around_it() {
        let said = "Sure:\n```json\n{\"action\": \"BUY\", \"confidence\": 1, \"stop_loss\": 44000, \
                    \"take_profit\": null, \"reason\": \"{up}\"}\n```";
        let read = reading(said).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"symbol": "BTC/USDT", "action": "BUY", "confidence": 1.0, "stop_loss": 44000.0})
        );
    }

    // Fails if any of these would become a message.
    #[test]
    fn a_doubtful_reply_is_none() {
        for (said, why) in [
            (
                "I cannot help with decisions about money.",
                "no JSON object",
            ),
            (r#"{"action": "BUY", "confidence": 0.9"#, "no JSON object"),
            (
                r#"{"action": "BUY", "confidence": 0.9}"#,
                "`stop_loss` is missing",
            ),
            (
                r#"{"action": "BUY", "action": "SELL"}"#,
                "\"action\" is said twice",
            ),
            (
                r#"{"action": "BUY!", "confidence": 0.9, "stop_loss": 1}"#,
                "expected one of BUY, SELL, HOLD",
            ),
            (
                r#"{"action": "BUY", "confidence": "0.9", "stop_loss": 1}"#,
                "expected a number from 0 to 1",
            ),
            (
                r#"{"action": "BUY", "confidence": 1e999, "stop_loss": 1}"#,
                "number out of range",
            ),
            (
                r#"{"action": "BUY", "confidence": NaN, "stop_loss": 1}"#,
                "expected value",
            ),
            (
                r#"{"action": "BUY", "confidence": 0.9, "stop_loss": -1}"#,
                "expected a number above 0",
            ),
            (
                r#"{"action": "BUY", "confidence": 0.9, "stop_loss": 1, "leverage": 1.5}"#,
                "expected a whole number",
            ),
            (
                r#"{"action": "BUY", "confidence": 0.9, "stop_loss": 1, "symbol": "XRP/USDT"}"#,
                "about XRP/USDT",
            ),
            (
                r#"{"action": "BUY", "confidence": 0.9, "stop_loss": 1, "order": "now"}"#,
                "unknown field \"order\"",
            ),
            (
                r#"{"action": "BUY", "confidence": 0.9, "stop_loss": 1, "reason": {}}"#,
                "expected a text",
            ),
            (
                r#"{"action": "BUY"} {"action": "SELL"}"#,
                "trailing characters",
            ),
            (
                &format!("{{\"a\": {}{}}}", "[".repeat(5_000), "]".repeat(5_000)),
                "recursion limit",
            ),
        ] {
            let error = reading(said).unwrap_err();
            assert!(error.contains(why), "{said}: {error}");
        }
        let long = reading(&format!(
            r#"{{"stop_loss": 1, "{}": 1}}"#,
            "é".repeat(9_000)
        ));
        assert!(long.unwrap_err().chars().count() <= SHOWN + 1);
    }
}
