//! What the run is made from that is held against a recording.

use std::path::Path;

use dacapo_kernel::log::{Reader, SyncPolicy};
use dacapo_kernel::{BoxedStorage, Files, Outcome, Plan, Run, System, follow, plan_of};
use tempfile::TempDir;

use super::Trouble;
use super::kept::{Kept, NewInputs};
use crate::scenario::{DataDir, Loaded, Overrides, folder_of, load};
use crate::shrink::changed_files;

/// Where the plan and the inputs of a run come from.
pub(super) enum Made<S: System> {
    /// Both from the recording.
    AsRecorded,
    /// The plan from the recording, the inputs from its seed, and data files from here.
    FromItsPlan(DataDir),
    /// Both from a scenario as it stands.
    FromScenario(Box<Loaded<S>>),
}

impl<S: System> Made<S> {
    /// What the file beside a log says.
    ///
    /// # Errors
    /// If there is no such folder, or the scenario has a mistake.
    pub(super) fn as_kept(log: &Path, kept: &Kept) -> Result<Made<S>, Trouble> {
        let beside = folder_of(log);
        if let Some(scenario) = &kept.scenario {
            let overrides = Overrides {
                set: kept.set.clone(),
                ..Overrides::default()
            };
            let loaded = load::<S>(&beside.join(scenario), &overrides).map_err(Box::new)?;
            return Ok(Made::FromScenario(Box::new(loaded)));
        }
        match kept.inputs {
            NewInputs::Recorded => Ok(Made::AsRecorded),
            NewInputs::Generated => {
                let folder = beside.join(kept.data.as_deref().unwrap_or("."));
                let told = |error| Trouble::File(format!("{}: {error}", folder.display()));
                DataDir::new(&folder).map_err(told).map(Made::FromItsPlan)
            }
        }
    }

    /// Whether the inputs are made anew.
    pub(super) fn generates(&self) -> bool {
        !matches!(self, Made::AsRecorded)
    }

    /// Makes the run.
    ///
    /// # Errors
    /// If it cannot be made, or reads another file than the recorded one.
    pub(super) fn run(
        &self,
        mut recording: Reader<BoxedStorage>,
        storage: BoxedStorage,
    ) -> Result<Outcome<S::View>, Trouble> {
        match self {
            Made::AsRecorded => Ok(follow::<S>(recording, storage, |_, _| true)?),
            Made::FromItsPlan(files) => {
                let plan = plan_of::<S>(&mut recording)?;
                let outcome = from_seed::<S>(&plan, files, storage)?;
                let changed = changed_files(&plan.data, files);
                if changed.is_empty() {
                    return Ok(outcome);
                }
                Err(Trouble::DataChanged(changed))
            }
            Made::FromScenario(loaded) => from_seed::<S>(&loaded.plan, &loaded.files, storage),
        }
    }
}

fn from_seed<S: System>(
    plan: &Plan<S::Config>,
    files: &DataDir,
    storage: BoxedStorage,
) -> Result<Outcome<S::View>, Trouble> {
    let left = place_for_files()?;
    let files = files.clone().leaving_in(left.path());
    let made = Run::<S>::new(plan).record(&files as &dyn Files, storage, SyncPolicy::Never);
    made.map_err(Trouble::FromSeed)
}

/// A folder for what a run leaves, which goes with it.
pub(super) fn place_for_files() -> Result<TempDir, Trouble> {
    tempfile::tempdir().map_err(|error| Trouble::File(error.to_string()))
}
