//! A provider on this machine that speaks both protocols, and misbehaves as the name of the model says.
//!
//! It is for tests and for trying things out: it needs no network, costs nothing, and has no model behind it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

/// What each model does.
#[allow(dead_code, reason = "not everybody who includes this file lists them")]
pub(crate) const MODELS: [(&str, &str); 24] = [
    ("steady", "replies at once: proceed"),
    ("cautious", "replies at once: wait"),
    (
        "trader",
        "replies with what stands behind ANSWER, or else: BUY, and names the first word of the prompt that has a slash",
    ),
    ("slow", "replies after 300 ms"),
    ("trickle", "sends one byte every 50 ms, for ever"),
    ("hang", "takes the question and says nothing"),
    ("truncated", "sends half of a reply as if it were all"),
    (
        "lying-length",
        "says that the reply is longer than it is, and ends",
    ),
    ("endless", "says nothing of the length, and does not stop"),
    ("mute", "closes the connection instead of answering"),
    ("rate-limit", "429, to be asked again after 7 seconds"),
    (
        "busy",
        "429 to every other question, to be asked again after 2 seconds; else as obedient",
    ),
    ("server-error", "500"),
    ("overloaded", "529"),
    ("unauthorized", "401, and repeats the key that it was given"),
    ("wrong-type", "replies in HTML"),
    ("garbage", "replies with bytes that are no text"),
    ("deep", "replies with JSON that is nested 100,000 times"),
    ("mebibyte", "replies with a text of 1 MiB"),
    (
        "control",
        "replies with control characters and escape sequences",
    ),
    ("echo", "replies with every header that it was sent"),
    ("refusal", "declines to answer"),
    (
        "newest",
        "takes max_completion_tokens and refuses max_tokens, as the newest models of OpenAI do",
    ),
    (
        "obedient",
        "replies with what stands behind ANSWER in a line of its prompt, or else: proceed",
    ),
];

/// A server that runs until it is dropped.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// How many questions it was asked, and how many of them those that are busy.
    asked: Arc<[AtomicU64; 2]>,
    ends: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server at an address; port 0 is any free one.
    pub(crate) fn start(address: &str) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        let server = Server {
            address: listener.local_addr()?,
            asked: Arc::default(),
            ends: Arc::default(),
        };
        let (asked, ends) = (Arc::clone(&server.asked), Arc::clone(&server.ends));
        beside(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let asked = Arc::clone(&asked);
                // Whoever is served badly is meant to be; that the other end has gone is nothing to report.
                beside(move || drop(serve(stream, &asked)));
            }
        });
        Ok(server)
    }

    /// How many questions it was asked.
    #[allow(dead_code, reason = "not everybody who includes this file counts")]
    pub(crate) fn asked(&self) -> u64 {
        self.asked[0].load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // It looks up only when somebody comes, and is gone when nobody is let in any more.
        let mut tries = 0..10_000;
        while tries.next().is_some() && TcpStream::connect(self.address).is_ok() {}
    }
}

/// A question as it arrived.
struct Asked {
    path: String,
    headers: Vec<String>,
    body: Value,
}

impl Asked {
    fn prompt(&self) -> &str {
        let prompt = self.body["messages"][0]["content"].as_str();
        prompt.unwrap_or_default()
    }

    /// The reply that the prompt itself wants.
    fn wanted(&self) -> Option<&str> {
        let mut lines = self.prompt().lines().rev();
        lines.find_map(|line| line.strip_prefix("ANSWER "))
    }
}

