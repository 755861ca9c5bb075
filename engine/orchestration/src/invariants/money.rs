//! What must hold of money, of scheduled trades and of recovery.

use dacapo_kernel::Plan;

use super::Property;
use crate::config::Config;

pub(super) fn all(_plan: &Plan<Config>) -> Vec<Property> {
    Vec::new()
}
