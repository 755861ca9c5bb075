//! Two runs side by side, at a level: what counts of each, and where they first differ.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::log::Reader;
use dacapo_kernel::{
    ActorId, Body, BoxedStorage, Event, EventSet, Events, KernelEvent, Level, Name, Role, RunError,
    Seq, System, Time,
};

use crate::filter::kind_named;
use crate::scenario::nearest;

/// The finest level, which every system has.
pub const EVERY_EVENT: &str = "events";

/// How far ahead an event is looked for that may only have come in another order.
const WINDOW: usize = 512;

/// What counts where two runs are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub level: String,
    /// The place of the level among the system's; none where every event counts.
    place: Option<usize>,
    /// The kinds that are passed over, by number.
    ignored: BTreeSet<u16>,
    /// The kinds that count at every level, by number.
    also: BTreeSet<u16>,
    /// Whether what comes from outside the system counts at every level.
    inputs: bool,
}

impl Held {
    /// A level by its name, or the system's last one, without some kinds.
    ///
    /// # Errors
    /// If there is no such level or kind, with those there are.
    pub fn named<S: System>(level: Option<&str>, ignore: &[String]) -> Result<Held, String> {
        let levels = S::levels();
        let known = || {
            let names = levels.iter().map(|level| level.name);
            names.chain([EVERY_EVENT])
        };
        let (name, place) = match level {
            None => match levels.split_last() {
                Some((last, before)) => (last.name, Some(before.len())),
                None => (EVERY_EVENT, None),
            },
            Some(EVERY_EVENT) => (EVERY_EVENT, None),
            Some(word) => match levels.iter().position(|level| level.name == word) {
                Some(at) => (levels[at].name, Some(at)),
                None => {
                    let near = nearest(word, known());
                    let near =
                        near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
                    let known: Vec<&str> = known().collect();
                    let known = known.join(", ");
                    return Err(format!("no level {word:?}{near}; there are {known}"));
                }
            },
        };
        let mut ignored = BTreeSet::new();
        for word in ignore {
            ignored.insert(kind_named::<S>(word).map_err(|error| error.to_string())?);
        }
        Ok(Held {
            level: name.to_owned(),
            place,
            ignored,
            also: BTreeSet::new(),
            inputs: false,
        })
    }

    /// The same, and what comes from outside the system counts as well: where that is made anew, it may differ.
    pub(crate) fn with_inputs(self) -> Held {
        Held {
            inputs: true,
            ..self
        }
    }

    /// The same, and these kinds count as well.
    ///
    /// # Errors
    /// If there is no such kind, with those there are.
    pub(crate) fn with_kinds<S: System>(mut self, also: &[String]) -> Result<Held, String> {
        for word in also {
            let kind = kind_named::<S>(word).map_err(|error| error.to_string())?;
            self.also.insert(kind);
        }
        Ok(self)
    }

    /// Every event counts, but for the kinds that are passed over.
    pub(crate) fn to_the_last_event(&self) -> Held {
        Held {
            level: EVERY_EVENT.to_owned(),
            place: None,
            ignored: self.ignored.clone(),
            also: self.also.clone(),
            inputs: self.inputs,
        }
    }

    /// Whether every event counts.
    pub fn is_exact(&self) -> bool {
        self.place.is_none()
    }

    /// What counts of a log.
    ///
    /// # Errors
    /// If the log is damaged.
    pub(crate) fn of<S: System>(
        &self,
        reader: Reader<BoxedStorage>,
    ) -> Result<Vec<Counted<S::Event>>, RunError> {
        let mut events = Events::<S::Event>::new(reader);
        events.seek(Seq(0))?;
        let mut actors: BTreeMap<ActorId, Name> = BTreeMap::new();
        // What is left is counted anew: an event follows from the nearest of its causes that counts.
        let mut places: BTreeMap<Seq, Option<u64>> = BTreeMap::new();
        let mut counted = Vec::new();
        while let Some(event) = events.next()? {
            if let Some(KernelEvent::ActorNamed(named)) = event.kernel() {
                actors.insert(named.actor, named.name.clone());
            }
            let cause = event
                .cause
                .and_then(|cause| places.get(&cause).copied().flatten());
            let Some(what) = self.counts::<S>(&event, &places) else {
                places.insert(event.seq, cause);
                continue;
            };
            places.insert(event.seq, Some(counted.len() as u64));
            let actor = actors.get(&event.actor).cloned();
            counted.push(Counted {
                seq: event.seq,
                time: event.time,
                actor: actor.unwrap_or_else(|| Name::fixed("engine")),
                cause,
                kind: event.kind().number,
                role: event.kind().role,
                what,
            });
        }
        Ok(counted)
    }

