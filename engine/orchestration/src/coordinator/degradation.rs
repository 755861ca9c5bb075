//! How badly the outside works: failure counts, the level that follows, and the announcement of a change.
//!
//! What a level changes is decided where conflicts are resolved. Publishing is the caller's business:
//! an announcement is drafted with the counts at the moment it goes out, not those that caused it.

use serde::{Deserialize, Serialize};

use crate::defect::{Defect, Defects};
use crate::message::{DegradationLevel, Draft, LevelChange, LevelEvent, Name, Priority, Topic};

/// The numbers of degradation and recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DegradationConfig {
    /// How many successes undo one failure.
    pub recovery_threshold: u32,
    /// How many failures make one level.
    pub failures_per_level: u32,
    /// Failures of language models that count from the start.
    pub llm_failures: u32,
    /// Failures of everything else that count from the start.
    pub api_failures: u32,
}

impl Default for DegradationConfig {
    /// Three successes undo a failure; three failures make a level; nothing has failed.
    fn default() -> DegradationConfig {
        DegradationConfig {
            recovery_threshold: 3,
            failures_per_level: 3,
            llm_failures: 0,
            api_failures: 0,
        }
    }
}

/// What failed, or worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// A language model.
    LanguageModel,
    /// Anything else that a task run needs.
    Api,
}

/// The counts that survive a restart where degradation is persisted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCounts {
    /// Failures of language models. There is no ceiling.
    pub llm_failures: u32,
    /// Failures of everything else. There is no ceiling.
    pub api_failures: u32,
}

/// A change of the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelMove {
    /// The level before.
    pub old: DegradationLevel,
    /// The level after.
    pub new: DegradationLevel,
}

/// The failure counts and the level that follows from them.
#[derive(Clone, Debug)]
pub struct Degradation {
    config: DegradationConfig,
    defects: Defects,
    counts: FailureCounts,
    /// Successes of each dependency since its count last changed. With the shared counter, only
    /// the first is used.
    progress: [u32; 2],
}

impl Degradation {
    /// The failures that count from the start, and the level that follows.
    pub fn new(config: DegradationConfig, defects: Defects) -> Degradation {
        Degradation {
            config,
            defects,
            counts: FailureCounts {
                llm_failures: config.llm_failures,
                api_failures: config.api_failures,
            },
            progress: [0; 2],
        }
    }

    /// The level: the sum of the failures, in whole steps of [`DegradationConfig::failures_per_level`].
    pub fn level(&self) -> DegradationLevel {
        let total = self
            .counts
            .llm_failures
            .saturating_add(self.counts.api_failures);
        match total / self.config.failures_per_level.max(1) {
            0 => DegradationLevel::Normal,
            1 => DegradationLevel::Reduced,
            2 => DegradationLevel::Limited,
            _ => DegradationLevel::Emergency,
        }
    }

    /// The failures.
    pub fn counts(&self) -> FailureCounts {
        self.counts
    }

    /// How many successes count towards undoing the next failure of `dependency`.
    pub fn recovery_progress(&self, dependency: Dependency) -> u32 {
        self.progress[self.counter(dependency)]
    }

    /// Goes on from counts that were saved.
    pub fn restore(&mut self, counts: FailureCounts) -> Option<LevelMove> {
        self.progress = [0; 2];
        self.change(|it| it.counts = counts)
    }

    /// Counts a failure, which costs whatever recovery was under way.
    pub fn record_failure(&mut self, dependency: Dependency) -> Option<LevelMove> {
        let counter = self.counter(dependency);
        self.progress[counter] = 0;
        self.change(|it| {
            let failures = it.failures(dependency);
            *failures = failures.saturating_add(1);
        })
    }

    /// Counts a success. Enough of them undo one failure of the dependency that worked last.
    pub fn record_success(&mut self, dependency: Dependency) -> Option<LevelMove> {
        let counter = self.counter(dependency);
        self.progress[counter] += 1;
        if self.progress[counter] < self.config.recovery_threshold {
            return None;
        }
        self.progress[counter] = 0;
        self.change(|it| {
            let failures = it.failures(dependency);
            *failures = failures.saturating_sub(1);
        })
    }

    /// The message that announces a move, with the counts as they are now.
    pub fn announcement(&self, moved: LevelMove) -> Draft {
        let change = LevelChange {
            event: self.event(moved),
            old_level: moved.old,
            new_level: moved.new,
            llm_failures: self.counts.llm_failures.into(),
            api_failures: self.counts.api_failures.into(),
        };
        Draft::new(Topic::SystemEvents, Name::fixed("coordinator"), change).priority(Priority::High)
    }

    fn event(&self, moved: LevelMove) -> LevelEvent {
        if moved.new == DegradationLevel::Normal {
            LevelEvent::Recovery
        } else if moved.new < moved.old && !self.defects.has(Defect::RecoveryMislabelled) {
            LevelEvent::Decreased
        } else {
            LevelEvent::Increased
        }
    }

    /// Which progress counter a dependency uses: its own, or the one that all share.
    fn counter(&self, dependency: Dependency) -> usize {
        if self.defects.has(Defect::SharedRecoveryCounter) {
            return 0;
        }
        match dependency {
            Dependency::LanguageModel => 0,
            Dependency::Api => 1,
        }
    }

    fn failures(&mut self, dependency: Dependency) -> &mut u32 {
        match dependency {
            Dependency::LanguageModel => &mut self.counts.llm_failures,
            Dependency::Api => &mut self.counts.api_failures,
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Degradation)) -> Option<LevelMove> {
        let old = self.level();
        change(self);
        let new = self.level();
        (old != new).then_some(LevelMove { old, new })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Payload;
    use Dependency::{Api, LanguageModel};

    fn degraded(defects: Defects, api_failures: u32) -> Degradation {
        let mut degradation = Degradation::new(DegradationConfig::default(), defects);
        degradation.restore(FailureCounts {
            llm_failures: 1,
            api_failures,
        });
        degradation
    }

    #[test]
    fn each_dependency_recovers_by_its_own_successes() {
        let after = |defects| {
            let mut degradation = degraded(defects, 4);
            for dependency in [LanguageModel, LanguageModel, Api] {
                degradation.record_success(dependency);
            }
            degradation.counts().api_failures
        };
        assert_eq!(after(Defects::NONE), 4);
        assert_eq!(after(Defects::NONE.with(Defect::SharedRecoveryCounter)), 3);
    }

    #[test]
    fn a_partial_recovery_is_announced_as_one() {
        let event = |defects| {
            let mut degradation = degraded(defects, 8);
            let moved = (0..3).find_map(|_| degradation.record_success(Api));
            let moved = moved.expect("nine failures become eight");
            assert_eq!(moved.old, DegradationLevel::Emergency);
            match degradation.announcement(moved).payload {
                Payload::LevelChange(change) => change.event,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(event(Defects::NONE), LevelEvent::Decreased);
        let mislabelled = Defects::NONE.with(Defect::RecoveryMislabelled);
        assert_eq!(event(mislabelled), LevelEvent::Increased);
    }
}
