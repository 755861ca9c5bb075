//! A new prompt at the recorded decisions of agents: what flips, what becomes an order, and whose decisions those are.

use std::fs;

use dacapo_cli::Exit;
use serde_json::Value;
use tempfile::TempDir;

use super::super::live_models::prompts::{self, test};
use super::super::live_models::server::Server;
use super::{desk, record_live};

/// A desk with templates that make the model of the trading decision say other things.
fn with_templates(server: &Server) -> TempDir {
    let desk = desk(server);
    let answers = [
        ("same", None),
        // Neutral names, because that is what the prompt has of the symbol.
        (
            "hold",
            Some(r#"{"action": "HOLD", "confidence": 0.7, "symbol": "{{symbol}}"}"#),
        ),
        (
            "sell",
            Some(r#"{"action": "SELL", "confidence": 0.7, "symbol": "{{symbol}}"}"#),
        ),
        // Its stop lies on the wrong side, so that it is no valid proposal.
        (
            "far",
            Some(r#"{"action": "BUY", "confidence": 0.7, "stop_loss": 900000}"#),
        ),
        (
            "other",
            Some(r#"{"action": "BUY", "confidence": 0.7, "symbol": "ASSET2/ASSET1"}"#),
        ),
        ("poem", Some("Roses")),
    ];
    prompts::write(&desk, "decision.txt", &answers);
    desk
}

/// Flips, orders that begin, orders that end, invalid replies.
fn counts(sum: &Value) -> [u64; 4] {
    ["flips", "begins", "ends", "invalid"].map(|name| sum[name]["count"].as_u64().unwrap_or(99))
}

/// A reply that is judged otherwise than in the run fails here: a mask that is not turned back, an invalid proposal that
/// is called an order, or a message that flips although its action is the same.
#[test]
fn what_an_agent_would_decide_by_a_new_prompt_is_counted() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = with_templates(&server);
    let (exit, said) = record_live(desk.path(), "");
    assert_eq!(exit, Exit::Fine, "{said}");
    let before = server.asked();
    for (template, expected) in [
        ("same.txt", [0, 0, 0, 0]),
        ("hold.txt", [9, 0, 9, 0]),
        ("sell.txt", [9, 0, 0, 0]),
        ("far.txt", [0, 0, 9, 0]),
        ("other.txt", [9, 0, 9, 9]),
        ("poem.txt", [9, 0, 9, 9]),
    ] {
        let (exit, sum, said) = test(&desk, template);
        assert_eq!(exit, Exit::Fine, "{said}");
        assert_eq!(counts(&sum), expected, "{template}: {said}");
        assert_eq!(sum["of"], "trading_decision");
        // Nobody is told which market it is, and whoever reads of it is.
        assert!(said.contains("\"about\":\"BTC/USDT\""), "{said}");
        assert!(sum["cost"].as_f64() > Some(0.0), "{said}");
    }
    assert_eq!(server.asked() - before, 6 * 9);
    let (exit, _, said) = test(&desk, "hold.txt --max-flip-rate 10%");
    assert_eq!(exit, Exit::Violated, "{said}");
    // The other way round: what was HOLD, or no message at all, becomes an order.
    for (recorded, expected) in [("hold", [9, 9, 0, 0]), ("poem", [9, 9, 0, 0])] {
        let set =
            format!(" --set agents.trading_decision.llm.template={{file=\"{recorded}.txt\"}}");
        let (exit, said) = record_live(desk.path(), &set);
        assert_eq!(exit, Exit::Fine, "{said}");
        let (_, sum, said) = test(&desk, "same.txt");
        assert_eq!(counts(&sum), expected, "{recorded}: {said}");
    }
    // A provider that failed decided nothing.
    let set = " --set agents.trading_decision.llm.model=server-error";
    let (exit, said) = record_live(desk.path(), set);
    assert_eq!(exit, Exit::Fine, "{said}");
    let (exit, _, said) = test(&desk, "same.txt");
    assert_eq!(exit, Exit::NothingRan, "{said}");
    assert!(said.contains("that cannot be put again), "), "{said}");
    let (exit, sum, said) = test(&desk, "same.txt --of trading_decision");
    assert_eq!(exit, Exit::NothingRan, "{said}");
    assert!(sum["passed_over"].as_u64() >= Some(3), "{said}");
}

/// A template that is put to the wrong decisions, or a doubt that is settled silently, fails here.
#[test]
fn a_template_is_for_the_decisions_that_are_named() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = with_templates(&server);
    let live = format!(
        "replies={{live={{provider=\"openai\",base_url=\"http://{}/v1\"}}}}",
        server.address
    );
    // Two agents decide live, and no conflict is resolved live.
    let two = format!(" --set agents.sentiment_analysis.llm.{live}");
    let (exit, said) = record_live(desk.path(), &two);
    assert_eq!(exit, Exit::Fine, "{said}");
    let before = server.asked();
    let (exit, _, said) = test(&desk, "same.txt");
    assert_eq!((exit, server.asked()), (Exit::Usage, before), "{said}");
    for expected in [
        "sentiment_analysis (",
        "trading_decision (9 decisions)",
        "name one with --of",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (exit, sum, said) = test(&desk, "same.txt --of trading_decision");
    assert_eq!((exit, counts(&sum)), (Exit::Fine, [0, 0, 0, 0]), "{said}");
    let (exit, _, said) = test(&desk, "same.txt --of nobody");
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(said.contains("the kinds are resolutions ("), "{said}");
    // With resolutions of conflicts they are what is meant, and a template that is for others is found out.
    let three = format!(
        " --set llm.primary={{model=\"steady\",{live}}} \
         --set agents.technical_analysis={{scripted=[{{output={{bias=\"long\",confidence=0.7}}}}]}} \
         --set agents.sentiment_analysis={{scripted=[{{output={{bias=\"bearish\",confidence=0.65}}}}]}}"
    );
    let (exit, said) = record_live(desk.path(), &three);
    assert_eq!(exit, Exit::Fine, "{said}");
    let (exit, _, said) = test(&desk, "same.txt");
    assert_eq!(exit, Exit::Usage, "{said}");
    for expected in [
        "is not defined; the names are situation, symbol, action",
        "it was taken for a template of resolutions: with --of it is for ",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    fs::write(desk.path().join("any.txt"), "{{situation}}").expect("the folder is ours");
    let (exit, sum, said) = test(&desk, "any.txt");
    assert_eq!(
        (exit, &sum["of"]),
        (Exit::Fine, &"resolutions".into()),
        "{said}"
    );
    assert!(sum["decisions"].as_u64() > Some(5), "{said}");
    let (exit, sum, said) = test(&desk, "same.txt --of trading_decision");
    assert_eq!((exit, counts(&sum)), (Exit::Fine, [0, 0, 0, 0]), "{said}");
}

/// A gate that counts patience that a provider asks for as a failure, waits longer than it may, or never ends fails here.
/// The clock of this test is moved by whoever waits for it.
#[test]
fn a_provider_that_asks_for_patience_is_asked_again() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = with_templates(&server);
    let set = " --set agents.trading_decision.llm.model=busy --set agents.trading_decision.llm.template={file=\"hold.txt\"}";
    let (exit, said) = record_live(desk.path(), set);
    assert_eq!(exit, Exit::Fine, "{said}");
    // Every other question was refused in the recording, which does not ask again: that decided nothing.
    let (exit, sum, said) = test(&desk, "hold.txt --max-flip-rate 0");
    assert_eq!((exit, counts(&sum)), (Exit::Fine, [0, 0, 0, 0]), "{said}");
    let (exit, sum, said) = test(&desk, "sell.txt --samples 2 --save-replies DESK/kept.jsonl");
    let decisions = sum["decisions"].as_u64().expect("they are counted");
    assert!((3..=5).contains(&decisions), "{said}");
    assert_eq!((exit, &sum["failed"]), (Exit::Fine, &0.into()), "{said}");
    assert_eq!(sum["flips"]["count"], decisions);
    let times = sum["waits"]["times"].as_u64().expect("they are counted");
    assert!(
        (2 * decisions - 1..=2 * decisions).contains(&times),
        "{said}"
    );
    assert_eq!(sum["waits"]["seconds"], 2.0 * times as f64, "{said}");
    assert!(
        said.contains("the model busy asks for a wait of 2 s"),
        "{said}"
    );
    let kept = fs::read_to_string(desk.path().join("kept.jsonl")).expect("they were kept");
    assert!(!kept.contains("429"), "{kept}");
    // Three seconds are enough for one wait.
    let (exit, sum, said) = test(&desk, "sell.txt --samples 2 --max-wait 3s");
    assert_eq!(sum["waits"]["times"], 1, "{said}");
    assert!(sum["failed"].as_u64() >= Some(2), "{said}");
    assert_eq!(sum["failed"], sum["waits"]["given_up"], "{said}");
    assert!(said.contains("longer than --max-wait 3 s"), "{said}");
    assert!(matches!(exit, Exit::Fine | Exit::NothingRan), "{said}");
    let (_, sum, said) = test(&desk, "sell.txt --max-wait 0");
    assert_eq!(sum["waits"]["times"], 0, "{said}");
}