    /// What counts of an event; none if it does not.
    fn counts<S: System>(
        &self,
        event: &Event<S::Event>,
        places: &BTreeMap<Seq, Option<u64>>,
    ) -> Option<What<S::Event>> {
        if self.ignored.contains(&event.kind().number) {
            return None;
        }
        match (&event.body, self.place) {
            (Body::Domain(domain), Some(level)) => {
                let kind = domain.kind();
                let counts = S::level_of(domain).is_some_and(|own| own <= level)
                    || self.inputs && kind.role.is_input()
                    || self.also.contains(&kind.number);
                counts.then(|| What::Domain(domain.clone()))
            }
            (Body::Kernel(KernelEvent::RunEnded(ended)), Some(_)) => {
                Some(What::Verdict(ended.verdict.name()))
            }
            (Body::Kernel(_), Some(_)) => None,
            (Body::Domain(domain), None) => Some(What::Domain(domain.clone())),
            (Body::Kernel(kernel), None) => Some(What::Kernel(at_places(kernel, places))),
        }
    }
}

/// An event that names others names them by their places.
fn at_places(event: &KernelEvent, places: &BTreeMap<Seq, Option<u64>>) -> KernelEvent {
    let place = |seq: Seq| Seq(places.get(&seq).copied().flatten().unwrap_or(seq.0));
    let mut event = event.clone();
    match &mut event {
        KernelEvent::CallLost(lost) => lost.call = place(lost.call),
        KernelEvent::CallCancelled(cancelled) => cancelled.call = place(cancelled.call),
        KernelEvent::CycleBroken(broken) => broken.closed_at = place(broken.closed_at),
        _ => {}
    }
    event
}

/// One event of a run as far as it counts.
#[derive(Clone, Debug)]
pub(crate) struct Counted<E> {
    /// Its place in its own log.
    pub(crate) seq: Seq,
    pub(super) time: Time,
    pub(crate) actor: Name,
    /// The place, among what counts, of the nearest of its causes that counts.
    pub(super) cause: Option<u64>,
    pub(crate) kind: u16,
    role: Role,
    what: What<E>,
}

#[derive(Clone, Debug, PartialEq)]
enum What<E> {
    Domain(E),
    Kernel(KernelEvent),
    Verdict(&'static str),
}

impl<E: EventSet> What<E> {
    /// Whether both say the same. A number that is none is not equal to itself, but the same where it is written the same.
    fn is_same(&self, other: &What<E>) -> bool {
        if self == other {
            return true;
        }
        match (self, other) {
            (What::Domain(one), What::Domain(another)) if !one.eq(one) => {
                one.kind().number == another.kind().number && bytes(one) == bytes(another)
            }
            _ => false,
        }
    }
}

/// The body as it is written; none if it cannot be.
fn bytes<E: EventSet>(event: &E) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    event.encode(&mut bytes).ok()?;
    Some(bytes)
}

impl<E: EventSet> Counted<E> {
    /// Whether both are the same, wherever they stand.
    pub(super) fn is_like(&self, other: &Counted<E>) -> bool {
        self.time == other.time && self.actor == other.actor && self.what.is_same(&other.what)
    }

    /// Whether both are the same act of the same actor.
    pub(super) fn is_of_kind(&self, other: &Counted<E>) -> bool {
        self.actor == other.actor && self.kind == other.kind
    }

    fn is_input(&self) -> bool {
        self.role.is_input()
    }
}

/// How two runs first differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// An input that the one had and the other has no use for, or has and does not know.
    InputMissing,
    /// Both have the same events in another order.
    OrderChanged,
    /// The same happened, with another value.
    ValueChanged,
    /// Something happened that had not.
    Extra,
    /// Something did not happen that had.
    Missing,
    /// Something else happened in its place.
    Replaced,
    /// The same happened, and the view of the system makes something else of it.
    ReadOtherwise,
}

