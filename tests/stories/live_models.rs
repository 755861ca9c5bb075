//! Models that are asked live: recorded against a server on this machine that misbehaves, and replayed without it.
//!
//! The long form of the size of recordings is `DACAPO_RECORDED_CALLS=10000 cargo test --test all live_models`.

pub(super) mod prompts;
#[path = "../../engine/models/examples/loopback/server.rs"]
pub(super) mod server;

mod gating;

use std::fs;
use std::path::Path;

use dacapo_cli::{Console, Exit, execute};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::domain_event::{DomainEvent, ModelReply, number};
use dacapo_tests::{events, root};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use server::Server;

/// A variable that every test has, in place of a key: nothing that is written may have its value.
const KEY_ENV: &str = "CARGO_MANIFEST_DIR";

/// The example in a folder of its own, whose models are at this server.
fn desk(server: &Server) -> TempDir {
    let folder = tempdir().expect("a temporary folder can be made");
    let example = root().join("docs/examples/live-models");
    let text = fs::read_to_string(example.join("live.toml")).expect("the example is there");
    let text = text
        .replace("127.0.0.1:8077", &server.address.to_string())
        .replace(
            "timeout_seconds = 5",
            &format!("timeout_seconds = 0.3, key_env = \"{KEY_ENV}\""),
        );
    fs::write(folder.path().join("live.toml"), text).expect("the folder is ours");
    let template = fs::read(example.join("resolution.txt")).expect("the template is there");
    fs::write(folder.path().join("resolution.txt"), template).expect("the folder is ours");
    folder
}

/// What the program says to these words; `DESK` is the folder. The key is in none of it, nor in any file.
pub(super) fn call(folder: &Path, words: &str) -> (Exit, String) {
    let words = words.replace("DESK", folder.to_str().expect("a path of letters"));
    let words: Vec<&str> = ["dacapo"].into_iter().chain(words.split(' ')).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let console =
        Console::captured(&mut out, &mut err).connected(dacapo_models::connect::<DomainEvent>);
    let exit = execute::<Orchestration, _>(&words, console);
    out.extend(err);
    let canary = env!("CARGO_MANIFEST_DIR").as_bytes();
    let tells = |bytes: &[u8]| bytes.windows(canary.len()).any(|window| window == canary);
    assert!(
        !tells(&out),
        "the key is told: {}",
        String::from_utf8_lossy(&out)
    );
    for file in fs::read_dir(folder).expect("the folder is ours").flatten() {
        // The facts beside a log have the folder in which a command was called, which is this canary; with a key of
        // its own they are searched too, in the real program's own tests.
        if !file.file_name().to_string_lossy().ends_with(".meta.json") {
            let bytes = fs::read(file.path()).expect("a file of ours");
            assert!(!tells(&bytes), "{:?} has the key", file.file_name());
        }
    }
    (exit, String::from_utf8(out).expect("the program says text"))
}

fn record(folder: &Path, more: &str) -> (Exit, String) {
    call(
        folder,
        &format!("record DESK/live.toml --force --out DESK/a.dlog{more}"),
    )
}

/// Texts of replies, and whether they failed.
fn replies(folder: &Path) -> Vec<(String, bool)> {
    let log = fs::read(folder.join("a.dlog")).expect("the run was recorded");
    let reply = |event: &dacapo_kernel::Event<DomainEvent>| match event.domain() {
        Some(DomainEvent::ModelAnswered(it)) => match &it.reply {
            ModelReply::Live(live) => Some((live.text.clone(), live.failed)),
            _ => None,
        },
        _ => None,
    };
    events(&log).iter().filter_map(reply).collect()
}

/// A replay that asks anybody, or a log that lacks something of what was said, fails here.
#[test]
fn what_was_recorded_live_is_replayed_without_the_server() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = record(desk.path(), "");
    assert_eq!(exit, Exit::Fine, "{said}");
    let asked = server.asked();
    assert!(asked >= 9, "{said}");
    assert!(replies(desk.path()).len() >= 9);
    drop(server);
    let (exit, said) = call(desk.path(), "replay DESK/a.dlog");
    assert_eq!(exit, Exit::Fine, "{said}");
    for words in [
        "show DESK/a.dlog",
        "report DESK/a.dlog --out DESK/a.html",
        "figures DESK/a.dlog",
    ] {
        let (exit, said) = call(desk.path(), words);
        assert_eq!(exit, Exit::Fine, "{words}: {said}");
    }
    let (exit, said) = record(desk.path(), "");
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(said.contains("nobody listens there; start it"), "{said}");
}

