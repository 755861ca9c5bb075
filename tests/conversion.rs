//! A recorded end-to-end run as a scenario file that `dacapo run` plays.

mod agents;
mod events;
mod json;

use dacapo_orchestration::config::TaskKind;
use dacapo_orchestration::message::Instant;
use dacapo_orchestration::risk::RiskConfig;
use serde_json::{Map, Value, json};

use agents::{agents, models};
use events::events;
use json::{number, pick, text, toml_of};

use crate::rewriting::rewritten;

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
    rewritten(value, &|part| {
        let seconds = part.get("$t")?.as_f64()?;
        Some(json!(iso(seconds, start)))
    })
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
