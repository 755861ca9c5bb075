//! What must hold of decisions and orders.

mod account;
mod as_decided;
mod asked;
mod at_most_once;
mod breach_stops;
mod conflicts;
mod contradictions;
mod cooldown;
mod decision;
mod emergency_again;
mod emergency_cancels;
mod emergency_part;
mod emergency_told;
mod explained;
mod facts;
mod finite;
mod fresh;
mod halt_sticks;
mod invalid_waits;
mod known_action;
mod limits;
mod never_riskier;
mod no_leg_while_paused;
mod obeyed;
mod only_when_running;
mod opened_once;
mod order_told;
mod positions_told;
mod prices;
mod reading;
mod rebalanced;
mod remembered;
mod reset;
mod result_told;
mod run_state;
mod same_symbol;
mod sent;
mod status_told;
mod told;
mod trades_told;
mod vocabulary;
mod wall;
mod weighed;
mod well_formed;
mod window;

#[cfg(test)]
pub(in crate::invariants) mod plant;

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    vec![
        Box::new(only_when_running::OnlyWhenRunning::new()),
        Box::new(weighed::Weighed::new()),
        Box::new(no_leg_while_paused::NoLegWhilePaused::new()),
        Box::new(obeyed::Obeyed::default()),
        Box::new(halt_sticks::HaltSticks::new(plan)),
        Box::new(at_most_once::AtMostOnce::new(plan)),
        Box::new(known_action::KnownAction::new()),
        Box::new(same_symbol::SameSymbol::new()),
        Box::new(fresh::Fresh::new(plan)),
        Box::new(window::Window::new(plan)),
        Box::new(vocabulary::Vocabulary::new(plan)),
        Box::new(conflicts::Conflicts::new(plan)),
        Box::new(asked::Asked::new(plan)),
        Box::new(invalid_waits::InvalidWaits::default()),
        Box::new(never_riskier::NeverRiskier::new(plan)),
        Box::new(as_decided::AsDecided::new(plan)),
        Box::new(sent::Sent::default()),
        Box::new(order_told::OrderTold::new()),
        Box::new(trades_told::TradesTold::default()),
        Box::new(finite::Finite),
        Box::new(limits::RiskLimits::new(plan)),
        Box::new(explained::Explained::new(plan)),
        Box::new(breach_stops::BreachStops::new(plan)),
        Box::new(emergency_again::EmergencyAgain::default()),
        Box::new(emergency_part::EmergencyPart::new(&plan.system)),
        Box::new(emergency_told::EmergencyTold::new(plan)),
        Box::new(emergency_cancels::EmergencyCancels::default()),
        Box::new(cooldown::Cooldown::new(plan)),
        Box::new(positions_told::PositionsTold::default()),
        Box::new(remembered::Remembered::new(plan)),
        Box::new(reset::Reset::default()),
        Box::new(result_told::ResultTold::new(&plan.system)),
        Box::new(rebalanced::Rebalanced::new(plan)),
        Box::new(well_formed::WellFormed::new(plan)),
        Box::new(opened_once::OpenedOnce::default()),
        Box::new(status_told::StatusTold::new(plan)),
    ]
}
