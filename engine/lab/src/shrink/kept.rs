//! A shrunk run as files: the scenario, its data, and its log.
//!
//! The log is made by loading the scenario file that was written and running that, and it is
//! replayed before anybody is told of it. So the file is the whole of the finding.

use std::fs;
use std::path::Path;

use dacapo_kernel::{Files, Outcome, Plan, System, Verified, verify};

use super::trials::{failure_of, reader, record};
use super::{ShrinkError, Shrunk};
use crate::judgement::Failure;
use crate::plan_file::plan_file;
use crate::scenario::{Loaded, Overrides, load};

/// A shrunk run that is kept.
pub struct Kept<S: System> {
    /// The scenario as it was loaded again.
    pub loaded: Loaded<S>,
    /// What is known of its run.
    pub outcome: Outcome<S::View>,
    /// The failure that is looked for.
    pub failure: Failure,
    /// The bytes of its log, which replays.
    pub log: Vec<u8>,
}

/// The longest name that a scenario can have.
const NAME_MAX: usize = 120;

/// Writes the scenario file of a shrunk run, with the data files that it names beside it, loads it,
/// runs it and replays its log.
///
/// `files` is where the data of the run come from.
///
/// # Errors
/// If a file cannot be written, or what was written does not fail in the same way.
pub fn keep<S: System>(
    shrunk: &Shrunk<S>,
    files: &dyn Files,
    scenario: &Path,
) -> Result<Kept<S>, ShrinkError> {
    let plan = named(shrunk);
    let text = plan_file::<S>(&plan)?;
    let unwritten = |path: &Path, what: String| ShrinkError::Write {
        path: path.display().to_string(),
        what,
    };
    let folder = scenario.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(folder).map_err(|error| unwritten(folder, error.to_string()))?;
    }
    for data in &plan.data {
        copy(&data.path, &data.digest, files, folder)?;
    }
    fs::write(scenario, text).map_err(|error| unwritten(scenario, error.to_string()))?;
    let loaded = load::<S>(scenario, &Overrides::default()).map_err(Box::new)?;
    if digest_of(&loaded.plan) != digest_of(&plan) {
        return Err(ShrinkError::Lost(
            "its configuration says something that a scenario file cannot",
        ));
    }
    let (outcome, log) = record::<S>(&loaded.plan, &loaded.files)?;
    let failure = failure_of::<S>(&loaded.plan, &outcome, &shrunk.target);
    let failure = failure.ok_or(ShrinkError::Lost("its run ended without that failure"))?;
    match verify::<S>(reader(log.clone())?, None)? {
        Verified::Same(_) => {}
        Verified::SameSoFar(_) | Verified::Diverged(..) => {
            return Err(ShrinkError::Lost("its log does not replay"));
        }
    }
    Ok(Kept {
        loaded,
        outcome,
        failure,
        log,
    })
}

fn digest_of<C: serde::Serialize>(plan: &Plan<C>) -> blake3::Hash {
    let json = serde_json::to_vec(plan).expect("a plan is plain data with text keys");
    blake3::hash(&json)
}

/// The name of what is left of a scenario.
pub fn shrunk_name(name: &str) -> String {
    const SUFFIX: &str = "-shrunk";
    let name = name.strip_suffix(SUFFIX).unwrap_or(name);
    let name: String = name.chars().take(NAME_MAX - SUFFIX.len()).collect();
    name + SUFFIX
}

/// The plan with a name and a story of its own.
fn named<S: System>(shrunk: &Shrunk<S>) -> Plan<S::Config> {
    let mut plan = shrunk.plan.clone();
    let count = |count: usize| match count {
        1 => "1 input".to_owned(),
        many => format!("{many} inputs"),
    };
    let with = match shrunk.inputs {
        0 => "without anything going wrong".to_owned(),
        some => format!("with {}", count(some)),
    };
    plan.story = format!(
        "Fails by {} {with}: what is left of the {} of {}, seed {:#x}.",
        shrunk.target.property,
        count(shrunk.inputs_before),
        plan.name,
        plan.seed
    );
    plan.name = shrunk_name(&plan.name);
    plan
}

/// Copies a data file to where the new scenario names it, unless it is there.
fn copy(name: &str, digest: &str, files: &dyn Files, folder: &Path) -> Result<(), ShrinkError> {
    let to = folder.join(name);
    let unwritten = |what: String| ShrinkError::Write {
        path: to.display().to_string(),
        what,
    };
    if let Ok(there) = fs::read(&to) {
        if blake3::hash(&there).to_hex().as_str() == digest {
            return Ok(());
        }
        return Err(unwritten(
            "another file of that name lies there already; write the scenario into a folder of its own"
                .to_owned(),
        ));
    }
    let mut bytes = Vec::new();
    let mut from = files
        .open(name)
        .map_err(|error| unwritten(error.to_string()))?;
    from.read_to_end(&mut bytes)
        .map_err(|error| unwritten(error.to_string()))?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| unwritten(error.to_string()))?;
    }
    fs::write(&to, bytes).map_err(|error| unwritten(error.to_string()))
}
