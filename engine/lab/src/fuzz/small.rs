//! A failure of a campaign made small.

use std::path::Path;

use dacapo_kernel::System;

use super::{Campaign, Found, FuzzError};
use crate::scenario::{Alternative, Varied};
use crate::shrink::{ShrinkOptions, fails, keep, shrink};

/// What is left of a run that fails when everything is taken away that it can fail without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Small {
    /// How many inputs are left.
    pub inputs: u64,
    /// How many there were.
    pub before: u64,
    /// What it has in the place of what the scenario says.
    pub alternatives: Vec<Alternative>,
    /// The log of the run that is left, if it was kept.
    pub log: Option<Vec<u8>>,
}

/// Shrinks the first failure of a group: first the settings that were drawn, then the inputs. The scenario of what is
/// left is written into the file `to`, if one is given. `go_on` is asked after every run, and ends the search by
/// saying no.
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
    let alternatives = needed(campaign, &mut varied, found, go_on);
    let loaded = campaign
        .runs
        .base_with_only(&mut varied, found.seed, &alternatives)
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
        alternatives,
        log,
    })
}

/// What a run has to draw to fail in this way: each alternative is left out by itself, and stays out if the seed
/// fails so without it.
fn needed<S: System>(
    campaign: &Campaign<'_>,
    varied: &mut Varied<S>,
    found: &Found,
    go_on: &mut dyn FnMut() -> bool,
) -> Vec<Alternative> {
    let (runs, seed) = (campaign.runs, found.seed);
    let mut kept = runs.alternatives(varied, seed);
    let mut at = 0;
    while at < kept.len() && go_on() {
        let mut fewer = kept.clone();
        fewer.remove(at);
        // What is left may not go together.
        let fails = runs
            .base_with_only(varied, seed, &fewer)
            .is_ok_and(|loaded| {
                let plan = runs.plan(&loaded.plan, &S::faults(), seed);
                fails::<S>(&plan, &loaded.files, &found.group).unwrap_or(false)
            });
        match fails {
            true => kept = fewer,
            false => at += 1,
        }
    }
    kept
}
