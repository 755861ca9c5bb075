//! To what a run comes in the end: its verdict, what failed, its figures, its curves and lists; and what
//! of that differs between two runs.

use std::collections::BTreeMap;

use dacapo_kernel::{
    BoxedStorage, Checks, Curve, EventSet, Events, Exhibits, Measurement, Observed, RunError,
    Scale, Seq, Shape, System, Time, Unit, Wanted, World, log::Reader, plan_of, with_acts,
};
use serde_json::Value;

use crate::divergence::FieldDifference;
use crate::explanation::changes_between;
use crate::import::{IMPORTED, limit};
use crate::judgement::{Ended, judge};
use crate::pace::now_and_then;

/// How many rows of a list that only one of two runs has are kept.
const ROWS: usize = 6;

/// To what a run comes.
pub struct Ending {
    /// How it ended; none if the log does not say.
    pub verdict: Option<String>,
    /// Virtual time at its last event.
    pub end: Time,
    /// How many events it has.
    pub events: u64,
    /// The properties that failed.
    pub failed: Vec<String>,
    /// Its figures, in the order in which they are shown.
    pub figures: Vec<Measurement>,
    /// The last value of each curve, and how long each of its names held.
    pub curves: Vec<Curves>,
    /// The rows of its lists, as often as each is there.
    lists: Vec<(String, BTreeMap<Vec<String>, i64>)>,
    /// The last state of the system.
    view: Value,
}

/// One curve of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// What is shown, and which curve of it.
    pub title: String,
    /// What its values are called, if they are names.
    pub names: &'static [&'static str],
    /// The last value, and when it came.
    pub last: Option<(Time, f64)>,
    /// How long each of the names held, by its place.
    pub held: Vec<u64>,
    /// How often the value changed.
    pub changes: u64,
}

/// What differs between two endings.
#[derive(Clone, Debug, PartialEq)]
pub struct EndingDifference {
    /// Properties that fail in the first run only.
    pub failed_a: Vec<String>,
    /// Properties that fail in the second run only.
    pub failed_b: Vec<String>,
    /// Figures that differ.
    pub figures: Vec<FigureDifference>,
    /// Curves that differ: of the first run, of the second.
    pub curves: Vec<(Curves, Curves)>,
    /// Lists that differ.
    pub lists: Vec<ListDifference>,
    /// What differs in the last state, the most telling first.
    pub state: Vec<FieldDifference>,
}

/// A figure that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureDifference {
    /// The figure of the first run.
    pub a: Measurement,
    /// The figure of the second run.
    pub b: Measurement,
}

impl FigureDifference {
    /// How much more it is in the second run, if both are defined.
    pub fn by(&self) -> Option<f64> {
        Some(*self.b.value.as_ref().ok()? - *self.a.value.as_ref().ok()?)
    }
}

/// A list that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListDifference {
    /// What is listed.
    pub title: String,
    /// How many rows each run has.
    pub rows: (u64, u64),
    /// Rows of the first run only, the first ones; and how many there are.
    pub only_a: (Vec<Vec<String>>, u64),
    /// Rows of the second run only, the first ones; and how many there are.
    pub only_b: (Vec<Vec<String>>, u64),
}

