//! Carrying out a rebalancing: what is sent at once, what is stored, and what becomes of it.

use dacapo_kernel::Event;
use dacapo_orchestration::Ctx;
use dacapo_orchestration::config::Config;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::rebalance::{Plan, PlanAction, RebalanceTrade};
use serde_json::{Value, json};

use super::schedule::told_time;
use crate::desk::Desk;
use crate::encoding::amount;
use crate::stage;

/// More insertions than any case makes.
const ALL: u64 = 10_000;

/// `rebalance_execution`.
pub(super) fn execution(input: &Value, defects: Defects) -> Value {
    let config = config(input);
    let (given, settings) = (input.clone(), config.clone());
    let play = move |ctx: Ctx| async move {
        let (input, config) = (given, settings);
        let desk = Desk::new(&ctx, &config, defects, |_, _| {});
        desk.coordinator.subscribe().await;
        desk.enter(&ctx, input["state"].as_str().unwrap()).await;
        let mut marks = vec![stage::mark(&ctx)];
        desk.coordinator.rebalance(&plan(&input)).await;
        let (stored_db, stored_memory) = (rows(&desk), memory(&desk));
        let mut ticks = Vec::new();
        for tick in input["ticks"].as_array().unwrap() {
            stage::until(&ctx, tick).await;
            marks.push(stage::mark(&ctx));
            desk.coordinator.run_due_legs().await;
            let left = memory(&desk).as_array().map_or(0, Vec::len);
            ticks.push(json!({ "t": tick, "memory_left": left, "db_status": statuses(&desk) }));
        }
        (marks, stored_db, stored_memory, ticks)
    };
    let played = stage::play(&config, defects, play);
    let (marks, stored_db, stored_memory, mut ticks) = played.returned;
    let parts = stage::between(&played.events, &marks);
    for (tick, events) in ticks.iter_mut().zip(&parts[1..]) {
        tick["calls"] = json!(sent(events));
    }
    let events = parts[0].iter().filter_map(executed);
    json!({
        "immediate_calls": sent(&parts[0]),
        "events": events.collect::<Vec<_>>(),
        "stored_db": stored_db,
        "stored_memory": stored_memory,
        "ticks": ticks,
    })
}

fn config(input: &Value) -> Config {
    let store = if input["db"].is_null() {
        json!({ "kind": "none" })
    } else {
        let fails = input["db"]["insert_fail"].as_array().unwrap();
        let fails: Vec<u64> = if fails.iter().any(|fail| fail == "all") {
            (0..ALL).collect()
        } else {
            fails.iter().map(|fail| fail.as_u64().unwrap()).collect()
        };
        json!({
            "insert_fail": fails,
            "fetch_fail": input["db"]["fetch_fail"],
            "update_fail": input["db"]["update_fail"],
        })
    };
    stage::config(json!({
        "store": store,
        "risk_mode": { "approve_all": input["risk"]["reject_symbols"] },
        "live": { "fail": input["executor"]["fail"], "raise": input["executor"]["raise"] },
    }))
}

fn plan(input: &Value) -> Plan {
    let trades = input["trades"].as_array().unwrap().iter();
    let trades = trades.map(|trade| RebalanceTrade {
        symbol: trade["symbol"].as_str().unwrap().to_owned(),
        action: serde_json::from_value(trade["action"].clone()).unwrap(),
        amount_usd: amount(&trade["amount_usd"]),
        execution_type: "limit".to_owned(),
        priority: 1,
        batch_index: trade["batch_index"].as_u64().unwrap() as u32,
        scheduled_offset_s: trade["scheduled_offset_s"].as_f64().map(|secs| secs as i64),
    });
    Plan {
        action: PlanAction::Rebalance,
        confidence: 0.8,
        execution_strategy: "immediate".to_owned(),
        dca_batches: input["dca_batches"].as_u64().unwrap() as u32,
        dca_interval_hours: input["dca_interval_hours"].as_i64().unwrap(),
        total_trade_value_usd: Default::default(),
        used_fallback_strategy: false,
        allocation: None,
        trades: trades.collect(),
    }
}

/// The stored trades: symbol, side, dollars, batch, seconds until due; null without a store.
fn rows(desk: &Desk) -> Value {
    if !desk.store.exists() {
        return Value::Null;
    }
    let legs = desk.store.legs().into_iter().map(|row| {
        let due = row.leg.due.as_micros() as f64 / 1e6;
        let trade = &row.leg.trade;
        let dollars = trade.amount_usd.to_f64();
        json!([trade.symbol, trade.action, dollars, trade.batch_index, due])
    });
    legs.collect()
}

fn memory(desk: &Desk) -> Value {
    let legs = desk.coordinator.status(0).scheduled_in_memory.into_iter();
    let told = legs.map(|leg| {
        let due = told_time(Some(&leg.due));
        let dollars = leg.amount_usd.to_f64();
        json!([leg.symbol, leg.side, dollars, leg.batch_index, due["$t"]])
    });
    told.collect()
}

fn statuses(desk: &Desk) -> Value {
    if !desk.store.exists() {
        return Value::Null;
    }
    let legs = desk.store.legs().into_iter();
    legs.map(|row| json!(row.status.name())).collect()
}

/// What was sent to the executor.
fn sent(events: &[Event<DomainEvent>]) -> Vec<Value> {
    let sent = events.iter().filter_map(|event| match event.domain() {
        Some(DomainEvent::OrderSubmitted(submitted)) => Some(json!({
            "t": stage::seconds(event.time),
            "symbol": submitted.order.symbol,
            "side": submitted.order.side,
            "size_usd": submitted.order.size_usd,
        })),
        _ => None,
    });
    sent.collect()
}

fn executed(event: &Event<DomainEvent>) -> Option<Value> {
    let DomainEvent::Published(published) = event.domain()? else {
        return None;
    };
    let mut told = published.message.payload.to_json();
    told.as_object_mut()?.remove("order_id");
    told["topic"] = json!(published.message.topic);
    Some(told)
}
