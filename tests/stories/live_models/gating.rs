//! A new prompt at recorded decisions: what flips, what is paid, and when that fails.

use std::fs;

use dacapo_cli::Exit;
use serde_json::Value;
use tempfile::TempDir;

use super::prompts::{self, test};
use super::server::Server;
use super::{call, desk, record};

/// A desk with a log whose nine decisions are `proceed`, and templates that make the obedient model say other things.
fn recorded(server: &Server) -> TempDir {
    let desk = desk(server);
    let set = " --set llm.primary.model=obedient --set figures.model_prices.obedient={per_call=1}";
    let (exit, said) = record(desk.path(), set);
    assert_eq!(exit, Exit::Fine, "{said}");
    let wait = r#"{"action": "wait", "confidence": 0.7}"#;
    let far =
        r#"{"action": "modify", "confidence": 0.7, "modifications": {"entry_adjustment_pct": -5}}"#;
    let answers = [
        ("same", None),
        ("wait", Some(wait)),
        ("poem", Some("Roses")),
        ("far", Some(far)),
    ];
    prompts::write(&desk, "resolution.txt", &answers);
    desk
}

/// A reply that is judged otherwise than in a run, a count that is off, or a threshold that does nothing fails here.
#[test]
fn what_a_new_prompt_would_decide_is_counted_and_gated() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = recorded(&server);
    let before = server.asked();
    // Each with: flips, orders that begin, orders that end, invalid replies.
    for (template, expected) in [
        ("same.txt", [0, 0, 0, 0]),
        ("wait.txt", [9, 0, 9, 0]),
        ("poem.txt", [9, 0, 9, 18]),
        // Its entry would lie beyond its stop, so that nothing is sent although nothing is forbidden.
        ("far.txt", [9, 0, 9, 0]),
    ] {
        let (exit, sum, said) = test(&desk, &format!("{template} --samples 2"));
        assert_eq!(exit, Exit::Fine, "{said}");
        let found = ["flips", "begins", "ends", "invalid"].map(|name| sum[name]["count"].clone());
        assert_eq!(found, expected.map(Value::from), "{template}: {said}");
        assert_eq!(sum["flips"]["of"], 9);
        assert_eq!(sum["invalid"]["of"], 18);
        assert_eq!(sum["cost"], 18.0, "{said}");
        assert!(sum["prompt_tokens"].as_u64() > Some(18 * 50), "{said}");
    }
    assert_eq!(server.asked() - before, 4 * 18);
    for (words, expected) in [
        ("wait.txt --max-flip-rate 0.99", Exit::Violated),
        ("wait.txt --max-flip-rate 100%", Exit::Fine),
        ("poem.txt --max-invalid-rate 10%", Exit::Violated),
        (
            "same.txt --max-flip-rate 0 --max-invalid-rate 0",
            Exit::Fine,
        ),
    ] {
        let (exit, _, said) = test(&desk, words);
        assert_eq!(exit, expected, "{words}: {said}");
    }
    // The other way round: what was `wait` becomes an order.
    let (exit, said) = record(
        desk.path(),
        " --set llm.primary.model=obedient --set llm.template={file=\"wait.txt\"}",
    );
    assert_eq!(exit, Exit::Fine, "{said}");
    let (_, sum, said) = test(&desk, "same.txt");
    assert!(sum["begins"]["count"].as_u64() > Some(5), "{said}");
    assert_eq!(sum["begins"]["count"], sum["flips"]["count"], "{said}");
}

