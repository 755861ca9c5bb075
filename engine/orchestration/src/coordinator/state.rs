//! Whether the coordinator trades: RUNNING, PAUSED or HALTED, and what leads from one to another.

use crate::defect::{Defect, Defects};
use crate::message::closed_set::closed_set;

closed_set! {
    /// What the coordinator does.
    pub enum RunState {
        /// Everything.
        Running = 1 "running",
        /// Tasks run and publish; nothing that adds risk is traded.
        Paused = 2 "paused",
        /// Nothing, until an operator clears the halt.
        Halted = 3 "halted",
    }
}

impl RunState {
    /// After `pause`. A halt is not lifted by it.
    pub fn paused(self, defects: Defects) -> RunState {
        match self {
            RunState::Halted if !is_lifted_by_pause(defects) => RunState::Halted,
            _ => RunState::Paused,
        }
    }

    /// After `resume`, which only leaves PAUSED.
    pub fn resumed(self) -> RunState {
        match self {
            RunState::Paused => RunState::Running,
            other => other,
        }
    }

    /// After `clear_halt`, which only leaves HALTED, and only for PAUSED. Where a pause lifts a
    /// halt there is no such command.
    pub fn cleared(self, defects: Defects) -> RunState {
        match self {
            RunState::Halted if !is_lifted_by_pause(defects) => RunState::Paused,
            other => other,
        }
    }
}

/// Whether a pause lifts a halt, and nothing else has to.
pub fn is_lifted_by_pause(defects: Defects) -> bool {
    defects.has(Defect::HaltLiftedByPause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clear_halt_leaves_halted() {
        let halted = RunState::Halted;
        assert_eq!(halted.paused(Defects::NONE).resumed(), RunState::Halted);
        assert_eq!(halted.cleared(Defects::NONE).resumed(), RunState::Running);
    }

    #[test]
    fn with_the_defect_a_pause_lifts_a_halt() {
        let broken = Defects::NONE.with(Defect::HaltLiftedByPause);
        assert_eq!(RunState::Halted.paused(broken).resumed(), RunState::Running);
        assert_eq!(RunState::Halted.cleared(broken), RunState::Halted);
    }
}
