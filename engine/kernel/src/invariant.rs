//! What must hold: properties as folds over events, and what they say of a run.
//!
//! The same property runs during a simulation, over a recorded log, and over a log that a
//! stranger sent, since events are all it ever sees.

use crate::event::{Event, EventSet};
use crate::id::Seq;
use crate::kernel_event::KernelEvent;

/// A property of runs, fed every event in order.
pub trait Invariant<E> {
    /// The name that reports and tests use.
    fn id(&self) -> &'static str;

    /// What must hold, in one sentence.
    fn statement(&self) -> &'static str;

    /// Takes one event into account; an error says what was expected and what is.
    ///
    /// # Errors
    /// If the event violates the property.
    fn observe(&mut self, event: &Event<E>) -> Result<(), String>;

    /// Whether the events so far contained what the property speaks of.
    fn evaluable(&self) -> bool {
        true
    }

    /// The end of the run: what should have come and did not.
    ///
    /// # Errors
    /// If the run as a whole violates the property.
    fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// What one property says of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It held.
    Held,
    /// It was violated, first at this event.
    Violated {
        /// The event; none if only the end of the run showed it.
        at: Option<Seq>,
        /// Expected and actual.
        what: String,
    },
    /// The run lacks what the property speaks of.
    NotEvaluable,
}

/// Several properties, run together.
pub struct Checks<E> {
    open: Vec<Box<dyn Invariant<E>>>,
    violated: Vec<(Box<dyn Invariant<E>>, Finding)>,
}

impl<E: EventSet> Checks<E> {
    /// Properties to feed.
    pub fn new(invariants: Vec<Box<dyn Invariant<E>>>) -> Checks<E> {
        Checks {
            open: invariants,
            violated: Vec::new(),
        }
    }

    /// Feeds one event; a property that is violated is not fed any more.
    #[inline]
    pub fn observe(&mut self, event: &Event<E>) {
        let mut i = 0;
        while i < self.open.len() {
            match self.open[i].observe(event) {
                Ok(()) => i += 1,
                Err(what) => {
                    let finding = Finding::Violated {
                        at: Some(event.seq),
                        what,
                    };
                    self.violated.push((self.open.remove(i), finding));
                }
            }
        }
    }

    /// Whether any property has been violated so far.
    pub fn any_violated(&self) -> bool {
        !self.violated.is_empty()
    }

    /// What each property says, violations first, in the order in which they were noticed.
    pub fn finish(self) -> Vec<Checked> {
        let row = |invariant: &dyn Invariant<E>, finding| Checked {
            id: invariant.id(),
            statement: invariant.statement(),
            finding,
        };
        let mut rows: Vec<Checked> = self
            .violated
            .into_iter()
            .map(|(invariant, finding)| row(invariant.as_ref(), finding))
            .collect();
        for mut invariant in self.open {
            let finding = match invariant.finish() {
                Err(what) => Finding::Violated { at: None, what },
                Ok(()) if invariant.evaluable() => Finding::Held,
                Ok(()) => Finding::NotEvaluable,
            };
            rows.push(row(invariant.as_ref(), finding));
        }
        rows
    }
}

/// One row of what properties say of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The property.
    pub id: &'static str,
    /// What must hold.
    pub statement: &'static str,
    /// Whether it did.
    pub finding: Finding,
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
