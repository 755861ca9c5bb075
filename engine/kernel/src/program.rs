//! Programs outside of a simulation that are asked in lock-step: what one is, and how it is reached.
//!
//! Nothing here starts a process: whoever implements [`Files::start`](crate::Files::start) does. What is said is in
//! [`companion`](crate::companion); what it is about is the affair of an [`Interpreter`].

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::EventSet;
use crate::port::Answer;

/// What becomes of a program's answers in a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramMode {
    /// The program is asked again, where it may be started, and what it answers is compared.
    Deterministic,
    /// The answers are those of the log; the program is never asked.
    Recorded,
}

/// A program, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Whose program it is, for errors.
    pub name: String,
    /// The program and its arguments, as a scenario names them.
    pub command: Vec<String>,
    /// What becomes of its answers in a replay.
    pub mode: ProgramMode,
    /// How long it may take for one answer, by the wall clock.
    pub limit: Duration,
    /// Where its random numbers come from: the seed of the run.
    pub seed: u64,
}

impl Program {
    /// The command as a person would type it.
    pub fn shown(&self) -> String {
        self.command.join(" ")
    }
}

/// A program that is running: says a line, hears a line.
pub trait Dialogue {
    /// Says a line, which has no line break, and waits for the line that comes back.
    ///
    /// # Errors
    /// In words, why none came in time, and what to do about it.
    fn ask(&mut self, line: &str) -> Result<String, Unfit>;

    /// The end of what the program wrote for people, if it wrote anything: why it failed may be there.
    fn last_words(&mut self) -> String {
        String::new()
    }
}

/// A service outside that answers calls while a run is recorded live, such as one that is reached by a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// What it is called in the run, for errors.
    pub name: String,
    /// Which one it is and how it is asked: an object. Nothing secret is in it.
    pub settings: Value,
    /// The log of an earlier recording whose answers are given again, and what is done about a question that has
    /// changed since.
    pub recorded: Option<(PathBuf, Changed)>,
}

/// What is done about a question that was put otherwise in an earlier recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Changed {
    /// The recording ends with an error that says what has changed.
    #[default]
    Error,
    /// The answer to the same decision is taken, and marked.
    Reuse,
    /// The service is asked live.
    Ask,
}

/// What is wrong with what a program did, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl Unfit {
    /// Something wrong, and what to do about it.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Unfit {
        Unfit {
            what: what.into(),
            help: help.into(),
        }
    }
}

/// Speaks with a program in a system's own words.
pub trait Interpreter<E: EventSet> {
    /// What the program is asked: a JSON object.
    fn question(&self, request: &E) -> Value;

    /// What a list of effects means: an event whose role is [`Answer`](crate::Role::Answer).
    ///
    /// # Errors
    /// What is wrong with one of them; then the run cannot go on.
    fn answer(&self, request: &E, effects: Vec<Value>) -> Result<Answer<E>, Unfit>;
}

/// Who outside of a run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outsider {
    /// A program.
    Program,
    /// A service.
    Service,
}

/// A program or a service failed, and so the run cannot be made: an error of operation, never of the simulated world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {}{name} (`{command}`) {place}: {}{}; {}", .who.title(), .unfit.what, wrote(.last_words), .unfit.help)]
pub struct ProgramError {
    /// Which of the two.
    pub who: Outsider,
    /// Whose program it is, or what the service is called.
    pub name: String,
    /// The command that started it, or where the service is.
    pub command: String,
    /// In which line of its output, and in answer to what.
    pub place: String,
    /// What is wrong, and what to do.
    pub unfit: Unfit,
    /// The end of what it wrote for people.
    pub last_words: String,
}

impl Outsider {
    /// What stands before its name.
    pub fn title(self) -> &'static str {
        match self {
            Outsider::Program => "program of ",
            Outsider::Service => "",
        }
    }
}

fn wrote(last_words: &str) -> String {
    let lines = last_words.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [] => String::new(),
        lines => format!("; the end of its standard error is: {}", lines.join(" | ")),
    }
}

/// How often deterministic programs were asked in a run, or in a replay of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AskedPrograms {
    /// Questions that a program answered; in a replay, once more.
    pub asked: u64,
    /// Questions of a replay whose answers were taken from the log, because no program was started.
    pub from_log: u64,
}
