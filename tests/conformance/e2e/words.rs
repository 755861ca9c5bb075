//! The words of the recordings: ids, times and errors as they are written there.

use dacapo_orchestration::message::Instant;
use dacapo_tests::rewritten;
use serde_json::{Map, Value, json};

use crate::encoding;

/// Fields that hold an id of the run's own.
const IDS: [&str; 5] = ["id", "order_id", "position_id", "output_id", "trade_id"];

/// Fields that the recordings leave out.
const LEFT_OUT: [&str; 3] = ["latency_ms", "tokens_used", "reasoning"];

/// Statistics under the names that the recordings give them.
const COUNTERS: [(&str, &str); 4] = [
    ("total_task_runs", "task_runs"),
    ("total_conflicts_detected", "conflicts_detected"),
    ("total_conflicts_resolved", "conflicts_resolved"),
    ("total_trades_routed", "trades_routed"),
];

/// A payload as it is recorded.
pub(crate) fn payload(value: &Value, start_us: i64) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object
                .iter()
                .filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()));
            let told = kept.map(|(key, value)| (key.clone(), field(key, value, start_us)));
            Value::Object(told.collect())
        }
        Value::Array(items) => items.iter().map(|item| payload(item, start_us)).collect(),
        other => dates(other, start_us),
    }
}

fn field(key: &str, value: &Value, start_us: i64) -> Value {
    match value {
        Value::String(_) if IDS.contains(&key) => json!("<id>"),
        Value::String(error) if key == "error" && error.starts_with("Task timed out") => {
            json!("timeout")
        }
        other => payload(other, start_us),
    }
}

/// The same with each date and time as seconds since the start.
pub(crate) fn dates(value: &Value, start_us: i64) -> Value {
    rewritten(value, &|part| {
        let is_date = |text: &&str| text.len() > 19 && text.as_bytes()[10] == b'T';
        let text = part.as_str().filter(is_date)?;
        let instant = Instant::from_iso(text, start_us)?;
        Some(encoding::time(instant.as_micros()))
    })
}

/// The state that a coordinator reports, as the recordings tell the final one.
pub(crate) fn status(status: &Value, start_us: i64) -> Value {
    let statistics = &status["statistics"];
    let counters = COUNTERS.map(|(ours, theirs)| (theirs.to_owned(), statistics[ours].clone()));
    let tasks = status["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|task| {
            let last_run = dates(&task["last_run"], start_us);
            let told = json!({"enabled": task["enabled"], "last_run": last_run});
            (task["name"].as_str().unwrap_or_default().to_owned(), told)
        });
    let state = status["state"].as_str().unwrap_or_default().to_uppercase();
    let mut told = json!({
        "state": state,
        "degradation": status["level"],
        "llm_failures": status["llm_failures"],
        "api_failures": status["api_failures"],
        "counters": counters.into_iter().collect::<Map<_, _>>(),
        "tasks": tasks.collect::<Map<_, _>>(),
        "bus": status["bus"],
        "scheduled_in_memory": status["scheduled_in_memory"].as_array().map_or(0, Vec::len),
        "ops_never_finished": status["operations_under_way"],
    });
    if !status["paper"].is_null() {
        told["paper"] = status["paper"].clone();
    }
    told
}
