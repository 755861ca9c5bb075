//! `explain`: why an event came about, back to the inputs, and what follows from it.

use std::path::PathBuf;

use clap::Args;
use dacapo_kernel::{Events, Seq, System};
use dacapo_lab::explanation::{Origin, Step};
use dacapo_lab::{
    Ended, Explanation, Failure, FieldDifference, Line, VERSION, examine_to, explain_event, judge,
};
use serde_json::{Value, json};

use crate::exit::{Exit, Problem};
use crate::failure::line_json;
use crate::log_file::{open, shown};
use crate::next;
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, shell_word};

/// Which event to explain.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The event, instead of the first at which a property is violated
    #[arg(value_name = "SEQ")]
    seq: Option<u64>,
    /// Tell at most so many causes
    #[arg(long, value_name = "N", default_value_t = 12)]
    depth: usize,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    ("explain runs/day-7.dlog", "the first violation"),
    ("explain runs/day-7.dlog 1204", "this event"),
    ("explain day.dlog 1204 --depth 40", "further back"),
];

/// What the help says after them.
pub(crate) const AFTER: &str = "\nNo code is run: everything told is in the log.";

pub(crate) fn explain<S: System>(
    args: &ExplainArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(&args.log);
    let problem = |error| Problem::log(&log, &error);
    let failures = failures::<S>(args, screen)?;
    let (at, failure) = asked(args, &log, &failures)?;
    let mut events = Events::<S::Event>::new(open(&args.log)?);
    let at = match at {
        Some(at) => at,
        // Only the end shows it: the last event.
        None => last::<S>(&mut events).map_err(problem)?,
    };
    let explanation = {
        let mut progress = screen.progress("explain", Goal::Events(at.0));
        explain_event::<S>(&mut events, at, args.depth, |seq, time| {
            progress.at(seq, time);
        })
        .map_err(problem)?
    };
    if screen.is_for_people() {
        tell(&explanation, at, failure, &log, screen);
    } else {
        screen.json(&as_json(&explanation, at, failure, &log));
    }
    Ok(Exit::Fine)
}

/// What failed in the run of a log, up to the event that is asked for.
fn failures<S: System>(args: &ExplainArgs, screen: &Screen<'_>) -> Result<Vec<Failure>, Problem> {
    let log = shown(&args.log);
    let goal = args.seq.map_or(Goal::Unknown, Goal::Events);
    let mut progress = screen.progress("check", goal);
    let watch = |seq, time| progress.at(seq, time);
    let examined = examine_to::<S>(open(&args.log)?, args.seq.map(Seq), watch)
        .map_err(|error| Problem::log(&log, &error))?;
    let judgement = judge(&Ended::<S> {
        plan: &examined.plan,
        verdict: examined.world.verdict.as_ref(),
        world: &examined.world,
        findings: &examined.findings,
    });
    Ok(judgement.failures)
}

/// The event that was asked for, and what failed at it.
fn asked<'a>(
    args: &ExplainArgs,
    log: &str,
    failures: &'a [Failure],
) -> Result<(Option<Seq>, Option<&'a Failure>), Problem> {
    match args.seq.map(Seq) {
        Some(seq) => {
            let failure = failures.iter().find(|failure| failure.at == Some(seq));
            Ok((Some(seq), failure))
        }
        None => match failures.first() {
            Some(failure) => Ok((failure.at, Some(failure))),
            None => Err(Problem::usage(format!(
                "{log}: no property is violated in it; say which event to explain"
            ))),
        },
    }
}

fn last<S: System>(events: &mut Events<S::Event>) -> Result<Seq, dacapo_kernel::RunError> {
    let mut last = Seq(0);
    dacapo_lab::for_each::<S>(events, |_, event| {
        last = event.seq;
        true
    })?;
    Ok(last)
}

fn tell(
    explanation: &Explanation,
    at: Seq,
    failure: Option<&Failure>,
    log: &str,
    screen: &mut Screen<'_>,
) {
    let word = screen.paint(Tone::Head, "WHY");
    let place = format!("event {} of {}", grouped(at.0), grouped(explanation.events));
    let log = Screen::safe(log);
    match failure {
        Some(failure) => {
            let property = screen.paint(Tone::Bad, Screen::safe(&failure.property));
            screen.line(format!("{word}  {log}  {place}   {property}"));
            screen.line(format!("  expected  {}", Screen::safe(&failure.expected)));
            screen.line(format!("  actual    {}", Screen::safe(&failure.actual)));
        }
        None => screen.line(format!("{word}  {log}  {place}")),
    }
    if screen.quiet {
        return;
    }
    tell_steps(explanation, screen);
    tell_related(explanation, screen);
    tell_faults(explanation, screen);
    if !explanation.waits.is_empty() {
        head("Held and wanted at that moment", screen);
        for wait in &explanation.waits {
            screen.line(format!("  {}", Screen::safe(wait)));
        }
    }
    tell_changes(explanation, screen);
    tell_consequences(explanation, screen);
    let word = Screen::safe(shell_word(&log));
    let from = explanation.since;
    next::propose(
        &[
            (
                format!("show {word} --from {from} --to {at}"),
                "everything between",
            ),
            (format!("show {word} --at {at}"), "the whole state"),
        ],
        screen,
    );
}

fn head(text: &str, screen: &mut Screen<'_>) {
    screen.line("");
    let text = screen.paint(Tone::Head, text);
    screen.line(text);
}

