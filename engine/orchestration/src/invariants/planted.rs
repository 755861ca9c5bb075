//! A short log with a violation planted in it, for the tests of the properties.

use dacapo_kernel::{
    ActorId, Body, Checks, Event, FaultInjected, Finding, Invariant, KernelEvent, Seq, Time,
};

use crate::domain_event::DomainEvent;
use crate::message::Name;

/// A fault that is let in at a door.
pub(super) fn fault(door: &str, value: u64) -> FaultInjected {
    FaultInjected {
        door: Name::from(door),
        asked: 0,
        value,
    }
}

/// A property and the events that it has been shown.
pub(super) struct Planted {
    checks: Checks<DomainEvent>,
    now: Time,
    next: u64,
    /// What the next event follows from.
    cause: Option<Seq>,
}

impl Planted {
    /// Nothing has happened yet.
    pub(super) fn of(invariant: impl Invariant<DomainEvent> + 'static) -> Planted {
        Planted {
            checks: Checks::new(vec![Box::new(invariant)], Vec::new()),
            now: Time::ZERO,
            next: 0,
            cause: None,
        }
    }

    /// What follows happens at this time.
    pub(super) fn at(mut self, seconds: f64) -> Planted {
        self.now = Time::from_micros((seconds * 1e6) as u64);
        self
    }

    /// What follows next follows from the event with this number, counted from 0.
    pub(super) fn because_of(mut self, cause: u64) -> Planted {
        self.cause = Some(Seq(cause));
        self
    }

    /// Something of the orchestration's own happens.
    pub(super) fn then(self, body: impl Into<DomainEvent>) -> Planted {
        self.show(ActorId(1), Body::Domain(body.into()))
    }

    /// Something of the orchestration's own follows from the event before.
    pub(super) fn then_caused_by_the_last(mut self, body: impl Into<DomainEvent>) -> Planted {
        self.cause = self.next.checked_sub(1).map(Seq);
        self.then(body)
    }

    /// Something of the kernel's own happens.
    pub(super) fn kernel(self, body: impl Into<KernelEvent>) -> Planted {
        self.show(ActorId::ENGINE, Body::Kernel(body.into()))
    }

    /// Something of the orchestration's own happens, and follows from that event.
    pub(super) fn after(mut self, cause: u64, body: impl Into<DomainEvent>) -> Planted {
        self.cause = Some(Seq(cause));
        self.then(body)
    }

    /// Somebody else than the coordinator does it.
    pub(super) fn by_another(self, body: impl Into<DomainEvent>) -> Planted {
        self.show(ActorId(2), Body::Domain(body.into()))
    }

    fn show(mut self, actor: ActorId, body: Body<DomainEvent>) -> Planted {
        let event = Event {
            seq: Seq(self.next),
            time: self.now,
            cause: self.cause.take(),
            actor,
            body,
        };
        self.next += 1;
        self.checks.observe(event);
        self
    }

    /// What the property says in the end.
    pub(super) fn finding(self) -> Finding {
        let mut rows = self.checks.finish().findings;
        rows.remove(0).finding
    }

    /// Requires that it was violated, and returns what it says.
    #[track_caller]
    pub(super) fn violated(self) -> String {
        match self.finding() {
            Finding::Violated { what, .. } => what,
            other => panic!("expected a violation, found {other:?}"),
        }
    }

    /// Requires that it held.
    #[track_caller]
    pub(super) fn holds(self) {
        assert_eq!(self.finding(), Finding::Held);
    }
}
