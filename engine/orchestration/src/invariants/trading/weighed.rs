//! `signal.weighed`: a signal is weighed only while anything is traded.

use dacapo_kernel::{Event, Invariant, Time};

use super::run_state::{CHANGED, RunStateFold, STARTED};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, number};

/// The state as it is folded, and when it changed.
#[derive(Debug)]
pub(super) struct Weighed {
    state: RunStateFold,
    since: Time,
}

impl Weighed {
    pub(super) fn new() -> Weighed {
        Weighed {
            state: RunStateFold::new(),
            since: Time::ZERO,
        }
    }
}

impl Invariant<DomainEvent> for Weighed {
    fn id(&self) -> &'static str {
        "signal.weighed"
    }

    fn statement(&self) -> &'static str {
        "a signal is weighed while the coordinator is RUNNING; one that comes to its turn in another state is dropped"
    }

    fn watches(&self) -> &'static [u16] {
        &[STARTED, CHANGED, number::ConsensusBuilt]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConsensusBuilt]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(domain) = event.domain() else {
            return Ok(());
        };
        self.state.see(domain);
        if !matches!(domain, DomainEvent::ConsensusBuilt(_)) {
            self.since = event.time;
            return Ok(());
        }
        // A pause may come while evidence is looked up, which takes no time.
        match self.state.now() {
            RunState::Running => Ok(()),
            _ if self.since == event.time => Ok(()),
            now => Err(format!(
                "expected no signal to be weighed while {now}, found one"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::{changed, consensus};
    use super::*;
    use crate::invariants::planted::Planted;

    // Fails if a signal may be weighed while nothing is traded, or may not when a pause comes at that instant.
    #[test]
    fn a_signal_is_weighed_while_running_only() {
        let weighed = || consensus(1, Vec::new(), 0, 0);
        for state in [RunState::Paused, RunState::Halted] {
            let stopped = || {
                Planted::of(Weighed::new())
                    .at(1.0)
                    .then(changed(RunState::Running, state, "pause"))
            };
            stopped().then(weighed()).holds();
            let found = stopped().at(2.0).then(weighed()).violated();
            assert!(found.contains("to be weighed while"), "{found}");
            let resumed = stopped()
                .at(2.0)
                .then(changed(state, RunState::Running, "resume"));
            resumed.at(3.0).then(weighed()).holds();
        }
    }
}
