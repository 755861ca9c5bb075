//! The entries of `[[refused]]`: changes to a scenario that make it one that must be refused, and the words for it.
//!
//! Whether each is refused is found out elsewhere, by making its run.

use std::collections::BTreeMap;
use std::path::Path;

use dacapo_kernel::{Mistake, System};
use serde::Deserialize;

use super::source::Source;
use super::vary::Choice;
use super::{Loaded, Overrides, ScenarioError, Written};

/// A change to a scenario with which it must be refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refused {
    /// What the error must contain.
    pub says: String,
    /// Values that differ, each as after `--set`.
    pub set: Vec<String>,
    /// Data files in the place of those of their paths.
    pub files: BTreeMap<String, String>,
    /// The whole text of the scenario, in its place.
    pub scenario: Option<String>,
}

impl Refused {
    /// The scenario of this path with the change.
    ///
    /// # Errors
    /// If it is refused before it runs.
    pub fn load<S: System>(&self, path: &Path) -> Result<Loaded<S>, ScenarioError> {
        let source = match &self.scenario {
            Some(text) => Source::of(path, text),
            None => Source::read(path)?,
        };
        let overrides = Overrides {
            set: self.set.clone(),
            ..Overrides::default()
        };
        let bytes = |(path, text): (&String, &String)| (path.clone(), text.clone().into_bytes());
        let mut written = Written::of(path, source, &overrides)?;
        written.given = self.files.iter().map(bytes).collect();
        written.load(&Choice::new())
    }

    /// What it changes, in a line.
    pub fn change(&self) -> String {
        let files = self.files.keys().map(|path| format!("another {path}"));
        let scenario = self.scenario.iter().map(|_| "another text".to_owned());
        let parts: Vec<String> = self
            .set
            .iter()
            .cloned()
            .chain(files)
            .chain(scenario)
            .collect();
        parts.join(", ")
    }

    fn changes_nothing(&self) -> bool {
        self.set.is_empty() && self.files.is_empty() && self.scenario.is_none()
    }
}

/// Each changes something, and says what the error says.
pub(super) fn check(all: &[Refused]) -> Result<(), Mistake> {
    for (number, refused) in all.iter().enumerate() {
        let at = format!("refused.{number}");
        if refused.says.trim().is_empty() {
            let what = "`refused` without a part of the error that is expected";
            return Err(Mistake::at(&at, what).help("add `says = \"…\"`"));
        }
        if refused.changes_nothing() {
            let what = "`refused` changes nothing: the scenario itself must run";
            return Err(Mistake::at(&at, what).help("add `set`, `files` or `scenario`"));
        }
    }
    Ok(())
}
