//! What must hold in every run of the orchestration: one property a file, each a fold over events.
//!
//! A property sees nothing but events, so it judges a simulation and a recorded log alike. It reads the
//! plan for the numbers that it holds the run to, never for what happened.

mod agents;
mod ages;
mod alike;
mod bus;
mod degradation;
mod exact;
mod liveness;
mod messages;
mod money;
mod outside;
mod outsiders;
mod replied;
mod trading;

#[cfg(test)]
mod planted;

use std::time::Duration;

use dacapo_kernel::{
    Event, FaultInjected, HostId, Invariant, KernelEvent, NoDeadlock, Plan, Seq, Time,
};
use serde_json::Value;

use crate::config::{Config, PriceSet, TaskKind};
use crate::domain_event::DomainEvent;
use crate::message::{Message, Payload, Topic};

#[cfg(test)]
pub(crate) use liveness::minimal_plan;

/// A property of the orchestration.
type Property = Box<dyn Invariant<DomainEvent>>;

/// The prices that somebody sets whenever the coordinator begins.
fn set_before_start(config: &Config) -> impl Iterator<Item = &PriceSet> {
    let before = config.events.iter().filter(|event| event.at_seconds < 0.0);
    before.filter_map(|event| event.set_price.as_ref())
}

/// Whether this host crashed.
fn has_crashed(event: &Event<DomainEvent>, host: HostId) -> bool {
    matches!(event.kernel(), Some(KernelEvent::HostCrashed(it)) if it.host == host)
}

/// Whether this is a crash right after the event of a number: what that event told nobody came to know.
fn is_crash_right_after(seq: Seq, event: &Event<DomainEvent>) -> bool {
    let is_crash = matches!(event.kernel(), Some(KernelEvent::HostCrashed(_)));
    is_crash && event.seq.0 == seq.0 + 1
}

/// The plan that a message of whoever keeps the portfolio in balance announces.
fn announced_plan(message: &Message) -> Option<&Value> {
    let is_his = message.source == *TaskKind::PortfolioRebalance.agent();
    match &message.payload {
        Payload::Raw(plan) if is_his && message.topic == Topic::PortfolioUpdates => Some(plan),
        _ => None,
    }
}

/// How far a number may lie from the one that is expected, as a part of it: messages have floats.
const TOLERANCE: f64 = 1e-9;

/// Whether two numbers are the same, but for what floats lose.
fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= TOLERANCE * one.abs().max(other.abs()).max(1.0)
}

/// Until when a fault lasts that strikes at an instant and whose value is in seconds: no longer than things go wrong.
fn end_of(fault: &FaultInjected, at: Time, quiet_from: Option<Time>) -> Time {
    let end = at + Duration::from_secs(fault.value);
    quiet_from.map_or(end, |quiet| end.min(quiet))
}

/// Every property, in the order in which people read of them.
pub(crate) fn all(plan: &Plan<Config>) -> Vec<Property> {
    let mut all = bus::all(plan);
    all.extend(trading::all(plan));
    all.extend(agents::all(plan));
    all.extend(outside::all(plan));
    all.extend(degradation::all(plan));
    all.extend(money::all(plan));
    all.push(Box::new(NoDeadlock));
    all.extend(liveness::all(plan));
    all
}
