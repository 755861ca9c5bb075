//! The families of recorded cases, each answered by what the product calls.

mod bus;
mod bus_delivery;
mod commands;
mod degradation;
mod evidence;
mod message;
mod paper_fills;
mod persistence;
mod position_tracking;
mod price_source;
mod rebalance;
mod reply;
mod resolution;
mod risk;
mod schedule;
mod signal;
mod staged;

use dacapo_orchestration::defect::Defects;
use serde_json::Value;

/// Gives the output for an input, in the words of the recording: these keys and no others.
pub(crate) type Answer = fn(&Value, Defects) -> Value;

/// Cases of one kind.
pub(crate) struct Family {
    /// As in the name of its file and in the ids of its cases.
    pub(crate) name: &'static str,
    /// What answers its cases.
    pub(crate) answer: Answer,
    /// How its cases say what the repair gives.
    pub(crate) repair: Repair,
}

/// What is recorded of a repair that gives something else than the original did.
#[derive(Clone, Copy)]
pub(crate) enum Repair {
    /// All of the output.
    Whole,
    /// The fields that it changes; the others are as they were.
    Changes,
}

/// Every family, by name.
pub(crate) const FAMILIES: &[Family] = &[
    family("apply_modifications", reply::apply_modifications),
    family("bus_delivery", bus_delivery::delivery),
    family("bus_history_trim", bus::remember),
    family("bus_queries", bus::remember),
    family("bus_ttl_cleanup", bus::remember),
    family("conflict_detection", evidence::conflict_detection),
    family("consensus_build", evidence::consensus_build),
    family("consensus_multiplier", evidence::consensus_multiplier),
    family("coordinator_events", commands::events),
    family("degradation", degradation::degradation),
    family("llm_resolution", resolution::resolution),
    family("message_codec", message::codec),
    family("message_validation", message::validation),
    family("paper_fills", paper_fills::paper_fills),
    family("parse_resolution", reply::parse_resolution),
    family("persistence_load", persistence::load),
    family("persistence_save", persistence::save),
    family("position_tracking", position_tracking::position_tracking),
    family("price_source", price_source::price_source),
    family("rebalance_calc", rebalance::calculated),
    family("rebalance_execution", staged::execution),
    // The repair is recorded as the changed order of execution alone.
    family("rebalance_llm", rebalance::advised).recorded(Repair::Changes),
    family("risk_sequences", risk::sequences),
    family("risk_validation", risk::validation),
    family("schedule_due", schedule::due),
    family("schedule_timed", schedule::timed),
    family("signal_handling", signal::handling),
];

/// The family of this name.
pub(crate) fn find(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

const fn family(name: &'static str, answer: Answer) -> Family {
    Family {
        name,
        answer,
        repair: Repair::Whole,
    }
}

impl Family {
    const fn recorded(mut self, repair: Repair) -> Family {
        self.repair = repair;
        self
    }
}
