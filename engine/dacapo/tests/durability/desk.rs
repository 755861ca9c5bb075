//! A folder, and calls of the real program in it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_dacapo");

/// A run of a few hundred events is all that is needed of it.
pub(crate) const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/day.toml");

pub(crate) struct Desk(TempDir);

/// What a call said.
pub(crate) struct Said {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The program, called in the folder with these words.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.within(PROGRAM, words)
    }

    /// Another program, called in the folder.
    pub(crate) fn within(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).args(words);
        command.env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    pub(crate) fn call(&self, words: &[&str]) -> Said {
        Said::of(self.command(words).output().unwrap())
    }

    /// The events of a log, and whether it is whole, as `check` says.
    pub(crate) fn check(&self, name: &str) -> (u64, bool) {
        let said = self.call(&["check", name, "--message-format", "json"]);
        if said.err.contains("the log holds no event") {
            return (0, false);
        }
        let told: Value = serde_json::from_str(said.out.lines().next().unwrap_or_default())
            .unwrap_or_else(|_| panic!("{said}"));
        // 0 and 1 are verdicts on the run; 7, a used-up budget, is how these runs end.
        let is_whole = matches!(said.code, Some(0 | 1 | 7));
        assert!(is_whole || said.code == Some(6), "{said}");
        (told["events"].as_u64().unwrap(), is_whole)
    }
}

impl Said {
    pub(crate) fn of(output: Output) -> Said {
        Said {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Said {
    /// How many events `--acknowledge` said are durable.
    pub(crate) fn acknowledged(&self) -> u64 {
        let mut told = self.out.lines().filter_map(acknowledged);
        told.next_back().unwrap_or(0)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?}\n{}\n{}", self.code, self.out, self.err)
    }
}

/// Says why a test did not look.
#[expect(clippy::print_stderr, reason = "a test that did not look says so")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}; the simulated disk of the kernel's tests covers it");
}

/// The words of a run of so many events, synced like this, into this file.
pub(crate) fn run<'a>(events: &'a str, sync: &'a str, out: &'a str) -> Vec<&'a str> {
    let words = [
        "run",
        SCENARIO,
        "--max-events",
        events,
        "--sync",
        sync,
        "--out",
        out,
    ];
    words.to_vec()
}

/// How many events a line of `--acknowledge` says are durable.
pub(crate) fn acknowledged(line: &str) -> Option<u64> {
    let told: Value = serde_json::from_str(line).ok()?;
    (told["type"] == "durable").then(|| told["event"].as_u64().unwrap() + 1)
}

/// Whether a program is there.
pub(crate) fn is_there(program: &str) -> bool {
    let called = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    called.is_ok()
}

/// Everything in a folder, by name.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// How often a test kills: as the environment says, or a few times.
#[expect(
    clippy::disallowed_methods,
    reason = "how often a test kills is nothing that is simulated"
)]
pub(crate) fn kills(variable: &str, short: u64) -> u64 {
    match std::env::var(variable) {
        Ok(kills) => kills.parse().expect("a number"),
        Err(_) => short,
    }
}

/// The chance of a round, by Weyl's sequence: spread evenly, the same each time.
pub(crate) fn chance_of(round: u64) -> u64 {
    round.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

/// Waits by the wall clock.
#[expect(
    clippy::disallowed_methods,
    reason = "it waits for a real process, and nothing is replayed"
)]
pub(crate) fn wait(time: std::time::Duration) {
    std::thread::sleep(time);
}
