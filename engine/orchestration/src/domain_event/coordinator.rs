//! What the coordinator did: its state, its level, its tasks.

use dacapo_kernel::numbered;
use serde::{Deserialize, Serialize};

use crate::coordinator::state::RunState;
use crate::message::{DegradationLevel, Json, Name};

/// The coordinator and its bus begin, with nothing in memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {}

/// The coordinator changed its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateChanged {
    /// From.
    pub from: RunState,
    /// To.
    pub to: RunState,
    /// What made it.
    pub by: Name,
}

numbered! {
    /// What counts towards or against degradation.
    #[derive(Copy, Eq)]
    pub enum Counted {
        /// A language model failed.
        1 LlmFailure,
        /// A language model answered.
        2 LlmSuccess,
        /// A task run failed.
        3 ApiFailure,
        /// A task run succeeded.
        4 ApiSuccess,
    }
}

/// An outcome was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutcomeCounted {
    /// What.
    pub outcome: Counted,
    /// Failures of language models that count now.
    pub llm_failures: u32,
    /// Failures of everything else that count now.
    pub api_failures: u32,
    /// The level that follows.
    pub level: DegradationLevel,
}

/// A task is run for one symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRunStarted {
    /// The task.
    pub task: Name,
    /// The symbol.
    pub symbol: Name,
    /// Whether a command asked for it, and not the schedule.
    pub forced: bool,
}

numbered! {
    /// How one run of a task went.
    pub enum TaskOutcome {
        /// It finished in time.
        1 Done,
        /// It was given up after its limit.
        2 TimedOut,
        /// It raised an error.
        3 Failed(String),
    }
}

/// A task run for one symbol ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRunEnded {
    /// The task.
    pub task: Name,
    /// The symbol.
    pub symbol: Name,
    /// How.
    pub outcome: TaskOutcome,
}

/// A task has finished for all its symbols; its interval begins anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFinished {
    /// The task.
    pub task: Name,
}

/// A task was enabled or disabled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSwitched {
    /// The task.
    pub task: Name,
    /// Whether it is scheduled from here on.
    pub enabled: bool,
}

/// The loop that keeps the schedule has ended; nothing starts it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleEnded {}

/// How the coordinator is, because somebody asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusReported {
    /// State, level, counts, tasks, bus and account.
    pub status: Json,
}
