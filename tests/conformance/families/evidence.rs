//! Consensus and conflicts: what the evidence on the bus makes of a signal.

use std::rc::Rc;

use dacapo_orchestration::bus::history::History;
use dacapo_orchestration::coordinator::conflict::{self, Conflict};
use dacapo_orchestration::coordinator::consensus::{self, ConsensusConfig};
use dacapo_orchestration::coordinator::evidence::{Evidence, EvidenceWindows, lookups};
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::message::{MessageId, Payload, Raised, Topic};
use serde_json::{Value, json};

use super::message::draft;
use crate::encoding::instant;

/// `consensus_multiplier`.
pub(super) fn consensus_multiplier(input: &Value, _: Defects) -> Value {
    let number = |name: &str| input[name].as_f64().expect("a number");
    let config = ConsensusConfig {
        high_agreement_threshold: number("high_threshold"),
        low_agreement_threshold: number("low_threshold"),
        max_confidence_boost: number("max_boost"),
        max_confidence_penalty: number("max_penalty"),
    };
    match consensus::multiplier(number("agreement_ratio"), &config) {
        Ok(multiplier) => json!({"multiplier": multiplier}),
        Err(Raised::DivisionByZero) => json!({"error": "division_by_zero"}),
        Err(other) => panic!("{other}"),
    }
}

/// `consensus_build`.
pub(super) fn consensus_build(input: &Value, defects: Defects) -> Value {
    let signal = signal(input);
    let config: ConsensusConfig =
        serde_json::from_value(input["consensus_config"].clone()).expect("a configuration");
    let consensus = consensus::assess(
        &signal,
        &evidence(input, &signal, defects),
        &config,
        defects,
    )
    .expect("no division by zero");
    let adjusted = consensus::adjusted_confidence(&signal, consensus.multiplier);
    json!({
        "agreement_count": consensus.agreeing,
        "total_agents": consensus.total,
        "multiplier": consensus.multiplier,
        "adjusted_confidence": adjusted.expect("a number"),
    })
}

/// `conflict_detection`.
pub(super) fn conflict_detection(input: &Value, defects: Defects) -> Value {
    let signal = signal(input);
    let threshold = input["invoke_llm_threshold"].as_f64().expect("a number");
    let conflicts = conflict::detect(&signal, &evidence(input, &signal, defects), threshold)
        .expect("all confidences are numbers");
    let described = conflicts.iter().map(|conflict: &Conflict| {
        json!({
            "conflict_type": conflict.name(),
            "agents_involved": conflict.agents(),
            "details": conflict.details(),
        })
    });
    json!({"conflicts": described.collect::<Vec<_>>()})
}

fn signal(input: &Value) -> Payload {
    Payload::from_json(Topic::TradingSignals, input["signal"].clone())
}

/// Publishes the messages of a case and looks the evidence up.
fn evidence(input: &Value, signal: &Payload, defects: Defects) -> Evidence {
    let mut history = History::new(1_000);
    for (number, message) in input["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let at = instant(&message["t"]);
        let stamped = draft(message).stamp(MessageId::number(number as u64), at);
        history.push(Rc::new(stamped.expect("it is valid")));
    }
    let windows: EvidenceWindows =
        serde_json::from_value(input["windows_s"].clone()).expect("windows");
    let now = instant(&input["now"]);
    Evidence::found(lookups(signal, &windows, defects).map(|lookup| {
        let found = history.latest(lookup.topic, &lookup.criteria, now, |it| lookup.accepts(it));
        found.cloned()
    }))
}
