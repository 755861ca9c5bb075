//! What agents that follow a script may say.

use std::time::Duration;

use dacapo_kernel::Time;
use serde_json::{Value, json};

use crate::agents::TimelineEntry;
use crate::message::Name;

/// The entries that an agent may go by when it is asked about a symbol at some moment of a span.
pub(super) fn entries<'a>(
    script: &'a [TimelineEntry],
    symbol: &'a Name,
    (since, until): (Time, Time),
) -> impl Iterator<Item = &'a TimelineEntry> {
    let seconds = |at: Time| at.as_nanos() as f64 / 1e9;
    let has_own = script.iter().any(|it| it.symbol.as_ref() == Some(symbol));
    let is_for = move |it: &&TimelineEntry| match &it.symbol {
        Some(own) => own == symbol,
        None => !has_own,
    };
    let own = || script.iter().filter(is_for);
    let first = own().rfind(|it| it.from_seconds <= seconds(since));
    let later = own()
        .filter(move |it| seconds(since) < it.from_seconds && it.from_seconds <= seconds(until));
    first.into_iter().chain(later)
}

/// Whether an entry has this said, by then, of a symbol that it need not name.
pub(super) fn fits(
    entry: &TimelineEntry,
    symbol: &Name,
    (since, now): (Time, Time),
    told: &Value,
) -> bool {
    let is_late_enough = since + Duration::from_secs_f64(entry.delay_seconds.max(0.0)) <= now;
    let (Some(output), None) = (&entry.output, &entry.error) else {
        return false;
    };
    let mut expected = output.0.clone();
    if let Value::Object(fields) = &mut expected
        && !fields.contains_key("symbol")
    {
        fields.insert("symbol".to_owned(), json!(symbol.as_str()));
    }
    is_late_enough && same(&expected, told)
}

/// Whether two values say the same; what is not there is null.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys());
            let field = |of: &serde_json::Map<String, Value>, name: &String| {
                of.get(name).cloned().unwrap_or_default()
            };
            names
                .into_iter()
                .all(|name| same(&field(one, name), &field(other, name)))
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Whether there is nothing that an entry has said.
pub(super) fn is_silent(entry: &TimelineEntry) -> bool {
    entry.output.is_none() && entry.error.is_none()
}
