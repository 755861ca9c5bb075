//! `diff`: two logs side by side, event by event and in what they come to.

mod told;

use std::path::PathBuf;

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
    let (log_a, log_b) = (shown(&args.a), shown(&args.b));
    let readers = (open(&args.a)?, open(&args.b)?);
    let diff: Diff<S> = {
        let mut progress = screen.progress("diff", Goal::Unknown);
        compare(readers.0, readers.1, |seq, time| progress.at(seq, time))
            // Which of the two it is, is said by reading each by itself.
            .map_err(|error| Problem::log(&format!("{log_a} or {log_b}"), &error))?
    };
    let mut endings = Vec::new();
    for path in [&args.a, &args.b] {
        let ending = ending_of::<S>(open(path)?, |_, _| ());
        endings.push(ending.map_err(|error| Problem::log(&shown(path), &error))?);
    }
    let is_same = diff.counts.is_same() && diff.plan.is_empty();
    if let [a, b] = endings.as_slice() {
        Told::<S> {
            logs: (&log_a, &log_b),
            paths: (&args.a, &args.b),
            diff: &diff,
            endings: (a, b),
            limit: args.limit,
        }
        .tell(screen)?;
    }
    Ok(if is_same { Exit::Fine } else { Exit::Diverged })
}
