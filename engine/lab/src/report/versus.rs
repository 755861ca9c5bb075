//! Two recorded runs beside each other: what was planned differently, where they first part, how each ended.
//!
//! Events are compared by their place, so that the first one that differs is the cause of whatever differs after it. How
//! the rest of the events go together is not looked at.

use dacapo_kernel::{BoxedStorage, log::Reader};
use dacapo_kernel::{
    Divergence, Event, Events, Finding, Measured, Plan, RunError, Seq, System, Time, Verdict,
    Wanted, World,
};

use super::{Shown, ShownChart, Window, show};
use crate::divergence::{Difference, FieldDifference, compare, explain};
use crate::examine::examine;
use crate::figures::figures;
use crate::tell::{Line, Names};

/// One of the two runs.
pub struct Side<S: System> {
    /// What was planned.
    pub plan: Plan<S::Config>,
    /// How it ended, if it did.
    pub verdict: Option<Verdict>,
    /// Virtual time at its last event.
    pub end: Time,
    /// How many events it has.
    pub events: u64,
    /// The last link of its chain.
    pub fingerprint: String,
    /// What was counted over the whole run: name, value, meaning.
    pub counts: Vec<(&'static str, f64, &'static str)>,
    /// What was folded from its events.
    pub measured: Option<Measured>,
    /// Each property with what it says of the run.
    pub properties: Vec<(&'static str, Finding)>,
}

/// Two runs of one system beside each other.
pub struct Versus<S: System> {
    /// The runs, in the order in which they were given.
    pub sides: [Side<S>; 2],
    /// What was planned differently.
    pub planned: Vec<FieldDifference>,
    /// The first event that differs; none if there is none.
    pub first: Option<Difference>,
    /// The first event of the system's own that differs in what happened or when, wherever it stands.
    pub first_own: Option<[Option<Line>; 2]>,
    /// The curves of both, those of one title together.
    pub charts: Vec<ShownChart>,
}

/// Reads two logs from their first to their last event.
///
/// `open` opens one of them again: each is read a few times. `watch` is told how far the reading is.
///
/// # Errors
/// If one of them is damaged or of another system.
pub fn versus<S: System>(
    open: [&dyn Fn() -> Result<Reader<BoxedStorage>, RunError>; 2],
    watch: &mut dyn FnMut(Seq, Time),
) -> Result<Versus<S>, RunError> {
    let [a, b] = open;
    let (a_side, a_charts) = side::<S>(a, watch)?;
    let (b_side, b_charts) = side::<S>(b, watch)?;
    let json = |side: &Side<S>| serde_json::to_value(&side.plan).unwrap_or_default();
    Ok(Versus {
        planned: compare("", Some(&json(&a_side)), Some(&json(&b_side))),
        first: first::<S>(a()?, b()?)?,
        first_own: first_own::<S>(a()?, b()?)?,
        charts: together([a_charts, b_charts]),
        sides: [a_side, b_side],
    })
}

fn side<S: System>(
    open: &dyn Fn() -> Result<Reader<BoxedStorage>, RunError>,
    watch: &mut dyn FnMut(Seq, Time),
) -> Result<(Side<S>, Vec<ShownChart>), RunError> {
    let examined = examine::<S>(open()?, &mut *watch)?;
    let figured = figures::<S>(open()?, Wanted::default(), watch)?;
    let window = Window {
        around: None,
        most: 0,
    };
    let mut events = Events::<S::Event>::new(open()?);
    let Shown { charts, .. } = show::<S>(&examined.plan, &mut events, examined.events, window)?;
    let counts = figured.counts.iter();
    let findings = examined.findings.into_iter();
    let side = Side {
        verdict: examined.world.verdict.clone(),
        end: examined.world.now,
        events: examined.events,
        fingerprint: examined.ending.chain().to_string(),
        counts: counts.map(|it| (it.name, it.value, it.meaning)).collect(),
        measured: figured.measured,
        properties: findings.map(|it| (it.id, it.finding)).collect(),
        plan: examined.plan,
    };
    Ok((side, charts))
}

/// The first event that differs, but for the plan that the very first one carries.
fn first<S: System>(
    a: Reader<BoxedStorage>,
    b: Reader<BoxedStorage>,
) -> Result<Option<Difference>, RunError> {
    let (mut a, mut b) = (Events::<S::Event>::new(a), Events::<S::Event>::new(b));
    let mut common: World<S::View> = World::default();
    let (Some(started), Some(_)) = (a.next()?, b.next()?) else {
        return Ok(None);
    };
    common.apply(&started);
    loop {
        let (expected, actual) = (a.next()?, b.next()?);
        match (expected, actual) {
            (None, None) => return Ok(None),
            (Some(expected), Some(actual)) if expected == actual => common.apply(&expected),
            (expected, actual) => {
                let seq = common.last.map_or(Seq(0), Seq::next);
                let divergence = Divergence {
                    seq,
                    expected,
                    actual,
                };
                return explain::<S>(&mut a, &divergence, &common).map(Some);
            }
        }
    }
}

/// An event, and what is told of it.
type Told<E> = (Event<E>, Line);

/// The events of the system's own of one log, told one after another.
struct Own<S: System> {
    events: Events<S::Event>,
    names: Names,
}

impl<S: System> Own<S> {
    fn of(reader: Reader<BoxedStorage>) -> Own<S> {
        Own {
            events: Events::new(reader),
            names: Names::default(),
        }
    }

    fn next(&mut self) -> Result<Option<Told<S::Event>>, RunError> {
        while let Some(event) = self.events.next()? {
            self.names.learn(&event);
            if event.domain().is_some() {
                let line = self.names.tell::<S>(&event);
                return Ok(Some((event, line)));
            }
            self.names.forget(&event);
        }
        Ok(None)
    }
}

fn first_own<S: System>(
    a: Reader<BoxedStorage>,
    b: Reader<BoxedStorage>,
) -> Result<Option<[Option<Line>; 2]>, RunError> {
    let (mut a, mut b) = (Own::<S>::of(a), Own::<S>::of(b));
    loop {
        match (a.next()?, b.next()?) {
            (None, None) => return Ok(None),
            (Some((one, told)), Some((other, also))) => {
                let same = one.domain() == other.domain();
                if !same || one.time != other.time || told.actor != also.actor {
                    return Ok(Some([Some(told), Some(also)]));
                }
            }
            (one, other) => return Ok(Some([one, other].map(|it| it.map(|(_, line)| line)))),
        }
    }
}

/// The curves of both runs, those of one title in one chart.
fn together(of: [Vec<ShownChart>; 2]) -> Vec<ShownChart> {
    let mut charts: Vec<ShownChart> = Vec::new();
    for (which, chart) in ["A", "B"]
        .into_iter()
        .zip(of)
        .flat_map(|(which, charts)| charts.into_iter().map(move |chart| (which, chart)))
    {
        let curves = chart.curves.into_iter().map(|mut curve| {
            curve.name = format!("{which}: {}", curve.name);
            curve
        });
        match charts.iter_mut().find(|known| known.title == chart.title) {
            Some(known) => known.curves.extend(curves),
            None => charts.push(ShownChart {
                title: chart.title,
                scale: chart.scale,
                curves: curves.collect(),
            }),
        }
    }
    charts
}
