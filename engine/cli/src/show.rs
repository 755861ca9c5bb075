//! `show`: the events of a log as lines, the whole state at a moment, or when a value of it changed.

mod watched;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::log::Reader;
use dacapo_kernel::{BoxedStorage, Event, Events, KernelEvent, RunError, System, plan_of};
use dacapo_lab::scenario::nearest;
use dacapo_lab::{
    Filter, Line, Moment, Names, ValuePath, event_json, for_each, for_each_from, kind_named,
    state_at, state_json,
};

use crate::among::Among;
use crate::exit::{Exit, Problem};
use crate::kept_states::KeptStates;
use crate::log_file::{open, shown};
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::state;
use crate::text::grouped;

/// What to show of a log.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Print the whole state after this event, or at this time
    #[arg(long, value_name = "SEQ|TIME", conflicts_with_all = ["actor", "task", "tag", "kind", "from", "to", "limit"])]
    at: Option<Moment>,
    /// Only when the state at this place changed, and why: `queue.leases`; places are those that --at prints
    #[arg(long, value_name = "PATH", conflicts_with_all = ["at", "actor", "task", "tag", "kind"])]
    watch: Option<ValuePath>,
    /// Only events of this actor; may be repeated
    #[arg(long, value_name = "NAME")]
    actor: Vec<String>,
    /// Only the kernel's events about this task, by name or number (t3); may be repeated
    #[arg(long, value_name = "NAME")]
    task: Vec<String>,
    /// Only events of this kind, by name or number; may be repeated
    #[arg(long, value_name = "NAME")]
    kind: Vec<String>,
    #[command(flatten)]
    among: Among,
    /// At most so many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 6] = [
    ("show day.dlog --limit 20", "the first events"),
    (
        "show day.dlog --actor worker-1 --from 1.5s --to 2s",
        "one actor, half a second",
    ),
    ("show day.dlog --kind lock-blocked", "who had to wait"),
    (
        "show day.dlog --at 00:10:00",
        "the whole state after ten minutes",
    ),
    (
        "show day.dlog --watch queue.leases",
        "when a value changed, and why",
    ),
    ("show day.dlog --message-format json", "JSON lines"),
];

/// What the help says after them.
pub(crate) const AFTER: &str =
    "\nTimes are virtual: 250ms, 1.5s, 10m, 2h, 00:01:02.5. A plain number is an event.";

pub(crate) fn show<S: System>(args: &ShowArgs, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    let log = shown(&args.log);
    let mut reader = open(&args.log)?;
    plan_of::<S>(&mut reader).map_err(|error| Problem::log(&log, &error))?;
    if let Some(at) = args.at {
        return show_state::<S>(reader, at, &args.log, screen);
    }
    let events = Events::<S::Event>::new(reader);
    match &args.watch {
        Some(path) => watched::show::<S>(events, args, path, screen),
        None => show_events::<S>(events, args, &log, screen),
    }
}

fn show_state<S: System>(
    mut reader: Reader<BoxedStorage>,
    at: Moment,
    path: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(path);
    let problem = |error| Problem::log(&log, &error);
    let ending = reader.ending().map_err(|error| problem(error.into()))?;
    let mut kept = KeptStates::<S>::of(path, ending);
    let mut events = Events::<S::Event>::new(reader);
    let goal = match at {
        Moment::Event(seq) => Goal::Events(seq.0),
        Moment::Time(time) => Goal::Time(time),
    };
    let world = {
        let mut progress = screen.progress("fold", goal);
        let watch = |seq, time| progress.at(seq, time);
        state_at(&mut events, at, &mut kept.states, watch).map_err(problem)?
    };
    kept.keep();
    let value = state_json::<S>(&world).map_err(|error| {
        Problem::internal(format!(
            "the view of {} is not plain data: {error}",
            S::NAME
        ))
    })?;
    if screen.is_for_people() {
        state::tell::<S>(&world, &value["state"]["view"], &log, screen);
    } else {
        screen.json(&value);
    }
    Ok(Exit::Fine)
}

