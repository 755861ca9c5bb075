//! A program that records is killed with SIGKILL, most often while a model is being asked.
//!
//! `DACAPO_LIVE_KILLS=1000 cargo test -p dacapo --test live kills` is the long form.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::desk::{self, Desk, acknowledged, chance_of, wait};
use crate::server::Server;

const SHORT: u64 = 10;

fn kills() -> u64 {
    desk::kills("DACAPO_LIVE_KILLS", SHORT)
}

/// Fails if an acknowledged event is not in the log, if what is left is not sound, or if it does not replay up to its
/// end without the server.
#[test]
fn nothing_acknowledged_is_lost_by_a_kill_while_a_model_is_asked() {
    let (mut cut, mut in_flight) = (0, 0);
    for round in 0..kills() {
        let server = Server::start("127.0.0.1:0").unwrap();
        let desk = crate::desk(&server, "");
        let acknowledged = record_and_kill(&desk, round);
        let asked = server.asked();
        // What follows has nobody to ask.
        drop(server);
        // Of a log that was killed at its very beginning there is nothing yet, or not even what says that it is one.
        let has_begun = desk.path("a.dlog").exists() && desk.bytes("a.dlog").len() >= 16;
        if !has_begun {
            assert_eq!(acknowledged, 0, "round {round}: there is no log");
            continue;
        }
        let (kept, is_whole) = desk.check("a.dlog");
        assert!(
            kept >= acknowledged,
            "round {round}: {kept} of {acknowledged} acknowledged events are left"
        );
        if kept == 0 {
            continue;
        }
        let said = desk.call(&["replay", "a.dlog", "--message-format", "json"]);
        let told: Value = serde_json::from_str(said.out.lines().next().unwrap()).unwrap();
        let expected = if is_whole { "same" } else { "same so far" };
        assert_eq!(told["result"], *expected, "round {round}: {said}");
        assert_eq!(told["events"], kept, "round {round}: {said}");
        let shown = desk.call(&[
            "show",
            "a.dlog",
            "--kind",
            "model answered",
            "--message-format",
            "json",
        ]);
        let replies = shown
            .out
            .lines()
            .filter(|line| line.contains("\"model answered\""));
        cut += u64::from(!is_whole);
        in_flight += u64::from(asked > replies.count() as u64);
    }
    assert!(cut > kills() / 2, "only {cut} were killed before their end");
    assert!(
        in_flight > kills() / 4,
        "only {in_flight} were killed while a model was asked"
    );
}

/// How many events the program acknowledged before it was killed: so many acknowledgements and microseconds after it began.
fn record_and_kill(desk: &Desk, round: u64) -> u64 {
    let chance = chance_of(round);
    // A model that takes its time is nearly always being asked; of one that replies at once more is written.
    let (model, after, span) = match round % 2 {
        0 => ("slow", chance % 3, 250_000),
        _ => ("steady", chance % 9, 2_500),
    };
    let model = format!("llm.primary.model={model}");
    let mut child = desk
        .command(&["record", "live.toml", "--set", &model, "--out", "a.dlog"])
        .args(["--acknowledge", "--message-format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut last, mut heard) = (0, 0);
    let mut hear = |line: String| {
        if let Some(events) = acknowledged(&line) {
            assert!(events >= last, "what is durable never goes back");
            (last, heard) = (events, heard + 1);
        }
        heard
    };
    let mut so_far = 0;
    while so_far < after {
        match lines.next() {
            Some(line) => so_far = hear(line.unwrap()),
            None => break,
        }
    }
    wait(Duration::from_micros(1_000 + chance % span));
    child.kill().unwrap();
    // What it said before it was killed still counts; half of a line does not.
    for line in lines.map_while(Result::ok) {
        hear(line);
    }
    child.wait().unwrap();
    last
}
