//! Recorded cases: files with one on each line.
//!
//! Every line becomes a test per profile. One that cannot be read becomes a test that fails and says
//! where; only blank lines are passed over.

use std::sync::Arc;

use dacapo_orchestration::defect::Profile;
use serde_json::Value;

use crate::case::{Case, Outcome};
use crate::compare;
use crate::families::{self, Family, Repair};
use crate::folder::{File, VECTORS};

/// The profiles that have an expectation, with their names.
const PROFILES: [(Profile, &str); 2] = [
    (Profile::Upstream, "upstream"),
    (Profile::ReviewFixed, "review-fixed"),
];

/// Every recorded case, under each profile.
pub(crate) fn cases() -> Vec<Case> {
    match VECTORS.files() {
        Ok(files) => files.iter().flat_map(cases_of).collect(),
        Err(error) => vec![Case::unreadable("vectors", "folder", error)],
    }
}

/// The cases of one file.
pub(crate) fn cases_of(file: &File) -> Vec<Case> {
    let File { stem, path, text } = file;
    let unreadable = |id: &str, error: String| vec![Case::unreadable(stem, id, error)];
    let text = match text {
        Ok(text) => text,
        Err(error) => return unreadable("file", format!("{path}: {error}")),
    };
    let lines = (1..).zip(text.lines());
    let filled = lines.filter(|(_, line)| !line.trim().is_empty());
    let cases = filled.flat_map(|(number, line)| match Recording::read(stem, line) {
        Ok(recording) => recording.cases(),
        Err(error) => unreadable(
            &format!("line-{number}"),
            format!("{path}:{number}: {error}"),
        ),
    });
    let cases: Vec<Case> = cases.collect();
    if cases.is_empty() {
        return unreadable(
            "file",
            format!("{path}:1: expected a case, found an empty file"),
        );
    }
    cases
}

/// One line.
struct Recording {
    family: &'static Family,
    id: String,
    input: Value,
    expected: Value,
    /// What the repair gives where that is something else.
    repaired: Option<Value>,
}

impl Recording {
    fn read(stem: &str, line: &str) -> Result<Recording, String> {
        let line: Value =
            serde_json::from_str(line).map_err(|error| format!("expected JSON, found {error}"))?;
        let field = |name: &str| {
            let value = line.get(name).cloned();
            value.ok_or_else(|| format!("expected a field `{name}`, found none"))
        };
        let id = field("id")?;
        let id = id.as_str().ok_or("expected a text in `id`")?;
        Ok(Recording {
            family: family(stem, id)?,
            id: id.to_owned(),
            input: field("input")?,
            expected: field("expected")?,
            repaired: field("seed_expected").ok().filter(|value| !value.is_null()),
        })
    }

    fn cases(self) -> Vec<Case> {
        let recording = Arc::new(self);
        let cases = PROFILES.into_iter().map(|(profile, name)| {
            let shared = Arc::clone(&recording);
            let check = move || shared.check(profile);
            Case::new(recording.family.name, &recording.id, name, check)
        });
        cases.collect()
    }

    fn check(&self, profile: Profile) -> Outcome {
        let found = (self.family.answer)(&self.input, profile.defects());
        compare::check(&self.expected_of(profile), &found)
    }

    fn expected_of(&self, profile: Profile) -> Value {
        let repaired = self.repaired.as_ref();
        let Some(repaired) = repaired.filter(|_| profile == Profile::ReviewFixed) else {
            return self.expected.clone();
        };
        match self.family.repair {
            Repair::Whole => repaired.clone(),
            Repair::Changes => changed(&self.expected, repaired),
        }
    }
}

/// The family of a file is its name; cases of several families in one file say theirs in their id.
fn family(stem: &str, id: &str) -> Result<&'static Family, String> {
    let of_id = id.rsplit_once('-').map_or(id, |(family, _)| family);
    let found = families::find(stem).or_else(|| families::find(of_id));
    found.ok_or_else(|| {
        format!(
            "expected a family that tests/conformance/families.rs lists, \
             found `{stem}` with the case `{id}`"
        )
    })
}

fn changed(expected: &Value, changes: &Value) -> Value {
    let mut changed = expected.clone();
    for (key, value) in changes.as_object().into_iter().flatten() {
        changed[key] = value.clone();
    }
    changed
}
