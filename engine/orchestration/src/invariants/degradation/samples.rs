//! Events of degradation for the tests of its properties.

use crate::domain_event::{
    Counted, OutcomeCounted, StateRestored, TaskOutcome, TaskRunEnded, TaskRunStarted,
};
use crate::message::DegradationLevel;

/// An outcome, the failures of models and of everything else that count then, and the level.
pub(in crate::invariants) fn counted(
    outcome: Counted,
    [llm_failures, api_failures]: [u32; 2],
    level: DegradationLevel,
) -> OutcomeCounted {
    OutcomeCounted {
        outcome,
        llm_failures,
        api_failures,
        level,
    }
}

/// A coordinator goes on from a record in which nothing counts.
pub(in crate::invariants) fn restored() -> StateRestored {
    StateRestored {
        task_runs: 1,
        conflicts: 0,
        llm_failures: 0,
        api_failures: 0,
        level: DegradationLevel::Normal,
        complete: true,
    }
}

pub(in crate::invariants) fn begun(symbol: &str, forced: bool) -> TaskRunStarted {
    TaskRunStarted {
        task: "ta_analysis".into(),
        symbol: symbol.into(),
        forced,
    }
}

pub(in crate::invariants) fn ended(symbol: &str, outcome: TaskOutcome) -> TaskRunEnded {
    TaskRunEnded {
        task: "ta_analysis".into(),
        symbol: symbol.into(),
        outcome,
    }
}
