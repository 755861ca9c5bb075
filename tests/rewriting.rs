//! JSON with some of its parts replaced.

use serde_json::Value;

/// The same value, but for each part that `replace` knows another for. Nothing within such a part
/// is looked at.
pub fn rewritten(value: &Value, replace: &impl Fn(&Value) -> Option<Value>) -> Value {
    if let Some(replaced) = replace(value) {
        return replaced;
    }
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), rewritten(value, replace)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| rewritten(item, replace)).collect(),
        other => other.clone(),
    }
}
