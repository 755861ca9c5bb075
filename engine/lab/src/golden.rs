//! Regression tests: scenarios held to what they expect, and golden logs whose runs are made again and
//! held against them at a level, so that only what counts makes one differ.
//!
//! Logs that differ for the same reason are put together. Nothing here prints, and nothing is written
//! but what somebody accepts.

mod causes;
mod files;
mod held;
mod instants;
mod kept;
mod made;
mod one;
mod pool;
mod read_back;
mod refused;
mod state;

use std::time::Duration;

use dacapo_kernel::{Inputs, RunError};

use crate::divergence::{Difference, FieldDifference};
use crate::fuzz::Caught;
use crate::judgement::Failure;
use crate::scenario::ScenarioError;
use crate::tell::Line;

pub use self::causes::{Cause, by_cause};
pub use self::files::{Case, CaseKind, LOG_BYTES_MAX, find, log_bytes, write_log};
pub(crate) use self::held::class_at_once;
pub use self::held::{Class, EVERY_EVENT, Held, levels};
pub use self::kept::{Accepted, Kept, NewInputs, accept, made_from};
pub use self::one::replay_again;
pub use self::state::{has_state, keep_state};

/// How cases are tested.
#[derive(Clone, Copy)]
pub struct Test<'a> {
    /// The level for all golden logs, whatever is kept beside them.
    pub level: Option<&'a str>,
    /// Kinds of event to pass over in all of them, by name or number.
    pub ignore: &'a [String],
    /// Whether a golden log must be the one that was accepted.
    pub locked: bool,
    /// How many threads test.
    pub jobs: usize,
    /// Calls something whose panic comes back as a text.
    pub caught: Caught,
    /// Calls something and says how long it took.
    pub timed: fn(&mut dyn FnMut()) -> Duration,
}

/// What came of one case.
#[derive(Debug)]
pub struct Tested {
    /// The case.
    pub case: Case,
    /// What came of it.
    pub standing: Standing,
    /// How long it took.
    pub wall: Duration,
}

/// What came of a case.
#[derive(Debug)]
pub enum Standing {
    /// The scenario is as it expects to be.
    Passed {
        /// How many events its run had.
        events: u64,
        /// How many changes to it were refused, as they must be.
        refused: usize,
    },
    /// The golden log's run is the same in all that counts.
    Same {
        /// The level at which it is held.
        level: String,
        /// How many events the new run had.
        events: u64,
        /// The first event that differs without counting; none if every byte is the same.
        detail: Option<Box<Trace>>,
    },
    /// A property, a verdict or a figure is not as it must be.
    Failed {
        /// What failed.
        failures: Vec<Failure>,
        /// How many events the run had.
        events: u64,
        /// The event at which the first of them failed, unless only the end showed it.
        place: Option<Box<Line>>,
    },
    /// The golden log's run differs in what counts.
    Differs(Box<Apartness>),
    /// The run used up this budget.
    Exhausted(String),
    /// The system did nothing of its own.
    NothingRan,
    /// It could not be tested.
    Broken(Trouble),
}

impl Standing {
    /// Whether all is well.
    pub fn is_good(&self) -> bool {
        matches!(self, Standing::Passed { .. } | Standing::Same { .. })
    }
}

/// How a run came apart from its golden log.
#[derive(Debug)]
pub struct Apartness {
    /// The first difference in what counts. Its last common state is the last that is common in every event.
    pub difference: Difference,
    /// The level at which the log is held.
    pub level: String,
    /// The first event of all that differs, which may be an earlier detail.
    pub detail: Option<Trace>,
    /// What the plan of the new run says otherwise than the recorded one.
    pub plan: Vec<FieldDifference>,
    /// How many events the recording had, and how many the new run has.
    pub events: (u64, u64),
    /// Properties that are violated now and were not.
    pub violated: Vec<String>,
    /// What became of the recorded inputs.
    pub inputs: Inputs,
    /// The last link of the chain over the new log.
    pub fingerprint: Option<String>,
    /// The log of the new run.
    pub log: Vec<u8>,
}

/// The first event of all that differs.
#[derive(Clone, Debug)]
pub struct Trace {
    /// How.
    pub difference: Difference,
}

/// Why a case could not be tested.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The scenario has a mistake.
    #[error(transparent)]
    Scenario(#[from] Box<ScenarioError>),
    /// The log cannot be read, or the run not be made.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The run cannot be made from its seed alone.
    #[error(
        "{0}\nThe file beside the log says `inputs = \"generated\"`, which is for runs that ask nobody outside, and \
         `data` where their data files lie; without `inputs` the recorded ones are taken"
    )]
    FromSeed(RunError),
    /// Files that the run reads are not as they were.
    #[error(
        "{}: not as it was when the log was made, so the run cannot be made again; bring that back, or record the log anew",
        .0.join(", ")
    )]
    DataChanged(Vec<String>),
    /// A file cannot be read.
    #[error("{0}")]
    File(String),
    /// There is no such level, or no such kind of event to pass over.
    #[error("{0}")]
    Level(String),
    /// The log does not hold a whole run.
    #[error(
        "the log was cut off after {events} events; a golden log holds a whole run, so record it again"
    )]
    NotWhole {
        /// How many events it has.
        events: u64,
    },
    /// The log is another one than somebody gave a reason for.
    #[error(
        "the log is not the one that was accepted: its fingerprint is {found}, the one with a reason {accepted}; \
         bring that one back, or accept this one with --bless and a reason"
    )]
    NotAccepted {
        /// The fingerprint that was accepted.
        accepted: String,
        /// The one of the log.
        found: String,
    },
    /// An event is read as another one than was written.
    #[error(
        "event {seq}, `{kind}`, is read as another one than was written: written again it has other bytes"
    )]
    ReadBack {
        /// Which event.
        seq: u64,
        /// Its kind.
        kind: &'static str,
    },
    /// The program panicked.
    #[error("the program panicked: {0}")]
    Panicked(String),
}

impl From<ScenarioError> for Trouble {
    fn from(error: ScenarioError) -> Trouble {
        Trouble::Scenario(Box::new(error))
    }
}
