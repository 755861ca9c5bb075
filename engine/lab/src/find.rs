//! Looking for events in a log: by kind, actor, tag and what they say, by the state that they leave or
//! change, by what comes before them or does not.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Events, RunError, Seq, System, Time, World};
use serde_json::Value;

use crate::causes::for_each;
use crate::filter::Filter;
use crate::pace::now_and_then;
use crate::pattern::{Condition, Pattern, value_at};
use crate::tell::{Line, Names};
use crate::value_path::ValuePath;
use crate::watch::{Place, state_value};

/// What is looked for; every part of it must hold.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// By actor, task, kind, tag and time.
    pub filter: Filter,
    /// By what an event says.
    pub pattern: Option<Pattern>,
    /// The state at this place is another one after the event.
    pub changes: Option<ValuePath>,
    /// What the state is after the event.
    pub state: Vec<Condition>,
    /// Nothing that this means comes before the event.
    pub not_after: Option<Before>,
    /// The event does not go back to anything that this means.
    pub not_from: Option<Pattern>,
    /// The event goes back to something that this means.
    pub from: Option<Pattern>,
}

/// What comes before an event.
#[derive(Clone, Debug)]
pub struct Before {
    /// What is meant.
    pub pattern: Pattern,
    /// Only what says the same: in the event before, in the event.
    pub same: Vec<(ValuePath, ValuePath)>,
    /// Only what is not older than so many nanoseconds.
    pub within: Option<u64>,
    /// Whether each counts for one event only.
    pub each: bool,
}

/// An event that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The event.
    pub line: Line,
    /// How the value changed, if that was looked for.
    pub change: Option<(Option<Value>, Option<Value>)>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// The events, the first ones.
    pub found: Vec<Found>,
    /// How many there are in all, as far as the log was read.
    pub all: u64,
    /// How many events the log has up to where it was read.
    pub read: u64,
    /// How many events could have needed something before them.
    pub candidates: u64,
    /// How many there are of what should come before.
    pub before: u64,
    /// Whether the place whose change was looked for was ever there.
    pub exists: bool,
}

/// Looks for events; tells at most so many, and goes on to count the others if `count` says so.
///
/// # Errors
/// If the log is damaged.
pub fn find<S: System>(
    events: &mut Events<S::Event>,
    query: &Query,
    most: usize,
    count: bool,
    mut progress: impl FnMut(Seq, Time),
) -> Result<Finding, RunError> {
    let mut finding = Finding::default();
    let mut state = State::<S>::of(query);
    let mut earlier = query.not_after.as_ref().map(Earlier::of);
    let mut lineages = [
        query.from.as_ref().map(Lineage::of),
        query.not_from.as_ref().map(Lineage::of),
    ];
    for_each::<S>(events, |names, event| {
        finding.read += 1;
        now_and_then(event, &mut progress);
        let change = state.apply(event);
        let [from, not_from] = &mut lineages;
        let comes_from = [from, not_from].map(|lineage| {
            lineage
                .as_mut()
                .map(|lineage| lineage.goes_back::<S>(names, event))
        });
        let is_meant = query.filter.wants::<S>(names, event)
            && query
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_met::<S>(names, event))
            && (query.changes.is_none() || change.is_some())
            && state.is_met()
            && comes_from[0] != Some(false)
            && comes_from[1] != Some(true);
        let mut is_found = is_meant;
        if let Some(earlier) = &mut earlier {
            finding.candidates += u64::from(is_meant);
            is_found = is_meant && !earlier.has::<S>(names, event);
            earlier.learn::<S>(names, event);
        }
        if is_found {
            finding.all += 1;
            if finding.found.len() < most {
                finding.found.push(Found {
                    line: names.tell::<S>(event),
                    change,
                });
            }
        }
        let has_enough = finding.found.len() >= most && !count;
        !(has_enough || query.filter.is_past(event))
    })?;
    finding.before = earlier.map_or(0, |earlier| earlier.seen);
    finding.exists = state.exists;
    Ok(finding)
}