fn serve(mut stream: TcpStream, asked: &[AtomicU64; 2]) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let question = read(&stream)?;
    asked[0].fetch_add(1, Ordering::SeqCst);
    let model = question.body["model"].as_str().unwrap_or("steady");
    let proceed = r#"{"action": "proceed", "confidence": 0.8, "reasoning": "steady"}"#;
    let reply = |text: &str| spoken(&question, text).to_string();
    match model {
        "cautious" => {
            let wait = r#"{"action": "wait", "confidence": 0.6, "reasoning": "cautious"}"#;
            send(&mut stream, 200, JSON, reply(wait).as_bytes())
        }
        "trader" => {
            let mut words = question.prompt().split_whitespace();
            let symbol = words.find(|word| word.contains('/'));
            let buy = json!({"action": "BUY", "confidence": 0.8, "symbol": symbol, "reason": "it trades"});
            let text = question.wanted().map_or(buy.to_string(), str::to_owned);
            send(&mut stream, 200, JSON, reply(&text).as_bytes())
        }
        "slow" => {
            pause(Duration::from_millis(300));
            send(&mut stream, 200, JSON, reply(proceed).as_bytes())
        }
        "trickle" => {
            head(&mut stream, 200, JSON, Some(1_000_000))?;
            loop {
                stream.write_all(b" ")?;
                pause(Duration::from_millis(50));
            }
        }
        "hang" => {
            // Until the other end has had enough.
            stream.set_read_timeout(None)?;
            stream.read(&mut [0; 1]).map(drop)
        }
        "truncated" => {
            let whole = reply(proceed);
            send(&mut stream, 200, JSON, &whole.as_bytes()[..whole.len() / 2])
        }
        "lying-length" => {
            let whole = reply(proceed);
            head(&mut stream, 200, JSON, Some(whole.len() + 1_000))?;
            stream.write_all(whole.as_bytes())
        }
        "endless" => {
            head(&mut stream, 200, JSON, None)?;
            loop {
                stream.write_all(&[b' '; 4_096])?;
            }
        }
        "mute" => Ok(()),
        "busy" if asked[1].fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => {
            refuse(&mut stream, 429, "slow down", "retry-after: 2\r\n")
        }
        "rate-limit" => refuse(&mut stream, 429, "slow down", "retry-after: 7\r\n"),
        "server-error" => refuse(&mut stream, 500, "it broke", ""),
        "overloaded" => refuse(&mut stream, 529, "overloaded", ""),
        "unauthorized" => {
            let said = format!("wrong key, you sent: {}", question.headers.join(" "));
            refuse(&mut stream, 401, &said, "")
        }
        "wrong-type" => send(&mut stream, 200, "text/html", b"<h1>Welcome</h1>"),
        "garbage" => send(
            &mut stream,
            200,
            JSON,
            &[0xff, 0xfe, 0x00, 0x7b, 0xc3, 0x28],
        ),
        "deep" => send(&mut stream, 200, JSON, "[".repeat(100_000).as_bytes()),
        "mebibyte" => send(
            &mut stream,
            200,
            JSON,
            reply(&"x".repeat(1 << 20)).as_bytes(),
        ),
        "control" => {
            let text = "\u{1b}[31m\u{7}{\"action\": \"wait\"}\u{0}\r\u{202e}\u{1b}]0;title\u{7}";
            send(&mut stream, 200, JSON, reply(text).as_bytes())
        }
        "echo" => send(
            &mut stream,
            200,
            JSON,
            reply(&question.headers.join("\n")).as_bytes(),
        ),
        "refusal" => send(
            &mut stream,
            200,
            JSON,
            reply("I cannot help with that.").as_bytes(),
        ),
        "newest" if question.body["max_completion_tokens"].is_null() => {
            refuse(&mut stream, 400, "use max_completion_tokens instead", "")
        }
        "obedient" | "busy" => {
            let text = question.wanted().unwrap_or(proceed);
            send(&mut stream, 200, JSON, reply(text).as_bytes())
        }
        _ => send(&mut stream, 200, JSON, reply(proceed).as_bytes()),
    }
}

fn read(stream: &TcpStream) -> io::Result<Asked> {
    let mut lines = BufReader::new(stream);
    let (mut first, mut headers, mut length) = (String::new(), Vec::new(), 0);
    lines.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        headers.push(line);
    }
    let mut body = vec![0; usize::min(length, 1 << 24)];
    lines.read_exact(&mut body)?;
    Ok(Asked {
        path: first.split(' ').nth(1).unwrap_or_default().to_owned(),
        headers,
        body: serde_json::from_slice(&body)?,
    })
}

/// A reply in the protocol in which was asked. Tokens are words.
fn spoken(question: &Asked, text: &str) -> Value {
    let prompt = question.prompt();
    let words = |text: &str| text.split_whitespace().count();
    let model = &question.body["model"];
    if question.path.ends_with("/v1/messages") {
        return json!({
            "type": "message", "role": "assistant", "model": model,
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
            "usage": {"input_tokens": words(prompt), "output_tokens": words(text)},
        });
    }
    json!({
        "object": "chat.completion", "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": words(prompt), "completion_tokens": words(text)},
    })
}

const JSON: &str = "application/json";

fn head(stream: &mut TcpStream, status: u16, kind: &str, length: Option<usize>) -> io::Result<()> {
    let length = length.map_or_else(String::new, |length| {
        format!("content-length: {length}\r\n")
    });
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{length}connection: close\r\n\r\n"
    )
}

fn send(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> io::Result<()> {
    head(stream, status, kind, Some(body.len()))?;
    stream.write_all(body)
}

fn refuse(stream: &mut TcpStream, status: u16, said: &str, more: &str) -> io::Result<()> {
    let body = json!({"error": {"type": "error", "message": said}}).to_string();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: {JSON}\r\ncontent-length: {length}\r\n{more}connection: close\r\n\r\n{body}"
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server beside what is tested; nothing simulated runs in it"
)]
fn beside(work: impl FnOnce() + Send + 'static) {
    drop(std::thread::spawn(work));
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server that is slow on purpose"
)]
fn pause(span: Duration) {
    std::thread::sleep(span);
}