/// To what the run of a log comes.
///
/// # Errors
/// If the log is damaged or of another system.
pub fn ending_of<S: System>(
    mut reader: Reader<BoxedStorage>,
    mut watch: impl FnMut(Seq, Time),
) -> Result<Ending, RunError> {
    let plan = plan_of::<S>(&mut reader)?;
    let acted = with_acts::<S>(&plan)?;
    let judged = acted.as_ref().unwrap_or(&plan);
    let mut checks = Checks::new(S::invariants(judged), Vec::new())
        .measured_by(S::measure(judged, Wanted::default()));
    let header = reader.header().clone();
    let mut world: World<S::View> = World::default();
    let mut shown = Shown::of(S::exhibits(judged));
    let mut events = Events::<S::Event>::new(reader);
    events.seek(Seq(0))?;
    let mut count = 0;
    while let Some(event) = events.next()? {
        world.apply(&event);
        shown.observe(&event);
        count += 1;
        now_and_then(&event, &mut watch);
        checks.observe(event);
    }
    let Observed {
        mut findings,
        measured,
        ..
    } = checks.finish();
    if plan.profile == IMPORTED {
        limit(&mut findings, &S::invariants(judged), &header);
    }
    let judgement = judge(&Ended::<S> {
        plan: &plan,
        verdict: world.verdict.as_ref(),
        world: &world,
        findings: &findings,
    });
    let counted = S::figures(&world).into_iter();
    let counted = counted.map(|f| Measurement::new(f.name, Unit::Count, Ok(f.value), f.meaning));
    let parts = measured.into_iter().flat_map(|measured| measured.parts);
    let measured = parts.take(1).flat_map(|part| part.figures);
    // The main figures first.
    let mut figures: Vec<Measurement> = measured.collect();
    figures.sort_by_key(|figure| !figure.is_main);
    figures.extend(counted);
    Ok(Ending {
        verdict: world.verdict.as_ref().map(crate::tell::verdict),
        end: world.now,
        events: count,
        failed: judgement
            .failures
            .into_iter()
            .map(|failure| failure.property)
            .collect(),
        figures,
        curves: shown.curves(world.now),
        lists: shown.lists,
        // A view that JSON cannot say is shown by no other command either.
        view: serde_json::to_value(&world.view).unwrap_or(Value::Null),
    })
}

impl Ending {
    /// The value of a figure, if there is one of that name and it is defined.
    pub fn figure(&self, name: &str) -> Option<&Measurement> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// What differs from this ending to another one.
    pub fn to(&self, other: &Ending) -> EndingDifference {
        let missing = |of: &Ending, from: &Ending| -> Vec<String> {
            let failed = from.failed.iter();
            failed
                .filter(|id| !of.failed.contains(id))
                .cloned()
                .collect()
        };
        let figures = self.figures.iter().filter_map(|a| {
            let b = other.figure(a.name)?;
            (a.value != b.value).then(|| FigureDifference {
                a: a.clone(),
                b: b.clone(),
            })
        });
        let curves = self.curves.iter().filter_map(|a| {
            let b = other.curves.iter().find(|b| b.title == a.title)?;
            let value = |curve: &Curves| (curve.last.map(|(_, value)| value), curve.held.clone());
            (value(a) != value(b)).then(|| (a.clone(), b.clone()))
        });
        let state = changes_between(&self.view, &other.view);
        EndingDifference {
            failed_a: missing(other, self),
            failed_b: missing(self, other),
            figures: figures.collect(),
            curves: curves.collect(),
            lists: self.lists_to(other),
            state,
        }
    }

    fn lists_to(&self, other: &Ending) -> Vec<ListDifference> {
        let none = BTreeMap::new();
        let titles = self
            .lists
            .iter()
            .chain(&other.lists)
            .map(|(title, _)| title);
        let mut told: Vec<&String> = Vec::new();
        titles.for_each(|title| {
            if !told.contains(&title) {
                told.push(title);
            }
        });
        let of = |lists: &'_ [(String, BTreeMap<Vec<String>, i64>)], title: &str| {
            lists.iter().position(|(known, _)| known == title)
        };
        let differing = told.into_iter().filter_map(|title| {
            let a = of(&self.lists, title).map_or(&none, |at| &self.lists[at].1);
            let b = of(&other.lists, title).map_or(&none, |at| &other.lists[at].1);
            (a != b).then(|| ListDifference {
                title: title.clone(),
                rows: (count(a), count(b)),
                only_a: beyond(a, b),
                only_b: beyond(b, a),
            })
        });
        differing.collect()
    }
}