/// The state, as far as somebody asks for it.
struct State<'q, S: System> {
    query: &'q Query,
    world: Option<World<S::View>>,
    place: Option<Place<'q>>,
    exists: bool,
}

impl<'q, S: System> State<'q, S> {
    fn of(query: &'q Query) -> State<'q, S> {
        let is_asked = query.changes.is_some() || !query.state.is_empty();
        let world = is_asked.then(World::default);
        let place = query.changes.as_ref().zip(world.as_ref());
        let place = place.map(|(path, world)| Place::of(path, world));
        State {
            query,
            exists: place.as_ref().is_some_and(Place::is_there),
            place,
            world,
        }
    }

    /// Takes an event into account, and says how it changed the value that is looked at.
    fn apply(&mut self, event: &Event<S::Event>) -> Option<(Option<Value>, Option<Value>)> {
        let world = self.world.as_mut()?;
        world.apply(event);
        let place = self.place.as_mut()?;
        let change = place.change(event, world);
        self.exists |= place.is_there();
        change
    }

    fn is_met(&self) -> bool {
        let Some(world) = &self.world else {
            return true;
        };
        let mut conditions = self.query.state.iter();
        conditions.all(|condition| condition.is_met(state_value(&condition.path, world).as_ref()))
    }
}

/// What has come so far of what may come before.
struct Earlier<'q> {
    before: &'q Before,
    /// When each came, by what it says at the places that must be the same.
    came: BTreeMap<String, Vec<Time>>,
    seen: u64,
}

impl<'q> Earlier<'q> {
    fn of(before: &'q Before) -> Earlier<'q> {
        Earlier {
            before,
            came: BTreeMap::new(),
            seen: 0,
        }
    }

    fn learn<S: System>(&mut self, names: &Names, event: &Event<S::Event>) {
        if self.before.pattern.is_met::<S>(names, event) {
            self.seen += 1;
            let places = self.before.same.iter().map(|(earlier, _)| earlier);
            let key = key::<S>(places, names, event);
            self.came.entry(key).or_default().push(event.time);
        }
    }

    /// Whether something came before an event; it counts for no other then, if each counts once.
    fn has<S: System>(&mut self, names: &Names, event: &Event<S::Event>) -> bool {
        let places = self.before.same.iter().map(|(_, own)| own);
        let key = key::<S>(places, names, event);
        let Some(times) = self.came.get_mut(&key) else {
            return false;
        };
        let is_recent = |time: &Time| {
            let age = event.time.since(*time).as_nanos();
            self.before
                .within
                .is_none_or(|most| age <= u128::from(most))
        };
        if !times.last().is_some_and(is_recent) {
            return false;
        }
        if self.before.each {
            times.pop();
        }
        true
    }
}

/// What an event says at several places, as one text.
fn key<'p, S: System>(
    places: impl Iterator<Item = &'p ValuePath>,
    names: &Names,
    event: &Event<S::Event>,
) -> String {
    let values = places.map(|path| value_at::<S>(path, names, event));
    let values: Vec<Value> = values.map(|value| value.unwrap_or(Value::Null)).collect();
    Value::Array(values).to_string()
}

/// Which events go back to something that a pattern means.
struct Lineage<'q> {
    pattern: &'q Pattern,
    goes_back: Vec<bool>,
}

impl<'q> Lineage<'q> {
    fn of(pattern: &'q Pattern) -> Lineage<'q> {
        Lineage {
            pattern,
            goes_back: Vec::new(),
        }
    }

    fn goes_back<S: System>(&mut self, names: &Names, event: &Event<S::Event>) -> bool {
        let cause = event.cause.and_then(|seq| usize::try_from(seq.0).ok());
        let by_cause = cause.and_then(|at| self.goes_back.get(at).copied());
        let is_one = self.pattern.is_met::<S>(names, event);
        let goes_back = by_cause.unwrap_or(false);
        self.goes_back.push(goes_back || is_one);
        goes_back
    }
}
