//! Running a recorded run: from its JSON to a scenario file, a log, and what the log tells.

use std::collections::BTreeMap;
use std::fs;

use dacapo_kernel::Verdict;
use dacapo_kernel::{Event, Outcome};
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::views::Views;
use dacapo_tests::{Recorded, events, record, scenario};
use serde_json::Value;

use super::observed::observe;

/// A run that was made.
pub(crate) struct Played {
    /// What it did, in the words of the recordings.
    pub(crate) told: Value,
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// Everything that happened.
    pub(crate) events: Vec<Event<DomainEvent>>,
    /// What the account began with.
    pub(crate) initial_balance: BTreeMap<String, Amount>,
    /// What is known of it.
    pub(crate) outcome: Outcome<Views>,
}

/// Plays a recorded run in a profile, with some of its defects taken away.
pub(crate) fn play(run: &Value, profile: &str) -> Result<Played, String> {
    play_with(run, profile, &Overrides::default())
}

/// Plays a recorded run with the defects that the overrides name.
pub(crate) fn play_with(
    run: &Value,
    profile: &str,
    overrides: &Overrides,
) -> Result<Played, String> {
    let text = scenario(run, profile)?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("run.toml");
    fs::write(&path, text).map_err(|error| error.to_string())?;
    let Recorded { plan, outcome, log } = record(&path, overrides);
    let events = events(&log);
    let told = observe(&plan.system, plan.start_unix_ns, &events, &outcome.verdict);
    Ok(Played {
        told,
        verdict: outcome.verdict.clone(),
        initial_balance: plan.system.paper.initial_balance,
        events,
        outcome,
    })
}
