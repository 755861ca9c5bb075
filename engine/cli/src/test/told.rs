//! The screen of a test: a line for each case, then each reason for which golden logs differ, once.

use std::path::PathBuf;

use dacapo_lab::golden::{Apartness, Cause, Standing, Tested, by_cause};
use dacapo_lab::{Failure, Line, VERSION};
use serde_json::{Value, json};

use super::Report;
use crate::difference;
use crate::failure::line_json;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, shell_word, span};

/// How many logs of a reason are named.
const NAMED: usize = 5;

/// How many settings that are others by now are named.
const SETTINGS: usize = 8;

/// How many characters of what is wrong stand in the line of a case.
const CLIPPED: usize = 80;

/// The word for what came of a case, with its meaning.
pub(super) fn word(standing: &Standing) -> (&'static str, Tone) {
    match standing {
        Standing::Passed { .. } => ("PASS", Tone::Good),
        Standing::Same { .. } => ("SAME", Tone::Good),
        Standing::Failed { .. } => ("FAIL", Tone::Bad),
        Standing::Differs(_) => ("DIFFERS", Tone::Bad),
        Standing::Exhausted(_) => ("STOP", Tone::Bad),
        Standing::NothingRan => ("NOTHING", Tone::Warning),
        Standing::Broken(_) => ("ERROR", Tone::Bad),
    }
}

/// What came of a case, in a few words.
pub(super) fn in_words(standing: &Standing) -> String {
    match standing {
        Standing::Passed { events, refused } => {
            let events = counted(*events, "event", "events");
            match *refused as u64 {
                0 => events,
                many => format!(
                    "{events}; {} refused",
                    counted(many, "change to it is", "changes to it are")
                ),
            }
        }
        Standing::Same {
            level,
            events,
            detail,
        } => {
            let events = counted(*events, "event", "events");
            match detail {
                None => format!("{events}, every one as recorded"),
                Some(trace) => format!(
                    "{events}, the same at {level}; a detail differs at event {}",
                    grouped(trace.difference.seq.0)
                ),
            }
        }
        Standing::Failed { failures, .. } => {
            let first = failures
                .first()
                .map_or("", |failure| failure.property.as_str());
            match failures.len() {
                0 | 1 => first.to_owned(),
                more => format!("{first} and {} more", more - 1),
            }
        }
        Standing::Differs(apart) => {
            let at = grouped(apart.difference.seq.0);
            let violated = match apart.violated.as_slice() {
                [] => String::new(),
                names => format!("; VIOLATED now: {}", names.join(", ")),
            };
            format!(
                "at {}, event {at}: {}{violated}",
                apart.level,
                apart.difference.class.name()
            )
        }
        Standing::Exhausted(budget) => format!("used up a budget: {budget}"),
        Standing::NothingRan => "the system did nothing of its own".to_owned(),
        Standing::Broken(trouble) => {
            let text = trouble.to_string();
            let first = text.lines().next().unwrap_or_default();
            match first.char_indices().nth(CLIPPED) {
                Some((end, _)) => format!("{}…", &first[..end]),
                None => first.to_owned(),
            }
        }
    }
}

/// One case, as soon as it is tested.
pub(super) fn line(tested: &Tested, widest: usize, screen: &mut Screen<'_>) {
    let name = tested.case.name();
    if !screen.is_for_people() {
        let value = as_json(tested);
        return screen.json(&value);
    }
    if screen.quiet && tested.standing.is_good() {
        return;
    }
    let (word, tone) = word(&tested.standing);
    let word = screen.paint(tone, format!("{word:7}"));
    let widest = widest.min(60);
    let (name, what) = (
        Screen::safe(&name),
        Screen::safe(in_words(&tested.standing)),
    );
    let wall = screen.paint(Tone::Faint, format!("{:>8}", span(tested.wall)));
    screen.line(format!("{word}  {wall}  {name:widest$}  {what}"));
}

/// Everything that is told once all is tested; `proposes` are the paths for which it makes sense to accept
/// something, `reviewed` says that differences are shown one by one later.
pub(super) fn tell(
    report: &Report<'_>,
    proposes: Option<&[PathBuf]>,
    reviewed: bool,
    screen: &mut Screen<'_>,
) {
    for tested in report.all {
        match &tested.standing {
            Standing::Broken(trouble) => tell_broken(tested, &trouble.to_string(), screen),
            Standing::Exhausted(_) | Standing::NothingRan => {
                let name = tested.case.name();
                screen.annotate("error", &name, &in_words(&tested.standing));
            }
            _ => {}
        }
    }
    let causes = by_cause(report.all);
    for (number, cause) in (1..).zip(&causes) {
        tell_cause((number, causes.len()), cause, report.all, reviewed, screen);
    }
    for (name, why) in report.skipped {
        screen.note(format!(
            "not compared: {}: {}",
            Screen::safe(name),
            Screen::safe(why)
        ));
    }
    tell_sum(report, &causes, screen);
    if let Some(paths) = proposes
        && report
            .all
            .iter()
            .any(|it| matches!(it.standing, Standing::Differs(_)))
        && screen.is_for_people()
        && !reviewed
        && !screen.is_ci()
    {
        let paths: Vec<String> = paths
            .iter()
            .map(|path| Screen::safe(shell_word(&path.to_string_lossy())))
            .collect();
        let paths = paths.join(" ");
        crate::next::propose(
            &[
                (
                    format!("test {paths} --review"),
                    "look at each difference, and accept it or not",
                ),
                (
                    format!("test {paths} --bless 'WHY'"),
                    "accept all of them, for this reason",
                ),
            ],
            screen,
        );
    }
}

