//! Several properties fed together, and what they say of a run.
//!
//! Each is shown only the kinds of event that it watches: a table by kind says who is.

use std::ops::Range;

use crate::event::{Event, EventSet};
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
    /// Which properties are shown a kind of event.
    to_hold: Watchers,
    /// Which of what is to be reached is shown it.
    to_reach: Watchers,
    /// Which kinds occurred, by number.
    met: Vec<bool>,
    /// In the order in which they were noticed.
    violated: Vec<usize>,
    /// The kinds of fault that struck, each once.
    struck: Vec<String>,
    last: Time,
    /// What makes figures of the same events.
    measure: Option<Box<dyn Measure<E>>>,
}

/// Who is shown each kind of event: places in a list of properties, kind by kind.
struct Watchers {
    places: Vec<u16>,
    /// Which part of them is of a kind, by its number.
    parts: Vec<Range<usize>>,
}

impl Watchers {
    /// Who is shown which of so many kinds, as each property says; an empty list stands for all.
    fn new(watches: &[&[u16]], kinds: usize) -> Watchers {
        let all: Vec<u16> = (0..kinds as u16).collect();
        let mut room = vec![0; kinds];
        let watched = watches.iter().flat_map(|watched| shown(watched, &all));
        watched.for_each(|kind| room[kind] += 1);
        let mut end = 0;
        let part = |room: usize| {
            end += room;
            end - room..end - room
        };
        let mut parts: Vec<Range<usize>> = room.into_iter().map(part).collect();
        let mut places = vec![0; end];
        for (place, watched) in (0..).zip(watches) {
            for kind in shown(watched, &all) {
                let part = &mut parts[kind];
                // One that names a kind twice is shown it once.
                if places[part.clone()].last() != Some(&place) {
                    places[part.end] = place;
                    part.end += 1;
                }
            }
        }
        Watchers { places, parts }
    }

    /// Who is shown a kind.
    #[inline]
    fn of(&self, kind: usize) -> &[u16] {
        &self.places[self.parts[kind].clone()]
    }
}

/// The numbers of the kinds that a property is shown, of all that there are.
fn shown<'a>(watched: &'a [u16], all: &'a [u16]) -> impl Iterator<Item = usize> + 'a {
    let some = if watched.is_empty() { all } else { watched };
    let known = some.iter().map(|kind| usize::from(*kind));
    known.filter(|kind| *kind < all.len())
}

impl<E: EventSet> Checks<E> {
    /// Properties to feed, and what is to be reached.
    pub fn new(invariants: Vec<Box<dyn Invariant<E>>>, sometimes: Vec<Sometimes<E>>) -> Checks<E> {
        let known = KernelEvent::KINDS.iter().chain(E::KINDS);
        let kinds = known.map(|kind| usize::from(kind.number) + 1).max();
        let kinds = kinds.unwrap_or(0);
        let watches: Vec<&[u16]> = invariants.iter().map(|it| it.watches()).collect();
        let to_hold = Watchers::new(&watches, kinds);
        let watches: Vec<&[u16]> = sometimes.iter().map(|it| it.watches).collect();
        let to_reach = Watchers::new(&watches, kinds);
        let open = |invariant| Open {
            invariant,
            settled: None,
        };
        Checks {
            open: invariants.into_iter().map(open).collect(),
            reached: vec![false; sometimes.len()],
            sometimes,
            to_hold,
            to_reach,
            met: vec![false; kinds],
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
        let kind = usize::from(event.kind().number);
        self.met[kind] = true;
        if let Some(fault) = event.kernel().and_then(KernelEvent::fault) {
            self.exclude(fault);
        }
        for at in self.to_hold.of(kind) {
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
        for at in self.to_reach.of(kind) {
            let at = usize::from(*at);
            if !self.reached[at] {
                self.reached[at] = (self.sometimes[at].reached)(event);
            }
        }
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
            let met = |kind: &u16| self.met.get(usize::from(*kind)) == Some(&true);
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
