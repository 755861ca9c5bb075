//! Several properties fed together, and what they say of a run.
//!
//! Each is shown only the kinds of event that it watches. Events are kept back until there are some hundreds of them, and
//! then each property sees all that are its own before the next one's turn. To whoever asks it makes no difference,
//! since nothing that a property says can change a run. To the processor it does: the code of all properties is many
//! times larger than its first cache, and so is fetched once for many events.

mod batch;

use self::batch::Batch;
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
    /// The run lacks what the property speaks of, its plan has nothing of it, or it suffered a fault that is excluded.
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
    /// A fault struck that it excludes: it is shown no more than so many of the events that were kept back.
    shown: Option<usize>,
    /// Why it is fed no more.
    settled: Option<Finding>,
}

/// Several properties, fed together.
pub struct Checks<E> {
    open: Vec<Open<E>>,
    sometimes: Vec<Sometimes<E>>,
    reached: Vec<bool>,
    /// What nobody has been shown yet.
    batch: Batch<E>,
    /// Which kinds occurred, by number.
    met: Vec<bool>,
    /// In the order in which a log shows them: by event, and at one event by place.
    violated: Vec<(Seq, usize)>,
    /// The kinds of fault that struck, each once.
    struck: Vec<String>,
    last: Time,
    /// What makes figures of the same events.
    measure: Option<Box<dyn Measure<E>>>,
}

/// What a run came to, as whoever watched its events says.
pub struct Observed {
    /// What each property says, violations first, in the order in which they were noticed.
    pub findings: Vec<Checked>,
    /// What was reached of what is to be reached sometimes.
    pub reached: Vec<&'static str>,
    /// The kinds of fault that struck, in the order in which each did first.
    pub struck: Vec<String>,
    /// The figures, if anything makes them.
    pub measured: Option<Measured>,
}

impl<E: EventSet> Checks<E> {
    /// Properties to feed, and what is to be reached.
    pub fn new(invariants: Vec<Box<dyn Invariant<E>>>, sometimes: Vec<Sometimes<E>>) -> Checks<E> {
        let known = KernelEvent::KINDS.iter().chain(E::KINDS);
        let kinds = known.map(|kind| usize::from(kind.number) + 1).max();
        let kinds = kinds.unwrap_or(0);
        let open = |invariant: Box<dyn Invariant<E>>| Open {
            shown: None,
            settled: (!invariant.applies()).then_some(Finding::NotEvaluable),
            invariant,
        };
        Checks {
            open: invariants.into_iter().map(open).collect(),
            reached: vec![false; sometimes.len()],
            sometimes,
            batch: Batch::new(kinds),
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

    /// Takes the next event; a property that is violated is shown none any more.
    #[inline]
    pub fn observe(&mut self, event: Event<E>) {
        if let Some(fault) = event.kernel().and_then(KernelEvent::fault) {
            self.exclude(fault);
        }
        if self.anyone_watches() && self.batch.push(event) {
            self.show();
        }
    }

    #[inline]
    fn anyone_watches(&self) -> bool {
        !(self.open.is_empty() && self.sometimes.is_empty()) || self.measure.is_some()
    }

    /// Shows everybody what was kept back for them.
    #[inline(never)]
    fn show(&mut self) {
        let Some(last) = self.batch.events().last() else {
            return;
        };
        self.last = last.time;
        for (met, is_there) in self.met.iter_mut().zip(self.batch.kinds()) {
            *met |= is_there;
        }
        if let Some(measure) = &mut self.measure {
            let events = self.batch.events();
            events.iter().for_each(|event| measure.observe(event));
        }
        let (known, all) = (self.violated.len(), self.batch.events().len());
        for (place, open) in self.open.iter_mut().enumerate() {
            if open.settled.is_some() {
                continue;
            }
            let (watches, count) = (open.invariant.watches(), open.shown.unwrap_or(all));
            open.settled = open.shown.map(|_| Finding::NotEvaluable);
            for event in self.batch.of(watches, count) {
                if let Err(what) = open.invariant.observe(event) {
                    self.violated.push((event.seq, place));
                    let at = Some(event.seq);
                    open.settled = Some(Finding::Violated { at, what });
                    break;
                }
            }
        }
        self.violated[known..].sort_unstable();
        for (reached, sometimes) in self.reached.iter_mut().zip(&mut self.sometimes) {
            if !*reached {
                let mut watched = self.batch.of(sometimes.watches, all);
                *reached = watched.any(|event| (sometimes.reached)(event));
            }
        }
        self.batch.clear();
    }

    /// A fault struck: properties that exclude it say nothing of this run any more.
    #[cold]
    fn exclude(&mut self, fault: &str) {
        if self.struck.iter().any(|known| known == fault) {
            return;
        }
        self.struck.push(fault.to_owned());
        for open in &mut self.open {
            if open.invariant.excludes().contains(&fault) {
                open.shown.get_or_insert(self.batch.events().len());
            }
        }
    }

    /// What the run came to.
    pub fn finish(mut self) -> Observed {
        self.show();
        let measure = self.measure.take();
        let reached = self.sometimes.iter().zip(&self.reached);
        let reached = reached.filter(|(_, reached)| **reached);
        Observed {
            measured: measure.map(|measure| measure.finish(self.last)),
            reached: reached.map(|(sometimes, _)| sometimes.id).collect(),
            struck: std::mem::take(&mut self.struck),
            findings: self.findings(),
        }
    }

    /// What each property says in the end.
    fn findings(mut self) -> Vec<Checked> {
        let noticed = self.violated.iter().map(|(_, place)| *place);
        let mut order: Vec<usize> = noticed.collect();
        for (place, open) in self.open.iter_mut().enumerate() {
            if open.settled.is_some() {
                continue;
            }
            let met = |kind: &u16| self.met.get(usize::from(*kind)) == Some(&true);
            let needs = open.invariant.needs();
            let met_all = needs.iter().all(|one_of| one_of.iter().any(met));
            open.settled = Some(match open.invariant.finish(self.last) {
                _ if !met_all => Finding::NotEvaluable,
                Err(what) => {
                    order.push(place);
                    Finding::Violated { at: None, what }
                }
                Ok(()) if open.invariant.evaluable() => Finding::Held,
                Ok(()) => Finding::NotEvaluable,
            });
        }
        let others = (0..self.open.len()).filter(|place| !order.contains(place));
        let others: Vec<usize> = others.collect();
        order.extend(others);
        let row = |place: usize| {
            let open = &mut self.open[place];
            Checked {
                id: open.invariant.id(),
                statement: open.invariant.statement(),
                finding: open.settled.take().unwrap_or(Finding::NotEvaluable),
            }
        };
        order.into_iter().map(row).collect()
    }
}
