//! What a report shows of a log beyond its summary: the curves and lists of its system, and the events
//! around a place, with what each follows from.
//!
//! A log may be long. Curves are thinned, lists and events are cut to a window, and each says so.

mod thin;
mod versus;
mod waits;

use dacapo_kernel::{Curve, Event, Events, Exhibits, Listing, Plan, RunError, Scale, Seq, Shape};
use dacapo_kernel::{System, Time};

use crate::causes::for_each;
use crate::tell::Line;

use self::thin::Thin;

pub use self::versus::{Side, Versus, versus};
pub use self::waits::{WaitNode, WaitPicture, waits_of};

/// How many rows of a list are shown: the first half of them, and the last.
const ROWS: usize = 200;

/// What is to be shown of the events themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The event around which they are shown; the last one, if absent.
    pub around: Option<Seq>,
    /// How many.
    pub most: u64,
}

/// Everything that is shown.
pub struct Shown {
    /// The curves.
    pub charts: Vec<ShownChart>,
    /// The lists.
    pub listings: Vec<ShownListing>,
    /// The events of the window, in order.
    pub lines: Vec<Line>,
    /// How many events the log has.
    pub events: u64,
}

/// Curves that share a scale.
pub struct ShownChart {
    /// What is shown.
    pub title: String,
    /// What the values are.
    pub scale: Scale,
    /// The curves.
    pub curves: Vec<ShownCurve>,
}

/// A curve, with so few points that it can be drawn.
pub struct ShownCurve {
    /// Its name.
    pub name: String,
    /// How it is drawn.
    pub shape: Shape,
    /// Its points, in order.
    pub points: Vec<(Time, f64)>,
    /// How many values there were.
    pub values: u64,
}

/// A list.
pub struct ShownListing {
    /// What is listed.
    pub title: &'static str,
    /// The heads of its columns.
    pub columns: &'static [&'static str],
    /// Its rows: the event, and its cells.
    pub rows: Vec<(Seq, Time, Vec<String>)>,
    /// After how many of these rows some are left out, and how many.
    pub left_out: Option<(usize, u64)>,
}

/// Reads a log and folds what its system has to show.
///
/// # Errors
/// If the log is damaged.
pub fn show<S: System>(
    plan: &Plan<S::Config>,
    events: &mut Events<S::Event>,
    recorded: u64,
    window: Window,
) -> Result<Shown, RunError> {
    let mut folding = Folding::of(S::exhibits(plan));
    let last = recorded.saturating_sub(1);
    let around = window.around.map_or(last, |seq| seq.0).min(last);
    // A third of what is shown comes after the place, if there is so much.
    let after = (around + window.most / 3).min(last);
    let first = (after + 1).saturating_sub(window.most);
    let (mut lines, mut count) = (Vec::new(), 0);
    for_each::<S>(events, |names, event| {
        folding.observe(event);
        count += 1;
        if (first..=after).contains(&event.seq.0) {
            lines.push(names.tell::<S>(event));
        }
        true
    })?;
    let (charts, listings) = folding.finish();
    Ok(Shown {
        charts,
        listings,
        lines,
        events: count,
    })
}

/// The curves and lists of a system while they are fed.
struct Folding<E> {
    charts: Vec<Plotting<E>>,
    listings: Vec<(Listing<E>, Rows)>,
}

/// A chart while its curves are fed.
struct Plotting<E> {
    title: String,
    scale: Scale,
    curves: Vec<(Curve<E>, Thin)>,
}

impl<E> Plotting<E> {
    fn finish(self) -> ShownChart {
        let curves = self.curves.into_iter().map(|(curve, thin)| ShownCurve {
            name: curve.name,
            shape: curve.shape,
            values: thin.values(),
            points: thin.points(),
        });
        ShownChart {
            title: self.title,
            scale: self.scale,
            curves: curves.filter(|it| !it.points.is_empty()).collect(),
        }
    }
}

/// The first rows of a list, and the last.
#[derive(Default)]
struct Rows {
    first: Vec<(Seq, Time, Vec<String>)>,
    last: std::collections::VecDeque<(Seq, Time, Vec<String>)>,
    left_out: u64,
}

impl<E: dacapo_kernel::EventSet> Folding<E> {
    fn of(exhibits: Exhibits<E>) -> Folding<E> {
        let charts = exhibits.charts.into_iter().map(|chart| {
            let curves = chart.curves.into_iter();
            Plotting {
                title: chart.title,
                scale: chart.scale,
                curves: curves.map(|curve| (curve, Thin::default())).collect(),
            }
        });
        let listings = exhibits.listings.into_iter();
        Folding {
            charts: charts.collect(),
            listings: listings.map(|it| (it, Rows::default())).collect(),
        }
    }

    fn observe(&mut self, event: &Event<E>) {
        let kind = event.kind().number;
        let watched = |watches: &[u16]| watches.is_empty() || watches.contains(&kind);
        for (curve, thin) in self.charts.iter_mut().flat_map(|chart| &mut chart.curves) {
            if watched(curve.watches)
                && let Some(value) = (curve.value)(event)
                && value.is_finite()
            {
                thin.push(event.time, value);
            }
        }
        for (listing, rows) in &mut self.listings {
            if watched(listing.watches)
                && let Some(row) = (listing.row)(event)
            {
                rows.push((event.seq, event.time, row));
            }
        }
    }

    fn finish(self) -> (Vec<ShownChart>, Vec<ShownListing>) {
        let charts = self.charts.into_iter().map(Plotting::finish);
        let charts = charts.filter(|chart| !chart.curves.is_empty()).collect();
        let listings = self.listings.into_iter().map(|(listing, rows)| {
            let after = rows.first.len();
            let left_out = (rows.left_out > 0).then_some((after, rows.left_out));
            let rows = rows.first.into_iter().chain(rows.last).collect();
            ShownListing {
                title: listing.title,
                columns: listing.columns,
                rows,
                left_out,
            }
        });
        let listings = listings.filter(|it| !it.rows.is_empty()).collect();
        (charts, listings)
    }
}

impl Rows {
    fn push(&mut self, row: (Seq, Time, Vec<String>)) {
        if self.first.len() < ROWS / 2 {
            self.first.push(row);
            return;
        }
        self.last.push_back(row);
        if self.last.len() > ROWS / 2 {
            self.last.pop_front();
            self.left_out += 1;
        }
    }
}
