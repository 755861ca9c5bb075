//! What a model's reply amounts to by the rules, read by other code than the coordinator's own.
//!
//! The parser is that of strict JSON; of equal keys the last one counts.

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
    },
    /// Its action or its changes are not what was asked for: it means waiting.
    Corrected {
        /// How sure, in 0 to 1.
        confidence: f64,
    },
    /// Nothing of it can be used: it means waiting, and sure of nothing.
    Unusable,
    /// It is nested to exactly the depth up to which replies are read, where this reader gives up one
    /// level too early.
    Unclear,
}

/// How deeply a reply may be nested.
const DEEPEST: usize = 128;

/// Reads the text of a reply.
pub(super) fn read(text: &str) -> Reading {
    let Some(json) = between_braces(text) else {
        return Reading::Unusable;
    };
    if depth(json) == DEEPEST {
        return Reading::Unclear;
    }
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(json) else {
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
    match known.into_iter().find(|known| stated == Some(known)) {
        Some("modify") if !changes_are_numbers(fields.get("modifications")) => {
            Reading::Corrected { confidence }
        }
        Some(action) => Reading::Valid { action, confidence },
        None => Reading::Corrected { confidence },
    }
}

fn between_braces(text: &str) -> Option<&str> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    text.get(start..=end)
}

/// How deeply lists and objects are nested in it, if it is JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn finite(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

/// Whether each known change is a finite number; what is no object changes nothing.
fn changes_are_numbers(changes: Option<&Value>) -> bool {
    let Some(Value::Object(changes)) = changes else {
        return true;
    };
    ["leverage", "size_reduction_pct", "entry_adjustment_pct"]
        .iter()
        .filter_map(|name| changes.get(*name))
        .all(|change| finite(change).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::reply::{self, Origin};
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
                Reading::Valid {
                    action: action.expect("a known action"),
                    confidence,
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
        for text in texts.chain([deep(100), deep(126), deep(128), deep(300), long]) {
            assert_eq!(read(&text), by_coordinator(&text), "{text}");
        }
        assert_eq!(read(&deep(127)), Reading::Unclear);
        assert_eq!(
            read(r#"{"action":"wait","x":"[[\"[["}"#),
            by_coordinator(r#"{"action":"wait"}"#)
        );
    }
}
