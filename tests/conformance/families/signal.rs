//! A trading signal on the bus, and everything that follows from it.

use std::cell::RefCell;

use dacapo_kernel::Event;
use dacapo_orchestration::Ctx;
use dacapo_orchestration::bus::history::Criteria;
use dacapo_orchestration::config::Config;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::message::{Draft, Name, Payload, Priority, Topic, Ttl};
use serde_json::{Value, json};

use super::resolution::{calls, models};
use super::risk::state;
use crate::desk::Desk;
use crate::stage;

/// `signal_handling`.
pub(super) fn handling(input: &Value, defects: Defects) -> Value {
    let config = config(input);
    let (given, settings) = (input.clone(), config.clone());
    let play = move |ctx: Ctx| async move {
        let (input, config) = (given, settings);
        let desk = Desk::new(&ctx, &config, defects, |_, risk| {
            risk.state = state(&input["risk_state"]);
        });
        desk.coordinator.subscribe().await;
        for message in input["messages"].as_array().unwrap() {
            stage::until(&ctx, &message["t"]).await;
            desk.bus.publish(&ctx, draft(message)).await.unwrap();
        }
        stage::until(&ctx, &input["now"]).await;
        desk.enter(&ctx, input["state"].as_str().unwrap()).await;
        let before = desk.bus.statistics();
        let begun = (stage::mark(&ctx), ctx.now());
        let signal = signal(&input["signal"]);
        desk.bus.publish(&ctx, signal).await.unwrap();
        let after = desk.bus.statistics();
        let (took, criteria) = (ctx.now() - begun.1, Criteria::default());
        // The announcement of a level change is a step of its own.
        ctx.yield_now().await;
        let latest = desk
            .bus
            .get_latest(&ctx, Topic::TradingSignals, &criteria, |_| true);
        let latest = latest.await.map(|message| message.payload.to_json());
        let told = json!({
            "delivered": u64::from(after.delivery_errors == before.delivery_errors),
            "delivery_errors": after.delivery_errors - before.delivery_errors,
            "elapsed_s": took.as_secs_f64(),
            "signal_payload_after": latest,
        });
        (begun.0, told, desk.coordinator.status(0))
    };
    let played = stage::play(&config, defects, play);
    let (begun, mut told, status) = played.returned;
    let events = &stage::between(&played.events, &[begun])[0];
    let executor = RefCell::new(Vec::new());
    let proposals: Vec<Value> = events
        .iter()
        .filter_map(|event| proposal(event, &executor))
        .collect();
    let messages = events.iter().filter_map(message).skip(1);
    let counters = &status.statistics;
    told["risk_proposals"] = json!(proposals);
    told["executor_calls"] = json!(executor.take());
    told["llm_calls"] = json!(calls(events));
    told["events"] = json!(messages.collect::<Vec<_>>());
    told["counters"] = json!({
        "conflicts_detected": counters.total_conflicts_detected,
        "conflicts_resolved": counters.total_conflicts_resolved,
        "trades_routed": counters.total_trades_routed,
    });
    told["llm_failures"] = json!(status.llm_failures);
    told["level"] = json!(status.level);
    told
}

fn config(input: &Value) -> Config {
    stage::config(json!({
        "llm": models(input),
        "conflicts": {
            "max_resolution_time_ms": input["max_resolution_time_ms"],
            "invoke_llm_threshold": input["invoke_llm_threshold"],
        },
        "consensus": input["consensus_config"],
        "degradation": { "llm_failures": input["llm_failures"] },
        "risk": input["risk_config"],
        "coordinator": { "default_size_usd": input["defaults"]["size_usd"] },
        "live": { "fail": input["executor"]["fail"], "raise": input["executor"]["raise"] },
    }))
}

fn draft(message: &Value) -> Draft {
    let topic = Topic::from_name(message["topic"].as_str().unwrap()).unwrap();
    let payload = Payload::from_json(topic, message["payload"].clone());
    let ttl = Ttl::from_secs(message["ttl_seconds"].as_f64().unwrap());
    Draft::new(topic, message["source"].as_str().unwrap().into(), payload).ttl(ttl)
}

fn signal(payload: &Value) -> Draft {
    let payload = Payload::from_json(Topic::TradingSignals, payload.clone());
    let source = Name::fixed("trading_decision");
    Draft::new(Topic::TradingSignals, source, payload).priority(Priority::High)
}

/// What reached the risk engine; orders on their way to the executor are put aside.
fn proposal(event: &Event<DomainEvent>, executor: &RefCell<Vec<Value>>) -> Option<Value> {
    match event.domain()? {
        DomainEvent::RiskJudged(judged) => {
            let it = &judged.proposal;
            Some(json!({
                "side": it.side,
                "size_usd": it.size_usd,
                "entry_price": it.entry_price,
                "stop_loss": it.stop_loss,
                "take_profit": it.take_profit,
                "leverage": it.leverage,
                "confidence": it.confidence,
                "regime": it.regime,
                "status": judged.status,
                "codes": judged.rejections,
            }))
        }
        DomainEvent::OrderSubmitted(submitted) => {
            let it = &submitted.order;
            executor.borrow_mut().push(json!({
                "t": stage::seconds(event.time),
                "symbol": it.symbol,
                "side": it.side,
                "size_usd": it.size_usd,
            }));
            None
        }
        _ => None,
    }
}

/// A published message, without ids and the texts of errors.
fn message(event: &Event<DomainEvent>) -> Option<Value> {
    let DomainEvent::Published(published) = event.domain()? else {
        return None;
    };
    let message = &published.message;
    let mut payload = message.payload.to_json();
    for field in ["order_id", "position_id", "error_message"] {
        payload.as_object_mut()?.remove(field);
    }
    Some(json!({ "topic": message.topic, "priority": message.priority, "payload": payload }))
}
