//! A system's configuration without what it would be anyway.
//!
//! A resolved plan has every value. What can be left out with the very same configuration as the
//! result is a default, and would only hide what the scenario is about.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The configuration without its defaults.
pub(super) fn left_out<C: Serialize + DeserializeOwned>(
    system: Map<String, Value>,
) -> Map<String, Value> {
    let whole = Value::Object(system);
    let mut less = without_nulls(&whole);
    let is_same = |value: &Value| {
        let config = serde_json::from_value::<C>(value.clone());
        config
            .and_then(serde_json::to_value)
            .is_ok_and(|resolved| resolved == whole)
    };
    if is_same(&less) {
        thin_out(&mut less, &mut Vec::new(), &is_same);
    }
    match less {
        Value::Object(less) => less,
        _ => Map::new(),
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(table) => {
            let present = table.iter().filter(|(_, value)| !value.is_null());
            let entries = present.map(|(key, value)| (key.clone(), without_nulls(value)));
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// Leaves out every key below a place that makes no difference; a table as a whole before its parts.
fn thin_out(whole: &mut Value, place: &mut Vec<String>, is_same: &dyn Fn(&Value) -> bool) {
    let keys: Vec<String> = match at(whole, place) {
        Some(Value::Object(table)) => table.keys().cloned().collect(),
        Some(Value::Array(items)) => (0..items.len()).map(|n| n.to_string()).collect(),
        _ => return,
    };
    for key in keys {
        let mut without = whole.clone();
        let removed = match at(&mut without, place) {
            Some(Value::Object(table)) => table.remove(&key).is_some(),
            _ => false,
        };
        if removed && is_same(&without) {
            *whole = without;
            continue;
        }
        place.push(key);
        thin_out(whole, place, is_same);
        place.pop();
    }
}

fn at<'a>(whole: &'a mut Value, place: &[String]) -> Option<&'a mut Value> {
    place.iter().try_fold(whole, |value, key| match value {
        Value::Object(table) => table.get_mut(key),
        Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    })
}
