//! Agents that decide by a language model: recorded against a server on this machine, simulated, and replayed; in real
//! time, without being told which market it is, and before and after what the model may have read.

mod advice;
mod gating;

use std::fs;
use std::path::Path;

use dacapo_cli::Exit;
use dacapo_orchestration::domain_event::{DomainEvent, ModelReply, TaskOutcome};
use dacapo_orchestration::message::Topic;
use dacapo_tests::{Recorded, events, record, replay, root, set};
use tempfile::{TempDir, tempdir};

use super::live_models::call;
use super::live_models::server::Server;

/// The example in a folder of its own, whose models are at this server.
fn desk(server: &Server) -> TempDir {
    let folder = tempdir().expect("a temporary folder can be made");
    let example = root().join("docs/examples/live-models");
    let text = fs::read_to_string(example.join("trader.toml")).expect("the example is there");
    let text = text.replace("127.0.0.1:8077", &server.address.to_string());
    fs::write(folder.path().join("trader.toml"), text).expect("the folder is ours");
    let template = fs::read(example.join("decision.txt")).expect("the template is there");
    fs::write(folder.path().join("decision.txt"), template).expect("the folder is ours");
    folder
}

fn record_live(folder: &Path, more: &str) -> (Exit, String) {
    let words = format!("record DESK/trader.toml --force --out DESK/a.dlog{more}");
    call(folder, &words)
}

/// What models were asked and replied, as the log keeps it, but for what conflicts were about.
fn transcript(log: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut asked, mut replied) = (Vec::new(), Vec::new());
    for event in events(log) {
        match event.domain() {
            Some(DomainEvent::ModelAsked(it)) => asked.push(it.prompt.clone()),
            Some(DomainEvent::ModelAnswered(it)) => {
                if let ModelReply::Live(live) = &it.reply {
                    replied.push(live.text.clone());
                }
            }
            _ => {}
        }
    }
    (asked, replied)
}

/// How often the trading decision failed, and how many signals it published.
fn decided(recorded: &Recorded) -> (Vec<String>, usize) {
    let (mut failures, mut signals) = (Vec::new(), 0);
    for event in events(&recorded.log) {
        match event.domain() {
            Some(DomainEvent::TaskRunEnded(it)) if it.task.as_str() == "trading_decision" => {
                match &it.outcome {
                    TaskOutcome::Done => {}
                    TaskOutcome::TimedOut => failures.push("timed out".to_owned()),
                    TaskOutcome::Failed(error) => failures.push(error.clone()),
                }
            }
            Some(DomainEvent::Published(it)) if it.message.topic == Topic::TradingSignals => {
                signals += 1;
            }
            _ => {}
        }
    }
    (failures, signals)
}

/// A replay that asks anybody, a reply that is not followed, or a name or a day that a model is told, fails here.
#[test]
fn a_model_decides_about_a_market_that_it_is_not_told() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = record_live(desk.path(), "");
    assert_eq!(exit, Exit::Fine, "{said}");
    assert_eq!(server.asked(), 9, "{said}");
    drop(server);
    let log = fs::read(desk.path().join("a.dlog")).expect("the run was recorded");
    let (asked, replied) = transcript(&log);
    assert!(asked.iter().any(|prompt| prompt.contains("ASSET1/ASSET2")));
    assert!(asked.iter().any(|prompt| prompt.contains("day 1 00:0")));
    for prompt in &asked {
        let tells = ["BTC", "USDT", "2024-0"]
            .iter()
            .any(|it| prompt.contains(it));
        assert!(!tells, "{prompt}");
    }
    // The log has what was said, and the run what was meant.
    assert!(replied.iter().all(|reply| reply.contains("ASSET1/ASSET2")));
    let filled = events(&log)
        .iter()
        .filter(|event| matches!(event.domain(), Some(DomainEvent::Filled(it)) if it.symbol.as_str() == "BTC/USDT"))
        .count();
    assert!(filled >= 5, "{filled} fills of 9 decisions");
    let (exit, said) = call(desk.path(), "replay DESK/a.dlog");
    assert_eq!(exit, Exit::Fine, "{said}");
}

