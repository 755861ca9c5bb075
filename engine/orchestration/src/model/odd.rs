//! Replies of every shape that a model may give them: numbers, texts and nesting at the edge of JSON and beyond it, and
//! changes at the edge of what is allowed.

use std::fmt::Write;

use dacapo_kernel::Stream;

/// Actions, most of them known.
const ACTIONS: &[&str] = &[
    r#""modify""#,
    r#""modify""#,
    r#""modify""#,
    r#""proceed""#,
    r#""abort""#,
    r#""wait""#,
    r#""pro\u0063eed""#,
    r#""\u006dodify""#,
    r#""Proceed""#,
    r#"" modify""#,
    r#""modify\n""#,
    r#""""#,
    "true",
    "null",
    "1",
    r#"["proceed"]"#,
    r#"{"proceed": 1}"#,
];

/// Numbers.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "0.5",
    "-1",
    "7",
    "5e-1",
    "2.5E+1",
    "0.01e2",
    "1E1",
    "-0",
    "-0.0",
    "0e0",
    "1e-400",
    "9007199254740993",
    "123456789012345678901234567890",
    "-123456789012345678901234567890",
    "0.1234567890123456789",
    "1e308",
];

/// What is nearly a number, or beyond every range.
const BROKEN_NUMBERS: &[&str] = &[
    "1e309",
    "-1e309",
    "NaN",
    "Infinity",
    "-Infinity",
    "01",
    "-01",
    "1.",
    ".5",
    "+1",
    "-",
    "1e",
    "1e+",
    "0x1",
    "1_0",
];

/// What is no number, though it may look like one.
const NO_NUMBERS: &[&str] = &[
    r#""0.5""#,
    r#""3""#,
    r#""high""#,
    r#""""#,
    "true",
    "false",
    "null",
    "[1]",
    "[]",
    "{}",
];

/// Leverages.
const LEVERAGES: &[&str] = &[
    "1",
    "2",
    "3",
    "4",
    "5",
    "0",
    "-3",
    "1.9",
    "2.0",
    "0.9",
    "1e3",
    "99999999999999999999",
    "1e300",
];

/// Reductions of the size, in percent.
const REDUCTIONS: &[&str] = &[
    "0", "1", "33.3", "50", "99.999", "100", "150", "-20", "1e-9", "5e1", "-1e300", "1e300", "12.5",
];

/// Movements of the entry, in percent; a stop is often two percent away.
const MOVES: &[&str] = &[
    "0", "0.5", "-0.5", "1.9", "-1.9", "2", "-2", "2.0", "-2.0", "2.1", "-2.1", "49", "-49", "60",
    "-60", "1e300", "-1e300", "1e-9",
];

/// Anything else that may be in a reply.
const VALUES: &[&str] = &[
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[[]]",
    "[{}]",
    "[[],[]]",
    "[1,2]",
    "[ 1 , 2 ]",
    r#"{"a":{}}"#,
    r#"{"a":[],"b":{}}"#,
    r#"{ "a" : 1 , "b" : [ ] }"#,
    r#"{"a":1,"a":2}"#,
    r#"[null,true,false,"x",-1.5e-3]"#,
    r#""\"\\\/\b\f\n\r\t""#,
    r#""\u00e9\u20AC \ud83d\uDE00""#,
    r#""\udbff\udfff\ud800\udc00""#,
    r#""a } in a text""#,
    r#""a \\\" { in a text""#,
    "\"a\u{7f}b\"",
];

/// What is nearly JSON.
const BROKEN: &[&str] = &[
    r#""\ud800""#,
    r#""\udc00""#,
    r#""\ud800\u0041""#,
    r#""\ud83d \ude00""#,
    r#""\u12""#,
    r#""\u12g4""#,
    r#""\x""#,
    r#""\"#,
    "\"a\nb\"",
    "\"a\tb\"",
    "\"a\u{1f}b\"",
    "[1 2]",
    "[1,]",
    "[,1]",
    "[1",
    "1]",
    "[}",
    r#"{"a" 1}"#,
    r#"{"a":}"#,
    r#"{"a":1,}"#,
    r#"{a:1}"#,
    r#"{1:1}"#,
    r#"{"a"}"#,
    "nul",
    "nulll",
    "True",
    "'x'",
    "",
];

/// What may stand before the object.
const BEFORE: &[&str] = &["", "So: ", "```json\n", "[", "} ", "{", "\u{feff}", "{} "];

/// What may stand after it.
const AFTER: &[&str] = &["", " Done.", "\n```", "]", "}", " {", " {}", " \t\r\n"];

