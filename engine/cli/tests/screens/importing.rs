//! `import`: a trace of production as a log.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;

use crate::desk::Desk;

const MAP: &str = r#"
name = "dinner"
scenario = "kitchen.toml"

[time]
at = "ts"
unit = "rfc3339"

[id]
at = "id"
cause = "reply_to"

[[event]]
when = ["topic=recipes", "what=wanted"]
kind = "recipe asked"
actor = "$from"
body = { dish = "$dish" }

[[event]]
when = ["topic=recipes", "what=sent"]
kind = "recipe given"
actor = "cookbook"
body = { dish = "$dish", text = "$text?" }

[[event]]
when = ["topic=table"]
kind = "dish served"
actor = "$from"
body = { dish = "$dish|number", by = "$from" }
"#;

const TRACE: &str = r#"{"ts": "2026-11-25T19:00:00Z", "id": "m1", "topic": "recipes", "what": "wanted", "from": "ann", "dish": 1}
{"ts": "2026-11-25T19:00:01.5Z", "id": "m2", "reply_to": "m1", "topic": "recipes", "what": "sent", "dish": 1, "text": "stir"}

{"ts": "2026-11-25T19:00:02Z", "topic": "weather"}
{"ts": "2026-11-25T19:20:00Z", "id": "m4", "reply_to": "m2", "topic": "table", "from": "ann", "dish": "1"}
{"ts": "2026-11-25T19:10:00Z", "id": "m3", "reply_to": "m0", "topic": "table", "from": "bob", "dish": "2"}
"#;

fn desk(trace: &str) -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("map.toml"), MAP).unwrap();
    fs::write(desk.path("t.jsonl"), trace).unwrap();
    desk
}

fn all(desk: &Desk, calls: &[&[&str]]) -> String {
    let said = |call: &&[&str]| format!("{}\n{}", call.join(" "), desk.call(call));
    calls.iter().map(said).collect::<Vec<String>>().join("\n")
}

// Fails if an event is out of order, loses its cause, or a property that the trace says nothing of holds.
#[test]
fn a_trace_becomes_a_log_that_is_checked_and_explained() {
    let desk = desk(TRACE);
    let calls: [&[&str]; 6] = [
        &["import", "--map", "DESK/map.toml", "DESK/t.jsonl"],
        &["check", "DESK/t.dlog"],
        &["show", "DESK/t.dlog"],
        &["explain", "DESK/t.dlog", "7"],
        &["replay", "DESK/t.dlog"],
        &["fork", "DESK/t.dlog", "--at", "2", "--drop"],
    ];
    assert_snapshot!("import", all(&desk, &calls));
    let said = desk.call(&["report", "DESK/t.dlog"]);
    assert_eq!(said.exit, Exit::Fine, "{said}");
}

// Fails if a violation in a trace is not found.
#[test]
fn a_violation_in_a_trace_is_found() {
    let again = r#"{"ts": "2026-11-25T19:30:00Z", "topic": "table", "from": "cleo", "dish": "1"}"#;
    let desk = desk(&format!("{TRACE}{again}\n"));
    desk.call(&["import", "--map", "DESK/map.toml", "DESK/t.jsonl"]);
    let said = desk.call(&["check", "DESK/t.dlog"]);
    assert_eq!(said.exit, Exit::Violated, "{said}");
    assert!(said.out.contains("kitchen.once"), "{said}");
}

// Fails if a line or a map that is wrong is taken, or its place is not said.
#[test]
fn what_is_wrong_is_named_with_its_place() {
    let wrong = [
        ("not JSON", "{\"ts\": 1"),
        ("no time", r#"{"topic": "table", "from": "bob", "dish": 1}"#),
        (
            "no such time",
            r#"{"ts": "noon", "topic": "table", "from": "bob", "dish": 1}"#,
        ),
        (
            "no dish",
            r#"{"ts": "2026-11-25T19:30:00Z", "topic": "table", "from": "bob"}"#,
        ),
        (
            "another dish",
            r#"{"ts": "2026-11-25T19:30:00Z", "topic": "recipes", "what": "sent", "dish": "soup"}"#,
        ),
    ];
    let mut told = String::new();
    for (name, line) in wrong {
        let desk = desk(&format!("{TRACE}{line}\n"));
        let said = desk.call(&["import", "--map", "DESK/map.toml", "DESK/t.jsonl"]);
        told.push_str(&format!("{name}\n{said}\n"));
        let lenient = [
            "import",
            "--map",
            "DESK/map.toml",
            "DESK/t.jsonl",
            "--lenient",
            "--quiet",
        ];
        let said = desk.call(&lenient);
        assert_eq!(said.exit, Exit::Fine, "{said}");
        assert!(said.err.contains("line 7"), "{said}");
    }
    let maps = [
        ("kind", MAP.replace("recipe given", "recipe gievn")),
        ("key", MAP.replace("cause =", "casue =")),
        ("unit", MAP.replace("rfc3339", "years")),
        ("place", MAP.replace("$text?", "$text|loud")),
        ("nothing", MAP.replace("topic=", "tropic=")),
        ("scenario", MAP.replace("kitchen.toml", "kichen.toml")),
    ];
    for (name, map) in maps {
        let desk = desk(TRACE);
        fs::write(desk.path("map.toml"), map).unwrap();
        let said = desk.call(&["import", "--map", "DESK/map.toml", "DESK/t.jsonl"]);
        told.push_str(&format!("map: {name}\n{said}\n"));
    }
    assert_snapshot!("import_wrong", told);
}
