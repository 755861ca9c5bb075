//! Events of degradation for the tests of its properties.

use crate::domain_event::{Counted, OutcomeCounted, TaskOutcome, TaskRunEnded, TaskRunStarted};
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
