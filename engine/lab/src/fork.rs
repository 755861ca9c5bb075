//! What if: the run of a log with one input another one, and how much each of them matters.
//!
//! What is an input, and what comes of the others, is the kernel's to say; here a change is put
//! together from what a person writes, made, and its log held to replaying.

mod change;
mod rank;

use std::rc::Rc;

use dacapo_kernel::log::{Memory, Reader};
use dacapo_kernel::{
    BoxedStorage, Divergence, EventSet, Files, Forked, Mistake, Plan, Recording, Reused, Run,
    RunError, Seq, System, Verified, verify,
};

use crate::shrink::record;

pub use self::change::{Asked, ForkError, Meant, is_input, meant};
pub use self::rank::{Rank, RankError, Ranked, Ranking, inputs_of, rank};

/// A fork that was made.
pub struct Made {
    /// The bytes of its log, which replays.
    pub log: Vec<u8>,
    /// How many of its inputs behind the change are recorded ones. Of another configuration every input
    /// is generated anew, and nothing is counted.
    pub reused: Option<Reused>,
}

/// Why a fork was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError<E: EventSet> {
    /// The program differs from the one that made the log, already before the event.
    #[error("this program differs from the one that made the log at event {}, before the fork; \
             `replay` says how", .0.seq)]
    Diverged(Box<Divergence<E>>),
    /// The changed configuration is refused.
    #[error("the changed configuration is refused: `{}`: {}", .0.at.join("."), .0.what)]
    Refused(Box<Mistake>),
    /// A run could not be made.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Something is wrong with this program.
    #[error(
        "the log of the fork does not replay, from event {0} on; this is a mistake of the program"
    )]
    NoReplay(Seq),
}

/// Makes a fork.
///
/// # Errors
/// If this program does not go as recorded up to there, or the fork cannot be run.
pub fn make<S: System>(
    plan: &Plan<S::Config>,
    recording: &Rc<Recording<S::Event>>,
    meant: &Meant<S>,
    files: &dyn Files,
) -> Result<Made, MakeError<S::Event>> {
    let (log, reused) = match meant {
        Meant::Plan(changed) => {
            let mut resolved = (**changed).clone();
            S::resolve(&mut resolved, files)
                .map_err(|mistake| MakeError::Refused(Box::new(mistake)))?;
            (record::<S>(changed, files)?.1, None)
        }
        Meant::Input(fork) => {
            let log = Rc::new(std::cell::RefCell::new(Memory(Vec::new())));
            let storage: BoxedStorage = Box::new(Rc::clone(&log));
            let run = Run::<S>::new(plan).unchecked();
            match run.fork(recording, fork.clone(), files, Some(storage))? {
                Forked::Ended(_, reused) => {
                    let bytes = std::mem::take(&mut log.borrow_mut().0);
                    (bytes, Some(reused))
                }
                Forked::Diverged(divergence) => return Err(MakeError::Diverged(divergence)),
            }
        }
    };
    let storage: BoxedStorage = Box::new(Memory(log.clone()));
    let reader = Reader::open(storage).map_err(RunError::from)?;
    match verify::<S>(reader, None)? {
        Verified::Same(_) => Ok(Made { log, reused }),
        Verified::SameSoFar(outcome) => Err(MakeError::NoReplay(Seq(outcome.events))),
        Verified::Diverged(divergence, _) => Err(MakeError::NoReplay(divergence.seq)),
    }
}
