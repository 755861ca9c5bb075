//! The figures that survive a crash, and what a saved record tells of them.

use serde_json::Value;

use crate::coordinator::degradation::DegradationConfig;

/// The figures that must survive a crash.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Figures {
    pub(super) task_runs: u64,
    pub(super) conflicts: u64,
    pub(super) llm_failures: u32,
    pub(super) api_failures: u32,
}

impl Figures {
    /// What a coordinator begins with that has nothing to go on from.
    pub(super) fn at_start(config: &DegradationConfig) -> Figures {
        Figures {
            task_runs: 0,
            conflicts: 0,
            llm_failures: config.llm_failures,
            api_failures: config.api_failures,
        }
    }

    /// Compares with what was restored.
    pub(super) fn must_be(&self, found: &Figures) -> Result<(), String> {
        let same = |what: &str, expected: u64, found: u64| {
            if expected == found {
                return Ok(());
            }
            Err(format!(
                "expected the {expected} {what} that were saved after recovery, found {found}"
            ))
        };
        same("task runs", self.task_runs, found.task_runs)?;
        same("conflicts", self.conflicts, found.conflicts)?;
        let (llm, api) = (self.llm_failures, self.api_failures);
        same("model failures", llm.into(), found.llm_failures.into())?;
        same("other failures", api.into(), found.api_failures.into())
    }
}

/// What a record says; nothing of what it lacks.
pub(super) struct Saved {
    task_runs: Option<u64>,
    conflicts: Option<u64>,
    failures: Option<(u32, u32)>,
}

impl Saved {
    pub(super) fn read(record: &Value) -> Saved {
        let statistic = |name: &str| record.get("statistics")?.get(name)?.as_u64();
        let failures = |name: &str| {
            let count = record.get("failures")?.get(name)?.as_u64()?;
            u32::try_from(count).ok()
        };
        let llm = failures("llm_failures");
        Saved {
            task_runs: statistic("total_task_runs"),
            conflicts: statistic("total_conflicts_detected"),
            failures: llm.zip(failures("api_failures")),
        }
    }

    /// What whoever goes on from it has.
    pub(super) fn figures(&self, initial: Figures) -> Figures {
        let (llm_failures, api_failures) = self
            .failures
            .unwrap_or((initial.llm_failures, initial.api_failures));
        Figures {
            task_runs: self.task_runs.unwrap_or(0),
            conflicts: self.conflicts.unwrap_or(0),
            llm_failures,
            api_failures,
        }
    }

    /// Whether it tells what is true. So many task runs may have ended without being counted yet.
    pub(super) fn tells(&self, truth: &Figures, uncounted: u64) -> Result<(), String> {
        let Some(failures) = self.failures else {
            return Err("expected the failures to be saved, found none".to_owned());
        };
        if failures != (truth.llm_failures, truth.api_failures) {
            return Err(format!(
                "expected {} and {} failures to be saved, found {} and {}",
                truth.llm_failures, truth.api_failures, failures.0, failures.1
            ));
        }
        self.counts(truth, uncounted)
    }

    /// The same of what was counted since the run began.
    pub(super) fn counts(&self, truth: &Figures, uncounted: u64) -> Result<(), String> {
        let runs = self.task_runs.unwrap_or(0);
        let least = truth.task_runs.saturating_sub(uncounted);
        if !(least..=truth.task_runs).contains(&runs) {
            return Err(format!(
                "expected {} task runs to be told, found {runs}",
                truth.task_runs
            ));
        }
        let conflicts = self.conflicts.unwrap_or(0);
        if conflicts != truth.conflicts {
            return Err(format!(
                "expected {} conflicts to be told, found {conflicts}",
                truth.conflicts
            ));
        }
        Ok(())
    }
}
