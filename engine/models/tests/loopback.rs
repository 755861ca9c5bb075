//! Models that are asked over real HTTP, at a server on this machine that misbehaves: each trouble is a reply that
//! says so, and none hangs, crashes or tells the key.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "../examples/loopback/server.rs"]
mod server;

use dacapo_kernel::{Dialogue, Service, Unfit, events};
use serde_json::{Value, json};
use server::Server;

events! {
    /// No log is read here.
    enum None { 64 "none" v 1 Consequence => Nothing(u8); }
}

fn connect(service: &Service) -> Result<Box<dyn Dialogue>, dacapo_kernel::BuildError> {
    dacapo_models::connect::<None>(service)
}

/// A variable that every process has, in place of a key: `cargo` sets it for its tests.
const KEY_ENV: &str = "CARGO_MANIFEST_DIR";

fn key() -> &'static str {
    env!("CARGO_MANIFEST_DIR")
}

fn service(server: &Server, provider: &str) -> Service {
    let base = match provider {
        "openai" => format!("http://{}/v1", server.address),
        _ => format!("http://{}", server.address),
    };
    Service {
        name: "primary model".to_owned(),
        settings: json!({
            "provider": provider, "base_url": base, "key_env": KEY_ENV,
            "timeout_seconds": 0.4, "max_reply_bytes": 262_144,
        }),
        recorded: Option::None,
    }
}

fn asked(server: &Server, provider: &str, model: &str) -> Result<Value, Unfit> {
    let question = json!({"model": model, "prompt": "What now, of all things?", "max_tokens": 50, "temperature": 0.0});
    let mut dialogue = connect(&service(server, provider)).unwrap();
    let said = dialogue.ask(&question.to_string())?;
    assert!(!said.contains(key()), "{model} tells the key: {said}");
    Ok(serde_json::from_str(&said).unwrap())
}

/// A reply whose text, tokens or latency get lost on the way fails here.
#[test]
fn both_protocols_reply_with_text_tokens_and_latency() {
    let server = Server::start("127.0.0.1:0").unwrap();
    for provider in ["openai", "anthropic"] {
        let mut reply = asked(&server, provider, "steady").unwrap();
        let latency = reply["latency_us"].take();
        assert!(latency.as_u64().is_some_and(|us| us > 0), "{latency}");
        let text = r#"{"action": "proceed", "confidence": 0.8, "reasoning": "steady"}"#;
        let expected = json!({
            "text": text, "failed": false, "served_by": "steady",
            "prompt_tokens": 5, "reply_tokens": 6, "latency_us": null,
        });
        assert_eq!(reply, expected, "{provider}");
    }
    let slow = asked(&server, "openai", "slow").unwrap();
    assert!(slow["latency_us"].as_u64().unwrap() >= 300_000, "{slow}");
    let refusal = asked(&server, "openai", "refusal").unwrap();
    assert_eq!(
        (&refusal["text"], &refusal["failed"]),
        (&json!("I cannot help with that."), &json!(false))
    );
}

/// A trouble that hangs, panics, or passes for a reply fails here.
#[test]
fn each_trouble_is_a_reply_that_says_so() {
    let server = Server::start("127.0.0.1:0").unwrap();
    let late = "timeout: no reply within 0.4 s";
    for (model, expected) in [
        ("hang", late),
        ("trickle", late),
        ("truncated", "the reply is no JSON: EOF while parsing"),
        ("lying-length", "the provider cannot be reached: "),
        ("endless", "the reply is longer than 262144 bytes"),
        ("mute", "the provider cannot be reached: "),
        ("rate-limit", "rate limit 429, retry after 7 s: slow down"),
        ("server-error", "provider error 500: it broke"),
        ("overloaded", "provider error 529: overloaded"),
        (
            "wrong-type",
            "the reply is no JSON: its type is \"text/html\"",
        ),
        ("garbage", "the reply is no JSON: expected value"),
        ("deep", "the reply is no JSON: recursion limit exceeded"),
        ("mebibyte", "the reply is longer than 262144 bytes"),
    ] {
        for provider in ["openai", "anthropic"] {
            let reply = asked(&server, provider, model).unwrap();
            let text = reply["text"].as_str().unwrap();
            assert!(text.starts_with(expected), "{provider} {model}: {text}");
            assert_eq!(reply["failed"], true, "{provider} {model}");
            let took = reply["latency_us"].as_u64().unwrap();
            assert!(took < 10_000_000, "{provider} {model}: {took} us");
        }
    }
}

/// A server that sends the key back brings it into a log if this fails.
#[test]
fn a_key_that_comes_back_is_taken_out() {
    let server = Server::start("127.0.0.1:0").unwrap();
    for (provider, header) in [
        ("openai", "authorization: Bearer [key]"),
        ("anthropic", "x-api-key: [key]"),
    ] {
        let echo = asked(&server, provider, "echo").unwrap();
        assert!(echo["text"].as_str().unwrap().contains(header), "{echo}");
        let refused = asked(&server, provider, "unauthorized").unwrap_err();
        assert!(
            refused
                .what
                .contains("it refuses every question: 401: wrong key"),
            "{refused:?}"
        );
        assert!(!format!("{refused:?}").contains(key()));
    }
}

/// A key that is missing, taken for an empty one, fails here; so does a recording that begins without its server.
#[test]
fn without_a_key_nothing_is_asked_and_without_a_server_neither() {
    let server = Server::start("127.0.0.1:0").unwrap();
    let mut service = service(&server, "openai");
    service.settings["key_env"] = json!("NO_SUCH_KEY_ANYWHERE");
    let error = connect(&service).err().unwrap().to_string();
    assert!(
        error.contains("NO_SUCH_KEY_ANYWHERE, in which its key is to be, is not set"),
        "{error}"
    );
    let gone = Server::start("127.0.0.1:0").unwrap().address;
    service.settings["key_env"] = json!(null);
    service.settings["base_url"] = json!(format!("http://{gone}"));
    let error = connect(&service).err().unwrap().to_string();
    assert!(error.contains("nobody listens there; start it"), "{error}");
}
