//! What a system contributes, as tables: a row for each event, for each value of a curve, for each row of a
//! list; and in the end what is counted, measured and summed up.

use std::io;

use dacapo_kernel::{
    BodyOf, Curve, Event, EventSet, Exhibits, Listing, Measured, Plan, Scale, Section, System,
    Time, World,
};

use super::table::{Cell, Column, ColumnKind, Sink, Table, iso, name_for};
use crate::record::{role_name, tags_of};
use crate::tell::{Names, verdict};

use ColumnKind::{Instant, Real, Text, Whole};

/// The parts that a measure tells a run in.
const PARTS: [&str; 3] = ["whole", "before", "after"];

/// The tables while the events go by.
pub(super) struct Folding<E> {
    tables: Tables,
    events: usize,
    curves: Vec<(usize, Scale, Curve<E>)>,
    listings: Vec<(usize, Listing<E>)>,
}

/// The tables that there are, and how many rows each has.
struct Tables {
    sink: Box<dyn Sink>,
    start_unix_ns: i64,
    names: Vec<String>,
    rows: Vec<u64>,
}

impl Tables {
    /// Begins a table with this title.
    fn begin(&mut self, title: &str, columns: Vec<Column>) -> io::Result<usize> {
        let name = name_for(title, "table", &self.names);
        self.sink.table(&Table {
            name: name.clone(),
            columns,
        })?;
        self.names.push(name);
        self.rows.push(0);
        Ok(self.names.len() - 1)
    }

    fn row(&mut self, table: usize, cells: &[Cell<'_>]) -> io::Result<()> {
        self.rows[table] += 1;
        self.sink.row(table, cells)
    }

    /// When it was, as an instant and as virtual time.
    fn when(&self, time: Time) -> [Cell<'static>; 2] {
        let ns = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        let at = self.start_unix_ns.saturating_add(ns);
        [Cell::Instant(at), Cell::Whole(ns)]
    }
}

/// Columns of these kinds, whose names are made of titles that may be anything.
fn titled<'a>(
    first: Vec<Column>,
    titles: impl Iterator<Item = (&'a str, ColumnKind)>,
) -> Vec<Column> {
    let mut columns = first;
    for (title, kind) in titles {
        let taken: Vec<String> = columns.iter().map(|it| it.name.clone()).collect();
        columns.push(Column::new(&name_for(title, "what", &taken), kind));
    }
    columns
}

fn columns(of: &[(&str, ColumnKind)]) -> Vec<Column> {
    of.iter()
        .map(|(name, kind)| Column::new(name, *kind))
        .collect()
}

/// The columns of everything that happened at an event.
fn of_an_event() -> Vec<Column> {
    columns(&[("seq", Whole), ("time", Instant), ("time_ns", Whole)])
}

impl<E: EventSet> Folding<E> {
    pub(super) fn new(
        sink: Box<dyn Sink>,
        start_unix_ns: i64,
        exhibits: Exhibits<E>,
    ) -> io::Result<Folding<E>> {
        let mut tables = Tables {
            sink,
            start_unix_ns,
            names: Vec::new(),
            rows: Vec::new(),
        };
        let mut of_events = of_an_event();
        of_events.extend(columns(&[
            ("cause", Whole),
            ("actor", Text),
            ("kind", Text),
            ("kind_number", Whole),
            ("role", Text),
            ("text", Text),
            ("tags", Text),
            ("body", Text),
        ]));
        let events = tables.begin("events", of_events)?;
        let mut curves = Vec::new();
        for chart in exhibits.charts {
            let mut of_chart = of_an_event();
            of_chart.extend(columns(&[("curve", Text), ("value", Real)]));
            if let Scale::Names(_) = chart.scale {
                of_chart.push(Column::new("name", Text));
            }
            let table = tables.begin(&chart.title, of_chart)?;
            let of_table = chart.curves.into_iter();
            curves.extend(of_table.map(|curve| (table, chart.scale, curve)));
        }
        let mut listings = Vec::new();
        for listing in exhibits.listings {
            let titles = listing.columns.iter().map(|title| (*title, Text));
            let table = tables.begin(listing.title, titled(of_an_event(), titles))?;
            listings.push((table, listing));
        }
        Ok(Folding {
            tables,
            events,
            curves,
            listings,
        })
    }

    pub(super) fn observe<S: System<Event = E>>(
        &mut self,
        names: &Names,
        event: &Event<E>,
    ) -> io::Result<()> {
        let kind = event.kind();
        let watched = |watches: &[u16]| watches.is_empty() || watches.contains(&kind.number);
        let [time, time_ns] = self.tables.when(event.time);
        let head = [Cell::whole(event.seq.0), time, time_ns];
        let mut cells = head.to_vec();
        cells.extend([
            event.cause.map_or(Cell::Empty, |seq| Cell::whole(seq.0)),
            names.actor(event.actor).into(),
            kind.name.into(),
            Cell::Whole(kind.number.into()),
            role_name(kind.role).into(),
            names.tell::<S>(event).text.into(),
            serde_json::to_string(&tags_of::<S>(event))?.into(),
            serde_json::to_string(&BodyOf(event))?.into(),
        ]);
        self.tables.row(self.events, &cells)?;
        for (table, scale, curve) in &mut self.curves {
            if !watched(curve.watches) {
                continue;
            }
            let Some(value) = (curve.value)(event).filter(|value| value.is_finite()) else {
                continue;
            };
            let mut cells = head.to_vec();
            cells.extend([curve.name.as_str().into(), Cell::Real(value)]);
            if let Scale::Names(names) = scale {
                cells.push(named(names, value));
            }
            self.tables.row(*table, &cells)?;
        }
        for (table, listing) in &mut self.listings {
            if !watched(listing.watches) {
                continue;
            }
            if let Some(row) = (listing.row)(event) {
                let mut cells = head.to_vec();
                cells.extend(fitted(&row, listing.columns.len()));
                self.tables.row(*table, &cells)?;
            }
        }
        Ok(())
    }

