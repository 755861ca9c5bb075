//! What must hold of degradation, of task runs, and of the clocks.

mod counts_once;
mod direction;
pub(super) mod ledger;
mod monotone_trading;
mod own_counter;
mod task_scheduled;
mod task_single;
mod tasks_told;
mod time_monotone;

#[cfg(test)]
pub(super) mod samples;

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    let config = &plan.system;
    vec![
        Box::new(monotone_trading::MonotoneTrading::new(config)),
        Box::new(counts_once::CountsOnce::default()),
        Box::new(direction::Direction::new(config)),
        Box::new(own_counter::OwnCounter::new(config)),
        Box::new(task_single::TaskSingle::default()),
        Box::new(task_scheduled::TaskScheduled::new(config)),
        Box::new(tasks_told::TasksTold::new(plan)),
        Box::new(time_monotone::TimeMonotone::new(config)),
    ]
}
