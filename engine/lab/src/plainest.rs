//! A plan of a system that nobody has configured, for lists of what the system has.

use dacapo_kernel::{Plan, System};

/// The plan in which everything is as it is by default; none if the system has to be configured.
pub fn plainest_plan<S: System>() -> Option<Plan<S::Config>> {
    Some(Plan::of(S::NAME, S::plainest()?))
}
