//! What must hold of the world outside that a run invents: it is as the scenario and the plan of faults have it.

mod acts;
mod befallen;
mod market;
mod scripted;

use std::time::Duration;

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;

/// How exactly instants are told.
const EXACT: Duration = Duration::from_micros(1);

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    vec![
        Box::new(market::AsWritten::new(plan)),
        Box::new(acts::AsPlanned::new(plan)),
        Box::new(befallen::Befallen::new(plan)),
        Box::new(scripted::AsScripted::new(plan)),
    ]
}
