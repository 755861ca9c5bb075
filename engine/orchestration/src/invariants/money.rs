//! What must hold of money, of scheduled trades and of recovery.

mod asked_after;
mod causal;
mod conserved;
mod counted;
mod fills;
mod leg_marked;
mod legs;
mod needed;
mod non_negative;
mod not_early;
mod notional;
mod numbered;
mod partial;
pub(in crate::invariants) mod prices;
mod recovery;
mod refused;
mod saved;
mod sells_first;
mod size;
mod staged;
mod store_works;
mod tasks_kept;

#[cfg(test)]
pub(in crate::invariants) mod planted;

use dacapo_kernel::{HostId, Plan};

use super::Property;
use crate::config::Config;
use crate::domain_event::Subscribed;
use crate::message::Topic;
use crate::store::FOUND;

/// A host crashed.
const DOWN: u16 = dacapo_kernel::number::HostCrashed;
/// The host of the exchange and the market.
const EXCHANGE: HostId = HostId(1);
/// The host of the coordinator.
pub(super) const COORDINATOR: HostId = HostId(2);
/// The name under which the coordinator subscribes.
const SUBSCRIBER: &str = "coordinator";
/// The faults after which a store has less than it had, or other things.
const FORGETFUL_STORE: &[&str] = &["store.stale", "store.corrupt", "store.gone", FOUND];

/// Whether this is the last that a coordinator does before it goes to work: what it tells before, it found after a restart.
pub(super) fn goes_to_work(subscribed: &Subscribed) -> bool {
    subscribed.topic == Topic::CoordinatorCommands && subscribed.subscriber == *SUBSCRIBER
}

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    vec![
        Box::new(legs::OneState::new(&plan.system)),
        Box::new(leg_marked::LegMarks::default()),
        Box::new(staged::Staged::new(&plan.system)),
        Box::new(needed::Needed::new(plan)),
        Box::new(not_early::NotEarly::default()),
        Box::new(sells_first::SellsFirst::new(&plan.system)),
        Box::new(conserved::Conserved::new(&plan.system)),
        Box::new(notional::Notional::new(&plan.system)),
        Box::new(non_negative::NonNegative),
        Box::new(fills::Idempotent::default()),
        Box::new(partial::Whole::new(&plan.system)),
        Box::new(refused::Refused::new(&plan.system)),
        Box::new(numbered::Numbered::default()),
        Box::new(causal::Causal::new(&plan.system)),
        Box::new(tasks_kept::TasksKept::new(plan)),
        Box::new(recovery::Statistics::new(&plan.system)),
        Box::new(counted::Counted::new(&plan.system)),
        Box::new(asked_after::AskedAfter::new(&plan.system)),
        Box::new(store_works::StoreWorks::new(plan)),
        Box::new(saved::Saved::new(&plan.system)),
    ]
}
