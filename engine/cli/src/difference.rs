//! The screen of a replay that went another way.

use dacapo_lab::{Difference, FieldDifference, Line, VERSION};
use serde_json::{Value, json};

use crate::failure::{line_json, tell_causes};
use crate::screen::{Screen, Tone};
use crate::text::{grouped, shell_word};

/// Tells where a re-run first differs from its log.
pub(crate) fn tell(difference: &Difference, log: &str, recorded: u64, screen: &mut Screen<'_>) {
    if !screen.is_for_people() {
        return screen.json(&as_json(difference, log, recorded));
    }
    tell_block(difference, log, recorded, true, screen);
    let place = place(difference, recorded);
    let (expected, actual) = both(difference);
    let text = format!("{place}: expected {expected}, actual {actual}");
    screen.annotate("error", &format!("{log} differs"), &text);
}

/// Where it is, what was recorded and what happens now, for an annotation.
pub(crate) fn in_a_line(difference: &Difference) -> String {
    let (expected, actual) = both(difference);
    let at = grouped(difference.seq.0);
    format!("event {at}: expected {expected}, actual {actual}")
}

fn place(difference: &Difference, recorded: u64) -> String {
    let at = grouped(difference.seq.0);
    format!("event {at} of {}", grouped(recorded))
}

fn both(difference: &Difference) -> (String, String) {
    let expected = in_words(difference.expected.as_ref());
    let actual = in_words(difference.actual.as_ref());
    (expected, actual)
}

/// The same for people, without an annotation; `look` says whether the log is there to be looked at.
pub(crate) fn tell_block(
    difference: &Difference,
    log: &str,
    recorded: u64,
    look: bool,
    screen: &mut Screen<'_>,
) {
    let word = screen.paint(Tone::Bad, "DIFFERS");
    let path = Screen::safe(log);
    let place = place(difference, recorded);
    let class = screen.paint(Tone::Head, difference.class.name());
    screen.line(format!("{word}  {path}  {place}   {class}"));
    let (expected, actual) = both(difference);
    screen.line(format!("  expected  {expected}"));
    screen.line(format!("  actual    {actual}"));
    for field in &difference.fields {
        screen.line(format!("  differs   {}", field_in_words(field)));
    }
    screen.line(format!("  made by   {}", Screen::safe(&difference.made_by)));
    if !difference.causes.lines.is_empty() {
        tell_causes(&difference.causes, screen);
    }
    match difference.last_common {
        Some(seq) => {
            let (time, state) = (
                difference.common_time,
                Screen::safe(&difference.common_state),
            );
            screen.line(format!(
                "  common    up to event {} at {time}: {state}",
                grouped(seq.0)
            ));
            if look {
                let (program, log) = (screen.program.clone(), Screen::safe(shell_word(log)));
                screen.line(format!("  look      {program} show {log} --at {seq}"));
            }
        }
        None => screen.line("  common    nothing, not even the first event"),
    }
}

fn in_words(line: Option<&Line>) -> String {
    match line {
        Some(line) => {
            let (actor, text) = (Screen::safe(&line.actor), clipped(Screen::safe(&line.text)));
            format!("{}  {actor}  {}  {text}", line.time, line.kind)
        }
        None => "nothing of the kind".to_owned(),
    }
}

/// How many characters of a text or a value are shown; `--message-format json` has all of them.
const SHOWN: usize = 240;

fn clipped(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A field and its two values.
pub(crate) fn field_in_words(field: &FieldDifference) -> String {
    let value = |value: &Option<Value>| match value {
        Some(value) => clipped(Screen::safe(value)),
        None => "nothing".to_owned(),
    };
    let (expected, actual) = (value(&field.expected), value(&field.actual));
    format!(
        "{}: expected {expected}, actual {actual}",
        Screen::safe(&field.path)
    )
}

/// A field and its two values, for programs.
pub(crate) fn field_json(field: &FieldDifference) -> Value {
    json!({"path": field.path, "expected": field.expected, "actual": field.actual})
}

/// The same for programs.
pub(crate) fn as_json(difference: &Difference, log: &str, recorded: u64) -> Value {
    json!({
        "v": VERSION,
        "type": "difference",
        "log": log,
        "event": difference.seq,
        "events": recorded,
        "class": difference.class.name(),
        "made_by": difference.made_by,
        "expected": difference.expected.as_ref().map(line_json),
        "actual": difference.actual.as_ref().map(line_json),
        "fields": difference.fields.iter().map(field_json).collect::<Vec<Value>>(),
        "causes": difference.causes.lines.iter().map(line_json).collect::<Vec<Value>>(),
        "last_common": difference.last_common,
        "common_time_ns": difference.common_time,
        "common_state": difference.common_state,
    })
}
