//! `diff`: two logs side by side, event by event and in what they come to.

mod told;

use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::System;
use dacapo_lab::diff::{Diff, diff as compare, ending_of};

use self::told::Told;
use crate::exit::{Exit, Problem};
use crate::log_file::{open, shown};
use crate::progress::Goal;
use crate::screen::Screen;

/// Which logs are compared.
#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// The first log
    #[arg(value_name = "A")]
    a: PathBuf,
    /// The second log
    #[arg(value_name = "B")]
    b: PathBuf,
    /// Tell at most so many kinds of event, fields, rows of lists and values of the state
    #[arg(long, value_name = "N", default_value_t = 5)]
    limit: usize,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    ("diff runs/day-7.dlog runs/day-8.dlog", "two seeds"),
    (
        "diff day.dlog day-forked.dlog --quiet",
        "in one line whether, and where first",
    ),
    ("diff a.dlog b.dlog --limit 50", "more of everything"),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nEvents go together by who did what and what it goes back to, not by their place in the log, so\n\
     one event more shifts none of the others. No code is run.\n\
     Exit: 0 the same, 2 a path is wrong, 3 different, 6 a log is damaged.";

pub(crate) fn diff<S: System>(args: &DiffArgs, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    let is_same = tell::<S>((&args.a, &args.b), args.limit, screen)?;
    Ok(if is_same { Exit::Fine } else { Exit::Diverged })
}

/// Tells how two logs differ, and says whether they are the same.
pub(crate) fn tell<S: System>(
    (path_a, path_b): (&Path, &Path),
    limit: usize,
    screen: &mut Screen<'_>,
) -> Result<bool, Problem> {
    let (log_a, log_b) = (shown(path_a), shown(path_b));
    let mut endings = Vec::new();
    for path in [path_a, path_b] {
        let ending = ending_of::<S>(open(path)?, |_, _| ());
        endings.push(ending.map_err(|error| Problem::log(&shown(path), &error))?);
    }
    let readers = (open(path_a)?, open(path_b)?);
    let diff: Diff<S> = {
        let mut progress = screen.progress("diff", Goal::Unknown);
        // Each was read by itself above, which says of an error whose it is.
        compare(readers.0, readers.1, |seq, time| progress.at(seq, time))
            .map_err(|error| Problem::log(&format!("{log_a} or {log_b}"), &error))?
    };
    if let [a, b] = endings.as_slice() {
        Told::<S> {
            logs: (&log_a, &log_b),
            paths: (path_a, path_b),
            diff: &diff,
            endings: (a, b),
            limit,
        }
        .tell(screen)?;
    }
    Ok(diff.counts.is_same() && diff.plan.is_empty())
}
