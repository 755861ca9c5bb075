//! Several properties fed together, and what they say of a run.
//!
//! Each is shown only the kinds of event that it watches: a table by kind says who is.

use crate::event::{Event, EventSet, FIRST_DOMAIN_KIND};
use crate::id::{Seq, Time};
use crate::invariant::{Invariant, Sometimes};
use crate::kernel_event::KernelEvent;
use crate::measure::{Measure, Measured};

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
    /// The run lacks what the property speaks of, or suffered a fault that it excludes.
    NotEvaluable,
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

/// One property while it is fed.
struct Open<E> {
    invariant: Box<dyn Invariant<E>>,
    /// Why it is fed no more.
    settled: Option<Finding>,
}

/// Several properties, fed together.
pub struct Checks<E> {
    open: Vec<Open<E>>,
    sometimes: Vec<Sometimes<E>>,
    reached: Vec<bool>,
    /// For each kind that occurred, by number: who is shown it.
    watchers: Vec<Option<Watchers>>,
    /// In the order in which they were noticed.
    violated: Vec<usize>,
    /// The kinds of fault that struck, each once.
    struck: Vec<String>,
    last: Time,
    /// What makes figures of the same events.
    measure: Option<Box<dyn Measure<E>>>,
}

/// Who is shown a kind of event: indices of properties, and of what is to be reached.
struct Watchers {
    invariants: Vec<u16>,
    sometimes: Vec<u16>,
}

impl<E: EventSet> Checks<E> {
    /// Properties to feed, and what is to be reached.
    pub fn new(invariants: Vec<Box<dyn Invariant<E>>>, sometimes: Vec<Sometimes<E>>) -> Checks<E> {
        let open = |invariant| Open {
            invariant,
            settled: None,
        };
        Checks {
            open: invariants.into_iter().map(open).collect(),
            reached: vec![false; sometimes.len()],
            sometimes,
            watchers: Vec::new(),
            violated: Vec::new(),
            struck: Vec::new(),
            last: Time::ZERO,
            measure: None,
        }
    }

    /// The same, and something that makes figures of the same events.
    pub fn measured_by(mut self, measure: Option<Box<dyn Measure<E>>>) -> Checks<E> {
        self.measure = measure;
        self
    }

    /// The figures of the events so far, if anything makes them; asked once.
    pub fn measured(&mut self) -> Option<Measured> {
        Some(self.measure.take()?.finish(self.last))
    }

    /// Feeds one event; a property that is violated is not fed any more.
    #[inline]
    pub fn observe(&mut self, event: &Event<E>) {
        self.last = event.time;
        if let Some(measure) = &mut self.measure {
            measure.observe(event);
        }
        let number = usize::from(event.kind().number);
        if !matches!(self.watchers.get(number), Some(Some(_))) {
            self.meet(event.kind().number);
        }
        if event.kind().number < FIRST_DOMAIN_KIND
            && let Some(fault) = event.kernel().and_then(KernelEvent::fault)
        {
            self.exclude(fault);
        }
        let Some(Some(watchers)) = self.watchers.get(number) else {
            return;
        };
        for at in &watchers.invariants {
            let open = &mut self.open[usize::from(*at)];
            if open.settled.is_none()
                && let Err(what) = open.invariant.observe(event)
            {
                open.settled = Some(Finding::Violated {
                    at: Some(event.seq),
                    what,
                });
                self.violated.push(usize::from(*at));
            }
        }
        for at in &watchers.sometimes {
            let at = usize::from(*at);
            if !self.reached[at] {
                self.reached[at] = (self.sometimes[at].reached)(event);
            }
        }
    }

    /// The first event of a kind: notes who is shown it.
    #[cold]
    fn meet(&mut self, number: u16) {
        let shown = |watches: &[u16]| watches.is_empty() || watches.contains(&number);
        let invariants = self.open.iter().map(|open| open.invariant.watches());
        let sometimes = self.sometimes.iter().map(|sometimes| sometimes.watches);
        let watchers = Watchers {
            invariants: places(invariants.map(shown)),
            sometimes: places(sometimes.map(shown)),
        };
        let place = usize::from(number);
        if self.watchers.len() <= place {
            self.watchers.resize_with(place + 1, || None);
        }
        self.watchers[place] = Some(watchers);
    }

    /// A fault struck: properties that exclude it say nothing of this run any more.
    #[cold]
    fn exclude(&mut self, fault: &str) {
        if self.struck.iter().any(|known| known == fault) {
            return;
        }
        self.struck.push(fault.to_owned());
        for open in &mut self.open {
            if open.settled.is_none() && open.invariant.excludes().contains(&fault) {
                open.settled = Some(Finding::NotEvaluable);
            }
        }
    }

    /// What was reached of what is to be reached sometimes.
    pub fn reached(&self) -> Vec<&'static str> {
        let reached = self.sometimes.iter().zip(&self.reached);
        reached
            .filter(|(_, reached)| **reached)
            .map(|(sometimes, _)| sometimes.id)
            .collect()
    }

    /// The kinds of fault that struck, in the order in which each did first.
    pub fn struck(&self) -> &[String] {
        &self.struck
    }

    /// What each property says, violations first, in the order in which they were noticed.
    pub fn finish(mut self) -> Vec<Checked> {
        for at in 0..self.open.len() {
            if self.open[at].settled.is_some() {
                continue;
            }
            let met =
                |number: &u16| matches!(self.watchers.get(usize::from(*number)), Some(Some(_)));
            let needs = self.open[at].invariant.needs();
            let met_all = needs.iter().all(|one_of| one_of.iter().any(met));
            let open = &mut self.open[at];
            let finding = match open.invariant.finish(self.last) {
                _ if !met_all => Finding::NotEvaluable,
                Err(what) => {
                    self.violated.push(at);
                    Finding::Violated { at: None, what }
                }
                Ok(()) if open.invariant.evaluable() => Finding::Held,
                Ok(()) => Finding::NotEvaluable,
            };
            open.settled = Some(finding);
        }
        let row = |at: usize, open: &mut Vec<Open<E>>| Checked {
            id: open[at].invariant.id(),
            statement: open[at].invariant.statement(),
            finding: open[at].settled.take().unwrap_or(Finding::NotEvaluable),
        };
        let others = (0..self.open.len()).filter(|at| !self.violated.contains(at));
        let order: Vec<usize> = self.violated.iter().copied().chain(others).collect();
        order
            .into_iter()
            .map(|at| row(at, &mut self.open))
            .collect()
    }
}

fn places(shown: impl Iterator<Item = bool>) -> Vec<u16> {
    (0..)
        .zip(shown)
        .filter(|(_, shown)| *shown)
        .map(|(at, _)| at)
        .collect()
}
