//! A failure of a campaign made small.

use std::path::Path;

use dacapo_kernel::System;

use super::{Campaign, Found, FuzzError};
use crate::scenario::Varied;
use crate::shrink::{ShrinkOptions, keep, shrink};

/// What is left of a run that fails when everything is taken away that it can fail without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Small {
    /// How many inputs are left.
    pub inputs: u64,
    /// How many there were.
    pub before: u64,
    /// The log of the run that is left, if it was kept.
    pub log: Option<Vec<u8>>,
}

/// Shrinks the first failure of a group. The scenario of what is left is written into the file `to`, if
/// one is given. `go_on` is asked after every run, and ends the search by saying no.
///
/// # Errors
/// If the scenario cannot be read any more, or the run does not fail again.
pub fn small<S: System>(
    campaign: &Campaign<'_>,
    found: &Found,
    to: Option<&Path>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Small, FuzzError> {
    let mut varied = Varied::<S>::read(campaign.scenario, campaign.overrides).map_err(Box::new)?;
    let loaded = campaign
        .runs
        .base(&mut varied, found.seed)
        .map_err(Box::new)?;
    let plan = campaign.runs.plan(&loaded.plan, &S::faults(), found.seed);
    let options = ShrinkOptions::default();
    let shrunk = shrink::<S>(&plan, &loaded.files, &found.group, options, &mut |_| {
        go_on()
    })
    .map_err(Box::new)?;
    let log = match to {
        None => None,
        Some(to) => Some(keep(&shrunk, &loaded.files, to).map_err(Box::new)?.log),
    };
    Ok(Small {
        inputs: shrunk.inputs as u64,
        before: shrunk.inputs_before as u64,
        log,
    })
}
