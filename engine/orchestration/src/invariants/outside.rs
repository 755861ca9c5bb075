//! What must hold of the world outside that a run invents: it is as the scenario and the plan of faults have it.

mod acts;
mod befallen;
mod market;

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    vec![
        Box::new(market::AsWritten::new(plan)),
        Box::new(acts::AsPlanned::new(plan)),
        Box::new(befallen::Befallen::new(plan)),
    ]
}