/// Somebody who pays by accident or for nothing, or is told nothing of the flips, fails here.
#[test]
fn replies_are_kept_and_asked_for_once() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = recorded(&server);
    let before = server.asked();
    let (exit, _, said) = test(&desk, "wait.txt --samples 3 --budget-calls 26");
    assert_eq!((exit, server.asked()), (Exit::Usage, before), "{said}");
    assert!(
        said.contains("9 decisions with 3 replies each would be 27 calls"),
        "{said}"
    );
    let words = "prompt-test DESK/a.dlog --template DESK/wait.txt --samples 2 --save-replies DESK/kept.jsonl";
    let (exit, said) = call(desk.path(), words);
    assert_eq!((exit, server.asked()), (Exit::Fine, before + 18), "{said}");
    for expected in [
        "Decisions that flip",
        "wait (2 of 2 differ)",
        "100 %",
        "70.1 % to 100 %",
        "explain ",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (exit, said) = call(desk.path(), words);
    assert_eq!((exit, server.asked()), (Exit::Usage, before + 18), "{said}");
    drop(server);
    let kept = "--replies DESK/kept.jsonl";
    let (exit, sum, said) = test(&desk, &format!("wait.txt {kept}"));
    assert_eq!(
        (exit, &sum["invalid"]["of"]),
        (Exit::Fine, &Value::from(18)),
        "{said}"
    );
    let (exit, _, said) = test(&desk, &format!("wait.txt --samples 3 {kept}"));
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(said.contains("it has 2 replies"), "{said}");
    let (exit, _, said) = test(&desk, &format!("poem.txt {kept}"));
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(
        said.contains("line 1: this is a reply to another question"),
        "{said}"
    );
    // Replies that somebody wrote down have a text and an event, and no more.
    let first = fs::read_to_string(desk.path().join("kept.jsonl")).expect("they were kept");
    let events = first.lines().take(9).map(|line| {
        let line: Value = serde_json::from_str(line).expect("a reply is JSON");
        format!(
            "{{\"event\": {}, \"reply\": \"{{\\\"action\\\": \\\"abort\\\"}}\"}}\n",
            line["event"]
        )
    });
    fs::write(desk.path().join("mine.jsonl"), events.collect::<String>()).expect("ours");
    let (exit, sum, said) = test(
        &desk,
        "wait.txt --replies DESK/mine.jsonl --summary DESK/sum.md",
    );
    assert_eq!(
        (exit, &sum["flips"]["count"]),
        (Exit::Fine, &Value::from(9)),
        "{said}"
    );
    let summary = fs::read_to_string(desk.path().join("sum.md")).expect("it was written");
    assert!(summary.contains("prompt-test: PASS"), "{summary}");
    assert!(
        summary.contains("| BUY BTC/USDT | proceed | abort (1 of 1 differ) |"),
        "{summary}"
    );
}

/// What is wrong fails here if it is taken, or told without what to do.
#[test]
fn what_is_no_prompt_and_no_recording_is_told_before_anything_is_asked() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = recorded(&server);
    let before = server.asked();
    fs::write(desk.path().join("wrong.txt"), "{{simbol}}").expect("the folder is ours");
    let (exit, _, said) = test(&desk, "wrong.txt");
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(
        said.contains("wrong.txt: `{{simbol}}` is not defined; the names are"),
        "{said}"
    );
    for words in [
        "none.txt",
        "same.txt --max-flip-rate 10",
        "same.txt --samples 0",
        "same.txt --replies DESK/none.jsonl",
        "same.txt DESK/a.dlog",
    ] {
        let (exit, _, said) = test(&desk, words);
        assert_eq!(exit, Exit::Usage, "{words}: {said}");
    }
    let simulated = "run DESK/live.toml --force --out DESK/a.dlog --set llm.primary.replies={generated={}} --set llm.fallback.replies={generated={}}";
    let (exit, said) = call(desk.path(), simulated);
    assert_eq!(exit, Exit::Fine, "{said}");
    let (exit, _, said) = test(&desk, "same.txt");
    assert_eq!(exit, Exit::NothingRan, "{said}");
    assert!(said.contains("no decision can be put again"), "{said}");
    assert_eq!(server.asked(), before);
}

/// A gate that opens because nobody replies fails here.
#[test]
fn a_provider_that_is_down_is_no_good_prompt() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = recorded(&server);
    let words = " --set llm.primary.model=rate-limit --set run.duration=5m";
    let (exit, said) = record(desk.path(), words);
    assert_eq!(exit, Exit::Fine, "{said}");
    // The fallback decided: it is the one that is asked.
    let (exit, sum, said) = test(&desk, "same.txt --max-flip-rate 0");
    assert_eq!(exit, Exit::Fine, "{said}");
    assert!(sum["flips"]["of"].as_u64() > Some(0), "{said}");
    let events = said.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["asked"].as_u64()
    });
    let failed = events.map(|event| {
        format!("{{\"event\": {event}, \"reply\": {{\"text\": \"429\", \"failed\": true}}}}\n")
    });
    fs::write(desk.path().join("down.jsonl"), failed.collect::<String>()).expect("ours");
    let (exit, sum, said) = test(
        &desk,
        "same.txt --max-flip-rate 0 --replies DESK/down.jsonl",
    );
    assert_eq!(
        (exit, &sum["flips"]["of"]),
        (Exit::NothingRan, &Value::from(0)),
        "{said}"
    );
    assert!(said.contains("nothing is known of them"), "{said}");
    drop(server);
    let (exit, _, said) = test(&desk, "same.txt --max-flip-rate 1");
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(said.contains("nobody listens there; start it"), "{said}");
}
