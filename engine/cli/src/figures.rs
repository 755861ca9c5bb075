//! `figures`: what a run comes to, as figures with their units, folded from its log.

pub(crate) mod shown;
mod told;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::{Series, System, Time, Wanted};
use dacapo_lab::{Figured, Moment, figures as fold};

use self::shown::instant;
use self::told::Told;
use crate::exit::{Exit, Problem};
use crate::log_file::{open, shown};
use crate::progress::Goal;
use crate::screen::Screen;

/// Of which log the figures are wanted, and how.
#[derive(Args, Debug)]
pub(crate) struct FiguresArgs {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Also tell what lies up to this time and after it apart: 12h, 00:10:00, 2020-01-01, 2020-01-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = split)]
    split: Option<Split>,
    /// Write what the figures come from, point by point, into this file
    #[arg(long, value_name = "PATH")]
    csv: Option<PathBuf>,
    /// Replace the file that --csv names, if there is one
    #[arg(long, requires = "csv")]
    force: bool,
    /// Leave the intervals out, which take longest
    #[arg(long)]
    no_intervals: bool,
}

/// Where a run is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Split {
    /// At a virtual time.
    After(Time),
    /// At an instant of the wall clock.
    At(jiff::Timestamp),
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    ("figures runs/day-7.dlog", "every figure and what it means"),
    (
        "figures day.dlog --split 2020-01-01",
        "before and after a date, side by side",
    ),
    (
        "figures day.dlog --csv day.csv",
        "what they come from, point by point",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nNo code is run: the same log always has the same figures.\n\
     A figure of which nothing can be said is `not defined`, with the reason.\n\
     Exit: 0 told, 2 a file is in the way, 4 nothing ran, 6 the log is damaged or was cut off.";

fn split(text: &str) -> Result<Split, String> {
    if let Ok(Moment::Time(time)) = text.parse() {
        return Ok(Split::After(time));
    }
    let midnight = || format!("{text}T00:00:00Z").parse();
    let parsed = text.parse().or_else(|_| midnight());
    parsed.map(Split::At).map_err(|_| {
        "expected a time such as 12h or 00:10:00, or a date such as 2020-01-01 or 2020-01-01T12:00:00Z"
            .to_owned()
    })
}

pub(crate) fn figures<S: System>(
    args: &FiguresArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(&args.log);
    let problem = |error| Problem::log(&log, &error);
    let mut reader = open(&args.log)?;
    let recorded = reader.ending().map_err(|e| problem(e.into()))?.events();
    let start_unix_ns = dacapo_kernel::plan_of::<S>(&mut reader)
        .map_err(problem)?
        .start_unix_ns;
    let wanted = Wanted {
        split: args
            .split
            .map(|split| virtual_time(split, start_unix_ns))
            .transpose()?,
        intervals: !args.no_intervals,
    };
    let figured: Figured<S> = {
        let mut progress = screen.progress("figures", Goal::Events(recorded));
        fold(reader, wanted, |seq, time| progress.at(seq, time)).map_err(problem)?
    };
    if let Some(split) = wanted.split.filter(|split| *split >= figured.end) {
        return Err(Problem::usage(format!(
            "--split at {split} leaves nothing after it: the run ends at {}, which is {}",
            figured.end,
            instant(start_unix_ns, figured.end),
        )));
    }
    let series = figured.measured.as_ref().and_then(|m| m.series.as_ref());
    if let Some(path) = &args.csv {
        let series = series.ok_or_else(|| {
            Problem::usage(format!(
                "{log} has no points to write: not enough happened in it"
            ))
        })?;
        write(path, series, start_unix_ns, args.force)?;
    }
    Told::<S> {
        log: &log,
        figured: &figured,
        csv: args.csv.as_deref().map(shown),
    }
    .tell(screen);
    Ok(match () {
        () if !figured.is_whole => {
            screen.warning(
                "the log ends before the end of its run: these are the figures up to there",
            );
            Exit::Log
        }
        () if !figured.happened => {
            screen.warning("the log holds no event of the system's own");
            Exit::NothingRan
        }
        () => Exit::Fine,
    })
}

/// The virtual time at which a run is divided.
fn virtual_time(split: Split, start_unix_ns: i64) -> Result<Time, Problem> {
    let Split::At(instant) = split else {
        let Split::After(time) = split else {
            unreachable!("there are two kinds")
        };
        return Ok(time);
    };
    let nanos = instant.as_nanosecond() - i128::from(start_unix_ns);
    let nanos = u64::try_from(nanos).map_err(|_| {
        Problem::usage(format!(
            "--split at {instant} is before the run begins, at {}",
            self::instant(start_unix_ns, Time::ZERO)
        ))
    })?;
    Ok(Time::from_nanos(nanos))
}

/// Writes the points as comma-separated values: the instant, the virtual time in seconds, the values.
fn write(path: &Path, series: &Series, start_unix_ns: i64, replace: bool) -> Result<(), Problem> {
    let shown = path.display();
    if !replace && fs::symlink_metadata(path).is_ok() {
        return Err(Problem::usage(format!(
            "{shown} exists already; give --force to replace it, or another path"
        )));
    }
    let mut text = format!("time,seconds,{}\n", series.columns.join(","));
    for (time, values) in &series.points {
        let at = instant(start_unix_ns, *time);
        text.push_str(&format!("{at},{}", time.as_secs_f64()));
        for value in values {
            text.push_str(&format!(",{value}"));
        }
        text.push('\n');
    }
    let written = fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Problem::usage(format!("{shown} cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if a date is taken for another one, or a number for a time.
    #[test]
    fn a_run_is_divided_at_a_time_or_a_date() {
        assert_eq!(split("90s"), Ok(Split::After(Time::from_secs(90))));
        assert_eq!(split("00:10:00"), Ok(Split::After(Time::from_secs(600))));
        let at = |seconds| Ok(Split::At(jiff::Timestamp::from_second(seconds).unwrap()));
        assert_eq!(split("1970-01-02"), at(86_400));
        assert_eq!(split("1970-01-01T01:00:00+00:30"), at(1_800));
        for wrong in ["12", "soon", "", "1970-13-01"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
        let date = split("1970-01-02").unwrap();
        let day = Ok(Time::from_secs(86_400));
        assert_eq!(virtual_time(date, 0).map_err(|_| ()), day);
        assert!(virtual_time(date, 86_401_000_000_000).is_err());
    }
}
