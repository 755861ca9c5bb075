//! Telling people who asked for it what happens, with virtual time; never part of a replay.
//!
//! The turning points of a run are information, the system's own events are for debugging, and
//! everything else is a trace.

use crate::event::{Body, Event, EventSet};
use crate::kernel_event::{KernelEvent, TaskEnding};

/// Tells of one event, at the level it deserves.
#[cold]
pub(crate) fn narrate<E: EventSet>(event: &Event<E>) {
    let (seq, at, kind) = (event.seq.0, event.time, event.kind().name);
    match &event.body {
        Body::Kernel(body) if is_turning_point(body) => {
            tracing::info!(target: "dacapo::run", seq, %at, ?body, "{kind}");
        }
        Body::Domain(body) => tracing::debug!(target: "dacapo::system", seq, %at, ?body, "{kind}"),
        Body::Kernel(body) => tracing::trace!(target: "dacapo::event", seq, %at, ?body, "{kind}"),
    }
}

fn is_turning_point(event: &KernelEvent) -> bool {
    match event {
        KernelEvent::HostStarted(_)
        | KernelEvent::HostCrashed(_)
        | KernelEvent::HostRestarted(_)
        | KernelEvent::TaskCrashed(_)
        | KernelEvent::CallLost(_)
        | KernelEvent::FaultInjected(_)
        | KernelEvent::ClockJumped(_)
        | KernelEvent::CycleClosed(_)
        | KernelEvent::CycleBroken(_)
        | KernelEvent::RunEnded(_) => true,
        KernelEvent::TaskEnded(ended) => matches!(ended.ending, TaskEnding::Panicked(_)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TaskId;
    use crate::kernel_event::{RunEnded, TaskEnded, TimerFired};
    use crate::verdict::Verdict;

    #[test]
    fn a_verdict_and_a_panic_are_turning_points_and_a_timer_is_none() {
        let ended = |ending| {
            KernelEvent::from(TaskEnded {
                task: TaskId(1),
                ending,
            })
        };
        assert!(is_turning_point(
            &RunEnded {
                verdict: Verdict::Complete
            }
            .into()
        ));
        assert!(is_turning_point(&ended(TaskEnding::Panicked(
            "no".to_owned()
        ))));
        assert!(!is_turning_point(&ended(TaskEnding::Returned)));
        assert!(!is_turning_point(&TimerFired { task: TaskId(1) }.into()));
    }
}
