//! What must come true once the faults of a run have stopped.

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;

pub(super) fn all(_plan: &Plan<Config>) -> Vec<Property> {
    Vec::new()
}