fn count(rows: &BTreeMap<Vec<String>, i64>) -> u64 {
    rows.values().sum::<i64>().unsigned_abs()
}

/// The rows that one list has more often than another.
fn beyond(
    of: &BTreeMap<Vec<String>, i64>,
    than: &BTreeMap<Vec<String>, i64>,
) -> (Vec<Vec<String>>, u64) {
    let (mut rows, mut more) = (Vec::new(), 0);
    for (row, times) in of {
        let extra = times - than.get(row).copied().unwrap_or(0);
        for _ in 0..extra.max(0) {
            more += 1;
            if rows.len() < ROWS {
                rows.push(row.clone());
            }
        }
    }
    (rows, more)
}

/// What a system shows of a run while it is fed.
struct Shown<E> {
    exhibits: Exhibits<E>,
    values: Vec<Curves>,
    lists: Vec<(String, BTreeMap<Vec<String>, i64>)>,
}

impl<E: EventSet> Shown<E> {
    fn of(exhibits: Exhibits<E>) -> Shown<E> {
        let mut values = Vec::new();
        for chart in &exhibits.charts {
            // What is only marked is told by the lists.
            let drawn = |curve: &&Curve<E>| curve.shape != Shape::Marks;
            for curve in chart.curves.iter().filter(drawn) {
                let names: &'static [&'static str] = match chart.scale {
                    Scale::Names(names) if curve.shape == Shape::Steps => names,
                    _ => &[],
                };
                let title = match chart.curves.len() {
                    1 => chart.title.clone(),
                    _ => format!("{}: {}", chart.title, curve.name),
                };
                values.push(Curves {
                    title,
                    names,
                    last: None,
                    held: vec![0; names.len()],
                    changes: 0,
                });
            }
        }
        let lists = exhibits.listings.iter();
        Shown {
            lists: lists
                .map(|list| (list.title.to_owned(), BTreeMap::new()))
                .collect(),
            values,
            exhibits,
        }
    }

    fn observe(&mut self, event: &dacapo_kernel::Event<E>) {
        let kind = event.kind().number;
        let watched = |watches: &[u16]| watches.is_empty() || watches.contains(&kind);
        let curves = self.exhibits.charts.iter_mut();
        let curves = curves.flat_map(|chart| &mut chart.curves);
        let curves = curves.filter(|curve| curve.shape != Shape::Marks);
        for (curve, known) in curves.zip(&mut self.values) {
            if watched(curve.watches)
                && let Some(value) = (curve.value)(event)
                && value.is_finite()
            {
                known.hold(event.time);
                known.changes += u64::from(known.last.is_none_or(|(_, last)| last != value));
                known.last = Some((event.time, value));
            }
        }
        for (list, (_, rows)) in self.exhibits.listings.iter_mut().zip(&mut self.lists) {
            if watched(list.watches)
                && let Some(row) = (list.row)(event)
            {
                *rows.entry(row).or_default() += 1;
            }
        }
    }

    fn curves(&mut self, end: Time) -> Vec<Curves> {
        let mut values = std::mem::take(&mut self.values);
        values.iter_mut().for_each(|curve| curve.hold(end));
        values
    }
}

impl Curves {
    /// The last value held up to an instant.
    fn hold(&mut self, until: Time) {
        let Some((since, value)) = self.last else {
            return;
        };
        if let Some(held) = self.held.get_mut(value as usize) {
            let nanos = until.since(since).as_nanos();
            *held = held.saturating_add(u64::try_from(nanos).unwrap_or(u64::MAX));
        }
        self.last = Some((until, value));
    }

    /// The last value, in words where it has them.
    pub fn last_in_words(&self) -> String {
        match self.last {
            None => "nothing".to_owned(),
            Some((_, value)) => match self.names.get(value as usize) {
                Some(name) => (*name).to_owned(),
                None => value.to_string(),
            },
        }
    }
}