/// A changed template of an agent that goes unnoticed fails here.
#[test]
fn a_changed_template_of_an_agent_is_named() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = record_live(desk.path(), "");
    assert_eq!(exit, Exit::Fine, "{said}");
    let first = server.asked();
    let again = "record DESK/trader.toml --from DESK/a.dlog --force --out DESK/b.dlog";
    let (exit, said) = call(desk.path(), again);
    assert_eq!((exit, server.asked()), (Exit::Fine, first), "{said}");
    let path = desk.path().join("decision.txt");
    let template = fs::read_to_string(&path).expect("the template is there");
    fs::write(&path, template.replace("HOLD is", "HOLD can be")).expect("the folder is ours");
    let (exit, said) = call(desk.path(), again);
    assert_eq!((exit, server.asked()), (Exit::Usage, first), "{said}");
    assert!(said.contains("the template changed from "), "{said}");
    let (exit, said) = call(desk.path(), &format!("{again} --changed reuse"));
    assert_eq!((exit, server.asked()), (Exit::Fine, first), "{said}");
}

/// A reply that is none and becomes a signal, or is no failure of its task, fails here.
#[test]
fn a_doubtful_reply_is_a_failure_of_the_task_and_no_signal() {
    let example = root().join("docs/examples/live-models/trader.toml");
    for (reply, why) in [
        (r#"{text='I cannot help with that.'}"#, "no JSON object"),
        (r#"{text='{"action":"BUY"}'}"#, "`confidence` is missing"),
        (
            r#"{text='{"action":"BUY","confidence":"high"}'}"#,
            "expected a number from 0 to 1",
        ),
        (
            r#"{text='{"action":"BUY","confidence":0.9,"symbol":"ASSET2/ASSET1"}'}"#,
            "unknown symbol",
        ),
        (
            r#"{error='provider error 503'}"#,
            "the model failed: provider error 503",
        ),
        (
            r#"{delay_seconds=90,text='{"action":"BUY","confidence":0.9}'}"#,
            "timed out",
        ),
    ] {
        let replies = format!(
            "agents.trading_decision.llm.replies={{scripted=[{}]}}",
            reply
        );
        let recorded = record(&example, &set(&[&replies]));
        let (failures, signals) = decided(&recorded);
        assert_eq!(signals, 0, "{reply}");
        assert!(failures.len() >= 5, "{reply}: {failures:?}");
        assert!(failures[0].contains(why), "{reply}: {failures:?}");
    }
    let good = r#"agents.trading_decision.llm.replies={scripted=[{text='Well: {"action":"SELL","confidence":0.9,"symbol":"asset1/asset2","reason":"it falls","stop_loss":null}'}]}"#;
    let recorded = record(&example, &set(&[good]));
    assert_eq!(decided(&recorded), (Vec::new(), 9));
    let again = replay(&recorded.log);
    assert!(matches!(again, dacapo_kernel::Verified::Same(_)));
}

/// A recording that is faster than the wall clock fails here, and so does a replay that waits. The clock of this test is
/// moved by whoever waits for it.
#[test]
fn a_recording_in_real_time_takes_as_long_as_what_it_tells() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = record_live(desk.path(), " --real-time");
    assert_eq!(exit, Exit::Fine, "{said}");
    assert!(said.contains("00:20:00.000 virtual in 1200.0 s"), "{said}");
    let (exit, said) = call(desk.path(), "replay DESK/a.dlog");
    assert_eq!(exit, Exit::Fine, "{said}");
    assert!(said.contains("in 0 "), "{said}");
    let (_, said) = record_live(desk.path(), "");
    assert!(said.contains("00:20:00.000 virtual in 0 "), "{said}");
}

/// Decisions that are counted on the wrong side, or a past that is not called one, fail here.
#[test]
fn figures_are_told_before_and_after_what_the_model_may_have_read() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let key = "agents.trading_decision.llm.knowledge_cutoff";
    for (cutoff, in_figures, in_summary) in [
        (
            "2024-07-01",
            "ends on 2024-07-01: 6 decisions before, of a past that they may have read, and 7 decisions after",
            false,
        ),
        (
            "2024-07-02",
            "the model has read this past: the whole run lies before 2024-07-02",
            true,
        ),
        (
            "2024-06-30",
            "the whole run lies after the knowledge of its models",
            false,
        ),
    ] {
        let more = " --set agents.sentiment_analysis=absent --set agents.technical_analysis=absent";
        let more = format!(
            "{more} --set schedules.trading_decision.interval_seconds=90 --set {key}={cutoff}"
        );
        let (exit, said) = record_live(desk.path(), &more);
        assert_eq!(exit, Exit::Fine, "{said}");
        let warns = said.contains("the model has read this past");
        assert_eq!(warns, in_summary, "{cutoff}: {said}");
        let (exit, said) = call(desk.path(), "figures DESK/a.dlog --no-intervals");
        assert_eq!(exit, Exit::Fine, "{said}");
        assert!(said.contains(in_figures), "{cutoff}: {said}");
        let (exit, said) = call(desk.path(), "report DESK/a.dlog --out DESK/a.html");
        assert_eq!(exit, Exit::Fine, "{said}");
        let page = fs::read_to_string(desk.path().join("a.html")).expect("the page was written");
        assert!(page.contains(in_figures), "{cutoff}");
        assert_eq!(page.contains("<th>before</th>"), cutoff == "2024-07-01");
    }
}

