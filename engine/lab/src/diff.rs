//! Two logs side by side: which events are the same, which say something else, which only one of them
//! has, where the two first part, and to what each comes in the end.
//!
//! Events are matched by who did what and what it goes back to, never by their place. Nothing is run.

mod align;
mod ending;
mod numbering;
mod rows;

use std::collections::BTreeMap;

use dacapo_kernel::log::Reader;
use dacapo_kernel::{BoxedStorage, EventSet, KernelEvent, Kind, Plan, RunError, Seq, System, Time};
use serde_json::Value;

use crate::divergence::{FieldDifference, compare};
use crate::record::body_json;

use self::numbering::Numbering;
use self::rows::{Rows, hash_of};

pub use self::ending::{
    Curves, Ending, EndingDifference, FigureDifference, ListDifference, ending_of,
};

/// How the events of two logs go together.
pub struct Diff<S: System> {
    /// The plan of the first log.
    pub a: Plan<S::Config>,
    /// The plan of the second log.
    pub b: Plan<S::Config>,
    /// What differs between the two plans.
    pub plan: Vec<FieldDifference>,
    /// How many events the first log has.
    pub events_a: u64,
    /// How many the second has.
    pub events_b: u64,
    /// How many go together.
    pub counts: Counts,
    /// The same for each kind of event that is not the same throughout, the most different first.
    pub kinds: Vec<(&'static str, Counts)>,
    /// Where the logs first part.
    pub first: Option<Parting>,
    /// The fields that differ between events that go together, the most frequent first: the kind, the
    /// field, how often, and an example.
    pub fields: Vec<ChangedField>,
}

/// How many events go together, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The same at the same time.
    pub same: u64,
    /// The same but for numbers that only count, such as those of messages.
    pub renumbered: u64,
    /// The same, earlier or later.
    pub moved: u64,
    /// The same event says something else.
    pub changed: u64,
    /// Only the first log has it.
    pub only_a: u64,
    /// Only the second log has it.
    pub only_b: u64,
}

impl Counts {
    /// How many differ in what they say or in being there at all.
    pub fn differing(&self) -> u64 {
        self.changed + self.only_a + self.only_b
    }

    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.differing() + self.moved + self.renumbered == 0
    }
}

/// Where two logs first part.
#[derive(Clone, Debug, PartialEq)]
pub struct Parting {
    /// The event of the first log, if it has it.
    pub a: Option<Seq>,
    /// The event of the second log, if it has it.
    pub b: Option<Seq>,
    /// How the two differ.
    pub how: How,
    /// Whether it is an input, which no run can know by itself, or follows from inputs and code.
    pub is_input: bool,
    /// The fields that differ.
    pub fields: Vec<FieldDifference>,
}

/// How two events differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The same event says something else.
    Changed,
    /// It happens at another time.
    Moved,
    /// Only the first log has it.
    OnlyA,
    /// Only the second log has it.
    OnlyB,
}

/// A field that differs between events that go together.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedField {
    /// The kind of the events.
    pub kind: &'static str,
    /// The keys to it.
    pub path: String,
    /// In how many pairs of events.
    pub times: u64,
    /// Its values in the first of them.
    pub example: FieldDifference,
}

/// Compares two logs.
///
/// # Errors
/// If one of them is damaged or of another system.
pub fn diff<S: System>(
    a: Reader<BoxedStorage>,
    b: Reader<BoxedStorage>,
    mut watch: impl FnMut(Seq, Time),
) -> Result<Diff<S>, RunError> {
    let a: Rows<S> = Rows::read(a, &mut watch)?;
    let b: Rows<S> = Rows::read(b, &mut watch)?;
    let to_b = align::align(&a.rows, &b.rows);
    let mut in_a = vec![false; b.rows.len()];
    to_b.iter().flatten().for_each(|at| in_a[*at] = true);

    // What says something else may only be numbered in another way; that shows over the whole log.
    let mut pairs = Vec::new();
    let mut numbering = Numbering::default();
    for (at, found) in to_b.iter().enumerate() {
        let Some(other) = *found else { continue };
        if a.rows[at].says != b.rows[other].says {
            let fields = differences(&a, &b, at, other);
            numbering.learn(a.rows[at].kind, &fields);
            pairs.push((at, other, fields));
        }
    }
    let counting = numbering.only_counting();
    let mut said: BTreeMap<usize, (usize, Vec<FieldDifference>)> = BTreeMap::new();
    for (at, other, mut fields) in pairs {
        fields.retain(|field| !counting.contains(&(a.rows[at].kind, field.path.clone())));
        said.insert(at, (other, fields));
    }

    let mut tally = Tally::default();
    for (at, found) in to_b.iter().enumerate() {
        let row = a.rows[at];
        let how = match found {
            None => Some(How::OnlyA),
            Some(other) => match said.get(&at) {
                Some((_, fields)) if !fields.is_empty() => Some(How::Changed),
                _ if row.time != b.rows[*other].time => Some(How::Moved),
                _ => None,
            },
        };
        let renumbered = said.get(&at).is_some_and(|(_, fields)| fields.is_empty());
        tally.count(row.kind, how, renumbered);
        if let Some(how) = how {
            tally.part(row.time, (Some(at), *found), how);
        }
    }
    for (at, row) in b.rows.iter().enumerate() {
        if !in_a[at] {
            tally.count(row.kind, Some(How::OnlyB), false);
            tally.part(row.time, (None, Some(at)), How::OnlyB);
        }
    }
    let first = tally.first.map(|(_, (at, other), how)| {
        let kind = at
            .map(|at| a.rows[at].kind)
            .or(other.map(|other| b.rows[other].kind));
        let fields = at.and_then(|at| said.get(&at)).map(|(_, fields)| fields);
        Parting {
            a: at.map(|at| Seq(at as u64)),
            b: other.map(|other| Seq(other as u64)),
            how,
            is_input: kind.and_then(kind_of::<S>).is_some_and(|kind| {
                kind.role == dacapo_kernel::Role::Input || kind.role == dacapo_kernel::Role::Answer
            }),
            fields: fields.cloned().unwrap_or_default(),
        }
    });
    let fields = changed_fields::<S>(&a, &said);
    let plan = plans(&a.plan, &b.plan);
    Ok(Diff {
        plan,
        events_a: a.rows.len() as u64,
        events_b: b.rows.len() as u64,
        counts: tally.all,
        kinds: tally.kinds::<S>(),
        first,
        fields,
        a: a.plan,
        b: b.plan,
    })
}

