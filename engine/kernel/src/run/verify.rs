//! Making a recorded run again, and comparing every event.

use super::{Outcome, Run, RunError};
use crate::id::Seq;
use crate::journal::{BoxedStorage, Divergence, Journal, JournalError, Verifier};
use crate::log::Reader;
use crate::simulation::Watch;
use crate::system::{Files, System};
use crate::world::World;

/// What a verified replay found.
#[derive(Debug)]
pub enum Verified<S: System> {
    /// Every event is the same, to the last byte.
    Same(Outcome<S::View>),
    /// Every recorded event is the same; the recording was cut off before its end.
    SameSoFar(Outcome<S::View>),
    /// The first difference, and the state before it.
    Diverged(Box<Divergence<S::Event>>, Box<World<S::View>>),
}

/// Runs a recorded log again and compares every event.
///
/// # Errors
/// If the log cannot be read, is of another system, or the system cannot be built.
pub fn verify<S: System>(
    reader: Reader<BoxedStorage>,
    watch: Option<Watch<'_>>,
) -> Result<Verified<S>, RunError> {
    verify_with(reader, watch, None)
}

/// The same, with somebody who starts programs again: those of a deterministic mode are asked once more, and
/// what they answer is compared. Without anybody, every answer comes from the log.
///
/// # Errors
/// Those of [`verify`], and if a program cannot be started or fails.
pub fn verify_with<S: System>(
    mut reader: Reader<BoxedStorage>,
    watch: Option<Watch<'_>>,
    programs: Option<&dyn Files>,
) -> Result<Verified<S>, RunError> {
    let (text, plan) = crate::replay::begun::<S>(&mut reader)?;
    let mut run = Run::<S>::new(&plan);
    run.watch = watch;
    run.programs = programs;
    reader.seek(Seq(0))?;
    let journal = Journal::Verify(Box::new(Verifier::new(reader)));
    match run.make(text, journal, None)? {
        (outcome, None) => Ok(Verified::Same(outcome)),
        (outcome, Some(JournalError::RecordingEnds)) => Ok(Verified::SameSoFar(outcome)),
        (outcome, Some(JournalError::Diverged(divergence))) => {
            Ok(Verified::Diverged(divergence, Box::new(outcome.world)))
        }
        (_, Some(JournalError::Log(error))) => Err(error.into()),
        (_, Some(JournalError::Decode(error))) => Err(error.into()),
        (_, Some(JournalError::Encode(error))) => Err(error.into()),
        (_, Some(JournalError::Program(error))) => Err(RunError::Program(error)),
    }
}
