//! A replay that goes on after a difference: with recorded inputs as far as they still apply.

use std::path::Path;

use dacapo_kernel::{Seq, System};
use dacapo_lab::VERSION;
use dacapo_lab::golden::{Class, EVERY_EVENT, Held, Standing, Trouble, log_bytes, replay_again};
use serde_json::json;

use super::{Mode, ReplayArgs};
use crate::difference;
use crate::exit::{Exit, Problem, exit_of};
use crate::log_file::shown;
use crate::screen::{Screen, Tone};
use crate::text::grouped;

/// The longest recording that is run a second time only to say how it differs.
const CLASSED_MAX: u64 = 1_000_000;

/// What counts. Where kinds are passed over and nothing else is said, every other event does.
pub(super) fn held<S: System>(args: &ReplayArgs) -> Result<Held, Problem> {
    let level = match (&args.level, args.mode) {
        (Some(level), _) => Some(level.as_str()),
        (None, Mode::BestEffort) => None,
        (None, Mode::Strict | Mode::Prefix) => Some(EVERY_EVENT),
    };
    Held::named::<S>(level, &args.ignore_kind).map_err(Problem::usage)
}

/// How a run differs from its recording, seen from its end; none if the log is too long to say.
pub(super) fn class<S: System>(path: &Path, at: Seq, recorded: u64) -> Option<Class> {
    if recorded > CLASSED_MAX {
        return None;
    }
    let held = Held::named::<S>(Some(EVERY_EVENT), &[]).ok()?;
    match replay_again::<S>(log_bytes(path).ok()?, &held).ok()? {
        Standing::Differs(apart) if apart.difference.seq == at => Some(apart.difference.class),
        _ => None,
    }
}

/// Runs one log again to its end.
pub(super) fn one<S: System>(
    path: &Path,
    args: &ReplayArgs,
    held: &Held,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(path);
    let bytes = log_bytes(path).map_err(Problem::usage)?;
    let standing = replay_again::<S>(bytes, held).map_err(|trouble| problem(&log, &trouble))?;
    match &standing {
        Standing::Same {
            level,
            events,
            detail,
        } => {
            let what = match detail {
                None => "every event as recorded".to_owned(),
                Some(trace) => format!(
                    "the same at {level}; a detail differs at event {}",
                    grouped(trace.difference.seq.0)
                ),
            };
            tell_same(&log, (*events, level.as_str()), &what, screen);
            Ok(Exit::Fine)
        }
        Standing::Differs(apart) => {
            let seq = apart.difference.seq;
            if let Some(prefix) = args.prefix.filter(|prefix| seq.0 > *prefix) {
                let what = format!(
                    "as recorded up to event {}, as asked; it first differs at event {}, {}, \
                     and went on to event {}: {} recorded inputs used, {} not asked for, {} made anew",
                    grouped(prefix),
                    grouped(seq.0),
                    apart.difference.class.name(),
                    grouped(apart.events.1.saturating_sub(1)),
                    grouped(apart.inputs.used),
                    grouped(apart.inputs.unused),
                    grouped(apart.inputs.generated.len() as u64),
                );
                tell_same(&log, (apart.events.1, apart.level.as_str()), &what, screen);
                return Ok(Exit::Fine);
            }
            difference::tell(&apart.difference, &log, apart.events.0, screen);
            Ok(Exit::Diverged)
        }
        Standing::Failed { failures, .. } => {
            let names: Vec<&str> = failures.iter().map(|it| it.property.as_str()).collect();
            screen.error(format!(
                "{log}: violated now, and not before: {}",
                names.join(", ")
            ));
            Ok(Exit::Violated)
        }
        _ => Err(Problem::internal(format!(
            "{log}: nothing came of the replay"
        ))),
    }
}

fn problem(log: &str, trouble: &Trouble) -> Problem {
    let exit = match trouble {
        Trouble::Run(error) => exit_of(error),
        Trouble::NotWhole { .. } => Exit::Log,
        _ => Exit::Usage,
    };
    Problem::Other(exit, format!("{log}: {trouble}"))
}

fn tell_same(log: &str, (events, level): (u64, &str), what: &str, screen: &mut Screen<'_>) {
    if !screen.is_for_people() {
        return screen.json(&json!({
            "v": VERSION,
            "type": "replay",
            "log": log,
            "result": "same",
            "events": events,
            "level": level,
            "what": what,
        }));
    }
    let word = screen.paint(Tone::Good, "SAME");
    let log = Screen::safe(log);
    screen.line(format!("{word}  {log}  {} events, {what}", grouped(events)));
}
