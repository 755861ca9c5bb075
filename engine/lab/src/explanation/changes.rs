//! What differs between two states of a system, most telling first.

use dacapo_kernel::World;
use serde::Serialize;
use serde_json::Value;

use crate::divergence::{FieldDifference, compare};

/// What a system shows of itself, as a value.
pub(super) fn view_of<V: Serialize>(world: &World<V>) -> Value {
    // A view that JSON cannot say is shown by no other command either.
    serde_json::to_value(&world.view).unwrap_or(Value::Null)
}

/// What differs: words and switches before numbers, which mostly only count; what is new last.
pub(crate) fn between(before: &Value, after: &Value) -> Vec<FieldDifference> {
    let mut fields = compare("", Some(before), Some(after));
    fields.sort_by_key(rank);
    fields
}

fn rank(field: &FieldDifference) -> u8 {
    let is_plain =
        |value: &Option<Value>| !matches!(value, Some(Value::Object(_) | Value::Array(_)));
    match (&field.expected, &field.actual) {
        (before, after) if !is_plain(before) || !is_plain(after) => 3,
        (Some(Value::Number(_)), Some(Value::Number(_))) => 1,
        (Some(_), Some(_)) => 0,
        _ => 2,
    }
}