/// What differs between two plans, as values.
fn plans<C: serde::Serialize>(a: &Plan<C>, b: &Plan<C>) -> Vec<FieldDifference> {
    let value = |plan| serde_json::to_value(plan).unwrap_or(Value::Null);
    compare("", Some(&value(a)), Some(&value(b)))
}

/// What differs between two events that go together.
fn differences<S: System>(
    a: &Rows<S>,
    b: &Rows<S>,
    at: usize,
    other: usize,
) -> Vec<FieldDifference> {
    let body = |rows: &Rows<S>, at| {
        let event = rows.event(at)?;
        body_json(&event).ok()
    };
    compare("", body(a, at).as_ref(), body(b, other).as_ref())
}

/// How often each field of each kind differs.
fn changed_fields<S: System>(
    a: &Rows<S>,
    said: &BTreeMap<usize, (usize, Vec<FieldDifference>)>,
) -> Vec<ChangedField> {
    let mut by_field: BTreeMap<u64, ChangedField> = BTreeMap::new();
    for (at, (_, fields)) in said {
        let Some(kind) = kind_of::<S>(a.rows[*at].kind) else {
            continue;
        };
        for field in fields {
            let entry = by_field.entry(hash_of(&(kind.number, field.path.as_str())));
            let entry = entry.or_insert_with(|| ChangedField {
                kind: kind.name,
                path: field.path.clone(),
                times: 0,
                example: field.clone(),
            });
            entry.times += 1;
        }
    }
    let mut fields: Vec<ChangedField> = by_field.into_values().collect();
    fields.sort_by(|a, b| {
        let key = |field: &ChangedField| {
            (
                std::cmp::Reverse(field.times),
                field.kind,
                field.path.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    fields
}

fn kind_of<S: System>(number: u16) -> Option<&'static Kind> {
    let mut kinds = KernelEvent::KINDS.iter().chain(S::Event::KINDS);
    kinds.find(|kind| kind.number == number)
}

/// Where an event is, in the first log and in the second.
type Places = (Option<usize>, Option<usize>);

/// Counts, and the first difference so far.
#[derive(Default)]
struct Tally {
    all: Counts,
    by_kind: BTreeMap<u16, Counts>,
    first: Option<(Time, Places, How)>,
}

impl Tally {
    fn count(&mut self, kind: u16, how: Option<How>, renumbered: bool) {
        for counts in [&mut self.all, self.by_kind.entry(kind).or_default()] {
            let count = match how {
                None if renumbered => &mut counts.renumbered,
                None => &mut counts.same,
                Some(How::Changed) => &mut counts.changed,
                Some(How::Moved) => &mut counts.moved,
                Some(How::OnlyA) => &mut counts.only_a,
                Some(How::OnlyB) => &mut counts.only_b,
            };
            *count += 1;
        }
    }

    /// Two logs are the same before they part, so the place in either says which difference is first.
    fn part(&mut self, time: Time, places: Places, how: How) {
        let place = |(a, b): Places| a.into_iter().chain(b).min();
        let key = (time, place(places));
        if self
            .first
            .is_none_or(|(time, first, _)| key < (time, place(first)))
        {
            self.first = Some((time, places, how));
        }
    }

    fn kinds<S: System>(&self) -> Vec<(&'static str, Counts)> {
        let mut kinds: Vec<(&'static str, Counts)> = self
            .by_kind
            .iter()
            .filter(|(_, counts)| !counts.is_same())
            .filter_map(|(number, counts)| Some((kind_of::<S>(*number)?.name, *counts)))
            .collect();
        kinds.sort_by_key(|(name, counts)| {
            (
                std::cmp::Reverse(counts.differing()),
                std::cmp::Reverse(counts.moved + counts.renumbered),
                *name,
            )
        });
        kinds
    }
}
