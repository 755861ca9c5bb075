//! The order of messages within one instant, which two implementations may differ in.
//!
//! Across instants the order is exact. Within one, it is compared as recorded first, and where that
//! fails, source by source; how many runs needed that is counted and told.

use std::collections::BTreeMap;

use serde_json::Value;

/// The same list with what happens at one instant put in the order of `key`; of one key, it stays.
pub(crate) fn by_source(list: &Value, key: &str) -> Value {
    let Some(items) = list.as_array() else {
        return list.clone();
    };
    let mut instants: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    for item in items {
        let micros = (item["t"].as_f64().unwrap_or(0.0) * 1e6).round() as i64;
        instants.entry(micros).or_default().push(item.clone());
    }
    let sorted = instants.into_values().flat_map(|mut instant| {
        instant.sort_by_key(|item| item[key].to_string());
        instant
    });
    sorted.collect()
}
