//! How the program ends, for whoever called it, and what is said when it could not do its work.

use dacapo_kernel::log::LogError;
use dacapo_kernel::{BuildError, ProgramError, RunError};
use dacapo_lab::fuzz::FuzzError;
use dacapo_lab::scenario::ScenarioError;
use dacapo_lab::sweep::SweepError;

/// The exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything is as it should be.
    Fine = 0,
    /// A property was violated, or an expectation not met; a deadlock, a stall, a panic.
    Violated = 1,
    /// The command or the scenario is wrong.
    Usage = 2,
    /// A replay differs from its recording.
    Diverged = 3,
    /// Nothing of the system's own happened.
    NothingRan = 4,
    /// A golden log's run differs in what counts.
    Golden = 5,
    /// A log is damaged, cut off or not one of this program's.
    Log = 6,
    /// A run used up a budget.
    Exhausted = 7,
    /// A mistake in the program, or a machine that does not do what it should.
    Internal = 70,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The graver of two: what a command over several logs ends with.
    pub(crate) fn and(self, other: Exit) -> Exit {
        let gravity = |exit: Exit| match exit {
            Exit::Fine => 0,
            Exit::NothingRan => 1,
            Exit::Exhausted => 2,
            Exit::Golden => 3,
            Exit::Violated => 4,
            Exit::Diverged => 5,
            Exit::Log => 6,
            Exit::Usage => 7,
            Exit::Internal => 8,
        };
        if gravity(other) > gravity(self) {
            other
        } else {
            self
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The scenario is wrong; the report says where.
    Scenario(Box<ScenarioError>),
    /// A program outside failed: where it is named, how, and what is to be known besides.
    Program(String, Box<ProgramError>, Option<String>),
    /// Something is wrong, and this is how it ends.
    Other(Exit, String),
}

impl Problem {
    /// A mistake in how the program was called.
    pub(crate) fn usage(what: impl Into<String>) -> Problem {
        Problem::Other(Exit::Usage, what.into())
    }

    /// Something that should never happen.
    pub(crate) fn internal(what: impl Into<String>) -> Problem {
        Problem::Other(Exit::Internal, what.into())
    }

    /// What went wrong with a log.
    pub(crate) fn log(path: &str, error: &RunError) -> Problem {
        if let RunError::Program(error) | RunError::Build(BuildError::Program(error)) = error {
            return Problem::Program(path.to_owned(), error.clone(), None);
        }
        let names_its_file = matches!(
            error,
            RunError::Log(
                LogError::File { .. }
                    | LogError::Exists { .. }
                    | LogError::Locked { .. }
                    | LogError::NotRegularFile { .. }
            )
        );
        let what = if names_its_file {
            error.to_string()
        } else {
            format!("{path}: {error}")
        };
        Problem::Other(exit_of(error), what)
    }

    /// The whole of it in one line.
    pub(crate) fn in_short(&self) -> String {
        match self {
            Problem::Scenario(error) => error.what.clone(),
            Problem::Program(place, error, None) => format!("{place}: {error}"),
            Problem::Program(place, error, Some(note)) => format!("{place}: {error}; {note}"),
            Problem::Other(_, what) => what.clone(),
        }
    }

    /// How the program ends because of it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Problem::Scenario(_) | Problem::Program(..) => Exit::Usage,
            Problem::Other(exit, _) => *exit,
        }
    }
}

impl From<SweepError> for Problem {
    fn from(error: SweepError) -> Problem {
        match error {
            SweepError::Scenario(error) => Problem::Scenario(error),
            SweepError::Vary(_) | SweepError::Rows(_) | SweepError::Door(_) => {
                Problem::usage(error.to_string())
            }
            SweepError::Run { .. } => Problem::internal(error.to_string()),
        }
    }
}

impl From<FuzzError> for Problem {
    fn from(error: FuzzError) -> Problem {
        match error {
            FuzzError::Scenario(error) => Problem::Scenario(error),
            FuzzError::Keep { .. } | FuzzError::Shrink(_) => {
                Problem::Other(Exit::Internal, error.to_string())
            }
        }
    }
}

impl From<ScenarioError> for Problem {
    fn from(error: ScenarioError) -> Problem {
        Problem::Scenario(Box::new(error))
    }
}

pub(crate) fn exit_of(error: &RunError) -> Exit {
    match error {
        RunError::Build(BuildError::File { .. } | BuildError::Plan(_) | BuildError::Program(_))
        | RunError::Program(_) => Exit::Usage,
        RunError::Decode(_) | RunError::OtherSystem { .. } | RunError::Plan(_) => Exit::Log,
        RunError::Encode(_) => Exit::Internal,
        RunError::Log(error) => match error {
            LogError::File { .. }
            | LogError::Exists { .. }
            | LogError::Locked { .. }
            | LogError::NotRegularFile { .. }
            | LogError::NoSuchEvent { .. } => Exit::Usage,
            LogError::NotALog { .. }
            | LogError::NewerFormat { .. }
            | LogError::Unsupported { .. }
            | LogError::Damaged { .. }
            | LogError::HeaderDamaged { .. }
            | LogError::Gap { .. }
            | LogError::Fork { .. } => Exit::Log,
            _ => Exit::Internal,
        },
    }
}
