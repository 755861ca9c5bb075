//! JSON, and what of it TOML can say.

use serde_json::{Value, json};

/// These keys of an object, where it has them and they are not null.
pub(super) fn pick(value: &Value, keys: &[&str]) -> Value {
    let present = |key: &&str| {
        let value = value.get(*key).filter(|value| !value.is_null())?;
        Some(((*key).to_owned(), value.clone()))
    };
    Value::Object(keys.iter().filter_map(present).collect())
}

/// The value, or its JSON as a text where TOML cannot say it.
pub(super) fn json_or_text(value: &Value) -> Value {
    if value.is_object() && is_toml(value) {
        value.clone()
    } else {
        json!(value.to_string())
    }
}

/// Whether TOML has all of it: no null, and no whole number beyond 64 bits.
pub(super) fn is_toml(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.is_i64() || number.is_f64(),
        Value::Array(items) => items.iter().all(is_toml),
        Value::Object(object) => object.values().all(is_toml),
    }
}

/// The value in TOML, without what is null; none if it is a number that TOML does not have.
pub(super) fn toml_of(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(truth) => toml::Value::Boolean(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => toml::Value::Integer(whole),
            None if number.is_f64() => toml::Value::Float(number.as_f64()?),
            None => return None,
        },
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(items) => toml::Value::Array(items.iter().filter_map(toml_of).collect()),
        Value::Object(object) => {
            let entries = object.iter();
            let entries = entries.filter_map(|(key, value)| Some((key.clone(), toml_of(value)?)));
            toml::Value::Table(entries.collect())
        }
    })
}

pub(super) fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| format!("expected a list, found {value}"))
}

pub(super) fn text(value: &Value) -> Result<String, String> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| format!("expected a text, found {value}"))
}

pub(super) fn number(value: &Value) -> Result<f64, String> {
    value
        .as_f64()
        .ok_or_else(|| format!("expected a number, found {value}"))
}
