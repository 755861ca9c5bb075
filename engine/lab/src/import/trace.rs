//! The lines of a trace, and what a map makes of them.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use dacapo_kernel::{EventSet, System};
use serde_json::{Value, json};

use super::ImportError;
use super::map::{Map, Rule, TimeAt, Unit};
use crate::value_path::ValuePath;

/// The longest line that is read, in bytes: 4 MiB.
const LINE_MAX: u64 = 4 * 1024 * 1024;
/// How many lines that no rule is about are named.
const NAMED: usize = 5;
/// How many wrong lines are kept.
const BAD: usize = 100;

/// An event that was taken from a line.
pub(super) struct Taken<E> {
    pub(super) unix_ns: i128,
    pub(super) actor: String,
    pub(super) id: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) event: E,
}

/// A line that the map is about.
struct Line {
    unix_ns: i128,
    number: u64,
    value: Value,
    /// The places of the rules that are about it.
    rules: Vec<usize>,
}

/// What was read of a trace.
#[derive(Default)]
pub(super) struct Trace {
    lines: Vec<Line>,
    /// How many lines there are in all.
    pub(super) count: u64,
    pub(super) unmapped: (u64, Vec<u64>),
    pub(super) out_of_order: u64,
    pub(super) bad: Vec<ImportError>,
}

impl Trace {
    /// Reads every line, and puts those that the map is about in the order of their times; at one time
    /// they stay in the order in which they were.
    pub(super) fn read<S: System>(
        map: &Map<S>,
        mut from: impl BufRead,
        lenient: bool,
    ) -> Result<Trace, ImportError> {
        let mut trace = Trace::default();
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = (&mut from).take(LINE_MAX + 1).read_until(b'\n', &mut bytes);
            let line = trace.count + 1;
            let at = |what: String| ImportError::Line { line, what };
            match read.map_err(|error| at(error.to_string()))? {
                0 => break,
                _ if bytes.len() as u64 > LINE_MAX => {
                    return Err(at(format!("a line has at most {LINE_MAX} bytes")));
                }
                _ => {}
            }
            trace.count = line;
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if let Err(what) = trace.line(map, bytes.trim_ascii_end()) {
                trace.is_wrong(at(what), lenient)?;
            }
        }
        trace.lines.sort_by_key(|line| line.unix_ns);
        Ok(trace)
    }

    fn is_wrong(&mut self, error: ImportError, lenient: bool) -> Result<(), ImportError> {
        if !lenient {
            return Err(error);
        }
        if self.bad.len() < BAD {
            self.bad.push(error);
        }
        Ok(())
    }

    fn line<S: System>(&mut self, map: &Map<S>, text: &[u8]) -> Result<(), String> {
        let number = self.count;
        let value: Value = serde_json::from_slice(text)
            .map_err(|error| format!("it is no JSON, at column {}: {error}", error.column()))?;
        if !value.is_object() {
            return Err("it is no JSON object".to_owned());
        }
        let is_one = |rule: &Rule| {
            let mut when = rule.when.iter();
            when.all(|condition| condition.is_met(condition.path.of(&value).as_ref()))
        };
        let rules = map.rules.iter().enumerate();
        let rules: Vec<usize> = rules
            .filter(|(_, rule)| is_one(rule))
            .map(|(at, _)| at)
            .collect();
        if rules.is_empty() {
            self.unmapped.0 += 1;
            if self.unmapped.1.len() < NAMED {
                self.unmapped.1.push(number);
            }
            return Ok(());
        }
        let unix_ns = instant(&map.time, &value)?;
        if self.lines.last().is_some_and(|last| last.unix_ns > unix_ns) {
            self.out_of_order += 1;
        }
        self.lines.push(Line {
            unix_ns,
            number,
            value,
            rules,
        });
        Ok(())
    }

    /// When the trace begins.
    pub(super) fn start(&self) -> i128 {
        self.lines.first().map_or(0, |line| line.unix_ns)
    }

    /// The events of the trace, in order. A line gets a field `@` of what only its place tells: how long
    /// after the beginning it was, and how many events of its kind there were before.
    pub(super) fn events<S: System>(
        &mut self,
        map: &Map<S>,
        lenient: bool,
    ) -> Result<Vec<Taken<S::Event>>, ImportError> {
        let start = self.start();
        let mut counts: BTreeMap<u16, u64> = BTreeMap::new();
        let mut taken = Vec::new();
        for mut line in std::mem::take(&mut self.lines) {
            let since = u64::try_from(line.unix_ns - start).unwrap_or(u64::MAX);
            let word = |path: &Option<ValuePath>, value: &Value| {
                path.as_ref().and_then(|path| named(path, value))
            };
            let id = word(&map.id, &line.value);
            let cause = word(&map.cause, &line.value);
            for at in std::mem::take(&mut line.rules) {
                let rule = &map.rules[at];
                let count = counts.entry(rule.kind.number).or_default();
                line.value["@"] = json!({
                    "ns": since,
                    "us": since / 1_000,
                    "ms": since / 1_000_000,
                    "n": *count,
                });
                match said::<S::Event>(rule, &line.value) {
                    Ok((actor, event)) => {
                        *count += 1;
                        taken.push(Taken {
                            unix_ns: line.unix_ns,
                            actor,
                            id: id.clone(),
                            cause: cause.clone(),
                            event,
                        });
                    }
                    Err(what) => {
                        let line = line.number;
                        self.is_wrong(ImportError::Line { line, what }, lenient)?;
                    }
                }
            }
        }
        Ok(taken)
    }
}