/// Who did what at an event.
fn event_in_words(line: &Line) -> String {
    format!("{}  {}  {}", line.actor, line.kind, line.text)
}

/// Of the first failure the event is told at which it failed.
fn tell_failure(
    tested: &Tested,
    failure: &Failure,
    (events, line): (u64, Option<&Line>),
    screen: &mut Screen<'_>,
) {
    let name = tested.case.name();
    let place = match failure.at {
        Some(at) => format!("event {} of {}", grouped(at.0), grouped(events)),
        None => format!("at the end of {} events", grouped(events)),
    };
    let text = format!(
        "{place}: expected {}, actual {}",
        failure.expected, failure.actual
    );
    let title = format!("{name} {}", failure.property);
    if screen.is_for_people() {
        let word = screen.paint(Tone::Bad, "FAIL");
        let property = screen.paint(Tone::Head, Screen::safe(&failure.property));
        screen.line(format!(
            "{word}  {}  {place}   {property}",
            Screen::safe(&name)
        ));
        screen.line(format!("  expected  {}", Screen::safe(&failure.expected)));
        screen.line(format!("  actual    {}", Screen::safe(&failure.actual)));
        if let Some(line) = line {
            screen.line(format!(
                "  event     {}",
                Screen::safe(event_in_words(line))
            ));
        }
        if !failure.defects.is_empty() {
            screen.line(format!("  defect    {}", failure.defects.join(", ")));
        }
        for wait in &failure.waits {
            screen.line(format!("  waits     {}", Screen::safe(wait)));
        }
        let word = Screen::safe(shell_word(&name));
        let verb = match tested.case.kind {
            dacapo_lab::golden::CaseKind::Scenario => "run",
            dacapo_lab::golden::CaseKind::Golden => "replay",
        };
        screen.line(format!("  look      {} {verb} {word}", screen.program));
    }
    screen.annotate("error", &title, &text);
}

fn tell_broken(tested: &Tested, what: &str, screen: &mut Screen<'_>) {
    let name = tested.case.name();
    if screen.is_for_people() {
        screen.line("");
        let word = screen.paint(Tone::Bad, "ERROR");
        screen.line(format!("{word}  {}", Screen::safe(&name)));
        for line in what.lines() {
            screen.line(format!("  {}", Screen::safe(line)));
        }
    }
    screen.annotate("error", &name, what);
}

/// One reason, its logs, and the difference of the one that shows it soonest.
fn tell_cause(
    (number, of): (u64, usize),
    cause: &Cause,
    all: &[Tested],
    reviewed: bool,
    screen: &mut Screen<'_>,
) {
    let names: Vec<String> = cause.of.iter().map(|at| all[*at].case.name()).collect();
    let logs = counted(names.len() as u64, "case", "cases");
    if !screen.is_for_people() {
        return screen.json(&json!({
            "v": VERSION,
            "type": "cause",
            "what": cause.what,
            "logs": names,
        }));
    }
    screen.line("");
    let head = screen.paint(Tone::Head, format!("reason {number} of {of}"));
    screen.line(format!("{head}  {logs}  {}", Screen::safe(&cause.what)));
    if names.len() > 1 {
        for name in names.iter().take(NAMED) {
            screen.line(format!("  {}", Screen::safe(name)));
        }
        if names.len() > NAMED {
            screen.line(format!("  and {} more", names.len() - NAMED));
        }
    }
    let first = cause.of.first().map(|at| &all[*at]);
    let place = match first.map(|tested| (tested, &tested.standing)) {
        Some((tested, Standing::Differs(apart))) => {
            if !reviewed {
                tell_apart(tested, apart, screen);
            }
            difference::in_a_line(&apart.difference)
        }
        Some((
            tested,
            Standing::Failed {
                failures,
                events,
                place,
            },
        )) => {
            for (number, failure) in failures.iter().enumerate() {
                let place = place.as_deref().filter(|_| number == 0);
                tell_failure(tested, failure, (*events, place), screen);
            }
            String::new()
        }
        _ => String::new(),
    };
    let text = format!("{logs}: {}\n{place}", names.join(", "));
    screen.annotate("error", &cause.what, &text);
}

