//! What a model's reply amounts to by the rules, read by other code than the coordinator's own.
//!
//! The parser is that of strict JSON; of equal keys the last one counts.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What a reply amounts to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    /// It is what was asked for.
    Valid {
        /// What to do.
        action: &'static str,
        /// How sure, in 0 to 1.
        confidence: f64,
        /// What to change about the signal: nothing but where that is the action.
        changes: Changes,
    },
    /// Its action or its changes are not what was asked for: it means waiting.
    Corrected {
        /// How sure, in 0 to 1.
        confidence: f64,
    },
    /// Nothing of it can be used: it means waiting, and sure of nothing.
    Unusable,
}

/// What a reply asks to change, as it asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// The leverage that it wants.
    pub(super) leverage: Option<f64>,
    /// By how many percent it wants the size reduced.
    pub(super) size_reduction_pct: Option<f64>,
    /// By how many percent it wants the entry moved.
    pub(super) entry_adjustment_pct: Option<f64>,
}

/// How deeply a reply may be nested.
const DEEPEST: usize = 128;

/// Reads the text of a reply.
pub(super) fn read(text: &str) -> Reading {
    let Some(json) = between_braces(text) else {
        return Reading::Unusable;
    };
    let json = match depth(json) {
        0..DEEPEST => Cow::Borrowed(json),
        DEEPEST => match shallower(json) {
            Some(shallower) => Cow::Owned(shallower),
            None => return Reading::Unusable,
        },
        _ => return Reading::Unusable,
    };
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(&json) else {
        return Reading::Unusable;
    };
    let confidence = match fields.get("confidence") {
        None => 0.5,
        Some(stated) => match finite(stated) {
            Some(number) => number.clamp(0.0, 1.0),
            None => return Reading::Unusable,
        },
    };
    let known = ["proceed", "wait", "modify", "abort"];
    let stated = fields.get("action").and_then(Value::as_str);
    let changes = match known.into_iter().find(|known| stated == Some(known)) {
        Some("modify") => changes(fields.get("modifications")).map(|changes| ("modify", changes)),
        Some(action) => Some((action, Changes::default())),
        None => None,
    };
    changes.map_or(Reading::Corrected { confidence }, |(action, changes)| {
        Reading::Valid {
            action,
            confidence,
            changes,
        }
    })
}

fn between_braces(text: &str) -> Option<&str> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    text.get(start..=end)
}

/// How deeply lists and objects are nested in it, if it is JSON.
fn depth(json: &str) -> usize {
    brackets(json).map(|(depth, ..)| depth).max().unwrap_or(0)
}

/// The same with a number in place of each list and object of the deepest level: this parser gives up one
/// level too early. None if one of them is no JSON.
fn shallower(json: &str) -> Option<String> {
    let (mut shallower, mut kept) = (String::new(), 0);
    let mut opened = None;
    for (depth, at, opens) in brackets(json) {
        match opened {
            _ if depth < DEEPEST => {}
            None if opens => opened = Some(at),
            Some(start) if !opens => {
                serde_json::from_str::<Value>(&json[start..=at]).ok()?;
                shallower.push_str(&json[kept..start]);
                shallower.push_str(" 0 ");
                (kept, opened) = (at + 1, None);
            }
            _ => {}
        }
    }
    shallower.push_str(&json[kept..]);
    opened.is_none().then_some(shallower)
}

/// Each bracket that is no part of a text: how deep what is within it lies, where it is, and whether it opens.
fn brackets(json: &str) -> impl Iterator<Item = (usize, usize, bool)> {
    let mut depth = 0usize;
    let (mut in_text, mut escaped) = (false, false);
    json.bytes().enumerate().filter_map(move |(at, byte)| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                return Some((depth, at, true));
            }
            b'}' | b']' if !in_text => {
                let within = depth;
                depth = depth.saturating_sub(1);
                return Some((within, at, false));
            }
            _ => {}
        }
        None
    })
}

