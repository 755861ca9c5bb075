//! `salvage`: copy what is sound out of a damaged log, and say what is lost.

mod told;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::log::{Ending, File, Reader, Salvage};
use dacapo_kernel::{BoxedStorage, Events, KernelEvent, RunError, Seq, System, plan_of};

use crate::exit::{Exit, Problem};
use crate::log_file::{Target, shown};
use crate::screen::Screen;
use told::Told;

/// Which log to salvage, and where the copy goes.
#[derive(Args, Debug)]
pub(crate) struct SalvageArgs {
    /// The log, which is only read
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Where the copy goes, instead of LOG-salvaged.dlog; nothing is overwritten
    #[arg(long, short, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 2] = [
    (
        "salvage runs/day-7.dlog",
        "write runs/day-7-salvaged.dlog, say what is lost",
    ),
    ("salvage day.dlog -o kept.dlog", "another name for the copy"),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nThe copy holds every event before the first damage, byte for byte. What stands behind hangs on\n\
     what is damaged: it is told part by part and stays in the log, which is never changed.\n\
     A log that was only cut off, by a kill or a loss of power, is read up to there without this.\n\
     Exit: 0 copied or nothing to do, 2 no such log, or the name is taken, 6 nothing can be kept.";

pub(crate) fn salvage<S: System>(
    args: &SalvageArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(&args.log);
    let problem = |error| Problem::log(&log, &RunError::Log(error));
    // Nobody writes to it meanwhile, or what is still being written would be called torn.
    let from: BoxedStorage = Box::new(File::open_at_rest(&args.log).map_err(problem)?);
    let wreck = Salvage::survey(from).map_err(problem)?;
    let is_whole_run =
        holds_whole_run::<S>(&args.log, &wreck).map_err(|e| Problem::log(&log, &e))?;
    let nothing_to_do = match wreck.state() {
        Ok(Ending::Closed { .. }) => true,
        Ok(Ending::Open { .. }) => !is_whole_run,
        Ok(Ending::Torn { .. }) | Err(_) => false,
    };
    let copy = if nothing_to_do || wreck.events().is_empty() {
        None
    } else {
        let out = args.out.clone().unwrap_or_else(|| default(&args.log));
        Some(copy(&wreck, is_whole_run, &out)?)
    };
    let told = Told {
        log: &log,
        wreck: &wreck,
        copy: copy.as_deref(),
        is_whole_run,
        nothing_to_do,
    };
    told.tell(screen);
    if wreck.events().is_empty() {
        screen.error(format!(
            "{log}: nothing can be kept, no event in it is sound: take another copy of the log, or make the run again"
        ));
        return Ok(Exit::Log);
    }
    Ok(Exit::Fine)
}

/// `day-7.dlog` goes to `day-7-salvaged.dlog`.
fn default(log: &Path) -> PathBuf {
    let stem = log.file_stem().unwrap_or_default().to_string_lossy();
    log.with_file_name(format!("{stem}-salvaged.dlog"))
}

/// Writes the copy. One that ends before its run did is left open, as a log that was cut off is:
/// closed, it would claim that nothing is missing, and a replay would differ from it.
fn copy(wreck: &Salvage<BoxedStorage>, is_whole_run: bool, out: &Path) -> Result<String, Problem> {
    let path = shown(out);
    if fs::symlink_metadata(out).is_ok() {
        return Err(Problem::usage(format!(
            "{path} exists already and is not overwritten; give another path with --out"
        )));
    }
    let (target, storage) = Target::create(out, false)?;
    let copied = match is_whole_run {
        true => wreck.copy_closed(storage).map(drop),
        false => wreck.copy_into(storage).map(drop),
    };
    if let Err(error) = copied {
        target.abandon();
        return Err(Problem::log(&path, &RunError::Log(error)));
    }
    target.finish()?;
    Ok(path)
}

/// Whether the last sound event is the end of its run; an error if this program cannot read it.
fn holds_whole_run<S: System>(log: &Path, wreck: &Salvage<BoxedStorage>) -> Result<bool, RunError> {
    if wreck.events().is_empty() {
        return Ok(false);
    }
    let storage: BoxedStorage = Box::new(File::open(log)?);
    let mut reader = Reader::open(storage)?;
    plan_of::<S>(&mut reader)?;
    reader.seek(Seq(wreck.events().end.0 - 1))?;
    let event = Events::<S::Event>::new(reader).next()?;
    Ok(event.is_some_and(|event| matches!(event.kernel(), Some(KernelEvent::RunEnded(_)))))
}
