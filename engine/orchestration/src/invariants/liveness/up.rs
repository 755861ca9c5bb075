//! Whether the coordinator is up, and who speaks for it.

use dacapo_kernel::{ActorId, Event, HostId, KernelEvent};

use super::COORDINATOR;
use crate::domain_event::DomainEvent;
use crate::message::Topic;

/// The last topic that it subscribes to before it goes to work.
const LAST: Topic = Topic::CoordinatorCommands;

/// Follows the coordinator's host through its crashes.
#[derive(Debug, Default)]
pub(in crate::invariants) struct Up {
    host: Option<HostId>,
    actor: Option<ActorId>,
    up: bool,
    listens: bool,
}

/// What happened to the coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::invariants) enum Turn {
    /// It began, with nothing in memory.
    Began,
    /// It is gone, with all that it had in memory.
    Crashed,
    /// Nothing that concerns its life.
    Nothing,
}

impl Up {
    /// Takes an event into account: needs `HostStarted`, `HostCrashed`, `Started`;
    /// and `Subscribed`, for whoever asks whether it listens.
    pub(in crate::invariants) fn note(&mut self, event: &Event<DomainEvent>) -> Turn {
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                (self.up, self.listens) = (true, false);
                self.actor = Some(event.actor);
                return Turn::Began;
            }
            Some(DomainEvent::Subscribed(it)) => {
                self.listens |= it.topic == LAST && it.subscriber.as_str() == COORDINATOR;
            }
            _ => {}
        }
        match event.kernel() {
            Some(KernelEvent::HostStarted(started)) if started.name.as_str() == COORDINATOR => {
                self.host = Some(started.host);
            }
            Some(KernelEvent::HostCrashed(crashed))
                if self.host.is_none_or(|host| host == crashed.host) =>
            {
                (self.up, self.listens) = (false, false);
                return Turn::Crashed;
            }
            _ => {}
        }
        Turn::Nothing
    }

    /// Whether the coordinator is up.
    pub(in crate::invariants) fn is_up(&self) -> bool {
        self.up
    }

    /// Whether it has gone on from what was saved and listens to the bus: a coordinator that cannot
    /// read its store waits for it, and does nothing until then.
    pub(in crate::invariants) fn listens(&self) -> bool {
        self.listens
    }

    /// Whether a host is the coordinator's.
    pub(in crate::invariants) fn is_its(&self, host: HostId) -> bool {
        self.host.is_none_or(|its| its == host)
    }

    /// Whether the coordinator itself speaks in an event.
    pub(in crate::invariants) fn speaks_in(&self, event: &Event<DomainEvent>) -> bool {
        self.actor == Some(event.actor)
    }
}
