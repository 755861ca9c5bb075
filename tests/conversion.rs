//! A recorded end-to-end run as a scenario file that `dacapo run` plays.

use dacapo_orchestration::config::TaskKind;
use dacapo_orchestration::message::Instant;
use dacapo_orchestration::risk::RiskConfig;
use serde_json::{Map, Value, json};

/// The agents by the names that both know.
const AGENTS: [TaskKind; 5] = TaskKind::ALL;

/// What a schedule says, by the names of the recordings and by ours.
const SCHEDULE: [(&str, &str); 7] = [
    ("enabled", "enabled"),
    ("interval_seconds", "interval_seconds"),
    ("symbols", "symbols"),
    ("timeout_seconds", "timeout_seconds"),
    ("run_on_start", "run_on_start"),
    ("max_concurrent", "max_concurrent_symbols"),
    ("depends_on", "depends_on"),
];

/// The numbers of consensus.
const CONSENSUS: [&str; 4] = [
    "high_agreement_threshold",
    "low_agreement_threshold",
    "max_confidence_boost",
    "max_confidence_penalty",
];

/// The scenario of a recorded run, in a profile.
///
/// # Errors
/// What the run has that a scenario cannot say.
pub fn scenario(case: &Value, profile: &str) -> Result<String, String> {
    let input = &case["input"];
    let start = text(&input["t0"])?;
    let duration_ms = (number(&input["duration_s"])? * 1e3).round();
    let config = &input["config"];
    let symbols = match &config["symbols"] {
        Value::Null => json!(["BTC/USDT", "XRP/USDT"]),
        symbols => symbols.clone(),
    };
    let mut scenario = json!({
        "name": case["id"],
        "story": case["title"],
        "symbols": symbols,
        "trading_mode": input["trading_mode"],
        "run": { "seed": 1, "start": start, "duration": format!("{duration_ms}ms"), "profile": profile },
        "market": { "source": "none" },
        "conflicts": pick(&config["conflicts"], &["invoke_llm_threshold", "max_resolution_time_ms"]),
        "degradation": pick(&config["degradation"], &["recovery_threshold", "failures_per_level"]),
        "consensus": pick(&config["consensus"], &CONSENSUS),
        "emergency": emergency(&config["emergency"]),
        "schedules": schedules(&config["schedules"]),
        "coordinator": coordinator(&config["schedules"]),
        "message_bus": bus(input),
        "llm": models(input)?,
        "agents": agents(input)?,
        "portfolio": portfolio(input),
        "events": events(input)?,
        "live": live(&input["execution_manager"]),
        "store": store(&input["db"], &start)?,
    });
    for (section, value) in [
        ("risk", risk(&input["risk"])?),
        ("risk_mode", risk_mode(&input["risk"])),
        ("paper", paper(input)),
        ("markets", markets(input)),
        ("prices", prices(input)),
    ] {
        scenario[section] = value;
    }
    let table = toml_of(&scenario).ok_or("the run is empty")?;
    toml::to_string(&table).map_err(|error| error.to_string())
}

/// The instant of an encoded time, as ISO 8601.
pub fn iso(seconds: f64, start: &str) -> String {
    let origin = Instant::from_iso(start, 0).unwrap_or_default();
    Instant::from_secs_f64(seconds).to_iso(origin.as_micros())
}

// Sections.

fn schedules(config: &Value) -> Value {
    let mut schedules = Map::new();
    for kind in AGENTS {
        let said = &config[kind.agent()];
        let known = SCHEDULE
            .iter()
            .filter(|(theirs, _)| !said[*theirs].is_null());
        let schedule = known.map(|(theirs, ours)| ((*ours).to_owned(), said[*theirs].clone()));
        let schedule: Map<String, Value> = schedule.collect();
        schedules.insert(kind.agent().to_owned(), Value::Object(schedule));
    }
    Value::Object(schedules)
}

/// A rule is what is done, and what must be known for it.
fn emergency(config: &Value) -> Value {
    let Some(rules) = config["circuit_breaker"].as_object() else {
        return json!({ "circuit_breaker": {} });
    };
    let keys = ["action", "close_positions", "reduction_pct", "notify"];
    let rules = rules
        .iter()
        .map(|(limit, rule)| (limit.clone(), pick(rule, &keys)));
    json!({ "circuit_breaker": rules.collect::<Map<_, _>>() })
}

fn coordinator(schedules: &Value) -> Value {
    pick(schedules, &["max_concurrent_tasks"])
}

fn bus(input: &Value) -> Value {
    let mut bus = pick(
        &input["bus"],
        &["max_history_size", "cleanup_interval_seconds"],
    );
    bus["cleanup"] = input["bus_cleanup_running"].clone();
    bus
}

