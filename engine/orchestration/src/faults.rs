//! The kinds of fault that the orchestration can suffer, and what its own acts do to a configuration.
//!
//! What a fault does behind its door is decided where the door is opened.

use dacapo_kernel::{FaultKind, How, Plan, Time};

use crate::config::{self, Config};
use crate::defect::DEFECTS;

/// Every kind of fault, in the order in which people read of them.
pub(crate) const KINDS: &[FaultKind] = &[
    FaultKind {
        name: "crash-host",
        meaning: "the coordinator's host crashes and comes up again",
        value: "how long it is down, in milliseconds",
        least: 0,
        most: 60_000,
        how: How::CrashHost {
            host: "coordinator",
        },
    },
    FaultKind {
        name: "jump-clock",
        meaning: "the wall clock jumps, forward or back; virtual time does not",
        value: "how far, in milliseconds",
        least: 1_000,
        most: 48 * 3_600_000,
        how: How::JumpClock,
    },
    FaultKind {
        name: CYCLE,
        meaning: "the schedules get dependencies that run in a circle, if the loader takes them",
        value: "the task that begins the circle, counted in the order of the table",
        least: 0,
        most: 15,
        how: How::Act { times: 1 },
    },
];

/// The name of the act that adds a circle of dependencies.
const CYCLE: &str = "schedule.cycle";

/// What an act does to the configuration of a run.
///
/// # Errors
/// If there is no such act.
pub(crate) fn act(
    plan: &mut Plan<Config>,
    what: &str,
    _at: Time,
    value: u64,
) -> Result<(), String> {
    match what {
        CYCLE => add_cycle(plan, value),
        _ => return Err(format!("there is no act `{what}`")),
    }
    Ok(())
}

/// Has one task wait for another, and that one for the first; of a lone task, for itself. What the
/// loader would refuse changes nothing.
fn add_cycle(plan: &mut Plan<Config>, first: u64) {
    let config = &plan.system;
    let tasks = config.schedules.tasks(&config.symbols, &config.agents);
    let Some(count) = u64::try_from(tasks.len()).ok().filter(|count| *count > 0) else {
        return;
    };
    let task = |place: u64| {
        usize::try_from(place % count)
            .ok()
            .and_then(|at| tasks.get(at))
    };
    let (Some(one), Some(other)) = (task(first), task(first.saturating_add(1))) else {
        return;
    };
    let mut changed = config.clone();
    changed.schedules.of_duty_mut(one.duty).depends_on = Some(vec![other.name.clone()]);
    changed.schedules.of_duty_mut(other.duty).depends_on = Some(vec![one.name.clone()]);
    let defects = DEFECTS
        .iter()
        .filter(|info| plan.defects.iter().any(|name| name == info.name))
        .map(|info| info.defect)
        .collect();
    if config::check(&changed, defects).is_ok() {
        plan.system = changed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::minimal_plan;

    #[test]
    fn a_circle_is_added_only_where_the_loader_takes_it() {
        let before = minimal_plan();
        let mut sound = before.clone();
        act(&mut sound, CYCLE, Time::ZERO, 0).expect("there is such an act");
        assert_eq!(sound, before);
        let mut broken = before.clone();
        broken.defects = vec!["dependency-cycles-accepted".to_owned()];
        act(&mut broken, CYCLE, Time::ZERO, 1).expect("there is such an act");
        let schedules = &broken.system.schedules;
        let waits_for = |schedule: &crate::config::ScheduleConfig| schedule.depends_on.clone();
        let names = |name: &'static str| Some(vec![crate::message::Name::fixed(name)]);
        assert_eq!(
            waits_for(&schedules.regime_detection),
            names("trading_decision")
        );
        assert_eq!(
            waits_for(&schedules.trading_decision),
            names("regime_detection")
        );
    }
}
