//! The state of the coordinator as events tell it, whatever an order says of it.

use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, number};

/// The kinds of event that tell of it.
pub(super) const STARTED: u16 = number::Started;
/// The kinds of event that tell of it.
pub(super) const CHANGED: u16 = number::StateChanged;

/// RUNNING, PAUSED or HALTED, folded from the changes.
#[derive(Debug)]
pub(super) struct RunStateFold(RunState);

impl RunStateFold {
    /// A coordinator begins as RUNNING.
    pub(super) fn new() -> RunStateFold {
        RunStateFold(RunState::Running)
    }

    /// Takes one event into account.
    pub(super) fn see(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::Started(_) => self.0 = RunState::Running,
            DomainEvent::StateChanged(changed) => self.0 = changed.to,
            _ => {}
        }
    }

    /// What it is now.
    pub(super) fn now(&self) -> RunState {
        self.0
    }
}
