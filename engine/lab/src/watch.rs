//! When a value of the state changed, and why: a place of the state looked at after every event.

use std::collections::BTreeSet;

use dacapo_kernel::{Event, EventSet, Events, RunError, Seq, System, Time, World};
use serde::Serialize;
use serde_json::Value;

use crate::causes::{Chain, for_each, told_of};
use crate::filter::{Filter, Moment};
use crate::pace::now_and_then;
use crate::tell::Line;
use crate::value_path::ValuePath;

/// A change of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The event that made it.
    pub line: Line,
    /// What was there before.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Option<Value>,
    /// What the event follows from, the oldest first, without the event.
    pub causes: Chain,
}

/// The changes of a value.
pub struct Watched {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// How many there were beyond those.
    pub more: u64,
    /// Whether the place was ever there.
    pub exists: bool,
    /// The names at the place where the path leads nowhere, if it never led anywhere.
    pub known: Vec<String>,
}

/// Which changes are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Not before this.
    pub from: Option<Moment>,
    /// Not after this.
    pub to: Option<Moment>,
    /// How many, the first ones.
    pub most: usize,
    /// How many causes of each are told.
    pub causes: usize,
}

/// A place of the state: in what the system shows of itself, else in what the kernel knows.
pub fn state_value<V: Serialize>(path: &ValuePath, world: &World<V>) -> Option<Value> {
    path.of(&world.view).or_else(|| path.of(world))
}

/// A place of the state while events go by.
pub(crate) struct Place<'p> {
    path: &'p ValuePath,
    last: Option<Value>,
    /// Whether it is in what the system shows of itself: only the system's own events change that.
    in_view: bool,
}

impl<'p> Place<'p> {
    /// The place before the first event.
    pub(crate) fn of<V: Serialize>(path: &'p ValuePath, world: &World<V>) -> Place<'p> {
        Place {
            path,
            last: state_value(path, world),
            in_view: false,
        }
    }

    /// Whether there is anything at it now.
    pub(crate) fn is_there(&self) -> bool {
        self.last.is_some()
    }

    /// What was there before an event and what is there after it, if that is something else.
    pub(crate) fn change<E: EventSet, V: Serialize>(
        &mut self,
        event: &Event<E>,
        world: &World<V>,
    ) -> Option<(Option<Value>, Option<Value>)> {
        if self.in_view && event.kernel().is_some() {
            return None;
        }
        let shown = self.path.of(&world.view);
        self.in_view = shown.is_some();
        let now = shown.or_else(|| self.path.of(world));
        if now == self.last {
            return None;
        }
        let before = std::mem::replace(&mut self.last, now.clone());
        Some((before, now))
    }
}

/// Finds the changes of a value.
///
/// # Errors
/// If the log is damaged.
pub fn watch<S: System>(
    events: &mut Events<S::Event>,
    path: &ValuePath,
    window: Window,
    mut progress: impl FnMut(Seq, Time),
) -> Result<Watched, RunError> {
    let filter = Filter {
        from: window.from,
        to: window.to,
        ..Filter::default()
    };
    let mut world: World<S::View> = World::default();
    let mut causes: Vec<Option<Seq>> = Vec::new();
    let mut watched = Watched {
        changes: Vec::new(),
        more: 0,
        exists: false,
        known: Vec::new(),
    };
    let mut place = Place::of(path, &world);
    for_each::<S>(events, |names, event| {
        world.apply(event);
        causes.push(event.cause);
        now_and_then(event, &mut progress);
        let Some((before, after)) = place.change(event, &world) else {
            return !filter.is_past(event);
        };
        if filter.wants::<S>(names, event) {
            if watched.changes.len() < window.most {
                watched.changes.push(Change {
                    line: names.tell::<S>(event),
                    before,
                    after,
                    causes: Chain {
                        lines: Vec::new(),
                        shortened: false,
                    },
                });
            } else {
                watched.more += 1;
            }
        }
        !filter.is_past(event)
    })?;
    watched.exists = place.is_there() || !watched.changes.is_empty();
    if !watched.exists {
        watched.known = known_on_the_way(path, &world);
    }
    tell_causes::<S>(events, &causes, window.causes, &mut watched.changes)?;
    Ok(watched)
}

/// Tells of each change what it follows from; reads the log once more for all of them.
fn tell_causes<S: System>(
    events: &mut Events<S::Event>,
    causes: &[Option<Seq>],
    most: usize,
    changes: &mut [Change],
) -> Result<(), RunError> {
    let cause_of = |seq: Seq| {
        let at = usize::try_from(seq.0).ok()?;
        // A log that a stranger wrote may claim anything; a cause comes before what it causes.
        causes
            .get(at)
            .copied()
            .flatten()
            .filter(|cause| *cause < seq)
    };
    let mut chains = Vec::new();
    let mut wanted = BTreeSet::new();
    for change in &*changes {
        let (mut chain, mut next) = (Vec::new(), cause_of(change.line.seq));
        while let Some(seq) = next.filter(|_| chain.len() < most) {
            chain.push(seq);
            next = cause_of(seq);
        }
        chain.reverse();
        wanted.extend(chain.iter().copied());
        chains.push((chain, next.is_some()));
    }
    let told = told_of::<S>(events, &wanted)?;
    for (change, (chain, shortened)) in changes.iter_mut().zip(chains) {
        change.causes = Chain {
            lines: chain
                .iter()
                .filter_map(|seq| told.get(seq).cloned())
                .collect(),
            shortened,
        };
    }
    Ok(())
}

/// The names that stand where a path leads nowhere.
fn known_on_the_way<V: Serialize>(path: &ValuePath, world: &World<V>) -> Vec<String> {
    let names = |value: Option<Value>| match value {
        Some(Value::Object(fields)) => fields.keys().cloned().collect(),
        Some(Value::Array(items)) => (0..items.len()).map(|at| at.to_string()).collect(),
        _ => Vec::new(),
    };
    let mut parts = path.parts().to_vec();
    while parts.pop().is_some() && !parts.is_empty() {
        let above = ValuePath::of_parts(parts.clone());
        let found: Vec<String> = names(state_value(&above, world));
        if !found.is_empty() {
            return found;
        }
    }
    let mut known: Vec<String> = names(serde_json::to_value(&world.view).ok());
    known.extend(["processes", "contended", "calls", "down", "verdict"].map(str::to_owned));
    known
}
