//! Commands and alerts on the bus, and what the coordinator makes of them.

use std::rc::Rc;

use dacapo_kernel::Event;
use dacapo_orchestration::Ctx;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::domain_event::{DomainEvent, EmergencyOrder};
use dacapo_orchestration::message::{Draft, Payload, Priority, Topic};
use serde_json::{Map, Value, json};

use super::schedule;
use crate::desk::Desk;
use crate::stage;

/// `coordinator_events`.
pub(super) fn events(input: &Value, defects: Defects) -> Value {
    let config = schedule::tasks(
        input,
        json!({
            "emergency": { "circuit_breaker": breakers(&input["emergency"]) },
            "live": { "connected": input["execution_manager"] },
        }),
    );
    let (given, settings) = (input.clone(), config.clone());
    let play = move |ctx: Ctx| async move {
        let (input, config) = (given, settings);
        let desk = Desk::new(&ctx, &config, defects, |timetable, _| {
            schedule::history(&input, timetable);
        });
        desk.coordinator.subscribe().await;
        let (mut marks, mut results) = (Vec::new(), Vec::new());
        for op in input["ops"].as_array().unwrap() {
            stage::until(&ctx, &op["t"]).await;
            let published = desk.bus.publish(&ctx, draft(op));
            marks.push(stage::mark(&ctx));
            published.await.unwrap();
            results.push(status(&desk));
        }
        (marks, results)
    };
    let played = stage::play(&config, defects, play);
    let (marks, mut results) = played.returned;
    for (result, events) in results
        .iter_mut()
        .zip(stage::between(&played.events, &marks))
    {
        let reactions = events.iter().filter_map(published).skip(1);
        result["events"] = json!(reactions.collect::<Vec<_>>());
        result["admin_calls"] = json!(events.iter().filter_map(admin_call).collect::<Vec<_>>());
        result["force_ran"] = json!(schedule::ran(&events));
    }
    json!({ "results": results })
}

/// The rules; in the original the section may be missing.
fn breakers(emergency: &Value) -> Value {
    let rules = emergency["circuit_breaker"].as_object();
    Value::Object(rules.cloned().unwrap_or_default())
}

fn draft(op: &Value) -> Draft {
    let topic = Topic::from_name(op["topic"].as_str().unwrap()).unwrap();
    let payload = Payload::from_json(topic, op["payload"].clone());
    let priority = Priority::from_name(op["priority"].as_str().unwrap()).unwrap();
    Draft::new(topic, op["source"].as_str().unwrap().into(), payload).priority(priority)
}

fn status(desk: &Desk) -> Value {
    let status = desk.coordinator.status(0);
    let enabled = status.tasks.iter();
    let enabled = enabled.map(|task| (task.name.to_string(), json!(task.enabled)));
    json!({
        "state": status.state.to_uppercase(),
        "tasks_enabled": enabled.collect::<Map<_, _>>(),
        "delivery_errors": status.bus.errors,
    })
}

fn published(event: &Event<DomainEvent>) -> Option<Value> {
    let DomainEvent::Published(published) = event.domain()? else {
        return None;
    };
    let message = Rc::clone(&published.message);
    Some(json!({
        "topic": message.topic,
        "source": message.source,
        "priority": message.priority,
        "payload": message.payload.to_json(),
    }))
}

/// What the executor of live trading is told in an emergency.
fn admin_call(event: &Event<DomainEvent>) -> Option<Value> {
    let DomainEvent::EmergencyOrdered(ordered) = event.domain()? else {
        return None;
    };
    let t = stage::seconds(event.time);
    Some(match ordered.order {
        EmergencyOrder::CloseAll => json!({ "t": t, "call": "close_all_positions" }),
        EmergencyOrder::Reduce(pct) => json!({ "t": t, "call": "reduce_positions", "pct": pct }),
    })
}
