//! One failure of each group made small, and written beside its log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dacapo_kernel::System;
use dacapo_lab::fuzz::{CANARY, Campaign, ENGINE, Report, Small, small};

use crate::exit::Problem;
use crate::interrupt::Interrupts;
use crate::log_file::{self, LogName};
use crate::screen::Screen;

/// How many groups are shrunk at most.
const GROUPS: usize = 16;

/// Shrinks one failure of each group.
pub(super) struct Shrinking<'a> {
    pub(super) campaign: &'a Campaign<'a>,
    pub(super) name: &'a LogName,
    pub(super) folder: &'a Path,
    /// Whether that is wanted.
    pub(super) wanted: bool,
    pub(super) interrupts: &'a Interrupts,
}

/// A failure that was made small, and its files.
pub(super) struct Shrunk {
    pub(super) inputs: u64,
    pub(super) before: u64,
    pub(super) log: PathBuf,
    pub(super) scenario: Option<PathBuf>,
}

impl Shrinking<'_> {
    /// What is left of each group that could be shrunk, by its place in the report.
    pub(super) fn all<S: System>(
        &self,
        report: &Report,
        screen: &mut Screen<'_>,
    ) -> Result<BTreeMap<usize, Shrunk>, Problem> {
        let mut shrunk = BTreeMap::new();
        if !self.wanted {
            return Ok(shrunk);
        }
        let groups = report.groups.iter().enumerate();
        // Nothing of the system's own makes these fail.
        let mut groups =
            groups.filter(|(_, found)| ![CANARY, ENGINE].contains(&found.group.property.as_str()));
        for (at, found) in groups.by_ref().take(GROUPS) {
            if self.interrupts.any() {
                break;
            }
            if let Some(small) = small::<S>(self.campaign, found)? {
                shrunk.insert(at, self.write(found.seed, at, &small)?);
            }
        }
        let left = groups.count();
        if left > 0 {
            screen.note(format!("{left} more groups are not shrunk"));
        }
        Ok(shrunk)
    }

    /// Several groups may have their first failure in one run.
    fn write(&self, seed: u64, at: usize, small: &Small) -> Result<Shrunk, Problem> {
        let name = self.name.with_seed(seed);
        let stem = name.strip_suffix(".dlog").unwrap_or(&name);
        let log = self.folder.join(format!("{stem}-{}-small.dlog", at + 1));
        log_file::write(&log, &small.log)?;
        let scenario = match &small.scenario {
            None => None,
            Some(text) => {
                let path = log.with_extension("toml");
                std::fs::write(&path, text).map_err(|error| {
                    Problem::internal(format!("{} cannot be written: {error}", path.display()))
                })?;
                Some(path)
            }
        };
        Ok(Shrunk {
            inputs: small.inputs,
            before: small.before,
            log,
            scenario,
        })
    }
}