fn models(input: &Value) -> Result<Value, String> {
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

fn agents(input: &Value) -> Result<Value, String> {
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

/// What the real agent of a run is given.
fn portfolio(input: &Value) -> Value {
    let agent = &input["agents"]["portfolio_rebalance"];
    if agent["kind"] != "rebalance_real" {
        return json!({});
    }
    let config = &agent["config"];
    let rules = &config["rebalancing"];
    let mut rebalancing = pick(rules, &["threshold_pct", "min_trade_usd", "execution_type"]);
    let dca = ["enabled", "threshold_usd", "batches", "interval_hours"];
    rebalancing["dca"] = pick(&rules["dca"], &dca);
    json!({
        "target_allocation": pick(&config["target_allocation"], &["btc_pct", "xrp_pct", "usdt_pct"]),
        "rebalancing": rebalancing,
        "hodl_bags": pick(&config["hodl_bags"], &["btc_amount", "xrp_amount", "usdt_amount"]),
        "assumed": { "balances": config["mock_balances"], "prices": config["mock_prices"] },
    })
}

fn live(manager: &Value) -> Value {
    if manager.is_null() {
        return json!({ "connected": false });
    }
    json!({
        "fail": manager["fail"],
        "raise": manager["raise"],
        "delay_seconds": manager["delay_s"],
    })
}

fn store(db: &Value, start: &str) -> Result<Value, String> {
    if db.is_null() {
        return Ok(json!({ "kind": "none" }));
    }
    let mut store = pick(db, &["down", "insert_fail"]);
    match &db["coordinator_state"] {
        Value::Null => {}
        saved => store["saved"] = json!(with_dates(saved, start).to_string()),
    }
    Ok(store)
}

/// The same with each encoded time as ISO 8601.
fn with_dates(value: &Value, start: &str) -> Value {
    match value {
        Value::Object(object) => match object.get("$t").and_then(Value::as_f64) {
            Some(seconds) => json!(iso(seconds, start)),
            None => object
                .iter()
                .map(|(key, value)| (key.clone(), with_dates(value, start)))
                .collect(),
        },
        Value::Array(items) => items.iter().map(|item| with_dates(item, start)).collect(),
        other => other.clone(),
    }
}

fn risk(risk: &Value) -> Result<Value, String> {
    if risk["config"].is_null() {
        return Ok(json!({}));
    }
    // Reading it drops the keys that change nothing.
    let config: RiskConfig =
        serde_json::from_value(risk["config"].clone()).map_err(|error| error.to_string())?;
    serde_json::to_value(config).map_err(|error| error.to_string())
}

fn risk_mode(risk: &Value) -> Value {
    if risk["mode"] == "approve_all" {
        json!({ "approve_all": risk["reject_symbols"] })
    } else {
        json!("engine")
    }
}

fn paper(input: &Value) -> Value {
    let keys = [
        "initial_balance",
        "fill_delay_ms",
        "simulated_slippage_pct",
        "simulate_partial_fills",
        "max_trade_history",
    ];
    let mut paper = pick(&input["execution_config"]["paper_trading"], &keys);
    paper["slippage_draws"] = input["random_uniform"].clone();
    paper
}

fn markets(input: &Value) -> Value {
    let symbols = input["execution_config"]["symbols"].as_object();
    let keys = ["price_decimals", "size_decimals", "fee_pct"];
    let pairs = symbols.into_iter().flatten();
    let pairs = pairs.map(|(symbol, rules)| (symbol.clone(), pick(rules, &keys)));
    json!({ "pairs": pairs.collect::<Map<_, _>>() })
}

fn prices(input: &Value) -> Value {
    let mut prices = json!({ "table": input["prices"] });
    if let Some(age) = input["execution_config"].get("price_cache_max_age_seconds") {
        prices["max_age_s"] = age.clone();
    }
    prices
}

// What happens from outside.

fn events(input: &Value) -> Result<Value, String> {
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

// JSON and TOML.

/// These keys of an object, where it has them and they are not null.
fn pick(value: &Value, keys: &[&str]) -> Value {
    let present = |key: &&str| {
        let value = value.get(*key).filter(|value| !value.is_null())?;
        Some(((*key).to_owned(), value.clone()))
    };
    Value::Object(keys.iter().filter_map(present).collect())
}

/// The value, or its JSON as a text where TOML cannot say it.
fn json_or_text(value: &Value) -> Value {
    if value.is_object() && is_toml(value) {
        value.clone()
    } else {
        json!(value.to_string())
    }
}

/// Whether TOML has all of it: no null, and no whole number beyond 64 bits.
fn is_toml(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.is_i64() || number.is_f64(),
        Value::Array(items) => items.iter().all(is_toml),
        Value::Object(object) => object.values().all(is_toml),
    }
}

/// The value in TOML, without what is null; none if it is a number that TOML does not have.
fn toml_of(value: &Value) -> Option<toml::Value> {
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

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| format!("expected a list, found {value}"))
}

fn text(value: &Value) -> Result<String, String> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| format!("expected a text, found {value}"))
}

fn number(value: &Value) -> Result<f64, String> {
    value
        .as_f64()
        .ok_or_else(|| format!("expected a number, found {value}"))
}