/// A reply in which a few things are odd; many of them can still be used.
pub(super) fn reply(chance: &mut Stream) -> String {
    let pct = chance.below(1_001) as f64 / 1_000.0;
    let (mut action, mut confidence) = (r#""modify""#, pct.to_string());
    let (mut modifications, mut notes) = (changes(chance), Vec::new());
    let (mut before, mut after, mut blank) = ("", "", " ");
    for _ in 0..1 + chance.below(3) {
        match chance.below(8) {
            0 => action = one_of(ACTIONS, chance),
            1 => confidence = one_of(NUMBERS, chance).to_owned(),
            2 => notes.push(one_of(NUMBERS, chance).to_owned()),
            3 | 4 => notes.push(one_of(VALUES, chance).to_owned()),
            5 => notes.push(nested(chance)),
            6 => (before, after) = (one_of(BEFORE, chance), one_of(AFTER, chance)),
            _ => blank = one_of(&["", "\n\t", "\r\n "], chance),
        }
    }
    match chance.below(12) {
        0 => confidence = one_of(BROKEN_NUMBERS, chance).to_owned(),
        1 => confidence = one_of(NO_NUMBERS, chance).to_owned(),
        2 => modifications = one_of(VALUES, chance).to_owned(),
        3 => modifications = spoilt(chance),
        4 => notes.push(one_of(BROKEN, chance).to_owned()),
        5 => notes.push(one_of(BROKEN_NUMBERS, chance).to_owned()),
        _ => {}
    }
    let mut fields = vec![
        format!(r#""action":{blank}{action}"#),
        format!(r#""confidence":{blank}{confidence}"#),
        format!(r#""modifications"{blank}:{modifications}"#),
    ];
    let noted = notes.iter().enumerate();
    fields.extend(noted.map(|(place, note)| format!(r#""note{place}":{blank}{note}"#)));
    match chance.below(12) {
        // One of them is left out, or said twice.
        0 => drop(fields.remove(chance.below(3) as usize)),
        1 => fields.insert(0, r#""action": "abort", "confidence": 0.25"#.to_owned()),
        2 => fields.push(r#""action": "proceed""#.to_owned()),
        _ => {}
    }
    let object = fields.join(&format!("{blank},{blank}"));
    format!("{before}{{{blank}{object}{blank}}}{after}")
}

/// Changes that each are a number: one to three of them.
fn changes(chance: &mut Stream) -> String {
    let mut fields = String::new();
    let which = 1 + chance.below(7);
    for (bit, name, values) in [
        (1, "leverage", LEVERAGES),
        (2, "size_reduction_pct", REDUCTIONS),
        (4, "entry_adjustment_pct", MOVES),
    ] {
        if which & bit != 0 {
            let comma = if fields.is_empty() { "" } else { ", " };
            // Writing into a text cannot fail.
            let _ = write!(fields, r#"{comma}"{name}": {}"#, one_of(values, chance));
        }
    }
    format!("{{{fields}}}")
}

/// Changes of which one may be anything.
fn spoilt(chance: &mut Stream) -> String {
    let names = [
        "leverage",
        "size_reduction_pct",
        "entry_adjustment_pct",
        "hurry",
    ];
    let name = one_of(&names, chance);
    let value = match chance.below(4) {
        0 => one_of(NUMBERS, chance),
        1 => one_of(BROKEN_NUMBERS, chance),
        2 => one_of(NO_NUMBERS, chance),
        _ => one_of(VALUES, chance),
    };
    match chance.below(2) {
        0 => format!(r#"{{"{name}": {value}}}"#),
        _ => format!(r#"{{"leverage": 1, "other": [], "{name}": {value}}}"#),
    }
}

/// Lists and objects within each other, about as deep as may be read.
fn nested(chance: &mut Stream) -> String {
    let depth = 123 + chance.below(8) as usize;
    let inner = one_of(
        &["", "1", "[]", "{}", "\"[[\"", r#"{"a":[]}"#, "[}", "1 2"],
        chance,
    );
    let (open, close) = match chance.below(2) {
        0 => ("[", "]"),
        _ => (r#"{"a":"#, "}"),
    };
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

fn one_of<T: Copy>(all: &[T], chance: &mut Stream) -> T {
    all[chance.below(all.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::reply::{self, Origin};
    use crate::defect::Defects;

    // Fails if a kind of reply is not drawn at all, so that nothing would be tried with it.
    #[test]
    fn many_can_be_used_and_some_cannot() {
        let mut chance = Stream::new(7, "model", "odd");
        let (mut used, mut corrected, mut unusable, mut deep) = (0, 0, 0, 0);
        for _ in 0..2_000 {
            let text = reply(&mut chance);
            let resolution = reply::parse(&text, Defects::NONE).expect("nothing raises");
            let is_used = resolution.origin == Origin::Reply && resolution.changes().is_some();
            deep += u32::from(is_used && text.len() > 200);
            match resolution.origin {
                _ if is_used => used += 1,
                Origin::Corrected => corrected += 1,
                _ => unusable += 1,
            }
        }
        assert!(used > 500, "{used} have changes");
        assert!(corrected > 100, "{corrected} have to be corrected");
        assert!(unusable > 100, "{unusable} cannot be used");
        assert!(deep > 20, "{deep} are deep");
    }
}