/// The difference of one golden log.
pub(super) fn tell_apart(tested: &Tested, apart: &Apartness, screen: &mut Screen<'_>) {
    let name = tested.case.name();
    let look = tested.case.known_as.is_none();
    difference::tell_block(&apart.difference, &name, apart.events.0, look, screen);
    if let Some(trace) = &apart.detail
        && trace.difference.seq < apart.difference.seq
    {
        let first = &trace.difference;
        let line = first.expected.as_ref().or(first.actual.as_ref());
        let what = line.map_or_else(String::new, event_in_words);
        screen.line(format!(
            "  trace     first at event {}, {}: {}",
            grouped(first.seq.0),
            first.class.name(),
            Screen::safe(what)
        ));
    }
    for field in apart.plan.iter().take(SETTINGS) {
        screen.line(format!("  setting   {}", difference::field_in_words(field)));
    }
    let more = apart.plan.len().saturating_sub(SETTINGS) as u64;
    if more > 0 {
        let more = counted(more, "setting", "settings");
        screen.line(format!("  setting   … and {more}"));
    }
    let inputs = &apart.inputs;
    if inputs.unused > 0 || !inputs.generated.is_empty() {
        screen.line(format!(
            "  inputs    {} used, {} not asked for, {} made anew",
            grouped(inputs.used),
            grouped(inputs.unused),
            grouped(inputs.generated.len() as u64)
        ));
    }
    if !apart.violated.is_empty() {
        let names = apart.violated.join(", ");
        screen.line(format!(
            "  violated  {} now, and not before",
            Screen::safe(names)
        ));
    }
}

/// How many came to what.
pub(super) fn sums(all: &[Tested]) -> Vec<(usize, &'static str)> {
    let count =
        |is: &dyn Fn(&Standing) -> bool| all.iter().filter(|tested| is(&tested.standing)).count();
    let sums = [
        (count(&|it| matches!(it, Standing::Passed { .. })), "passed"),
        (count(&|it| matches!(it, Standing::Same { .. })), "same"),
        (count(&|it| matches!(it, Standing::Differs(_))), "different"),
        (count(&|it| matches!(it, Standing::Failed { .. })), "failed"),
        (count(&|it| matches!(it, Standing::Exhausted(_))), "stopped"),
        (
            count(&|it| matches!(it, Standing::NothingRan)),
            "did nothing",
        ),
        (
            count(&|it| matches!(it, Standing::Broken(_))),
            "could not be tested",
        ),
    ];
    sums.into_iter().filter(|(count, _)| *count > 0).collect()
}

fn tell_sum(report: &Report<'_>, causes: &[Cause], screen: &mut Screen<'_>) {
    let sums = sums(report.all);
    if !screen.is_for_people() {
        let sums: serde_json::Map<String, Value> = sums
            .iter()
            .map(|(count, what)| ((*what).to_owned(), (*count).into()))
            .collect();
        return screen.json(&json!({
            "v": VERSION,
            "type": "tests",
            "tested": report.all.len(),
            "sums": sums,
            "causes": causes.len(),
            "skipped": report.skipped.len(),
            "wall_ns": u64::try_from(report.wall.as_nanos()).unwrap_or(u64::MAX),
        }));
    }
    let parts: Vec<String> = sums
        .iter()
        .map(|(count, what)| format!("{} {what}", grouped(*count as u64)))
        .collect();
    let good = report.all.iter().all(|tested| tested.standing.is_good());
    let (word, tone) = if good {
        ("PASS", Tone::Good)
    } else {
        ("FAIL", Tone::Bad)
    };
    let word = screen.paint(tone, word);
    let reasons = match causes.len() {
        0 => String::new(),
        many => format!(", for {}", counted(many as u64, "reason", "reasons")),
    };
    screen.line("");
    screen.line(format!(
        "{word}  {}{reasons}, in {}",
        parts.join(", "),
        span(report.wall)
    ));
}

fn as_json(tested: &Tested) -> Value {
    let (word, _) = word(&tested.standing);
    let mut value = json!({
        "v": VERSION,
        "type": "test",
        "case": tested.case.name(),
        "result": word.to_lowercase(),
        "what": in_words(&tested.standing),
        "wall_ns": u64::try_from(tested.wall.as_nanos()).unwrap_or(u64::MAX),
    });
    match &tested.standing {
        Standing::Differs(apart) => {
            value["level"] = apart.level.clone().into();
            value["difference"] =
                difference::as_json(&apart.difference, &tested.case.name(), apart.events.0);
            value["violated"] = apart.violated.clone().into();
            value["plan"] = apart.plan.iter().map(difference::field_json).collect();
            if let Some(trace) = &apart.detail {
                value["trace"] =
                    difference::as_json(&trace.difference, &tested.case.name(), apart.events.0);
            }
        }
        Standing::Failed {
            failures, place, ..
        } => {
            value["place"] = place.as_deref().map(line_json).into();
            let failure = |it: &Failure| {
                json!({
                    "property": it.property,
                    "event": it.at,
                    "expected": it.expected,
                    "actual": it.actual,
                })
            };
            value["failures"] = failures.iter().map(failure).collect::<Vec<Value>>().into();
        }
        _ => {}
    }
    value
}
