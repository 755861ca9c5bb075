//! A model's replies, and what they change.

use dacapo_orchestration::coordinator::modification::{
    self, ModificationBounds, ModificationError, Modified,
};
use dacapo_orchestration::coordinator::reply::{self, Loose, Origin};
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::message::{Payload, Raised, Topic};
use serde_json::{Value, json};

/// Whole numbers beyond this are recorded as text.
const EXACT: i64 = 1 << 53;

/// `parse_resolution`.
pub(super) fn parse_resolution(input: &Value, defects: Defects) -> Value {
    let resolution = match reply::parse(&text(input), defects) {
        Ok(resolution) => resolution,
        Err(raised) => return json!({"raises": code(raised)}),
    };
    json!({
        "action": recorded(&resolution.action),
        "confidence": recorded(&resolution.confidence),
        "modifications": recorded(&resolution.modifications),
        "reasoning": recorded(&resolution.reasoning),
        "default": resolution.origin == Origin::Unusable,
    })
}

/// `apply_modifications`.
pub(super) fn apply_modifications(input: &Value, defects: Defects) -> Value {
    let bounds = &input["bounds"];
    let pair = |name: &str| serde_json::from_value(bounds[name].clone()).expect("two numbers");
    let bounds = ModificationBounds {
        leverage: serde_json::from_value(bounds["leverage"].clone()).expect("two numbers"),
        size_reduction_pct: pair("size_reduction_pct"),
        entry_adjustment_pct: pair("entry_adjustment_pct"),
        min_entry_price: bounds["min_entry_price"].as_f64().expect("a number"),
    };
    let signal = Payload::from_json(Topic::TradingSignals, input["signal"].clone());
    let modifications = loose(&input["modifications"]);
    match modification::apply(&signal, &modifications, &bounds, defects) {
        Ok(Modified::Signal(signal)) => json!({"signal": signal.to_json()}),
        Ok(Modified::Wait) => panic!("only the sound profile waits"),
        Err(ModificationError::Raised(raised)) => json!({"raises": code(raised)}),
        Err(ModificationError::Invalid { .. }) => json!({"reject": "invalid_modifications"}),
    }
}

fn text(input: &Value) -> String {
    if let Some(text) = input["text"].as_str() {
        return text.to_owned();
    }
    let parts = input["text_parts"].as_array().expect("parts").iter();
    let part = |part: &Value| {
        let times = part[1].as_u64().expect("a number") as usize;
        part[0].as_str().expect("a text").repeat(times)
    };
    parts.map(part).collect()
}

fn code(raised: Raised) -> &'static str {
    match raised {
        Raised::Value => "value_error",
        Raised::Type => "type_error",
        Raised::Overflow => "overflow",
        Raised::RecursionLimit => "recursion_limit",
        Raised::DivisionByZero => "division_by_zero",
    }
}

/// A value in the words of the recording, which has its own for what JSON cannot say.
pub(super) fn recorded(value: &Loose) -> Value {
    match value {
        Loose::Int(number) if number.abs() > EXACT => json!({"$i": number.to_string()}),
        Loose::BigInt(digits) => json!({"$i": digits}),
        Loose::Float(number) if number.is_nan() => json!({"$f": "nan"}),
        Loose::Float(number) if number.is_infinite() => {
            json!({"$f": if *number > 0.0 { "inf" } else { "-inf" }})
        }
        Loose::List(items) => items.iter().map(recorded).collect(),
        Loose::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| (key.clone(), recorded(value)));
            Value::Object(fields.collect())
        }
        plain => serde_json::from_str(&plain.to_string()).expect("it is JSON"),
    }
}

/// The reverse of [`recorded`].
fn loose(value: &Value) -> Loose {
    match value {
        Value::Object(fields) => match (fields.get("$f"), fields.get("$i")) {
            (Some(Value::String(float)), _) => Loose::Float(float.parse().expect("a float")),
            (_, Some(Value::String(digits))) => Loose::parse(digits).expect("digits").value,
            _ => Loose::Object(
                fields
                    .iter()
                    .map(|(key, value)| (key.clone(), loose(value)))
                    .collect(),
            ),
        },
        Value::Array(items) => Loose::List(items.iter().map(loose).collect()),
        plain => Loose::parse(&plain.to_string()).expect("it is JSON").value,
    }
}