fn show_events<S: System>(
    mut events: Events<S::Event>,
    args: &ShowArgs,
    log: &str,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let filter = filter_of::<S>(args)?;
    let limit = args.limit.unwrap_or(u64::MAX);
    let mut shown = 0;
    let mut trouble = None;
    let see = |names: &Names, event: &Event<S::Event>| {
        if shown >= limit || filter.is_past(event) {
            return false;
        }
        if filter.wants::<S>(names, event) {
            shown += 1;
            trouble = print::<S>(names, event, screen).err();
        }
        trouble.is_none() && !screen.is_closed()
    };
    let told = match filter.from {
        Some(from) => for_each_from::<S>(&mut events, from, see),
        None => for_each::<S>(&mut events, see),
    };
    if let Some(error) = trouble {
        return Err(Problem::internal(format!(
            "an event is not plain data: {error}"
        )));
    }
    told.map_err(|error| Problem::log(log, &error))?;
    if shown == 0 {
        let unknown = unknown_actors::<S>(&mut events, &args.actor);
        let unknown = unknown.map_err(|error| Problem::log(log, &error))?;
        screen.note(Screen::safe(format!("no event matches{unknown}")));
    }
    Ok(Exit::Fine)
}

/// Which of the actors that somebody wants to see are none of a log, and who may be meant.
fn unknown_actors<S: System>(
    events: &mut Events<S::Event>,
    wanted: &[String],
) -> Result<String, RunError> {
    let mut note = String::new();
    if wanted.is_empty() {
        return Ok(note);
    }
    let mut actors = BTreeSet::new();
    for_each::<S>(events, |_, event| {
        if let Some(KernelEvent::ActorNamed(named)) = event.kernel() {
            actors.insert(named.name.clone());
        }
        true
    })?;
    let is_known = |name: &str| name == "engine" || actors.iter().any(|actor| **actor == *name);
    for wanted in wanted.iter().filter(|wanted| !is_known(wanted)) {
        let near = nearest(wanted, actors.iter().map(|actor| actor.as_str()));
        let near = near.map_or_else(String::new, |near| format!(", did you mean {near:?}?"));
        note.push_str(&format!("; there is no actor {wanted:?}{near}"));
    }
    Ok(note)
}

fn filter_of<S: System>(args: &ShowArgs) -> Result<Filter, Problem> {
    let kinds = args.kind.iter().map(|word| kind_named::<S>(word));
    let kinds: Result<Vec<u16>, _> = kinds.collect();
    Ok(Filter {
        actors: args.actor.clone(),
        tasks: args.task.clone(),
        kinds: kinds.map_err(|error| Problem::usage(error.to_string()))?,
        tags: args.among.tag.clone(),
        from: args.among.from,
        to: args.among.to,
    })
}

fn print<S: System>(
    names: &Names,
    event: &Event<S::Event>,
    screen: &mut Screen<'_>,
) -> Result<(), serde_json::Error> {
    if screen.is_for_people() {
        let line = names.tell::<S>(event);
        let text = in_columns(&line, screen);
        screen.line(text);
    } else {
        let value = event_json::<S>(names, event)?;
        screen.json(&value);
    }
    Ok(())
}

/// Number, time, actor, kind, what happened, and from which event it follows.
pub(crate) fn in_columns(line: &Line, screen: &Screen<'_>) -> String {
    let head = format!(
        "{:>8}  {}  {:<14}  {:<14}",
        grouped(line.seq.0),
        line.time,
        Screen::safe(&line.actor),
        line.kind,
    );
    let cause = match line.cause {
        Some(cause) => screen.paint(Tone::Faint, format!("  ← {}", grouped(cause.0))),
        None => String::new(),
    };
    format!("{head}  {}{cause}", Screen::safe(&line.text))
}
