//! The agents and the models, by what they are scripted to say.

use serde_json::{Map, Value, json};

use super::AGENTS;
use super::json::{json_or_text, list};

pub(super) fn models(input: &Value) -> Result<Value, String> {
    let model = |name: &str, default: &str| -> Result<Value, String> {
        let named = &input["config"]["llm"][name]["model"];
        let replies = list(&input["llm"][name])?.iter().map(reply);
        Ok(json!({
            "model": named.as_str().unwrap_or(default),
            "replies": { "scripted": replies.collect::<Vec<_>>() },
        }))
    };
    Ok(json!({
        "primary": model("primary", "deepseek-chat")?,
        "fallback": model("fallback", "claude-3-5-sonnet-20241022")?,
    }))
}

fn reply(entry: &Value) -> Value {
    let delay = &entry["delay_s"];
    match entry.get("text") {
        Some(text) => json!({ "delay_seconds": delay, "text": text }),
        None => {
            json!({ "delay_seconds": delay, "error": error_of(&entry["error"], "provider error") })
        }
    }
}

fn error_of(error: &Value, default: &str) -> String {
    error.as_str().unwrap_or(default).to_owned()
}

pub(super) fn agents(input: &Value) -> Result<Value, String> {
    let mut agents = Map::new();
    for kind in AGENTS {
        let agent = match input["agents"].get(kind.agent()) {
            None | Some(Value::Null) => json!("absent"),
            Some(script) => agent(script)?,
        };
        agents.insert(kind.agent().to_owned(), agent);
    }
    let missing = match &input["snapshot_builder"] {
        Value::Null => input["config"]["symbols"].clone(),
        builder => builder["missing"].clone(),
    };
    agents.insert("missing_snapshots".to_owned(), missing);
    Ok(Value::Object(agents))
}

fn agent(script: &Value) -> Result<Value, String> {
    match script["kind"].as_str() {
        Some("timeline") => {
            let timeline = script["timeline"]
                .as_object()
                .ok_or("a timeline is an object")?;
            let mut entries = Vec::new();
            for (symbol, of_symbol) in timeline {
                for entry in list(of_symbol)? {
                    entries.push(timeline_entry(symbol, entry));
                }
            }
            Ok(json!({ "scripted": entries }))
        }
        Some("rebalance_script") => {
            let plans = list(&script["timeline"])?.iter().map(|plan| {
                json!({
                    "from_seconds": plan["from_t"],
                    "action": plan["action"],
                    "dca_batches": plan["dca_batches"],
                    "dca_interval_hours": plan["dca_interval_hours"],
                    "trades": plan["trades"],
                })
            });
            Ok(json!({ "plans": plans.collect::<Vec<_>>() }))
        }
        Some("rebalance_real") => Ok(json!("rules")),
        other => Err(format!("an agent of the kind {other:?} is not known")),
    }
}

fn timeline_entry(symbol: &str, entry: &Value) -> Value {
    let mut said = json!({
        "from_seconds": entry["from_t"],
        "delay_seconds": entry.get("delay_s").cloned().unwrap_or(json!(0.0)),
    });
    if symbol != "*" {
        said["symbol"] = json!(symbol);
    }
    match entry.get("output") {
        Some(output) if !output.is_null() => said["output"] = json_or_text(output),
        _ => said["error"] = json!(error_of(&entry["error"], "error")),
    }
    said
}
