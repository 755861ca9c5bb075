//! `sweep`: every combination of several values of a scenario, and what each comes to.

mod told;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use dacapo_kernel::System;
use dacapo_lab::scenario::{Overrides, load, nearest};
use dacapo_lab::sweep::{Column, Progress, Row, RowsFile, Sweep, Vary, columns, digest};

use crate::exit::{Exit, Problem};
use crate::interrupt::Interrupts;
use crate::log_file::shown;
use crate::panics;
use crate::progress::Goal;
use crate::run::refuse_a_log;
use crate::screen::Screen;
use crate::text::grouped;

use self::told::Told;

/// What varies, and where the rows go.
#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    /// The scenario file (TOML)
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// A key that --set takes, or seed, or faults.DOOR for how often in a thousand a door lets a fault in, and
    /// its values: KEY=A..B/STEP with both ends, or KEY=X,Y,Z; may be repeated
    #[arg(long, value_name = "KEY=VALUES", required = true)]
    vary: Vec<Vary>,
    /// Write a row for each combination into this file, as soon as it is there; rows that stand in it are not made again
    #[arg(long, value_name = "PATH")]
    csv: Option<PathBuf>,
    /// The figures of the table, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    figures: Vec<String>,
    /// How many threads run; as many as there are cores, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    jobs: Option<u16>,
    /// Change one value of the scenario for all combinations: `--set run.duration=5m`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The named set of defects to start from
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Defects to switch on, separated by commas; see the command `defects`
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    defects: Vec<String>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    (
        "sweep day.toml --vary seed=0..99 --csv day.csv",
        "a hundred seeds, a row for each",
    ),
    (
        "sweep day.toml --vary limits.most=0.5..0.8/0.05 --vary seed=0..9",
        "the mean of ten seeds for each limit",
    ),
    (
        "sweep day.toml --vary faults.DOOR=0,50,100",
        "what a fault costs; `faults` lists the doors",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nRows come in the order of combinations, whatever the number of threads; the last key changes fastest.\n\
     An interrupt (Ctrl-C) lets the runs that have begun end; with --csv, the same command goes on from there.\n\
     Exit: 0 all runs fine, 1 a property was violated in some, 2 the scenario, a value or the file is wrong,\n\
     7 a run used up one of its budgets.";

/// How many figures a table has, where nobody chooses.
const SHOWN: usize = 6;

pub(crate) fn sweep<S: System>(args: &SweepArgs, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    refuse_a_log(&args.scenario, screen)?;
    let overrides = Overrides {
        set: args.set.clone(),
        profile: args.profile.clone(),
        defects: args.defects.clone(),
        ..Overrides::default()
    };
    let loaded = load::<S>(&args.scenario, &overrides)?;
    let columns = columns::<S>(&loaded.plan);
    let chosen = chosen(&columns, &args.figures)?;
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let sweep = Sweep {
        scenario: &args.scenario,
        overrides: &overrides,
        vary: &args.vary,
        jobs: args.jobs.map_or_else(cores, usize::from),
        caught: panics::caught_there,
    };
    sweep.check::<S>()?;
    let opened = args.csv.as_deref().map(|path| {
        let scenario = digest(&loaded, &args.vary);
        RowsFile::open(path, &scenario, &args.vary, &columns)
    });
    let opened = opened
        .transpose()
        .map_err(|error| Problem::usage(error.to_string()))?;
    let (mut file, found) = match opened {
        Some((file, found)) => (Some(file), found),
        None => (None, BTreeMap::new()),
    };
    let interrupts = Interrupts::of(screen);
    let mut last = Progress::default();
    let rows: Vec<Row> = {
        let mut bar = screen.progress("sweep", Goal::Unknown);
        sweep.run::<S>(
            &found,
            |row| file.as_mut().map_or(Ok(()), |file| file.append(row)),
            |progress| {
                last = progress;
                bar.says(format!(
                    "{} of {} runs",
                    grouped(progress.done),
                    grouped(progress.all)
                ));
                !interrupts.any()
            },
        )?
    };
    Told::<S> {
        name: &loaded.plan.name,
        vary: &args.vary,
        columns: &columns,
        chosen: &chosen,
        rows: &rows,
        progress: last,
        csv: args.csv.as_deref().map(shown),
        system: std::marker::PhantomData,
    }
    .tell(screen);
    Ok(exit(&rows))
}

/// The places of the figures that the table shows.
fn chosen(columns: &[Column], names: &[String]) -> Result<Vec<usize>, Problem> {
    if names.is_empty() {
        let main = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.is_main);
        return Ok(main.map(|(at, _)| at).take(SHOWN).collect());
    }
    let place = |name: &String| {
        let at = columns.iter().position(|column| column.name == name);
        at.ok_or_else(|| {
            let known = columns.iter().map(|column| column.name);
            let near = nearest(name, known.clone());
            let near = near.map_or_else(
                || format!("there are {}", known.collect::<Vec<&str>>().join(", ")),
                |near| format!("did you mean {near}?"),
            );
            Problem::usage(format!("there is no figure {name}; {near}"))
        })
    };
    names.iter().map(place).collect()
}

fn exit(rows: &[Row]) -> Exit {
    let of = |row: &Row| match () {
        () if !row.failures.is_empty() => Exit::Violated,
        () if row.verdict == "exhausted" => Exit::Exhausted,
        () => Exit::Fine,
    };
    let all = rows.iter().map(of).reduce(Exit::and);
    all.unwrap_or(Exit::NothingRan)
}
