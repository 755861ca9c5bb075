//! What somebody outside says: well-formed, nearly so, and not at all. Values choose among the variants, so
//! that the same value always says the same.

use dacapo_market::MarketConfig;
use serde_json::{Value, json};

use crate::config::{Config, TaskKind};
use crate::message::{Name, Topic};

/// On which topic, in whose name, what.
type Said = (Topic, &'static str, Value);

/// The symbol that a value chooses.
fn symbol(config: &Config, value: u64) -> Name {
    let count = config.symbols.len().max(1) as u64;
    let chosen = config.symbols.get((value % count) as usize);
    chosen.cloned().unwrap_or(Name::fixed("BTC/USDT"))
}

/// About what a symbol costs: the first price of its walk; none where prices are not generated.
fn about(config: &Config, symbol: &str) -> Option<f64> {
    let MarketConfig::Generated(generated) = &config.market else {
        return None;
    };
    let walk = generated
        .symbols
        .iter()
        .find(|walk| walk.symbol == symbol)?;
    walk.start_price.to_string().parse().ok()
}

/// A command with the parameters that it needs.
pub(super) fn command(name: &str, value: u64, config: &Config) -> Said {
    let task = TaskKind::ALL[(value % 5) as usize];
    let symbol = match task {
        TaskKind::PortfolioRebalance => Name::fixed("PORTFOLIO"),
        _ => symbol(config, value / 5),
    };
    let params = match name {
        "clear_halt" => json!({"operator": "ann", "reason": "looked into it"}),
        "enable_task" | "disable_task" => json!({"task_name": task.task()}),
        "force_run" => json!({"task_name": task.task(), "symbol": symbol}),
        _ => json!({}),
    };
    let payload = json!({"command": name, "params": params});
    (Topic::CoordinatorCommands, "operator", payload)
}

/// What is no command.
pub(super) fn bad_command(value: u64) -> Said {
    let payload = match value {
        0 => json!({"command": "force_run", "params": null}),
        1 => json!({"command": "enable_task", "params": {"task_name": "no_such_task"}}),
        2 => json!({"command": "clear_halt", "params": {"operator": ""}}),
        3 => json!({"command": 7}),
        4 => json!({"params": {}}),
        5 => json!({"command": "sell_everything", "params": {}}),
        6 => json!({"command": "clear_halt", "params": {"operator": "ann"}}),
        _ => {
            json!({"command": "clear_halt", "params": {"reason": "looked into it", "operator": null}})
        }
    };
    (Topic::CoordinatorCommands, "operator", payload)
}

/// A breached limit.
pub(super) fn breach(value: u64) -> Said {
    let (limit, severity) = match value {
        0 => ("daily_loss", "medium"),
        1 => ("weekly_loss", "high"),
        2 => ("max_drawdown", "critical"),
        3 => ("margin_call", "high"),
        _ => ("margin_call", "low"),
    };
    let payload = json!({
        "alert_type": "circuit_breaker",
        "breach_type": limit,
        "severity": severity,
        "message": "a limit was breached",
    });
    (Topic::RiskAlerts, "risk_monitor", payload)
}

/// A signal to buy or sell near the market.
pub(super) fn signal(config: &Config, value: u64) -> Option<Said> {
    let symbol = symbol(config, value);
    let price = about(config, &symbol)?;
    let buys = !(value / 3).is_multiple_of(3);
    let away = [1.002, 0.99, 1.0, 1.01][(value / 9 % 4) as usize];
    let (entry, up) = if buys {
        (price * away, 1.0)
    } else {
        (price * (2.0 - away), -1.0)
    };
    let payload = json!({
        "symbol": symbol,
        "action": if buys { "BUY" } else { "SELL" },
        "confidence": 0.75,
        "entry_price": entry,
        "stop_loss": entry * (1.0 - up * 0.03),
        "take_profit": entry * (1.0 + up * 0.05),
        "size_usd": 40.0 + (value % 7) as f64 * 20.0,
        "leverage": 1 + (value / 36) % 3,
        "regime": "ranging",
    });
    Some((Topic::TradingSignals, "desk", payload))
}

/// Leaves out a field, or says it in an unusual way that may still be right.
fn unusual(payload: &mut Value, value: u64) {
    let fields = [
        "size_usd",
        "leverage",
        "regime",
        "take_profit",
        "confidence",
        "stop_loss",
    ];
    let field = fields[(value % 6) as usize];
    match (value - 12) / 6 {
        0 => {
            if let Some(fields) = payload.as_object_mut() {
                fields.remove(field);
            }
        }
        1 => payload[field] = Value::Null,
        2 => payload[field] = true.into(),
        _ => payload[field] = 2.into(),
    }
}

/// A signal that is none.
pub(super) fn malformed(config: &Config, value: u64) -> Option<Said> {
    let (topic, source, mut payload) = signal(config, value)?;
    let mut spoil = |field: &str, value: Value| payload[field] = value;
    match value {
        0 => spoil("confidence", json!("high")),
        1 => spoil("size_usd", json!("much")),
        2 => spoil("entry_price", json!(null)),
        3 => spoil("entry_price", json!(-1.0)),
        4 => spoil("leverage", json!("3x")),
        5 => spoil("leverage", json!(0)),
        6 => spoil("stop_loss", json!([])),
        7 => spoil("symbol", json!(12)),
        8 => spoil("symbol", json!("NO/WHERE")),
        9 => payload = json!({"action": "BUY"}),
        10 => payload = json!("buy everything"),
        11 => spoil("size_usd", json!(1e300)),
        _ => unusual(&mut payload, value),
    }
    Some((topic, source, payload))
}

/// A signal that asks for what nobody knows.
pub(super) fn unknown_action(config: &Config, value: u64) -> Option<Said> {
    let (topic, source, mut payload) = signal(config, value)?;
    let actions = [
        json!("SHORT"),
        json!("buy"),
        json!("CLOSE"),
        json!(1),
        json!(null),
        json!(""),
        json!("SELL "),
        json!(["SELL"]),
    ];
    payload["action"] = actions[(value % 8) as usize].clone();
    Some((topic, source, payload))
}

/// What somebody makes of a symbol, in the words of one or the other vocabulary.
pub(super) fn evidence(config: &Config, value: u64) -> Said {
    let symbol = symbol(config, value);
    let confidence = 0.5 + (value / 64) as f64 * 0.1;
    let of = |words: &[&str]| words[(value / 9) as usize % words.len()].to_owned();
    match value / 3 % 3 {
        0 => {
            let bias = of(&["long", "short", "neutral"]);
            let payload = json!({"symbol": symbol, "bias": bias, "confidence": confidence});
            (Topic::TaSignals, "technical_analysis", payload)
        }
        1 => {
            let bias = of(&[
                "bullish",
                "bearish",
                "very_bullish",
                "very_bearish",
                "neutral",
            ]);
            let payload = json!({"symbol": symbol, "bias": bias, "confidence": confidence});
            (Topic::SentimentUpdates, "sentiment_analysis", payload)
        }
        _ => {
            let regime = of(&[
                "trending_bull",
                "trending_bear",
                "choppy",
                "ranging",
                "breakout_potential",
                "trending_up",
                "trending_down",
            ]);
            let payload = json!({"symbol": symbol, "regime": regime, "confidence": confidence});
            (Topic::RegimeUpdates, "regime_detection", payload)
        }
    }
}
