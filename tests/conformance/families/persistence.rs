//! What a coordinator saves, and how it goes on from it.

use std::rc::Rc;

use dacapo_orchestration::Ctx;
use dacapo_orchestration::config::Config;
use dacapo_orchestration::coordinator::schedule::Timetable;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::message::{Draft, Instant, Name, Payload, Topic};
use dacapo_tests::rewritten;
use serde_json::{Map, Value, json};

use super::schedule::{self, told_time};
use crate::desk::Desk;
use crate::encoding::{T0_US, instant, micros};
use crate::stage;

/// Long before and long after every case.
const ALWAYS: [f64; 2] = [-1e6, 1e6];

/// `persistence_save`.
pub(super) fn save(input: &Value, defects: Defects) -> Value {
    let config = config(input, Value::Null);
    let (given, settings) = (input.clone(), config.clone());
    let play = move |ctx: Ctx| async move {
        let (input, config) = (given, settings);
        let desk = Desk::new(&ctx, &config, defects, |timetable, _| {
            schedule::history(&input, timetable);
            under_way(&input, timetable);
        });
        let statistics = json!({ "statistics": input["statistics"] });
        assert!(desk.coordinator.restore(&statistics));
        desk.coordinator.subscribe().await;
        for command in commands(input["state"].as_str().unwrap()) {
            let payload = json!({ "command": command, "params": {} });
            let topic = Topic::CoordinatorCommands;
            let payload = Payload::from_json(topic, payload);
            let draft = Draft::new(topic, Name::fixed("operator"), payload);
            desk.bus.publish(&ctx, draft).await.unwrap();
        }
        desk.coordinator.save()
    };
    let played = stage::play(&config, defects, play);
    let saved = played
        .events
        .iter()
        .rev()
        .find_map(|event| match event.domain() {
            Some(DomainEvent::StateSaved(saved)) => Some(dates(&saved.record.0)),
            _ => None,
        });
    json!({
        "returned": played.returned,
        "row_id": saved.as_ref().map(|_| "coordinator"),
        "state_data": saved,
    })
}

/// The commands that lead to a state.
fn commands(state: &str) -> &'static [&'static str] {
    match state {
        "RUNNING" => &[],
        "PAUSED" => &["pause"],
        "HALTED" => &["halt"],
        other => panic!("unknown state {other}"),
    }
}

fn under_way(input: &Value, timetable: &mut Timetable) {
    for (name, started) in input["running"].as_object().unwrap() {
        if let Some(at) = timetable.find(name) {
            let task = timetable.task_mut(at);
            task.running = true;
            task.started = started.as_f64().map(|_| instant(started));
        }
    }
}

/// `persistence_load`.
pub(super) fn load(input: &Value, defects: Defects) -> Value {
    let config = config(input, encoded_dates(&input["stored"]));
    let (given, settings) = (input.clone(), config.clone());
    let play = move |ctx: Ctx| async move {
        let (input, config) = (given, settings);
        let mut begun = Vec::new();
        let desk = Desk::new(&ctx, &config, defects, |timetable, _| {
            schedule::history(&input, timetable);
        });
        let returned = desk.coordinator.load().await;
        let status = desk.coordinator.status(0);
        begun.push(stage::mark(&ctx));
        stage::until(&ctx, &input["tick_at"]).await;
        desk.coordinator.look().await;
        (returned, status, begun)
    };
    let played = stage::play(&config, defects, play);
    let (returned, status, begun) = played.returned;
    let ticked = &stage::between(&played.events, &begun)[0];
    let tasks = status.tasks.iter().map(|task| {
        let told = json!({
            "enabled": task.enabled,
            "last_run": told_time(task.last_run.as_deref()),
            "run_on_start": task.run_on_start,
        });
        (task.name.to_string(), told)
    });
    let messages = played
        .events
        .iter()
        .take_while(|event| event.seq < begun[0]);
    let messages = messages.filter_map(|event| match event.domain() {
        Some(DomainEvent::Published(published)) => {
            let message = Rc::clone(&published.message);
            Some(json!({
                "topic": message.topic,
                "priority": message.priority,
                "payload": message.payload.to_json(),
            }))
        }
        _ => None,
    });
    json!({
        "returned": returned,
        "state": status.state.to_uppercase(),
        "degradation": status.level,
        "statistics": status.statistics,
        "tasks": tasks.collect::<Map<_, _>>(),
        "events": messages.collect::<Vec<_>>(),
        "ran_at_tick": schedule::ran(ticked),
    })
}

fn config(input: &Value, saved: Value) -> Config {
    let mut store = match input["db"].as_str().unwrap() {
        "ok" => json!({}),
        "none" => json!({ "kind": "none" }),
        "fail" => json!({ "down": [ALWAYS] }),
        other => panic!("unknown store {other}"),
    };
    if !saved.is_null() {
        // Text is JSON here, so that text that is none can be told.
        store["saved"] = json!(saved.to_string());
    }
    schedule::tasks(input, json!({ "store": store }))
}

/// The same with each encoded time as a date.
fn encoded_dates(value: &Value) -> Value {
    rewritten(value, &|part| {
        let seconds = part.get("$t")?;
        Some(json!(Instant::from_micros(micros(seconds)).to_iso(T0_US)))
    })
}

/// The same with each date as an encoded time.
fn dates(value: &Value) -> Value {
    rewritten(value, &|part| {
        let told = told_time(Some(part.as_str()?));
        (!told.is_null()).then_some(told)
    })
}
