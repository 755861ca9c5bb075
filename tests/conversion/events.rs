//! What happens from outside: the `[[events]]` of the scenario.

use serde_json::{Map, Value, json};

use super::json::{json_or_text, list, pick, text};

pub(super) fn events(input: &Value) -> Result<Value, String> {
    let mut events = Vec::new();
    let told = &input["risk"]["initial_update"];
    if !told.is_null() {
        events.push(json!({ "at_seconds": -1.0, "tell_risk": told }));
    }
    for event in list(&input["events"])? {
        events.push(outside_event(event)?);
    }
    let end = &input["duration_s"];
    events.push(json!({ "at_seconds": end, "status": {} }));
    if input["stop_at_end"] == true {
        events.push(json!({ "at_seconds": end, "stop": {} }));
    }
    Ok(Value::Array(events))
}

fn outside_event(event: &Value) -> Result<Value, String> {
    let (name, what) = match text(&event["op"])?.as_str() {
        "publish" => {
            let mut publish = pick(event, &["topic", "source", "priority", "ttl_seconds"]);
            publish["payload"] = json_or_text(&event["payload"]);
            ("publish", publish)
        }
        "subscribe" => ("subscribe", subscriber(event)?),
        "unsubscribe" => ("unsubscribe", pick(event, &["subscriber", "topic"])),
        "set_price" => ("set_price", pick(event, &["symbol", "price"])),
        "risk_update" => ("tell_risk", risk_figures(event)),
        "trade_result" => ("trade_result", pick(event, &["win"])),
        "force_run" => ("force_run", pick(event, &["task", "symbol"])),
        "coordinator_stop" => ("stop", json!({})),
        other => return Err(format!("the event {other} is not known")),
    };
    let mut said = json!({ "at_seconds": event["t"] });
    said[name] = what;
    Ok(said)
}

/// The figures lie in the event, or in an object of it.
fn risk_figures(event: &Value) -> Value {
    let keys = [
        "current_equity",
        "daily_pnl",
        "weekly_pnl",
        "open_positions",
        "total_exposure_pct",
        "available_margin",
    ];
    let inner = event.as_object().into_iter().flat_map(Map::values);
    let mut inner = inner.filter(|value| value.get(keys[0]).is_some());
    pick(inner.next().unwrap_or(event), &keys)
}

fn subscriber(event: &Value) -> Result<Value, String> {
    let mut subscriber = pick(event, &["subscriber", "topic"]);
    subscriber["delay_seconds"] = event.get("delay_s").cloned().unwrap_or(json!(0.0));
    match &event["fail"] {
        Value::Array(calls) => subscriber["fails"] = json!(calls),
        fail => subscriber["always_fails"] = json!(fail == "always"),
    }
    if !event["reply"].is_null() {
        let mut reply = pick(&event["reply"], &["topic", "priority", "max"]);
        reply["payload"] = json_or_text(&event["reply"]["payload"]);
        subscriber["reply"] = reply;
    }
    Ok(subscriber)
}
