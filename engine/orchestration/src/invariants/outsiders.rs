//! Which actors speak for somebody outside: what they say, and for how long it lives, is their affair.

use dacapo_kernel::{ActorId, Event, KernelEvent};

use crate::domain_event::DomainEvent;

/// Those that have been named so far.
#[derive(Debug, Default)]
pub(super) struct Outsiders {
    actors: Vec<ActorId>,
}

impl Outsiders {
    /// Takes note of an actor that gets its name.
    pub(super) fn observe(&mut self, event: &Event<DomainEvent>) {
        if let Some(KernelEvent::ActorNamed(named)) = event.kernel()
            && named.name == *"outside"
        {
            self.actors.push(named.actor);
        }
    }

    /// Whether this actor is one of them.
    pub(super) fn has(&self, actor: ActorId) -> bool {
        self.actors.contains(&actor)
    }
}