fn tell_steps(explanation: &Explanation, screen: &mut Screen<'_>) {
    head("How it came about", screen);
    for (number, step) in explanation.steps.iter().enumerate() {
        if number == 1 && explanation.left_out > 0 {
            let count = counted(explanation.left_out as u64, "step", "steps");
            let row = screen.paint(Tone::Faint, format!("{:>10}  … {count} …", ""));
            screen.line(row);
        }
        let mark = match (step.origin, step.across) {
            (Some(origin), _) => origin.name(),
            (None, true) => "engine",
            (None, false) => "",
        };
        let row = row(&step.line, mark, screen.width());
        screen.line(row);
    }
}

fn tell_related(explanation: &Explanation, screen: &mut Screen<'_>) {
    let related = &explanation.related;
    if related.lines.is_empty() {
        return;
    }
    head(
        &format!("Also about {} before it", Screen::safe(&related.tag)),
        screen,
    );
    if related.earlier > 0 {
        let count = counted(related.earlier as u64, "event", "events");
        screen.line(format!("{:>10}  … {count} earlier …", ""));
    }
    for line in &related.lines {
        let row = row(line, "", screen.width());
        screen.line(row);
    }
}

fn tell_faults(explanation: &Explanation, screen: &mut Screen<'_>) {
    if explanation.faults.is_empty() && explanation.choices == 0 {
        return;
    }
    head("What went wrong before it", screen);
    if explanation.earlier_faults > 0 {
        let count = counted(explanation.earlier_faults as u64, "fault", "faults");
        screen.line(format!("{:>10}  … {count} earlier …", ""));
    }
    for line in &explanation.faults {
        let row = row(line, "", screen.width());
        screen.line(row);
    }
    if explanation.choices > 0 {
        let count = counted(explanation.choices as u64, "time", "times");
        screen.line(format!(
            "{:>10}  {count} another task went first than the one that was ready longest",
            ""
        ));
    }
}

fn tell_changes(explanation: &Explanation, screen: &mut Screen<'_>) {
    if explanation.changes.is_empty() {
        return;
    }
    let since = grouped(explanation.since.0);
    head(&format!("What changed since event {since}"), screen);
    for field in &explanation.changes {
        let row = clipped(
            &format!("  {}  {}", Screen::safe(&field.path), change(field)),
            screen.width(),
        );
        screen.line(row);
    }
    if explanation.more_changes > 0 {
        let count = counted(explanation.more_changes as u64, "value", "values");
        screen.line(format!("  … and {count} more"));
    }
}

fn change(field: &FieldDifference) -> String {
    let value = |value: &Option<Value>| match value {
        Some(value) => Screen::safe(value),
        None => "nothing".to_owned(),
    };
    format!("{} → {}", value(&field.expected), value(&field.actual))
}

fn tell_consequences(explanation: &Explanation, screen: &mut Screen<'_>) {
    let count = counted(explanation.followers, "event", "events");
    head(&format!("What follows from it: {count}"), screen);
    for line in &explanation.consequences {
        let row = row(line, "", screen.width());
        screen.line(row);
    }
    let more = explanation.followers - explanation.consequences.len() as u64;
    if more > 0 {
        screen.line(format!("{:>10}  … and {} more", "", grouped(more)));
    }
}

/// One event in a row, or two if it is long: its place, its time, what it brought in, who did what.
fn row(line: &Line, mark: &str, width: usize) -> String {
    let what = if line.text.is_empty() {
        line.kind
    } else {
        &line.text
    };
    let head = format!("{:>10}  {}  {mark:<9}  ", grouped(line.seq.0), line.time);
    let text = format!("{}: {}", Screen::safe(&line.actor), Screen::safe(what));
    let indent = head.chars().count();
    let lines = textwrap::wrap(&text, width.saturating_sub(indent).max(20));
    let rest = lines
        .iter()
        .skip(1)
        .map(AsRef::as_ref)
        .collect::<Vec<&str>>();
    let first = lines.first().map_or("", AsRef::as_ref);
    if rest.is_empty() {
        return head + first;
    }
    let second = format!("{:indent$}{}", "", rest.join(" "));
    format!("{head}{first}\n{}", clipped(&second, width))
}

/// A row that fits, with an ellipsis where it would not.
fn clipped(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

fn as_json(explanation: &Explanation, at: Seq, failure: Option<&Failure>, log: &str) -> Value {
    let step = |step: &Step| {
        let mut value = line_json(&step.line);
        value["origin"] = json!(step.origin.map(Origin::name));
        value["across"] = json!(step.across);
        value
    };
    let change = |field: &FieldDifference| json!({"path": field.path, "before": field.expected, "after": field.actual});
    let lines = |lines: &[Line]| lines.iter().map(line_json).collect::<Vec<Value>>();
    json!({
        "v": VERSION,
        "type": "explanation",
        "log": log,
        "event": at,
        "events": explanation.events,
        "property": failure.map(|failure| &failure.property),
        "expected": failure.map(|failure| &failure.expected),
        "actual": failure.map(|failure| &failure.actual),
        "steps": explanation.steps.iter().map(step).collect::<Vec<Value>>(),
        "left_out": explanation.left_out,
        "related": {
            "tag": explanation.related.tag,
            "events": lines(&explanation.related.lines),
            "earlier": explanation.related.earlier,
        },
        "faults": lines(&explanation.faults),
        "earlier_faults": explanation.earlier_faults,
        "choices": explanation.choices,
        "waits": explanation.waits,
        "since": explanation.since,
        "changes": explanation.changes.iter().map(change).collect::<Vec<Value>>(),
        "more_changes": explanation.more_changes,
        "consequences": lines(&explanation.consequences),
        "followers": explanation.followers,
    })
}
