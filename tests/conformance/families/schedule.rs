//! Which tasks run when: the due rule, dependencies, limits, and what a failure counts for.

use dacapo_kernel::Event;
use dacapo_orchestration::Ctx;
use dacapo_orchestration::config::Config;
use dacapo_orchestration::coordinator::schedule::Timetable;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::domain_event::{DomainEvent, TaskOutcome};
use dacapo_orchestration::message::{Instant, Name, Topic};
use serde_json::{Map, Value, json};

use crate::desk::Desk;
use crate::encoding::{T0_US, instant, time};
use crate::stage;

/// A configuration with these tasks, each with an agent that behaves as recorded.
pub(super) fn tasks(input: &Value, more: Value) -> Config {
    let tasks: Vec<Value> = input["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(task)
        .collect();
    let mut sections = json!({
        "schedules": { "others": tasks },
        "coordinator": {
            "max_concurrent_tasks": input["max_concurrent_tasks"].as_u64().unwrap_or(5),
        },
    });
    for (section, value) in more.as_object().into_iter().flatten() {
        sections[section] = value.clone();
    }
    stage::config(sections)
}

fn task(task: &Value) -> Value {
    let behaviour = task["behaviour"].as_object().unwrap();
    let mut script: Vec<Value> = behaviour
        .iter()
        .map(|(symbol, does)| {
            let delay = does["delay_s"].as_f64().unwrap_or(0.0);
            let mut entry = json!({ "delay_seconds": delay });
            if symbol != "*" {
                entry["symbol"] = json!(symbol);
            }
            if does["error"] == true {
                entry["error"] = json!("handler_error");
            }
            entry
        })
        .collect();
    if script.is_empty() {
        // An agent that has nothing to say.
        script.push(json!({}));
    }
    json!({
        "name": task["name"],
        "agent": { "scripted": script },
        "schedule": {
            "interval_seconds": task["interval_seconds"],
            "symbols": task["symbols"],
            "timeout_seconds": task["timeout_seconds"],
            "run_on_start": task["run_on_start"],
            "max_concurrent_symbols": task["max_concurrent_symbols"],
            "depends_on": task["depends_on"],
        },
    })
}

/// Takes over when each task last ran, and whether it is enabled.
pub(super) fn history(input: &Value, timetable: &mut Timetable) {
    for task in input["tasks"].as_array().unwrap() {
        let at = timetable.find(task["name"].as_str().unwrap()).unwrap();
        let known = timetable.task_mut(at);
        known.enabled = task["enabled"].as_bool().unwrap();
        known.last_run = task["last_run"]
            .as_f64()
            .map(|_| instant(&task["last_run"]));
    }
}

/// `schedule_due`.
pub(super) fn due(input: &Value, defects: Defects) -> Value {
    let config = tasks(input, json!({}));
    let (given, settings) = (input.clone(), config.clone());
    let play = move |ctx: Ctx| async move {
        let (input, config) = (given, settings);
        let desk = Desk::new(&ctx, &config, defects, |timetable, _| {
            history(&input, timetable);
        });
        let (mut marks, mut results) = (Vec::new(), Vec::new());
        for op in input["ops"].as_array().unwrap() {
            stage::until(&ctx, &op["t"]).await;
            marks.push(stage::mark(&ctx));
            results.push(perform(&desk, &input, op).await);
        }
        let runs = desk.coordinator.status(0).statistics.total_task_runs;
        (marks, results, runs)
    };
    let played = stage::play(&config, defects, play);
    let (marks, mut results, total) = played.returned;
    for (result, events) in results
        .iter_mut()
        .zip(stage::between(&played.events, &marks))
    {
        if result.get("ran").is_some() {
            result["ran"] = json!(ran(&events));
        }
    }
    json!({ "results": results, "total_task_runs": total })
}

async fn perform(desk: &Desk, input: &Value, op: &Value) -> Value {
    let coordinator = &desk.coordinator;
    let name = op["task"].as_str().unwrap_or_default();
    match op["op"].as_str().unwrap() {
        "tick" => {
            coordinator.look().await;
            json!({ "ran": [], "last_run": last_runs(desk) })
        }
        switch @ ("enable" | "disable") => {
            let names = input["tasks"].as_array().unwrap().iter();
            let at = names
                .map(|task| &task["name"])
                .position(|known| known == name);
            if let Some(at) = at {
                coordinator.switch_task(at, switch == "enable");
            }
            json!({ "ok": at.is_some() })
        }
        "force_run" => {
            let symbol = Name::from(op["symbol"].as_str().unwrap());
            match coordinator.force_task(name, symbol).await {
                Ok(()) => json!({ "ok": true, "ran": [] }),
                Err(_) => json!({ "raises": "handler_error", "ran": [] }),
            }
        }
        other => panic!("unknown operation {other}"),
    }
}

/// When each task last ran.
pub(super) fn last_runs(desk: &Desk) -> Value {
    let tasks = desk.coordinator.status(0).tasks.into_iter();
    let told = tasks.map(|task| (task.name.to_string(), told_time(task.last_run.as_deref())));
    Value::Object(told.collect::<Map<_, _>>())
}

/// A date and time as the encoding of a time.
pub(super) fn told_time(iso: Option<&str>) -> Value {
    let instant = iso.and_then(|iso| Instant::from_iso(iso, T0_US));
    instant.map_or(Value::Null, |instant| time(instant.as_micros()))
}

/// The runs that began, as pairs of task and symbol.
pub(super) fn ran(events: &[Event<DomainEvent>]) -> Vec<Value> {
    let began = events.iter().filter_map(|event| match event.domain() {
        Some(DomainEvent::TaskRunStarted(run)) => Some(json!([run.task, run.symbol])),
        _ => None,
    });
    began.collect()
}

/// `schedule_timed`.
pub(super) fn timed(input: &Value, defects: Defects) -> Value {
    let degradation = json!({ "degradation": {
        "failures_per_level": input["failures_per_level"],
        "recovery_threshold": input["recovery_threshold"],
    }});
    let config = tasks(input, degradation);
    let (given, settings) = (input.clone(), config.clone());
    let play = move |ctx: Ctx| async move {
        let (input, config) = (given, settings);
        let desk = Desk::new(&ctx, &config, defects, |timetable, _| {
            history(&input, timetable);
        });
        let coordinator = std::rc::Rc::clone(&desk.coordinator);
        drop(ctx.spawn_daemon("loop", async move { coordinator.keep_schedule().await }));
        stage::until(&ctx, &input["duration_s"]).await;
        (desk.coordinator.status(0), stage::mark(&ctx))
    };
    let played = stage::play(&config, defects, play);
    // Tasks that are still at work go on to their end; nobody looks any more.
    let (status, end) = played.returned;
    let seen = || played.events.iter().take_while(|event| event.seq < end);
    let log: Vec<Value> = seen().filter_map(log_line).collect();
    let events: Vec<Value> = seen().filter_map(system_event).collect();
    json!({
        "log": log,
        "events": events,
        "total_task_runs": status.statistics.total_task_runs,
        "degradation": status.level,
        "api_failures": status.api_failures,
    })
}

fn log_line(event: &Event<DomainEvent>) -> Option<Value> {
    let (task, symbol, what) = match event.domain()? {
        DomainEvent::TaskRunStarted(run) => (&run.task, &run.symbol, "start"),
        DomainEvent::TaskRunEnded(run) => match run.outcome {
            TaskOutcome::Done => (&run.task, &run.symbol, "end"),
            TaskOutcome::Failed(_) => (&run.task, &run.symbol, "error"),
            TaskOutcome::TimedOut => return None,
        },
        _ => return None,
    };
    Some(json!([stage::seconds(event.time), task, symbol, what]))
}

/// A published system event, without the text of its error.
pub(super) fn system_event(event: &Event<DomainEvent>) -> Option<Value> {
    let DomainEvent::Published(published) = event.domain()? else {
        return None;
    };
    if published.message.topic != Topic::SystemEvents {
        return None;
    }
    let mut told = published.message.payload.to_json();
    told.as_object_mut()?.remove("error");
    told["t"] = json!(stage::seconds(event.time));
    Some(told)
}
