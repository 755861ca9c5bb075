//! `find`: events by what they say, by the state that they leave or change, by what comes before them.

use std::path::PathBuf;

use clap::Args;
use dacapo_kernel::{Events, System, plan_of};
use dacapo_lab::find::{Before, Finding, Found, Query, find as look};
use dacapo_lab::{Condition, Filter, Pattern, VERSION, ValuePath};
use serde_json::{Value, json};

use crate::among::Among;
use crate::endings::value;
use crate::exit::{Exit, Problem};
use crate::failure::line_json;
use crate::log_file::{open, shown};
use crate::next;
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::show::in_columns;
use crate::text::{counted, grouped, shell_word};
use crate::values::wall_time;

/// What is looked for.
#[derive(Args, Debug)]
pub(crate) struct FindArgs {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Which events: a kind or `any`, and what they say: `item leased where worker=1 and item>10`
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    /// Only events that change the state at this place
    #[arg(long, value_name = "PATH")]
    changes: Option<ValuePath>,
    /// Only events after which the state is so: `queue.leases>10`; may be repeated, then all must hold
    #[arg(long, value_name = "CONDITION")]
    state: Vec<Condition>,
    /// Only events before which there is none like this
    #[arg(long, value_name = "PATTERN")]
    not_preceded_by: Option<String>,
    /// Of what precedes only what says the same there: a place of both, or A=B: A of the earlier one, B of the event
    #[arg(long, value_name = "PATH", requires = "not_preceded_by", value_parser = same)]
    same: Vec<(ValuePath, ValuePath)>,
    /// Of what precedes only what is not older than this
    #[arg(long, value_name = "TIME", requires = "not_preceded_by", value_parser = wall_time)]
    within: Option<std::time::Duration>,
    /// What precedes counts for one event only
    #[arg(long, requires = "not_preceded_by")]
    each: bool,
    /// Only events that go back to one like this, through their causes
    #[arg(long, value_name = "PATTERN")]
    caused_by: Option<String>,
    /// Only events that do not
    #[arg(long, value_name = "PATTERN")]
    not_caused_by: Option<String>,
    /// Only events of this actor; may be repeated
    #[arg(long, value_name = "NAME")]
    actor: Vec<String>,
    #[command(flatten)]
    among: Among,
    /// Print at most so many; how many there are in all is counted in any case
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// End with the first one
    #[arg(long, conflicts_with = "limit")]
    first: bool,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 4] = [
    (
        "find day.dlog any --changes queue.leases --from 10m --first",
        "the next change of a value",
    ),
    (
        "find day.dlog 'lock blocked where name~bus'",
        "by what an event says",
    ),
    (
        "find day.dlog 'item completed' --not-preceded-by 'item leased' --same item",
        "what nothing precedes",
    ),
    (
        "find day.dlog any --state 'leases>10' --first",
        "when the state was first so",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nA condition is a place and a comparison: =, !=, <, <=, >, >= or ~ (contains); a place alone means\n\
     that it is there and true. Places of an event are in its body (see `show --message-format json`),\n\
     or a tag, or `actor`; places of the state are those that `show --at` prints. No code is run.\n\
     Exit: 0 found, 2 the question is wrong, 4 nothing was found, 6 the log is damaged.";

fn same(text: &str) -> Result<(ValuePath, ValuePath), String> {
    let path = |text: &str| text.parse::<ValuePath>().map_err(|error| error.to_string());
    match text.split_once('=') {
        Some((earlier, own)) => Ok((path(earlier)?, path(own)?)),
        None => Ok((path(text)?, path(text)?)),
    }
}

pub(crate) fn find<S: System>(args: &FindArgs, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    let log = shown(&args.log);
    let problem = |error| Problem::log(&log, &error);
    let query = query::<S>(args)?;
    let mut reader = open(&args.log)?;
    plan_of::<S>(&mut reader).map_err(problem)?;
    let mut events = Events::<S::Event>::new(reader);
    let most = if args.first { 1 } else { args.limit };
    let finding: Finding = {
        let mut progress = screen.progress("find", Goal::Unknown);
        look::<S>(&mut events, &query, most, !args.first, |seq, time| {
            progress.at(seq, time);
        })
        .map_err(problem)?
    };
    if let Some(path) = query.changes.as_ref().filter(|_| !finding.exists) {
        return Err(Problem::usage(format!(
            "the state never has `{path}`; `show --at` prints what it has"
        )));
    }
    for found in &finding.found {
        tell(found, screen);
    }
    conclude(&finding, &query, &log, screen);
    Ok(match finding.all {
        0 => Exit::NothingRan,
        _ => Exit::Fine,
    })
}

fn query<S: System>(args: &FindArgs) -> Result<Query, Problem> {
    let pattern =
        |text: &String| Pattern::read::<S>(text).map_err(|error| Problem::usage(error.to_string()));
    let one = |text: &Option<String>| text.as_ref().map(pattern).transpose();
    let is_asked = args.pattern.is_some()
        || args.changes.is_some()
        || !args.state.is_empty()
        || args.caused_by.is_some()
        || args.not_caused_by.is_some()
        || !args.actor.is_empty()
        || !args.among.tag.is_empty();
    if !is_asked {
        return Err(Problem::usage(
            "say what to look for: a PATTERN such as 'timer fired', --changes PATH, --state CONDITION, \
             --caused-by PATTERN, --actor or --tag; see --help",
        ));
    }
    let not_after = one(&args.not_preceded_by)?.map(|pattern| Before {
        pattern,
        same: args.same.clone(),
        within: args
            .within
            .map(|span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)),
        each: args.each,
    });
    Ok(Query {
        filter: Filter {
            actors: args.actor.clone(),
            tags: args.among.tag.clone(),
            from: args.among.from,
            to: args.among.to,
            ..Filter::default()
        },
        pattern: one(&args.pattern)?,
        changes: args.changes.clone(),
        state: args.state.clone(),
        not_after,
        not_from: one(&args.not_caused_by)?,
        from: one(&args.caused_by)?,
    })
}

fn tell(found: &Found, screen: &mut Screen<'_>) {
    if screen.is_for_people() {
        let line = in_columns(&found.line, screen);
        screen.line(line);
        if let Some((before, after)) = &found.change {
            let change = format!(
                "{} → {}",
                Screen::safe(value(before)),
                Screen::safe(value(after))
            );
            let change = screen.paint(Tone::Head, change);
            screen.line(format!("  change    {change}"));
        }
        return;
    }
    let change = found.change.as_ref();
    let mut event = line_json(&found.line);
    event["v"] = json!(VERSION);
    event["type"] = json!("found");
    event["before"] = change.map_or(Value::Null, |(before, _)| json!(before));
    event["after"] = change.map_or(Value::Null, |(_, after)| json!(after));
    screen.json(&event);
}

/// How many there are, and of what.
fn conclude(finding: &Finding, query: &Query, log: &str, screen: &mut Screen<'_>) {
    if !screen.is_for_people() {
        return screen.json(&json!({
            "v": VERSION,
            "type": "finding",
            "log": log,
            "found": finding.all,
            "events": finding.read,
            "candidates": query.not_after.is_some().then_some(finding.candidates),
            "preceding": query.not_after.is_some().then_some(finding.before),
        }));
    }
    let told = finding.found.len() as u64;
    let mut text = match finding.all {
        0 => format!(
            "nothing found in {}",
            counted(finding.read, "event", "events")
        ),
        all if all == told => format!("{} found", grouped(all)),
        all => format!(
            "{} found, the first {} are shown",
            grouped(all),
            grouped(told)
        ),
    };
    if query.not_after.is_some() {
        let candidates = counted(finding.candidates, "event was", "events were");
        let before = counted(finding.before, "event", "events");
        text.push_str(&format!(
            "; {candidates} looked at, {before} may precede them"
        ));
    }
    screen.note(text);
    if let Some(found) = finding.found.first() {
        let (log, seq) = (Screen::safe(shell_word(log)), found.line.seq);
        next::propose(
            &[
                (
                    format!("explain {log} {seq}"),
                    "why, and what follows from it",
                ),
                (format!("show {log} --at {seq}"), "the whole state"),
            ],
            screen,
        );
    }
}
