//! What must hold of the message bus.

mod bounded;
mod breaker;
mod cleaned;
mod coexist;
mod coordinator_stays;
mod deliveries;
mod fifo;
mod form;
mod heard;
mod history;
mod immutable;
mod latest;
mod one_attempt;
mod output;
mod reentrant;
mod removed_is_silent;
pub(in crate::invariants) mod table;

#[cfg(test)]
pub(super) mod samples;

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;

pub(super) use history::History;

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    let config = &plan.system;
    vec![
        Box::new(reentrant::Reentrant::default()),
        Box::new(one_attempt::OneAttempt::default()),
        Box::new(breaker::Breaker::new(config)),
        Box::new(coordinator_stays::CoordinatorStays::default()),
        Box::new(removed_is_silent::RemovedIsSilent::default()),
        Box::new(latest::Latest::new(config)),
        Box::new(immutable::Immutable::default()),
        Box::new(fifo::Fifo::default()),
        Box::new(bounded::Bounded::new(config)),
        Box::new(coexist::Coexist::default()),
        Box::new(heard::Heard::default()),
        Box::new(output::Output::new(config)),
        Box::new(form::InForm::new(config)),
    ]
}