fn finite(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

/// What is asked for, each a finite number; none if one is not. What is no object changes nothing.
fn changes(stated: Option<&Value>) -> Option<Changes> {
    let Some(Value::Object(stated)) = stated else {
        return Some(Changes::default());
    };
    let number = |name: &str| match stated.get(name) {
        None => Some(None),
        Some(value) => finite(value).map(Some),
    };
    Some(Changes {
        leverage: number("leverage")?,
        size_reduction_pct: number("size_reduction_pct")?,
        entry_adjustment_pct: number("entry_adjustment_pct")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::reply::{self, Loose, Origin};
    use crate::defect::Defects;

    /// What the coordinator makes of the same text.
    fn by_coordinator(text: &str) -> Reading {
        let resolution = reply::parse(text, Defects::NONE).expect("a sound reader never raises");
        let confidence = resolution.confidence.number().expect("a number");
        match resolution.origin {
            Origin::Corrected => Reading::Corrected { confidence },
            Origin::Reply => {
                let action = resolution.action.text().expect("a text");
                let known = ["proceed", "wait", "modify", "abort"];
                let action = known.into_iter().find(|known| *known == action);
                let asked = |name: &str| match resolution.changes() {
                    Some(Loose::Object(fields)) => fields.get(name).and_then(Loose::finite),
                    _ => None,
                };
                Reading::Valid {
                    action: action.expect("a known action"),
                    confidence,
                    changes: Changes {
                        leverage: asked("leverage"),
                        size_reduction_pct: asked("size_reduction_pct"),
                        entry_adjustment_pct: asked("entry_adjustment_pct"),
                    },
                }
            }
            _ => Reading::Unusable,
        }
    }

    #[test]
    fn both_readers_agree() {
        let deep = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"action":"proceed","x":{open}{close}}}"#)
        };
        let texts = [
            r#"{"action": "proceed", "confidence": 0.8}"#,
            r#"So: {"action": "modify", "confidence": 2, "modifications": {"leverage": 3}} done"#,
            r#"{"action": "modify", "modifications": {"leverage": "3"}}"#,
            r#"{"action": "modify", "modifications": {"leverage": null}}"#,
            r#"{"action": "modify", "modifications": [1]}"#,
            r#"{"action": "modify"}"#,
            r#"{"action": "proceed", "modifications": {"leverage": "3"}}"#,
            r#"{"action": "Proceed", "confidence": -0.0}"#,
            r#"{"action": 1}"#,
            "{}",
            r#"{"action": "proceed", "confidence": "high"}"#,
            r#"{"action": "proceed", "confidence": null}"#,
            r#"{"action": "proceed", "confidence": true}"#,
            r#"{"action": "proceed", "confidence": NaN}"#,
            r#"{"action": "proceed", "confidence": 1e999}"#,
            r#"{"action": "proceed", "other": 1e999}"#,
            r#"{"action": "abort", "action": "proceed"}"#,
            r#"{"action": "proceed", "note": "\ud800"}"#,
            "{\"action\": \"proceed\", \"note\": \"a\nb\"}",
            r#"{"action": "proceed"} {"action": "abort"}"#,
            r#"{"action": "proceed", "confidence": 123456789012345678901234567890}"#,
            r#"{"action": "proceed", "confidence": 01}"#,
            r#"{"action": "proceed",}"#,
            "no object at all",
            "} {",
            "",
        ];
        let texts = texts.into_iter().map(str::to_owned);
        let long = format!(r#"{{"action":"proceed","x":{}}}"#, "9".repeat(400));
        let depths = [100, 126, 127, 128, 300].map(deep);
        let wrong = ["[1 2]", "[}", "{\"a\" 1}", "1[]", "[]1", "[", "\"[\""];
        let at_the_limit = wrong.map(|deepest| deep(126).replace("[]", &format!("[{deepest}]")));
        for text in texts.chain(depths).chain(at_the_limit).chain([long]) {
            assert_eq!(read(&text), by_coordinator(&text), "{text}");
        }
        assert_eq!(
            read(r#"{"action":"wait","x":"[[\"[["}"#),
            by_coordinator(r#"{"action":"wait"}"#)
        );
    }
}