/// A reply that is followed before it is durable, so that a kill could take it, fails here.
#[test]
fn each_reply_is_durable_before_anything_follows_from_it() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = record(desk.path(), " --acknowledge --message-format json");
    assert_eq!(exit, Exit::Fine, "{said}");
    let told = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["type"] == "durable").then(|| line["event"].as_u64())?
    };
    let told: Vec<u64> = said.lines().filter_map(told).collect();
    let log = fs::read(desk.path().join("a.dlog")).expect("the run was recorded");
    let is_reply =
        |event: &dacapo_kernel::Event<DomainEvent>| event.kind().number == number::ModelAnswered;
    let events = events(&log);
    let replies: Vec<u64> = events
        .iter()
        .filter(|event| is_reply(event))
        .map(|event| event.seq.0)
        .collect();
    assert!(replies.len() >= 9, "{replies:?}");
    assert!(
        replies.iter().all(|seq| told.contains(seq)),
        "{replies:?}: {told:?}"
    );
}

/// A trouble that ends, hangs or corrupts a recording fails here; so does a key that comes back and is written.
#[test]
fn whatever_a_provider_does_wrong_the_recording_is_whole() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    for (model, expected, is_failure) in [
        ("hang", "timeout: no reply within 0.3 s", true),
        ("trickle", "timeout: no reply within 0.3 s", true),
        ("lying-length", "the provider cannot be reached", true),
        ("rate-limit", "rate limit 429, retry after 7 s", true),
        ("control", "\u{1b}[31m", false),
        ("echo", "[key]", false),
    ] {
        let (exit, said) = record(
            desk.path(),
            &format!(" --set run.duration=5m --set llm.primary.model={model}"),
        );
        assert_eq!(exit, Exit::Fine, "{model}: {said}");
        let replies = replies(desk.path());
        let found = replies
            .iter()
            .any(|(text, failed)| text.contains(expected) && *failed == is_failure);
        assert!(found, "{model}: {replies:?}");
        let (exit, said) = call(desk.path(), "replay DESK/a.dlog");
        assert_eq!(exit, Exit::Fine, "{model}: {said}");
        let (_, said) = call(desk.path(), "show DESK/a.dlog");
        assert!(
            !said.contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{model}: raw text of a model"
        );
    }
    // What the limit of tokens is called is the scenario's to say.
    let newest = " --set run.duration=5m --set llm.primary.model=newest";
    let (exit, said) = record(desk.path(), newest);
    assert_eq!(exit, Exit::Fine, "{said}");
    assert!(
        replies(desk.path())
            .iter()
            .any(|(text, _)| text.contains("400: use max_completion_tokens"))
    );
    let key = " --set llm.primary.replies.live.max_tokens_key=max_completion_tokens";
    let (exit, said) = record(desk.path(), &format!("{newest}{key}"));
    assert_eq!(exit, Exit::Fine, "{said}");
    let all = replies(desk.path());
    assert!(all.iter().all(|(_, is_failure)| !is_failure), "{all:?}");
    let (exit, said) = record(desk.path(), " --set llm.primary.model=unauthorized");
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(
        said.contains("the primary model (`openai at http://127.0.0.1:"),
        "{said}"
    );
    assert!(
        said.contains("it refuses every question: 401: wrong key"),
        "{said}"
    );
}

/// A changed prompt that goes unnoticed, or a policy that does another thing than it says, fails here.
#[test]
fn a_changed_word_of_a_template_is_named_and_the_policy_decides() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = record(desk.path(), "");
    assert_eq!(exit, Exit::Fine, "{said}");
    let first = server.asked();
    let again = |more: &str| {
        let words =
            format!("record DESK/live.toml --from DESK/a.dlog --force --out DESK/b.dlog{more}");
        call(desk.path(), &words)
    };
    let (exit, said) = again("");
    assert_eq!((exit, server.asked()), (Exit::Fine, first), "{said}");
    assert!(said.contains("the same request"), "{said}");
    let path = desk.path().join("resolution.txt");
    let template = fs::read_to_string(&path).expect("the template is there");
    fs::write(&path, template.replace("Be brief.", "Be bold.")).expect("the folder is ours");
    let (exit, said) = again("");
    assert_eq!((exit, server.asked()), (Exit::Usage, first), "{said}");
    assert!(said.contains("the template changed from "), "{said}");
    let (exit, said) = again(" --changed reuse");
    assert_eq!((exit, server.asked()), (Exit::Fine, first), "{said}");
    assert!(
        said.contains("REUSED replies of an earlier recording"),
        "{said}"
    );
    let (exit, said) = again(" --changed ask");
    assert_eq!(exit, Exit::Fine, "{said}");
    assert!(server.asked() > first, "{said}");
    let (exit, said) = call(desk.path(), "replay DESK/b.dlog");
    assert_eq!(exit, Exit::Fine, "{said}");
}

