//! Asking models about conflicts: budget, fallback, what counts as a failure.

use std::time::Duration;

use dacapo_kernel::{Event, Time};
use dacapo_orchestration::Ctx;
use dacapo_orchestration::coordinator::conflict::Conflict;
use dacapo_orchestration::coordinator::reply::{Origin, Resolution};
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::message::{Payload, Topic};
use serde_json::{Value, json};

use super::reply::recorded;
use super::schedule::system_event;
use crate::desk::Desk;
use crate::model_calls::ModelCalls;
use crate::stage;

/// The models of a case, each with its script.
pub(super) fn models(input: &Value) -> Value {
    let model = |name: &str| {
        let script = input["llm"][name].as_array().unwrap().iter();
        let replies: Vec<Value> = script
            .map(|entry| match entry.get("text") {
                Some(text) => json!({ "delay_seconds": entry["delay_s"], "text": text }),
                None => json!({ "delay_seconds": entry["delay_s"], "error": "llm_error" }),
            })
            .collect();
        json!({ "model": name, "replies": { "scripted": replies } })
    };
    json!({ "primary": model("primary"), "fallback": model("fallback") })
}

/// The calls of models among these events.
pub(super) fn calls(events: &[Event<DomainEvent>]) -> Vec<Value> {
    let mut calls = ModelCalls::default();
    for event in events {
        calls.see(event, |asked| {
            json!({
                "t": stage::seconds(event.time),
                "model": asked.model,
                "max_tokens": asked.max_tokens,
            })
        });
    }
    calls.told()
}

/// `llm_resolution`.
pub(super) fn resolution(input: &Value, defects: Defects) -> Value {
    let config = stage::config(json!({
        "llm": models(input),
        "conflicts": { "max_resolution_time_ms": input["max_resolution_time_ms"] },
        "degradation": {
            "recovery_threshold": input["recovery_threshold"],
            "llm_failures": input["llm_failures"],
            "api_failures": input["api_failures"],
        },
    }));
    let (given, settings) = (input.clone(), config.clone());
    let play = move |ctx: Ctx| async move {
        let (input, config) = (given, settings);
        let desk = Desk::new(&ctx, &config, defects, |_, _| {});
        let signal = json!({ "symbol": "BTC/USDT", "action": "BUY", "confidence": 0.7 });
        let signal = Payload::from_json(Topic::TradingSignals, signal);
        let pause = Duration::from_secs_f64(input["pause_between_s"].as_f64().unwrap());
        let (mut marks, mut results) = (Vec::new(), Vec::new());
        for _ in 0..input["repeat"].as_u64().unwrap() {
            marks.push(stage::mark(&ctx));
            let begun = ctx.now();
            let resolved = desk.coordinator.resolve(&signal, conflicts(&input)).await;
            let status = desk.coordinator.status(0);
            let mut told = told(&resolved, ctx.now() - begun);
            told["level"] = json!(status.level);
            told["llm_failures"] = json!(status.llm_failures);
            told["recovery_progress"] = json!(status.recovery_progress);
            told["conflicts_resolved"] = json!(status.statistics.total_conflicts_resolved);
            results.push(told);
            ctx.sleep(pause).await;
        }
        (marks, results)
    };
    let played = stage::play(&config, defects, play);
    let (marks, mut results) = played.returned;
    for (result, events) in results
        .iter_mut()
        .zip(stage::between(&played.events, &marks))
    {
        result["llm_calls"] = json!(calls(&events));
    }
    let events = played
        .events
        .iter()
        .filter_map(system_event)
        .map(|mut told| {
            told.as_object_mut().unwrap().remove("t");
            told
        });
    json!({ "results": results, "events": events.collect::<Vec<_>>() })
}

fn conflicts(input: &Value) -> Vec<Conflict> {
    let kinds = input["conflicts"].as_array().unwrap().iter();
    kinds
        .map(|kind| match kind.as_str().unwrap() {
            "ta_sentiment_conflict" => Conflict::TaSentiment {
                ta_bias: "long".to_owned(),
                ta_confidence: 0.7,
                sent_bias: "bearish".to_owned(),
                sent_confidence: 0.65,
            },
            "regime_conflict" => Conflict::Regime {
                regime: "choppy".to_owned(),
                proposed_action: "BUY".to_owned(),
            },
            other => panic!("unknown conflict {other}"),
        })
        .collect()
}

fn told(resolution: &Resolution, took: Duration) -> Value {
    let reasoning = match resolution.origin {
        Origin::Reply | Origin::Corrected => recorded(&resolution.reasoning),
        Origin::Unusable => json!("$parse_failure"),
        Origin::Timeout => json!("$timeout"),
        Origin::Failed => json!("$failed"),
        Origin::Limited => json!("$limited"),
        Origin::Emergency => json!("$emergency"),
    };
    json!({
        "action": recorded(&resolution.action),
        "confidence": recorded(&resolution.confidence),
        "modifications": recorded(&resolution.modifications),
        "reasoning": reasoning,
        "should_proceed": resolution.proceeds(),
        "elapsed_s": stage::seconds(Time::ZERO + took),
    })
}
