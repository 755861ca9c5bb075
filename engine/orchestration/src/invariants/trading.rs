//! What must hold of decisions and orders.

mod at_most_once;
mod halt_sticks;
mod known_action;
mod messages;
mod no_leg_while_paused;
mod only_when_running;
mod run_state;
mod same_symbol;

#[cfg(test)]
mod plant;

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    vec![
        Box::new(only_when_running::OnlyWhenRunning::new()),
        Box::new(no_leg_while_paused::NoLegWhilePaused::new()),
        Box::new(halt_sticks::HaltSticks::new(plan)),
        Box::new(at_most_once::AtMostOnce::new(plan)),
        Box::new(known_action::KnownAction::new()),
        Box::new(same_symbol::SameSymbol::new()),
    ]
}
