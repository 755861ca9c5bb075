//! The end of a run: its verdict, its journal closed, everything around its tasks taken apart.

use std::rc::Rc;

use super::{Ended, Outcome, RunError};
use crate::checks::Checks;
use crate::executor::{Core, State, Stop};
use crate::fork::Reused;
use crate::id::ActorId;
use crate::journal::{Journal, JournalError};
use crate::kernel_event::RunEnded;
use crate::system::System;
use crate::task::drop_future;
use crate::verdict::Verdict;

/// Writes the verdict, closes the journal and takes the run apart.
pub(super) fn finish<S: System>(core: &Rc<Core<S>>) -> Result<Ended<S>, RunError> {
    let (verdict, mut trouble) = close_run(&mut core.state.borrow_mut());
    let (events, asked_programs, world, checks, journal, guide) = {
        let mut state = core.state.borrow_mut();
        (
            state.next_seq,
            state.outside.asked_programs,
            std::mem::take(&mut state.world),
            std::mem::replace(&mut state.checks, Checks::new(Vec::new(), Vec::new())),
            std::mem::replace(&mut state.journal, Journal::Discard),
            state.guide.take(),
        )
    };
    take_apart(core);
    let fingerprint = match (journal, &trouble) {
        (Journal::Record(writer), None) => Some(writer.close()?.chain),
        (Journal::Verify(verifier), None) => match verifier.finish() {
            Ok(chain) => Some(chain),
            Err(error) => {
                trouble = Some(error);
                None
            }
        },
        (Journal::Record(mut writer), Some(JournalError::Program(_))) => {
            // What happened up to there is worth looking at; it is no whole run.
            writer.sync()?;
            None
        }
        (Journal::Record(_), Some(_)) => match trouble {
            Some(JournalError::Log(error)) => return Err(error.into()),
            Some(JournalError::Encode(error)) => return Err(error.into()),
            _ => None,
        },
        (Journal::Verify(_), Some(_)) | (Journal::Discard, _) => None,
    };
    if let Some(JournalError::Program(error)) = trouble {
        return Err(RunError::Program(error));
    }
    let observed = checks.finish();
    let outcome = Outcome {
        verdict,
        world,
        reached: observed.reached,
        struck: observed.struck,
        measured: observed.measured,
        asked_programs,
        findings: observed.findings,
        reused: guide
            .as_ref()
            .map_or(Reused::default(), |guide| guide.reused()),
        events,
        fingerprint,
        inputs: guide.and_then(|guide| guide.inputs()),
    };
    Ok((outcome, trouble))
}

/// Appends the verdict, unless the journal is what stopped the run.
fn close_run<S: System>(state: &mut State<S>) -> (Verdict, Option<JournalError<S::Event>>) {
    match state.stop.take() {
        Some(Stop::Verdict(verdict)) => {
            let ended = RunEnded {
                verdict: verdict.clone(),
            };
            state.append_kernel(ActorId::ENGINE, None, ended);
            // Reaching a budget with the last event changes nothing any more.
            let trouble = match state.stop.take() {
                Some(Stop::Journal(error)) => Some(error),
                Some(Stop::Verdict(_)) | None => None,
            };
            (verdict, trouble)
        }
        Some(Stop::Journal(error)) => (Verdict::Interrupted, Some(error)),
        None => (Verdict::Interrupted, None),
    }
}

/// Drops every task and everything around them; what their code still does leaves no trace.
pub(super) fn take_apart<S: System>(core: &Rc<Core<S>>) {
    let (futures, outside) = {
        let mut state = core.state.borrow_mut();
        state.end_with(Verdict::Interrupted);
        (state.take_all(), std::mem::take(&mut state.outside))
    };
    futures.into_iter().for_each(drop_future);
    drop(outside);
}
