//! Under which conditions a run went on, and for how long: the degradation level, the state of the
//! coordinator, and whether anything was at risk.

use dacapo_kernel::{HostId, KernelEvent, Time};

use crate::build::HOSTS;
use crate::coordinator::state::RunState;
use crate::domain_event::DomainEvent;
use crate::message::DegradationLevel;

/// The conditions at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conditions {
    /// How degraded the coordinator is.
    pub(super) level: DegradationLevel,
    /// What it does.
    pub(super) state: RunState,
    /// Whether its host is down; then the two above mean nothing.
    pub(super) down: bool,
    /// Whether anything is at risk.
    pub(super) in_market: bool,
}

/// The conditions while a run goes on.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) now: Conditions,
    pub(super) since: Time,
    host: Option<HostId>,
}

impl Watch {
    pub(super) fn new(in_market: bool) -> Watch {
        Watch {
            now: Conditions {
                level: DegradationLevel::Normal,
                state: RunState::Running,
                down: false,
                in_market,
            },
            since: Time::ZERO,
            host: None,
        }
    }

    /// What the conditions are after an event of the kernel.
    pub(super) fn after_kernel(&mut self, event: &KernelEvent) -> Conditions {
        let mut after = self.now;
        match event {
            KernelEvent::HostStarted(started) if started.name.as_str() == HOSTS[1] => {
                self.host = Some(started.host);
            }
            KernelEvent::HostCrashed(crashed) if Some(crashed.host) == self.host => {
                after.down = true;
            }
            KernelEvent::HostRestarted(restarted) if Some(restarted.host) == self.host => {
                after.down = false;
            }
            _ => {}
        }
        after
    }

    /// What the conditions are after an event of the orchestration.
    pub(super) fn after(&self, event: &DomainEvent) -> Conditions {
        let mut after = self.now;
        match event {
            DomainEvent::Started(_) => {
                // What was in memory only is gone.
                after.level = DegradationLevel::Normal;
                after.state = RunState::Running;
            }
            DomainEvent::StateChanged(changed) => after.state = changed.to,
            DomainEvent::OutcomeCounted(counted) => after.level = counted.level,
            DomainEvent::StateRestored(restored) => after.level = restored.level,
            _ => {}
        }
        after
    }
}
