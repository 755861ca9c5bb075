//! Derived data of a log, for other tools: its events, and what its system shows, counts and measures of it,
//! in tables.
//!
//! No code is simulated. Which tables there are follows from what a system contributes: a table for each of
//! its charts and lists, one for what its measure folds point by point, one for figures, one for each section
//! of its summary. Where the data go, and whether something is in the way, is the caller's affair.

mod csv;
mod folding;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;
mod sqlite;
mod table;

use std::io;
use std::path::Path;

use dacapo_kernel::log::Reader;
use dacapo_kernel::{
    BoxedStorage, Event, Events, KernelEvent, RunError, Seq, System, Time, Wanted, World, plan_of,
    with_acts,
};

use crate::causes::for_each;
use crate::tell::Names;

use self::folding::Folding;
use self::jsonl::Lines;
use self::table::Sink;

pub use self::table::name_for;

/// The form that the data are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A file with one JSON object for each event.
    Jsonl,
    /// A folder with one file of comma-separated values for each table.
    Csv,
    /// A SQLite database.
    Sqlite,
    /// A folder with one Parquet file for each table.
    Parquet,
}

impl Format {
    /// Every form.
    pub const ALL: [Format; 4] = [Format::Jsonl, Format::Csv, Format::Sqlite, Format::Parquet];

    /// Its name, which is also the ending of its files.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Sqlite => "sqlite",
            Format::Parquet => "parquet",
        }
    }

    /// Whether it is a folder of files.
    pub fn is_folder(self) -> bool {
        matches!(self, Format::Csv | Format::Parquet)
    }

    /// Whether this program was built with it.
    pub fn is_built(self) -> bool {
        self != Format::Parquet || cfg!(feature = "parquet")
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Each table and the number of its rows, in the order in which they were made.
    pub tables: Vec<(String, u64)>,
    /// How many events the log has.
    pub events: u64,
    /// Whether the log was closed and its run came to an end.
    pub is_whole: bool,
}

/// Why nothing was written that could be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] RunError),
    /// The data cannot be written.
    #[error("{0}")]
    Write(#[from] io::Error),
    /// Somebody asked for the end.
    #[error("interrupted")]
    Interrupted,
    /// The program was built without this form.
    #[error("this program was built without {0}; one that was built with --features {0} has it")]
    NotBuilt(&'static str),
}

/// How many events pass between two calls of a watch.
const WATCH_EVERY: u64 = 4_096;

/// Writes the data of a log to a path that does not exist yet. `watch` is told how far it is, and says
/// whether to go on.
///
/// # Errors
/// If the log is damaged, the data cannot be written, or `watch` says no. What is at the path then is of no use.
pub fn export<S: System>(
    reader: Reader<BoxedStorage>,
    format: Format,
    to: &Path,
    mut watch: impl FnMut(Seq, Time) -> bool,
) -> Result<Exported, ExportError> {
    let sink: Box<dyn Sink> = match format {
        Format::Jsonl => return lines::<S>(reader, to, watch),
        Format::Csv => Box::new(csv::Csv::create(to)?),
        Format::Sqlite => Box::new(sqlite::Sqlite::create(to)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(parquet::Parquet::create(to)?),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => return Err(ExportError::NotBuilt(format.name())),
    };
    tables::<S>(reader, sink, &mut watch)
}

/// Every event as a JSON object.
fn lines<S: System>(
    mut reader: Reader<BoxedStorage>,
    to: &Path,
    mut watch: impl FnMut(Seq, Time) -> bool,
) -> Result<Exported, ExportError> {
    plan_of::<S>(&mut reader)?;
    let is_closed = reader.ending().map_err(RunError::from)?.is_closed();
    let (mut lines, mut is_over) = (Lines::create(to)?, false);
    write_each::<S>(reader, &mut watch, |names, event| {
        is_over |= matches!(event.kernel(), Some(KernelEvent::RunEnded(_)));
        lines.event::<S>(names, event)
    })?;
    let events = lines.finish()?;
    Ok(Exported {
        tables: vec![("events".to_owned(), events)],
        events,
        is_whole: is_closed && is_over,
    })
}

/// Writes every event of a log, until one cannot be written or whoever watches has seen enough.
fn write_each<S: System>(
    reader: Reader<BoxedStorage>,
    watch: &mut dyn FnMut(Seq, Time) -> bool,
    mut write: impl FnMut(&Names, &Event<S::Event>) -> io::Result<()>,
) -> Result<(), ExportError> {
    let mut events = Events::<S::Event>::new(reader);
    let mut stopped = None;
    for_each::<S>(&mut events, |names, event| {
        stopped = write(names, event).map_err(ExportError::Write).err();
        if event.seq.0 % WATCH_EVERY == 0 && !watch(event.seq, event.time) {
            stopped = Some(ExportError::Interrupted);
        }
        stopped.is_none()
    })?;
    stopped.map_or(Ok(()), Err)
}

/// The events, and everything that the system has to say of them.
fn tables<S: System>(
    mut reader: Reader<BoxedStorage>,
    sink: Box<dyn Sink>,
    watch: &mut dyn FnMut(Seq, Time) -> bool,
) -> Result<Exported, ExportError> {
    let plan = plan_of::<S>(&mut reader)?;
    let is_closed = reader.ending().map_err(RunError::from)?.is_closed();
    // A run went by the configuration that the acts among its faults made.
    let acted = with_acts::<S>(&plan).map_err(RunError::from)?;
    let judged = acted.as_ref().unwrap_or(&plan);
    let mut measure = S::measure(judged, Wanted::default());
    let mut folding = Folding::new(sink, plan.start_unix_ns, S::exhibits(judged))?;
    let mut world: World<S::View> = World::default();
    let mut count = 0;
    write_each::<S>(reader, watch, |names, event| {
        if let Some(measure) = &mut measure {
            measure.observe(event);
        }
        world.apply(event);
        count += 1;
        folding.observe::<S>(names, event)
    })?;
    let measured = measure.map(|measure| measure.finish(world.now));
    let tables = folding.finish::<S>(&plan, &world, measured.as_ref())?;
    Ok(Exported {
        tables,
        events: count,
        is_whole: is_closed && world.verdict.is_some(),
    })
}