/// Settings that would leak a key, or a template that names what there is not, fail here if they are accepted.
#[test]
fn what_is_wrong_about_a_live_model_is_told_before_anything_is_asked() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    for (wrong, expected) in [
        (
            "llm.primary.replies.live.base_url=http://models.example/v1",
            "would travel unencrypted",
        ),
        (
            "llm.primary.replies.live.base_url=http://127.0.0.1.evil.example/v1",
            "would travel unencrypted",
        ),
        (
            "llm.primary.replies.live.base_url=https://me:pass@host/v1",
            "without a name, a password or a query",
        ),
        (
            "llm.primary.replies.live.key_env=sk-0123456789",
            "expected the name of an environment variable",
        ),
        (
            "llm.primary.replies.live.key_env=NO_SUCH_KEY_HERE",
            "is not set; set it and try again",
        ),
        (
            "llm.primary.replies.live.temperature=3",
            "expected 0 to 2, found 3",
        ),
        (
            "llm.fallback.replies.live.max_tokens_key=max_completion_tokens",
            "the protocol of Anthropic has no `max_completion_tokens`",
        ),
        (
            "llm.template={text=\"{{simbol}}\"}",
            "`{{simbol}}` is not defined",
        ),
        (
            "llm.template={text=\"be_bold\"}",
            "every prompt would be the same",
        ),
        ("llm.template={file=\"none.txt\"}", "there is no such file"),
    ] {
        let (exit, said) = record(desk.path(), &format!(" --set {wrong}"));
        assert_eq!(exit, Exit::Usage, "{wrong}: {said}");
        assert!(said.contains(expected), "{wrong}: {said}");
    }
    let (exit, said) = call(desk.path(), "run DESK/live.toml --out DESK/c.dlog");
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(
        said.contains("is asked live, which only the command `record` does"),
        "{said}"
    );
    assert_eq!(server.asked(), 0);
}

/// A fork that asks a model anew, or does not say what else can be done, fails here.
#[test]
fn a_live_recording_is_not_forked() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = record(desk.path(), "");
    assert_eq!(exit, Exit::Fine, "{said}");
    let log = fs::read(desk.path().join("a.dlog")).expect("the run was recorded");
    let is_reply = |event: &&dacapo_kernel::Event<DomainEvent>| {
        matches!(event.domain(), Some(DomainEvent::ModelAnswered(_)))
    };
    let recorded = events(&log);
    let reply = recorded.iter().find(is_reply).expect("a model answered");
    let asked = server.asked();
    let words = format!("fork DESK/a.dlog --at {} --drop", reply.seq);
    let (exit, said) = call(desk.path(), &words);
    assert_eq!(exit, Exit::Usage, "{said}");
    assert!(said.contains("was asked live"), "{said}");
    assert!(said.contains("`record SCENARIO --from LOG`"), "{said}");
    assert_eq!(server.asked(), asked);
}

/// How many calls the test of the size makes.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a test takes is nothing that is simulated"
)]
fn calls() -> u64 {
    let asked = std::env::var("DACAPO_RECORDED_CALLS");
    asked.map_or(100, |text| text.parse().expect("a number of calls"))
}

/// A prompt that is stored with each call fails here.
#[test]
fn a_shared_prompt_is_stored_once() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let calls = calls();
    let text = format!(
        "{} {{{{conflicts}}}} {{{{symbol}}}}",
        "word ".repeat(8 * 1024 / 5)
    );
    fs::write(desk.path().join("resolution.txt"), text).expect("the folder is ours");
    let minutes = 2 * calls + 1;
    let more = format!(" --set run.duration={minutes}m --set budgets.events=10000000 --quiet");
    let (exit, said) = record(desk.path(), &more);
    assert_eq!(exit, Exit::Fine, "{said}");
    assert!(server.asked() >= calls, "{} calls", server.asked());
    let log = fs::read(desk.path().join("a.dlog")).expect("the run was recorded");
    let ours = [
        number::PromptKept,
        number::RequestRendered,
        number::ModelAsked,
        number::ModelAnswered,
    ];
    let (mut bytes, mut count) = (0, 0);
    for event in events(&log)
        .iter()
        .filter(|event| ours.contains(&event.kind().number))
    {
        let mut body = Vec::new();
        event.encode(&mut body).expect("it was read from a log");
        // A record has a head of its own before its body.
        bytes += body.len() as u64 + 16;
        count += u64::from(event.kind().number == number::ModelAnswered);
    }
    let each = bytes.saturating_sub(8 * 1024) / count;
    println!(
        "{count} calls take {bytes} bytes in {} of log, {each} each",
        log.len()
    );
    // 10,000 calls take less than 4 MiB, the shared prompt among them; fewer calls are held to the same rate.
    let most = |calls: u64| 4 * 1024 * 1024 * calls / 10_000;
    if count >= 10_000 {
        assert!(bytes < most(count), "{bytes} bytes for {count} calls");
    }
    assert!(each < most(1) - 1, "{each} bytes for each call");
}