impl Class {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Class::InputMissing => "input missing",
            Class::OrderChanged => "order changed",
            Class::ValueChanged => "value changed",
            Class::Extra => "extra consequence",
            Class::Missing => "missing consequence",
            Class::Replaced => "another consequence in its place",
            Class::ReadOtherwise => "the same events, another state",
        }
    }
}

/// Where two runs first differ: the places of two events in what counts of each.
pub(crate) struct Apart {
    pub(crate) expected: Option<usize>,
    pub(crate) actual: Option<usize>,
    pub(crate) class: Class,
}

/// Where two runs first differ, every event in its place; none if they do not. `generated` are the calls of the new run to which the
/// recording has no answer.
pub(super) fn first_apart<E: EventSet>(
    before: &[Counted<E>],
    now: &[Counted<E>],
    generated: &[Seq],
) -> Option<Apart> {
    let same = |(a, b): (&Counted<E>, &Counted<E>)| a.is_like(b) && a.cause == b.cause;
    let at = before.iter().zip(now).position(|pair| !same(pair));
    let at = match at {
        Some(at) => at,
        None if before.len() == now.len() => return None,
        None => before.len().min(now.len()),
    };
    let class = class(&before[at..], &now[at..], generated);
    Some(Apart {
        expected: (at < before.len()).then_some(at),
        actual: (at < now.len()).then_some(at),
        class,
    })
}

/// Of two runs that differ in the first event of each: how.
fn class<E: EventSet>(before: &[Counted<E>], now: &[Counted<E>], generated: &[Seq]) -> Class {
    let comes = |one: &Counted<E>, among: &[Counted<E>]| {
        let mut near = among.iter().take(WINDOW);
        near.any(|other| one.is_like(other))
    };
    let (expected, actual) = (before.first(), now.first());
    if actual.is_some_and(|it| generated.contains(&it.seq)) {
        return Class::InputMissing;
    }
    match (expected, actual) {
        (Some(expected), _) if expected.is_input() && !comes(expected, now) => Class::InputMissing,
        (None, _) => Class::Extra,
        (_, None) => Class::Missing,
        (Some(expected), Some(actual)) => match (comes(expected, now), comes(actual, before)) {
            (true, true) => Class::OrderChanged,
            (true, false) => Class::Extra,
            (false, true) => Class::Missing,
            (false, false) if expected.is_of_kind(actual) => Class::ValueChanged,
            (false, false) => Class::Replaced,
        },
    }
}

/// How a re-run that stopped at its first difference differs, as far as that alone shows.
pub(crate) fn class_at_once<E: EventSet>(
    expected: Option<&Event<E>>,
    actual: Option<&Event<E>>,
) -> Class {
    match (expected, actual) {
        (Some(expected), Some(actual))
            if expected.actor == actual.actor && expected.kind().number == actual.kind().number =>
        {
            Class::ValueChanged
        }
        (Some(expected), _) if expected.kind().role.is_input() => Class::InputMissing,
        (None, _) => Class::Extra,
        (_, None) => Class::Missing,
        _ => Class::Replaced,
    }
}

/// The levels of a system with what counts at each, the finest last.
pub fn levels<S: System>() -> Vec<Level> {
    let own = S::levels().iter().copied();
    let finest = Level {
        name: EVERY_EVENT,
        meaning: "every event, the kernel's own included",
    };
    own.chain([finest]).collect()
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::events;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Weighed {
        kilograms: f64,
    }

    events! {
        /// What a scale says.
        enum Said {
            /// A weight.
            64 "weighed" v 1 Consequence => Weighed(Weighed);
        }
    }

    // Fails if what is no number differs from itself, or from a number not.
    #[test]
    fn what_is_no_number_is_the_same_where_it_is_written_the_same() {
        let weighed = |kilograms| What::Domain(Said::from(Weighed { kilograms }));
        assert!(weighed(f64::NAN).is_same(&weighed(f64::NAN)));
        assert!(!weighed(f64::NAN).is_same(&weighed(1.0)));
        assert!(!weighed(1.0).is_same(&weighed(f64::NAN)));
        assert!(!weighed(f64::NAN).is_same(&weighed(-f64::NAN)));
        assert!(weighed(1.0).is_same(&weighed(1.0)));
    }
}