/// Who did it, and what it says.
fn said<E: EventSet>(rule: &Rule, line: &Value) -> Result<(String, E), String> {
    let event = event::<E>(rule, line)?;
    match rule.actor.fill(line)? {
        Value::String(actor) if !actor.is_empty() => Ok((actor, event)),
        other => Err(format!("an actor is a text, found {other}")),
    }
}

fn event<E: EventSet>(rule: &Rule, line: &Value) -> Result<E, String> {
    let body = rule.body.fill(line)?;
    let read = E::deserialize_body(rule.kind.number, body);
    let said = |error: serde_json::Error| format!("`{}` cannot say that: {error}", rule.kind.name);
    read.map_err(said)?
        .ok_or_else(|| format!("this program has no kind `{}`", rule.kind.name))
}

/// The name that a message has, if it has one.
fn named(path: &ValuePath, line: &Value) -> Option<String> {
    match path.of(line)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// When a line was, in nanoseconds since 1970.
fn instant(time: &TimeAt, line: &Value) -> Result<i128, String> {
    let path = &time.at;
    let value = path
        .of(line)
        .ok_or_else(|| format!("there is no `{path}` in it"))?;
    let wrong = |expected: &str| format!("`{path}` is {value}, which is no {expected}");
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let nanos = match time.unit {
        Unit::Rfc3339 => {
            let instant: Result<jiff::Timestamp, _> = text.parse();
            instant
                .map_err(|_| wrong("time such as 2026-11-25T10:00:00.5Z"))?
                .as_nanosecond()
        }
        unit => {
            let factor: i128 = match unit {
                Unit::S | Unit::Rfc3339 => 1_000_000_000,
                Unit::Ms => 1_000_000,
                Unit::Us => 1_000,
                Unit::Ns => 1,
            };
            decimal(&text, factor).ok_or_else(|| wrong("number of that unit"))?
        }
    };
    // What a log can hold: 1970 to 2262.
    match (0..=i128::from(i64::MAX)).contains(&nanos) {
        true => Ok(nanos),
        false => Err(wrong("time between 1970 and 2262; is its unit right?")),
    }
}

/// A decimal number times a unit, exact to the nanosecond and cut below it.
fn decimal(text: &str, factor: i128) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 20
        || fraction.len() > 18
        || !digits(whole)
        || !digits(fraction)
    {
        return None;
    }
    let scale = 10i128.pow(fraction.len() as u32);
    let fraction: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    let whole: i128 = whole.parse().ok()?;
    Some(whole * factor + fraction * factor / scale)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(unit: Unit, value: &Value) -> Option<i128> {
        let time = TimeAt {
            at: "t".parse().unwrap(),
            unit,
        };
        instant(&time, &json!({"t": value})).ok()
    }

    // Fails if a time is off by its unit, loses its fraction, or a nonsense is taken for one.
    #[test]
    fn times_are_exact_in_every_unit() {
        let second = 1_000_000_000;
        assert_eq!(
            at(Unit::Rfc3339, &json!("1970-01-01T00:00:01.5Z")),
            Some(3 * second / 2)
        );
        assert_eq!(at(Unit::S, &json!(1.5)), Some(3 * second / 2));
        assert_eq!(
            at(Unit::S, &json!("1732500000.000000001")),
            Some(1_732_500_000 * second + 1)
        );
        assert_eq!(at(Unit::Ms, &json!(1_500)), Some(3 * second / 2));
        assert_eq!(at(Unit::Ns, &json!(7)), Some(7));
        for wrong in [
            json!(-1),
            json!("soon"),
            json!(null),
            json!("1e9"),
            json!(""),
        ] {
            assert_eq!(at(Unit::S, &wrong), None, "{wrong}");
        }
        assert_eq!(
            at(Unit::S, &json!(1_732_500_000_000_u64)),
            None,
            "milliseconds"
        );
    }
}
