//! What must come true once the faults of a run have stopped.
//!
//! Each property has an instant from which on it expects something, and is violated once that is
//! overdue by the [`BOUND`]. It judges at the events that it watches and at the end of the run.
//!
//! None promises anything under the crash of a single task: what runs beside the schedule is
//! started again with its host only, so such a crash may end it for good.

mod account;
mod delivered;
mod emergency_flat;
mod exits;
mod fallback_reached;
mod hung_agent_freed;
mod idle;
mod legs_finish;
mod levels;
mod orders_resolve;
mod persists;
mod plan_announced;
mod positions_announced;
mod recovers;
mod recovery_ends;
#[cfg(test)]
pub(super) mod samples;
mod schedule_ends;
mod tasks_run;
mod trades_possible;
pub(super) mod up;

use std::time::Duration;

use dacapo_kernel::{CRASH_TASK, Plan, Time};

#[cfg(test)]
pub(crate) use samples::minimal as minimal_plan;

use super::Property;
use crate::config::Config;

/// How long what must come true may take beyond its own interval.
const BOUND: Duration = Duration::from_secs(120);

/// Whether what is waited for since an instant takes longer than it may. The time in which things go wrong does not
/// count; where that does not end, nothing is late.
fn is_late(since: Time, quiet: Option<Time>, within: Duration, now: Time) -> bool {
    quiet.is_some_and(|quiet| since.max(quiet) + within < now)
}

/// The faults under which nothing is promised.
const EXCLUDED: &[&str] = &[CRASH_TASK];

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    vec![
        Box::new(delivered::Delivery::new(plan)),
        Box::new(hung_agent_freed::HungAgentFreed::new(plan)),
        Box::new(recovers::Recovers::new(plan)),
        Box::new(fallback_reached::FallbackReached::new(plan)),
        Box::new(legs_finish::LegsFinish::new(plan)),
        Box::new(tasks_run::TasksRun::new(plan)),
        Box::new(orders_resolve::OrdersResolve::new(plan)),
        Box::new(emergency_flat::EmergencyFlat::new(plan)),
        Box::new(exits::Exits::new(plan)),
        Box::new(positions_announced::PositionsAnnounced::new(plan)),
        Box::new(trades_possible::TradesPossible::new(plan)),
        Box::new(persists::Persists::new(plan)),
        Box::new(recovery_ends::RecoveryEnds::new(plan)),
        Box::new(schedule_ends::ScheduleEnds::new(plan)),
    ]
}

/// Whether nobody outside holds the coordinator up or takes its place: every publisher waits for the
/// handlers of what it publishes, so a handler that takes its time holds up whoever told it something.
fn is_undisturbed(plan: &Plan<Config>) -> bool {
    let events = &plan.system.events;
    let slow = |event: &crate::config::OutsideEvent| {
        let subscribed = event.subscribe.as_ref();
        subscribed.is_some_and(|it| it.delay_seconds > 0.0)
    };
    let posing = |event: &crate::config::OutsideEvent| {
        let subscribed = event.subscribe.as_ref().map(|it| &it.subscriber);
        let unsubscribed = event.unsubscribe.as_ref().map(|it| &it.subscriber);
        let names = subscribed.into_iter().chain(unsubscribed);
        names.into_iter().any(|name| name.as_str() == COORDINATOR)
    };
    !events.iter().any(|event| slow(event) || posing(event))
}

/// The coordinator's host, and its name on the bus.
const COORDINATOR: &str = "coordinator";

/// A length of seconds from the plan.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
