//! Agents that are programs: the examples that ship, and what programs do right and wrong. Most are scripts of `sh`;
//! the helper for Python is tried where there is a Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use dacapo_cli::{Console, Exit, execute};
use dacapo_kernel::Recording;
use dacapo_lab::fork::{Asked, make, meant};
use dacapo_lab::shrink::RecordedFiles;
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::{events, reader, record, root, set};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// Answers the greeting; then `$said` to each question, and a line into the file `asked`.
const SCRIPT: &str = r#"read -r hello
echo '{"type": "ready", "version": 1}'
id=0
while read -r question; do
    id=$((id + 1))
    echo "$question" >> asked
    echo "{\"type\": \"effects\", \"id\": $id, \"effects\": [$(cat said)]}"
done
"#;

const SCENARIO: &str = r#"
name = "program"
symbols = ["BTC/USDT", "XRP/USDT"]
[run]
duration = "10m"
[market]
source = "generated"
interval_ms = 20000
symbols = [
    { symbol = "BTC/USDT", start_price = 45000, tick_size = "0.01" },
    { symbol = "XRP/USDT", start_price = "0.6", tick_size = "0.00001" },
]
[agents]
technical_analysis = "absent"
regime_detection = "absent"
portfolio_rebalance = "absent"
trading_decision.process = { command = ["sh", "agent.sh"], mode = "deterministic" }
[schedules.trading_decision]
interval_seconds = 60
depends_on = []
[prices]
max_age_s = 120
"#;

/// A folder with a scenario whose agent says these effects to each question.
fn folder(said: &str) -> TempDir {
    let folder = tempdir().expect("a temporary folder can be made");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("the folder is ours");
    };
    write("agent.sh", SCRIPT);
    write("said", said);
    write("program.toml", SCENARIO);
    folder
}

/// What the program says to these words; `DESK` is the folder.
fn call(folder: &Path, words: &str) -> (Exit, String) {
    let words = words.replace("DESK", folder.to_str().expect("a path of letters"));
    let words: Vec<&str> = ["dacapo"].into_iter().chain(words.split(' ')).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = execute::<Orchestration, _>(&words, Console::captured(&mut out, &mut err));
    out.extend(err);
    (exit, String::from_utf8(out).expect("the program says text"))
}

fn run(folder: &Path, more: &str) -> (Exit, String) {
    call(
        folder,
        &format!("run DESK/program.toml --quiet --force --out DESK/a.dlog{more}"),
    )
}

/// How often the program of a folder was asked since this was last called.
fn asked(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("asked")).unwrap_or_default();
    drop(fs::remove_file(folder.join("asked")));
    let parsed = text.lines().map(serde_json::from_str);
    parsed
        .collect::<Result<_, _>>()
        .expect("a question is JSON")
}

fn example(name: &str) -> PathBuf {
    root().join("docs/examples/process-agent").join(name)
}

fn filled(log: &[u8]) -> usize {
    let filled = |event: &dacapo_kernel::Event<DomainEvent>| {
        matches!(event.domain(), Some(DomainEvent::Filled(_)))
    };
    events(log).iter().filter(|event| filled(event)).count()
}

/// A run that depends on how fast the program answers, or on anything but its answers, fails here.
#[test]
fn the_example_in_sh_trades_and_is_the_same_every_time() {
    let first = record(&example("turns.toml"), &set(&[]));
    assert!(filled(&first.log) > 2);
    assert_eq!(first.log, record(&example("turns.toml"), &set(&[])).log);
}

/// A fork that goes on without the program, or starts it unasked, or does not say what else can be done, fails here.
#[test]
fn a_run_with_a_program_is_not_forked() {
    let recorded = record(&example("turns.toml"), &set(&[]));
    let recording =
        Recording::<DomainEvent>::read(reader(&recorded.log)).expect("the log is sound");
    let is_input = |event: &&dacapo_kernel::Event<DomainEvent>| {
        matches!(event.domain(), Some(DomainEvent::MarketTrade(_)))
    };
    let all = events(&recorded.log);
    let input = all.iter().find(is_input).expect("somebody trades");
    let asked = Asked {
        left_out: true,
        ..Asked::default()
    };
    let meant = meant::<Orchestration>(&recording, input.seq, &asked).expect("it is an input");
    let files = RecordedFiles::default();
    let made = make::<Orchestration>(&recorded.plan, &Rc::new(recording), &meant, &files);
    let said = made
        .err()
        .map_or_else(String::new, |error| error.to_string());
    assert!(said.contains("is not started for a log"), "{said}");
    assert!(said.contains("change the scenario and `run` it"), "{said}");
}

