//! Changes to a scenario that must be refused: each is made, and its run tried.

use dacapo_kernel::log::{Memory, SyncPolicy};
use dacapo_kernel::{Run, System};

use super::Trouble;
use super::made::place_for_files;
use crate::judgement::Failure;
use crate::scenario::{Loaded, Refused};

/// The changes that are not refused, or in other words than they should be.
///
/// # Errors
/// If there is no place for what a run leaves.
pub(super) fn failures<S: System>(loaded: &Loaded<S>) -> Result<Vec<Failure>, Trouble> {
    let failure = |(number, refused): (usize, &Refused)| {
        let actual = match refusal::<S>(loaded, refused) {
            Err(trouble) => return Some(Err(trouble)),
            Ok(Some(error)) if error.contains(&refused.says) => return None,
            Ok(Some(error)) => error,
            Ok(None) => "it ran".to_owned(),
        };
        Some(Ok(Failure {
            property: format!("refused.{number}"),
            at: None,
            expected: format!("{} is refused with {:?}", refused.change(), refused.says),
            actual,
            waits: Vec::new(),
            defects: Vec::new(),
        }))
    };
    let all = loaded.refused.iter().enumerate();
    all.filter_map(failure).collect()
}

/// Why the scenario is refused with this change; none if it is not.
fn refusal<S: System>(loaded: &Loaded<S>, refused: &Refused) -> Result<Option<String>, Trouble> {
    let changed = match refused.load::<S>(&loaded.path) {
        Ok(changed) => changed,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let left = place_for_files()?;
    let files = changed.files.leaving_in(left.path());
    let log = Box::new(Memory::default());
    let made = Run::<S>::new(&changed.plan)
        .unchecked()
        .record(&files, log, SyncPolicy::Never);
    Ok(made.err().map(|error| error.to_string()))
}
