//! The coordinator, as people see it.

use std::collections::BTreeMap;

use dacapo_kernel::Time;
use serde::{Deserialize, Serialize};

use super::{entry, keep};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, ResolvedBy, TaskOutcome};
use crate::message::{DegradationLevel, Name};

/// The coordinator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoordinatorView {
    /// What it does.
    pub state: RunState,
    /// How degraded it is.
    pub level: DegradationLevel,
    /// Failures of language models that count.
    pub llm_failures: u32,
    /// Failures of everything else that count.
    pub api_failures: u32,
    /// Every change of the level, with its time.
    pub levels: Vec<(Time, DegradationLevel)>,
    /// The scheduled tasks.
    pub tasks: BTreeMap<Name, TaskView>,
    /// Signals that were weighed.
    pub signals: u64,
    /// Signals that met a conflict.
    pub conflicts: u64,
    /// What was done about conflicts, by action.
    pub resolutions: BTreeMap<Name, u64>,
    /// Resolutions that no model's reply gave.
    pub unresolved: u64,
    /// Signals that were dropped, by reason.
    pub dropped: BTreeMap<Name, u64>,
    /// Whether the loop that keeps the schedule has ended.
    pub schedule_ended: bool,
}

impl Default for CoordinatorView {
    fn default() -> CoordinatorView {
        CoordinatorView {
            state: RunState::Running,
            level: DegradationLevel::Normal,
            llm_failures: 0,
            api_failures: 0,
            levels: Vec::new(),
            tasks: BTreeMap::new(),
            signals: 0,
            conflicts: 0,
            resolutions: BTreeMap::new(),
            unresolved: 0,
            dropped: BTreeMap::new(),
            schedule_ended: false,
        }
    }
}

/// One scheduled task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskView {
    /// Runs that are under way.
    pub running: u64,
    /// Runs that succeeded.
    pub done: u64,
    /// Runs that failed or took too long.
    pub failed: u64,
    /// When it last finished for all its symbols.
    pub last_run_ns: Option<Time>,
    /// Whether a command has disabled it.
    pub disabled: bool,
}

impl CoordinatorView {
    /// What was in memory only is gone.
    pub(super) fn begin(&mut self) {
        self.state = RunState::Running;
        (self.llm_failures, self.api_failures) = (0, 0);
        self.level = DegradationLevel::Normal;
        self.conflicts = 0;
        self.schedule_ended = false;
        for task in self.tasks.values_mut() {
            (task.running, task.disabled) = (0, false);
        }
    }

    fn level_is(&mut self, time: Time, level: DegradationLevel) {
        if self.level != level {
            self.level = level;
            keep(&mut self.levels, (time, level));
        }
    }

    pub(super) fn apply(&mut self, time: Time, event: &DomainEvent) {
        match event {
            DomainEvent::StateChanged(changed) => self.state = changed.to,
            DomainEvent::OutcomeCounted(counted) => {
                self.llm_failures = counted.llm_failures;
                self.api_failures = counted.api_failures;
                self.level_is(time, counted.level);
            }
            DomainEvent::TaskRunStarted(run) => entry(&mut self.tasks, &run.task).running += 1,
            DomainEvent::TaskRunEnded(run) => {
                let task = entry(&mut self.tasks, &run.task);
                task.running = task.running.saturating_sub(1);
                match run.outcome {
                    TaskOutcome::Done => task.done += 1,
                    TaskOutcome::TimedOut | TaskOutcome::Failed(_) => task.failed += 1,
                }
            }
            DomainEvent::TaskFinished(finished) => {
                entry(&mut self.tasks, &finished.task).last_run_ns = Some(time);
            }
            DomainEvent::ConsensusBuilt(_) => self.signals += 1,
            DomainEvent::ConflictFound(_) => self.conflicts += 1,
            DomainEvent::ConflictResolved(resolved) => {
                *entry(&mut self.resolutions, &resolved.action) += 1;
                self.unresolved += u64::from(resolved.by != ResolvedBy::Reply);
            }
            DomainEvent::SignalDropped(signal) => *entry(&mut self.dropped, &signal.reason) += 1,
            DomainEvent::TaskSwitched(switched) => {
                entry(&mut self.tasks, &switched.task).disabled = !switched.enabled;
            }
            DomainEvent::ScheduleEnded(_) => self.schedule_ended = true,
            DomainEvent::StateRestored(restored) => {
                self.conflicts = restored.conflicts;
                self.llm_failures = restored.llm_failures;
                self.api_failures = restored.api_failures;
                self.level_is(time, restored.level);
            }
            _ => {}
        }
    }
}