/// The helper that people copy, and an answer of Python's that differs from run to run, fail here.
#[test]
fn the_example_in_python_trades_and_is_asked_again_in_a_replay() {
    let python = Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|said| said.status.success()) {
        println!("there is no python3 here: nothing was tried");
        return;
    }
    let desk = tempdir().expect("a temporary folder can be made");
    let (program, log) = (example(""), desk.path().join("a.dlog"));
    let (program, log) = (program.display(), log.display());
    let (exit, said) = call(
        desk.path(),
        &format!("run {program}cross.toml --quiet --out {log}"),
    );
    assert_eq!(exit, Exit::Fine, "{said}");
    let (exit, said) = call(desk.path(), &format!("replay {log} --programs {program}"));
    assert_eq!(exit, Exit::Fine, "{said}");
    assert!(
        said.contains("asked 360 times again, every answer as recorded"),
        "{said}"
    );
}

/// A replay that starts a program unbidden, or does not compare, or asks a recorded one, fails here.
#[test]
fn a_replay_asks_again_only_where_mode_and_command_line_say_so() {
    let desk = folder(r#"{"publish": {"action": "BUY", "confidence": 0.9}}"#);
    let replay = |more: &str| call(desk.path(), &format!("replay DESK/a.dlog{more}"));
    let (exit, said) = run(desk.path(), "");
    assert_eq!(exit, Exit::Fine, "{said}");
    let times = asked(desk.path()).len();
    assert_eq!(times, 20, "ten minutes, two symbols");

    let (exit, said) = replay("");
    assert_eq!((exit, asked(desk.path()).len()), (Exit::Fine, 0), "{said}");
    assert!(
        said.contains("not asked: 20 answers come from the log"),
        "{said}"
    );

    let (exit, said) = replay(" --programs DESK");
    assert_eq!((exit, asked(desk.path()).len()), (Exit::Fine, 20), "{said}");

    let other = r#"{"publish": {"action": "BUY", "confidence": 0.8}}"#;
    fs::write(desk.path().join("said"), other).expect("the folder is ours");
    let (exit, said) = replay(" --programs DESK");
    assert_eq!(
        (exit, asked(desk.path()).len()),
        (Exit::Diverged, 2),
        "{said}"
    );
    assert!(
        said.contains("body.effects.0.publish.confidence: expected 0.9, actual 0.8"),
        "{said}"
    );

    let recorded = " --set agents.trading_decision.process.mode=recorded";
    let (exit, said) = run(desk.path(), recorded);
    assert_eq!((exit, asked(desk.path()).len()), (Exit::Fine, 20), "{said}");
    let (exit, said) = replay(" --programs DESK");
    assert_eq!((exit, asked(desk.path()).len()), (Exit::Fine, 0), "{said}");
}

/// A price of the future, one that is told twice, or one that is left out fails here.
#[test]
fn a_program_is_told_everything_once_and_nothing_of_the_future() {
    let desk = folder("");
    let scenario = SCENARIO
        .replace(
            "technical_analysis = \"absent\"",
            "technical_analysis.scripted = [{ output = { bias = \"long\", confidence = 0.5 } }]",
        )
        .replace(
            "mode =",
            "history = 2, subscribe = [\"ta_signals\"], mode =",
        );
    fs::write(desk.path().join("program.toml"), scenario).expect("the folder is ours");
    let (exit, said) = run(desk.path(), "");
    assert_eq!(exit, Exit::Fine, "{said}");
    let asked = asked(desk.path());
    let of_xrp = |message: &&Value| message["question"]["symbol"] == "XRP/USDT";
    let (mut last, mut seen) = (0, 0_u64);
    for message in asked.iter().filter(of_xrp) {
        let (now, question) = (message["now_us"].as_u64().unwrap(), &message["question"]);
        for line in question["market"].as_array().unwrap() {
            let at = line["trade"]["at_us"].as_u64().unwrap();
            assert!(
                last < at && at <= now,
                "{at} is told at {now}, after {last}"
            );
            last = at;
            seen += 1;
        }
        seen += question["market_missed"].as_u64().unwrap();
        // The signal of technical analysis is a minute old at most, and of this symbol.
        let heard = question["messages"].as_array().unwrap();
        assert!(heard.iter().all(|it| it["payload"]["symbol"] == "XRP/USDT"));
        assert!(!heard.is_empty(), "{question}");
        assert_eq!(question["account"]["balances"]["USDT"], 10_000.0);
    }
    let log = fs::read(desk.path().join("a.dlog")).expect("the run was made");
    let trade = |event: &dacapo_kernel::Event<DomainEvent>| match event.domain() {
        Some(DomainEvent::MarketTrade(it)) => it.symbol == *"XRP/USDT",
        _ => false,
    };
    let trades = events(&log).iter().filter(|event| trade(event)).count();
    assert_eq!(seen, trades as u64, "every price of ten minutes");
}

/// Each of these, taken for something that an agent may say, fails here.
#[test]
fn what_is_no_effect_ends_the_run_and_is_told() {
    let cases = [
        (
            r#"{"publish": {"action": "LONG", "confidence": 0.9}}"#,
            "effect 1: action: expected one of BUY, SELL, HOLD, found \"LONG\"",
        ),
        (
            r#"{"publish": {"action": "BUY", "confidence": 1.5}}"#,
            "confidence: expected a number from 0 to 1, found 1.5",
        ),
        (
            r#"{"publish": {"action": "BUY", "confidence": NaN}}"#,
            "JSON has no NaN",
        ),
        (
            r#"{"publish": {"action": "BUY", "confidence": 1e999}}"#,
            "number out of range",
        ),
        (
            r#"{"publish": {"action": "BUY"}}"#,
            "`confidence` is missing",
        ),
        (
            r#"{"publish": {"action": "BUY", "confidence": 1, "why": "x"}}"#,
            "unknown field \"why\"",
        ),
        (
            r#"{"publish": {"action": "BUY", "confidence": 1, "stop_loss": null}}"#,
            "leave a field out that has no value",
        ),
        (
            r#"{"publish": {"action": "BUY", "confidence": 1, "symbol": "ETH/USDT"}}"#,
            "unknown symbol \"ETH/USDT\"; the symbols are BTC/USDT, XRP/USDT",
        ),
        (
            r#"{"publish": {"action": "BUY", "confidence": 1, "symbol": "XRP/USDT"}}"#,
            "it is about XRP/USDT, and was asked about BTC/USDT",
        ),
        (
            r#"{"log": "a"}, {"sell": {}}"#,
            "effect 2: unknown variant `sell`",
        ),
        (
            r#"{"wake": {"after_seconds": 0}}"#,
            "expected after_seconds above 0, found 0",
        ),
        (r#"{"wake": {"at": 7}}"#, "unknown field `at`"),
        (
            r#"{"fail": "a"}, {"fail": "b"}"#,
            "a second `fail` in one answer",
        ),
        ("\u{1b}[31m", r"\u{1b}[31m"),
    ];
    for (said, expected) in cases {
        let desk = folder(said);
        let (exit, told) = run(desk.path(), "");
        assert_eq!(exit, Exit::Usage, "{said}: {told}");
        assert!(told.contains(expected), "{said}: {told}");
        assert!(
            told.contains("the program of trading_decision (`sh agent.sh`) at line 2"),
            "{told}"
        );
        assert!(!told.contains('\u{1b}'), "{told}");
    }
}

/// A command that makes runs and starts no program for them, or one program for all, fails here.
#[test]
fn campaigns_and_sweeps_start_a_program_for_each_run() {
    let desk = folder(r#"{"publish": {"action": "BUY", "confidence": 0.9}}"#);
    for words in [
        "fuzz DESK/program.toml --seeds 0..3 --jobs 1 --quiet --out DESK/failures --no-shrink",
        "sweep DESK/program.toml --vary seed=0..2 --jobs 1 --quiet",
    ] {
        let (_, said) = call(desk.path(), words);
        let asked = asked(desk.path());
        let first = |message: &&Value| message["id"] == 1;
        assert_eq!(asked.iter().filter(first).count(), 3, "{words}: {said}");
        assert!(asked.len() > 3, "{words}: {said}");
    }
}

/// A hang that becomes a timeout of the simulated world fails here, and so does one that is waited for.
#[test]
fn a_program_that_hangs_is_an_error_and_no_failed_run() {
    let desk = folder("");
    let hangs = "read -r hello\nexec sleep 1000\n";
    fs::write(desk.path().join("agent.sh"), hangs).expect("the folder is ours");
    let limit = " --set agents.trading_decision.process.limit_seconds=0.3";
    let (exit, said) = run(desk.path(), limit);
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(
        said.contains("no line came within 0.3 s by the wall clock"),
        "{said}"
    );
    assert!(!desk.path().join("a.dlog").exists(), "no run has begun");
}

/// What an agent says for the log, and when it wants to be asked again, lost on the way, fails here.
#[test]
fn an_agent_can_speak_and_wake_and_fail() {
    let desk = folder(r#"{"log": "it is \u001b[31mred"}, {"wake": {"after_seconds": 20}}"#);
    let path = desk.path().join("program.toml");
    let recorded = record(&path, &set(&[]));
    let said = |event: &dacapo_kernel::Event<DomainEvent>| match event.domain() {
        Some(DomainEvent::AgentSaid(it)) => {
            Some((event.time.as_nanos() / 1_000_000_000, it.text.clone()))
        }
        _ => None,
    };
    let events = events(&recorded.log);
    let said: Vec<(u64, String)> = events.iter().filter_map(said).collect();
    assert_eq!(said[0], (60, "it is \u{1b}[31mred".to_owned()));
    let times: Vec<u64> = said.iter().map(|(time, _)| *time).collect();
    assert_eq!(times[..6], [60, 60, 80, 80, 100, 100]);

    fs::write(desk.path().join("said"), r#"{"fail": "no data"}"#).expect("the folder is ours");
    let failed = record(&path, &set(&[]));
    let runs = &failed.outcome.world.view.coordinator.tasks["trading_decision"];
    assert_eq!((runs.done, runs.failed), (0, 20));
}