/// A mistake that is not found before anything is asked, or not said where it is, fails here.
#[test]
fn what_is_wrong_about_a_model_that_decides_is_told() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let llm = "agents.trading_decision.llm";
    for (wrong, expected) in [
        (
            "knowledge_cutoff=2024-7",
            "expected a day such as 2024-07-01, found `2024-7`",
        ),
        ("required=[\"stop_los\"]", "did you mean `stop_loss`?"),
        (
            "template={text=\"{{conflicts}}\"}",
            "the names are situation, symbol, time",
        ),
        ("template={file=\"none.txt\"}", "there is no such file"),
        ("history=0", "expected 1 to 1000, found 0"),
        ("max_tokens=0", "expected 1 to 1,000,000 tokens, found 0"),
        (
            "subscribe=[\"ta_signals\",\"ta_signals\"]",
            "`ta_signals` is named twice",
        ),
        (
            "replies={generated={delay_ms_min=9,delay_ms_max=1}}",
            "expected at most delay_ms_max, 1, found 9",
        ),
        ("replies={scripted=[]}", "expected at least one reply"),
        (
            "replies={generated={error_per_mille=600,garbage_per_mille=600}}",
            "the shares add up to 1200 in a thousand",
        ),
        (
            "replies.live.key_env=sk-0123456789",
            "expected the name of an environment variable",
        ),
        ("temperature=1", "unknown key `temperature`"),
    ] {
        let (exit, said) = record_live(desk.path(), &format!(" --set {llm}.{wrong}"));
        assert_eq!(exit, Exit::Usage, "{wrong}: {said}");
        assert!(said.contains(expected), "{wrong}: {said}");
        assert!(said.contains("--> "), "{wrong}: {said}");
    }
    for (wrong, expected) in [
        ("symbols=[\"A-B/USDT\"]", "`A-B/USDT` cannot be hidden"),
        ("llm.mask={symbol=true}", "did you mean `symbols`?"),
        (
            "agents.portfolio_rebalance={llm={model=\"a\",template={text=\"{{symbol}}\"}}}",
            "the names are situation, time, total_equity_usd",
        ),
        (
            "agents.portfolio_rebalance={llm={model=\"a\",template={text=\"{{trades}}\"},subscribe=[\"ta_signals\"]}}",
            "a model that advises is told how the account is divided",
        ),
        (
            "schedules.others=[{name=\"more\",topic=\"portfolio_updates\",agent.llm={model=\"a\",template={text=\"{{trades}}\"}}}]",
            "plans of the portfolio, which others do not make",
        ),
    ] {
        let market = " --set market={source=\"none\"}";
        let (exit, said) = record_live(desk.path(), &format!("{market} --set {wrong}"));
        assert_eq!(exit, Exit::Usage, "{wrong}: {said}");
        assert!(said.contains(expected), "{wrong}: {said}");
    }
    assert_eq!(server.asked(), 0);
}
