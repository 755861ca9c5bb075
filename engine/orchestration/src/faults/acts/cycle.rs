//! Dependencies of scheduled tasks that run in a circle, where the loader takes them.

use dacapo_kernel::Plan;

use crate::config::{self, Config};
use crate::defect::Defects;

/// The name of the act.
pub(super) const NAME: &str = "schedule.cycle";

/// Has one task wait for another, and that one for the first; of a lone task, for itself. What the
/// loader would refuse changes nothing.
pub(super) fn add(plan: &mut Plan<Config>, first: u64) {
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
    if config::check(&changed, Defects::named(&plan.defects)).is_ok() {
        plan.system = changed;
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::Time;

    use super::*;
    use crate::faults::act;
    use crate::invariants::minimal_plan;

    #[test]
    fn a_circle_is_added_only_where_the_loader_takes_it() {
        let before = minimal_plan();
        let mut sound = before.clone();
        act(&mut sound, NAME, Time::ZERO, 0).expect("there is such an act");
        assert_eq!(sound, before);
        let mut broken = before.clone();
        broken.defects = vec!["dependency-cycles-accepted".to_owned()];
        act(&mut broken, NAME, Time::ZERO, 1).expect("there is such an act");
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
