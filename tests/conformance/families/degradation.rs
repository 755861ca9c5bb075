//! Failure counts, levels and their announcements.

use dacapo_orchestration::coordinator::degradation::{
    Degradation, DegradationConfig, Dependency, LevelMove,
};
use dacapo_orchestration::defect::Defects;
use serde_json::{Value, json};

/// `degradation`.
pub(super) fn degradation(input: &Value, defects: Defects) -> Value {
    let config = DegradationConfig {
        recovery_threshold: number(&input["recovery_threshold"]),
        failures_per_level: number(&input["failures_per_level"]),
        ..DegradationConfig::default()
    };
    let mut degradation = Degradation::new(config, defects);
    let operations = input["ops"].as_array().expect("a list").iter();
    let steps = operations.map(|operation| {
        use Dependency::{Api, LanguageModel};
        let moved = match operation.as_str().expect("a name") {
            "llm_fail" => degradation.record_failure(LanguageModel),
            "llm_ok" => degradation.record_success(LanguageModel),
            "api_fail" => degradation.record_failure(Api),
            "api_ok" => degradation.record_success(Api),
            other => panic!("unknown operation {other}"),
        };
        json!({
            "level": degradation.level().name(),
            "llm_failures": degradation.counts().llm_failures,
            "api_failures": degradation.counts().api_failures,
            "recovery_progress": degradation.recovery_progress(LanguageModel),
            "events": moved.map(|moved| announced(&degradation, moved)).into_iter().collect::<Vec<_>>(),
        })
    });
    json!({"steps": steps.collect::<Vec<_>>()})
}

fn announced(degradation: &Degradation, moved: LevelMove) -> Value {
    let draft = degradation.announcement(moved);
    json!({
        "topic": draft.topic.expect("a topic").name(),
        "source": draft.source.as_str(),
        "priority": draft.priority.name(),
        "payload": draft.payload.to_json(),
    })
}

fn number(value: &Value) -> u32 {
    value
        .as_u64()
        .and_then(|number| number.try_into().ok())
        .expect("a small number")
}
