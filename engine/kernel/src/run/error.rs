//! Why a run could not be made, or made again.

use crate::log::LogError;
use crate::program::ProgramError;
use crate::system::BuildError;

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system could not be put together.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The log could not be written or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A recorded event cannot be read.
    #[error(transparent)]
    Decode(#[from] crate::event::DecodeError),
    /// An event cannot be written.
    #[error("an event cannot be written: {0}")]
    Encode(#[from] crate::codec::CodecError),
    /// The log is of another system.
    #[error("the log is of the system {found:?}, this program simulates {expected:?}")]
    OtherSystem {
        /// What this program simulates.
        expected: &'static str,
        /// What the log says.
        found: String,
    },
    /// The log's plan cannot be read by this program.
    #[error(
        "the log's plan cannot be read: {0}; use the version of the program that its header names"
    )]
    Plan(String),
    /// A program outside failed while it was asked.
    #[error(transparent)]
    Program(Box<ProgramError>),
}
