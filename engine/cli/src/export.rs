//! `export`: the data of a log for other tools.

mod place;

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use dacapo_kernel::System;
use dacapo_lab::VERSION;
use dacapo_lab::export::{ExportError, Exported, Format, export as write};
use serde_json::json;

use self::place::Place;
use crate::exit::{Exit, Problem};
use crate::interrupt::Interrupts;
use crate::log_file::{open, shown};
use crate::progress::Goal;
use crate::screen::Screen;
use crate::text::grouped;

/// Of which log, in which form, and where it goes.
#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The form: jsonl has every event, the others have tables of all there is
    #[arg(long, value_name = "FORM", value_parser = form())]
    to: Format,
    /// Where it goes, instead of LOG.jsonl, LOG-csv/, LOG.sqlite or LOG-parquet/
    #[arg(long, short, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Replace what an earlier export wrote there
    #[arg(long)]
    force: bool,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    (
        "export runs/day-7.dlog --to csv",
        "write runs/day-7-csv/, a file for each table",
    ),
    (
        "export day.dlog --to sqlite --out day.sqlite",
        "one database with all tables",
    ),
    (
        "export day.dlog --to jsonl --force",
        "every event, in place of an older file",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nNo code is run: the same log always gives the same data. What is there stays until the new data are whole.\n\
     Exit: 0 written, 2 something is in the way, 4 interrupted, with nothing written, 6 the log is damaged,\n\
     or was cut off: then what it has is written.";

/// The forms by their names.
fn form() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).map(|name| {
        let form = Format::ALL.into_iter().find(|form| form.name() == name);
        form.expect("only the names of forms get here")
    })
}

pub(crate) fn export<S: System>(
    args: &ExportArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(&args.log);
    if !args.to.is_built() {
        let error = ExportError::NotBuilt(args.to.name());
        return Err(Problem::usage(error.to_string()));
    }
    let mut reader = open(&args.log)?;
    let recorded = reader.ending().map_err(|e| Problem::log(&log, &e.into()))?;
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| default(&args.log, args.to));
    let place = Place::find(&out, args.to, args.force)?;
    let interrupts = Interrupts::of(screen);
    let exported = {
        let mut progress = screen.progress("export", Goal::Events(recorded.events()));
        write::<S>(reader, args.to, place.beside(), |seq, time| {
            progress.at(seq, time);
            !interrupts.any()
        })
    };
    let exported = match exported {
        Ok(exported) => exported,
        Err(error) => {
            place.abandon();
            return Err(problem(&log, &out, &error));
        }
    };
    place.finish(&exported.tables)?;
    tell(&exported, args.to, &out, screen);
    if !exported.is_whole {
        screen.warning("the log ends before the end of its run: these are the data up to there");
        return Ok(Exit::Log);
    }
    Ok(Exit::Fine)
}

/// `day-7.dlog` goes to `day-7.sqlite`, or to the folder `day-7-csv`.
fn default(log: &Path, format: Format) -> PathBuf {
    let stem = log.file_stem().unwrap_or_default().to_string_lossy();
    let between = if format.is_folder() { '-' } else { '.' };
    log.with_file_name(format!("{stem}{between}{}", format.name()))
}

fn problem(log: &str, out: &Path, error: &ExportError) -> Problem {
    match error {
        ExportError::Log(error) => Problem::log(log, error),
        ExportError::Write(error) => {
            Problem::usage(format!("{}: cannot be written: {error}", shown(out)))
        }
        ExportError::Interrupted => Problem::Other(
            Exit::NothingRan,
            format!("interrupted before all of {log} was read; nothing is written"),
        ),
        ExportError::NotBuilt(_) => Problem::usage(error.to_string()),
    }
}

fn tell(exported: &Exported, format: Format, out: &Path, screen: &mut Screen<'_>) {
    let path = shown(out);
    if !screen.is_for_people() {
        let tables = exported.tables.iter();
        let tables = tables.map(|(table, rows)| json!({"table": table, "rows": rows}));
        screen.json(&json!({
            "v": VERSION,
            "type": "export",
            "to": format.name(),
            "out": path,
            "events": exported.events,
            "is_whole": exported.is_whole,
            "tables": tables.collect::<Vec<_>>(),
        }));
        return;
    }
    if !screen.quiet {
        let rows: Vec<Vec<String>> = exported
            .tables
            .iter()
            .map(|(table, rows)| vec![table.clone(), grouped(*rows)])
            .collect();
        screen.table("Tables", &["table", "rows"], &rows);
        screen.line("");
    }
    screen.line(format!("wrote {}", Screen::safe(&path)));
}
