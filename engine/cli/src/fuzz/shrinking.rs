//! One failure of each group made small, and written beside its log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dacapo_kernel::System;
use dacapo_lab::fuzz::{CANARY, Campaign, ENGINE, Found, Report, small};
use dacapo_lab::scenario::Alternative;

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
    pub(super) alternatives: Vec<Alternative>,
    pub(super) log: PathBuf,
    pub(super) scenario: PathBuf,
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
            match self.one::<S>(found, at) {
                Ok(small) => drop(shrunk.insert(at, small)),
                Err(Problem::Other(_, what)) => {
                    let property = Screen::safe(&found.group.property);
                    screen.warning(format!("{property} is not shrunk: {what}"));
                }
                Err(other) => return Err(other),
            }
        }
        let left = groups.count();
        if left > 0 {
            screen.note(format!("{left} more groups are not shrunk"));
        }
        Ok(shrunk)
    }

    /// Several groups may have their first failure in one run.
    fn one<S: System>(&self, found: &Found, at: usize) -> Result<Shrunk, Problem> {
        let name = self.name.with_seed(found.seed);
        let stem = name.strip_suffix(".dlog").unwrap_or(&name);
        let log = self.folder.join(format!("{stem}-{}-shrunk.dlog", at + 1));
        let scenario = log.with_extension("toml");
        let go_on = &mut || !self.interrupts.any();
        let small = small::<S>(self.campaign, found, Some(&scenario), go_on)?;
        if let Some(bytes) = &small.log {
            log_file::write(&log, bytes)?;
        }
        Ok(Shrunk {
            inputs: small.inputs,
            before: small.before,
            alternatives: small.alternatives,
            log,
            scenario,
        })
    }
}
