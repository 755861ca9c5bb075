//! `show --watch`: when a value of the state changed, and why.

use dacapo_kernel::{Events, System};
use dacapo_lab::scenario::nearest;
use dacapo_lab::watch::{Change, Watched, Window, watch};
use dacapo_lab::{VERSION, ValuePath};
use serde_json::{Value, json};

use super::{ShowArgs, in_columns};
use crate::endings::value;
use crate::exit::{Exit, Problem};
use crate::failure::{line_json, tell_causes};
use crate::log_file::shown;
use crate::next;
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::text::{counted, shell_word};

/// How many causes of a change are told.
const CAUSES: usize = 5;

pub(super) fn show<S: System>(
    mut events: Events<S::Event>,
    args: &ShowArgs,
    path: &ValuePath,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(&args.log);
    let window = Window {
        from: args.among.from,
        to: args.among.to,
        most: args.limit.map_or(usize::MAX, |most| {
            usize::try_from(most).unwrap_or(usize::MAX)
        }),
        causes: if screen.quiet { 0 } else { CAUSES },
    };
    let watched: Watched = {
        let mut progress = screen.progress("watch", Goal::Unknown);
        watch::<S>(&mut events, path, window, |seq, time| {
            progress.at(seq, time)
        })
        .map_err(|error| Problem::log(&log, &error))?
    };
    if !watched.exists {
        return Err(no_such_place(path, &watched.known));
    }
    for change in &watched.changes {
        if screen.is_closed() {
            break;
        }
        match screen.is_for_people() {
            true => tell(change, screen),
            false => screen.json(&as_json(change, path)),
        }
    }
    if watched.more > 0 {
        let more = counted(watched.more, "change", "changes");
        screen.note(format!("… and {more} more"));
    }
    if watched.changes.is_empty() {
        screen.note(Screen::safe(format!("{path} never changes there")));
    }
    if let Some(change) = watched.changes.last() {
        let (log, seq) = (Screen::safe(shell_word(&log)), change.line.seq);
        next::propose(
            &[(format!("explain {log} {seq}"), "why, back to the inputs")],
            screen,
        );
    }
    Ok(Exit::Fine)
}

/// What there is instead of a place that never was.
pub(crate) fn no_such_place(path: &ValuePath, known: &[String]) -> Problem {
    let near = path
        .parts()
        .iter()
        .rev()
        .find_map(|part| nearest(part, known.iter().map(String::as_str)));
    let near = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    Problem::usage(format!(
        "the state never has `{path}`{near}; what is there: {}",
        known.join(", ")
    ))
}

fn tell(change: &Change, screen: &mut Screen<'_>) {
    let line = in_columns(&change.line, screen);
    screen.line(line);
    let (before, after) = (value(&change.before), value(&change.after));
    let change_of = format!("{} → {}", Screen::safe(before), Screen::safe(after));
    let change_of = screen.paint(Tone::Head, change_of);
    screen.line(format!("  change    {change_of}"));
    if !change.causes.lines.is_empty() {
        tell_causes(&change.causes, screen);
    }
}

fn as_json(change: &Change, path: &ValuePath) -> Value {
    json!({
        "v": VERSION,
        "type": "change",
        "path": path.to_string(),
        "before": change.before,
        "after": change.after,
        "event": line_json(&change.line),
        "causes": change.causes.lines.iter().map(line_json).collect::<Vec<Value>>(),
        "shortened": change.causes.shortened,
    })
}
