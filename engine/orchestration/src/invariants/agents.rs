//! What must hold of agents that are programs or language models: what they are told, and what becomes of what they say.

mod as_configured;
mod books;
mod market;
mod papers;
mod readings;
mod replies;
mod said;
mod told;

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;
use crate::message::Name;

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    vec![
        Box::new(told::Told::new(plan)),
        Box::new(said::Said::new(plan)),
        Box::new(as_configured::AsConfigured::new(plan)),
    ]
}

/// What the model of an agent is asked for.
pub(super) fn purpose(agent: &Name) -> Name {
    Name::from(format!("message of {agent}"))
}