    /// Adds what only the end shows, and says which tables there are.
    pub(super) fn finish<S: System<Event = E>>(
        mut self,
        plan: &Plan<S::Config>,
        world: &World<S::View>,
        measured: Option<&Measured>,
    ) -> io::Result<Vec<(String, u64)>> {
        let tables = &mut self.tables;
        if let Some(measured) = measured {
            tables.figures(measured)?;
            tables.series(measured)?;
        }
        let columns = columns(&[("figure", Text), ("value", Real), ("meaning", Text)]);
        let counts = tables.begin("counts", columns)?;
        for figure in S::figures(world) {
            let cells = [
                figure.name.into(),
                Cell::real(figure.value),
                figure.meaning.into(),
            ];
            tables.row(counts, &cells)?;
        }
        let whole = measured.and_then(|measured| measured.parts.first());
        let of_figures = whole.iter().flat_map(|part| &part.sections);
        for section in S::summary(world).iter().chain(of_figures) {
            tables.section(section)?;
        }
        tables.run::<S>(plan, world)?;
        self.tables.sink.finish()?;
        Ok(self
            .tables
            .names
            .into_iter()
            .zip(self.tables.rows)
            .collect())
    }
}

impl Tables {
    fn figures(&mut self, measured: &Measured) -> io::Result<()> {
        let of_figures = columns(&[
            ("part", Text),
            ("figure", Text),
            ("value", Real),
            ("unit", Text),
            ("undefined", Text),
            ("meaning", Text),
        ]);
        let table = self.begin("figures", of_figures)?;
        for (part, name) in measured.parts.iter().zip(PARTS) {
            for figure in &part.figures {
                let (value, why) = match &figure.value {
                    Ok(value) => (Cell::real(*value), Cell::Empty),
                    Err(why) => (Cell::Empty, why.as_str().into()),
                };
                let unit = figure.unit.name();
                let cells = [
                    name.into(),
                    figure.name.into(),
                    value,
                    unit.into(),
                    why,
                    figure.meaning.into(),
                ];
                self.row(table, &cells)?;
            }
        }
        Ok(())
    }

    fn series(&mut self, measured: &Measured) -> io::Result<()> {
        let Some(series) = &measured.series else {
            return Ok(());
        };
        let first = columns(&[("time", Instant), ("time_ns", Whole)]);
        let titles = series.columns.iter().map(|title| (*title, Real));
        let table = self.begin("series", titled(first, titles))?;
        for (time, values) in &series.points {
            let mut cells = self.when(*time).to_vec();
            cells.extend(values.iter().map(|value| Cell::real(*value)));
            self.row(table, &cells)?;
        }
        Ok(())
    }

    fn section(&mut self, section: &Section) -> io::Result<()> {
        let titles = section.columns.iter().map(|title| (title.as_str(), Text));
        // What is summed up for people is told apart from what it is summed up from.
        let title = format!("summary {}", section.title);
        let table = self.begin(&title, titled(Vec::new(), titles))?;
        for row in &section.rows {
            let cells: Vec<Cell<'_>> = fitted(row, section.columns.len()).collect();
            self.row(table, &cells)?;
        }
        Ok(())
    }

    /// What run it was.
    fn run<S: System>(&mut self, plan: &Plan<S::Config>, world: &World<S::View>) -> io::Result<()> {
        let table = self.begin("run", columns(&[("what", Text), ("value", Text)]))?;
        let ended = match &world.verdict {
            Some(of_run) => verdict(of_run),
            None => "the log ends before its run".to_owned(),
        };
        for (what, value) in [
            ("system", S::NAME.to_owned()),
            ("scenario", plan.name.clone()),
            ("seed", plan.seed.to_string()),
            ("start", iso(plan.start_unix_ns)),
            ("verdict", ended),
        ] {
            self.row(table, &[what.into(), value.into()])?;
        }
        Ok(())
    }
}

/// The name that a value stands for.
fn named(names: &[&'static str], value: f64) -> Cell<'static> {
    let at = value.round();
    let is_place = at >= 0.0 && (value - at).abs() < 1e-6;
    let name = is_place.then(|| names.get(at as usize)).flatten();
    name.map_or(Cell::Empty, |name| (*name).into())
}

/// As many cells as there are columns, whatever a row of the system has.
fn fitted(row: &[String], columns: usize) -> impl Iterator<Item = Cell<'_>> {
    let cells = row.iter().map(|cell| Cell::from(cell.as_str()));
    cells.chain(std::iter::repeat(Cell::Empty)).take(columns)
}
