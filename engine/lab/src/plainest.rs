//! A plan of a system that nobody has configured, for lists of what the system has.

use dacapo_kernel::{Budgets, Expect, FaultPlan, Plan, SchedulerKind, System};

/// The plan in which everything is as it is by default; none if the system has to be configured.
pub fn plainest_plan<S: System>() -> Option<Plan<S::Config>> {
    Some(Plan {
        name: S::NAME.to_owned(),
        story: String::new(),
        seed: 0,
        start_unix_ns: 0,
        duration_ns: None,
        scheduler: SchedulerKind::Fifo,
        budgets: Budgets::default(),
        faults: FaultPlan::default(),
        profile: String::new(),
        defects: Vec::new(),
        data: Vec::new(),
        expect: Expect::default(),
        system: S::plainest()?,
    })
}
