//! What must hold: properties as folds over events.
//!
//! The same property runs during a simulation, over a recorded log, and over a log that a
//! stranger sent, since events are all it ever sees. How many of them are fed together, and what
//! they say in the end, is in [`checks`](crate::checks).

use crate::event::{Event, EventSet};
use crate::id::Time;
use crate::kernel_event::{KernelEvent, number};

/// A property of runs, shown the events of the kinds that it watches, in order.
///
/// It may be shown them some time after they happened, when other properties have seen later ones; so nothing is
/// shared between properties.
pub trait Invariant<E> {
    /// The name that reports and tests use.
    fn id(&self) -> &'static str;

    /// What must hold, in one sentence.
    fn statement(&self) -> &'static str;

    /// Whether it says anything of runs of the plan that it was made for. One that does not is shown nothing, and is not
    /// evaluable.
    fn applies(&self) -> bool {
        true
    }

    /// The numbers of the kinds of event that it is shown; empty for all.
    fn watches(&self) -> &'static [u16] {
        &[]
    }

    /// The numbers of the kinds without one of which a run says nothing about it, each in a group of
    /// which one is enough. A run without is not evaluable, and never counts as one in which it held.
    fn needs(&self) -> &'static [&'static [u16]] {
        &[]
    }

    /// The names of the faults under which it is not promised. A run that suffers one is not
    /// evaluable from there on.
    fn excludes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Takes one event into account; an error says what was expected and what is, as
    /// `expected A, found B`.
    ///
    /// # Errors
    /// If the event violates the property.
    fn observe(&mut self, event: &Event<E>) -> Result<(), String>;

    /// Whether the events so far contained what the property speaks of, beyond the kinds it needs.
    fn evaluable(&self) -> bool {
        true
    }

    /// The end of the run, at this time: what should have come and did not.
    ///
    /// # Errors
    /// If the run as a whole violates the property.
    fn finish(&mut self, _end: Time) -> Result<(), String> {
        Ok(())
    }
}

/// Says of an event whether it reaches what is to be reached.
pub type Reaches<E> = dyn FnMut(&Event<E>) -> bool;

/// What a campaign of many runs must have reached, or it has not tested what it claims to.
pub struct Sometimes<E> {
    /// The name that reports use.
    pub id: &'static str,
    /// What is reached, in one sentence.
    pub meaning: &'static str,
    /// The numbers of the kinds of event that it is shown; empty for all.
    pub watches: &'static [u16],
    /// Whether this event reaches it. It is not asked again once it was.
    pub reached: Box<Reaches<E>>,
}

/// No task ever waits in a circle, not even in one that a timeout breaks later.
///
/// For any system; offered under the name `live.no-deadlock`.
#[derive(Debug, Default)]
pub struct NoDeadlock;

impl<E: EventSet> Invariant<E> for NoDeadlock {
    fn id(&self) -> &'static str {
        "live.no-deadlock"
    }

    fn statement(&self) -> &'static str {
        "no cycle of waits"
    }

    fn watches(&self) -> &'static [u16] {
        &[number::CycleClosed]
    }

    fn observe(&mut self, event: &Event<E>) -> Result<(), String> {
        match event.kernel() {
            Some(KernelEvent::CycleClosed(closed)) => Err(format!(
                "expected no cycle of waits, found {}",
                closed.cycle
            )),
            _ => Ok(()),
        }
    }
}
