//! Whether the coordinator is up, and who speaks for it.

use dacapo_kernel::{ActorId, Event, HostId, KernelEvent};

use super::COORDINATOR;
use crate::domain_event::DomainEvent;

/// Follows the coordinator's host through its crashes.
#[derive(Debug, Default)]
pub(super) struct Up {
    host: Option<HostId>,
    actor: Option<ActorId>,
    up: bool,
}

/// What happened to the coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It began, with nothing in memory.
    Began,
    /// It is gone, with all that it had in memory.
    Crashed,
    /// Nothing that concerns its life.
    Nothing,
}

impl Up {
    /// Takes an event into account: needs `HostStarted`, `HostCrashed`, `Started`.
    pub(super) fn note(&mut self, event: &Event<DomainEvent>) -> Turn {
        if let Some(DomainEvent::Started(_)) = event.domain() {
            self.up = true;
            self.actor = Some(event.actor);
            return Turn::Began;
        }
        match event.kernel() {
            Some(KernelEvent::HostStarted(started)) if started.name.as_str() == COORDINATOR => {
                self.host = Some(started.host);
            }
            Some(KernelEvent::HostCrashed(crashed))
                if self.host.is_none_or(|host| host == crashed.host) =>
            {
                self.up = false;
                return Turn::Crashed;
            }
            _ => {}
        }
        Turn::Nothing
    }

    /// Whether the coordinator is up.
    pub(super) fn is_up(&self) -> bool {
        self.up
    }

    /// Whether a host is the coordinator's.
    pub(super) fn is_its(&self, host: HostId) -> bool {
        self.host.is_none_or(|its| its == host)
    }

    /// Whether the coordinator itself speaks in an event.
    pub(super) fn speaks_in(&self, event: &Event<DomainEvent>) -> bool {
        self.actor == Some(event.actor)
    }
}
