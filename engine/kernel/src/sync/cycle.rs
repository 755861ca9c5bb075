//! What a wait does to the graph of waits: closing a cycle, getting away from one.

use crate::executor::State;
use crate::id::{ActorId, Seq, TaskId};
use crate::kernel_event::{CycleBroken, CycleClosed};
use crate::system::System;
use crate::verdict::Verdict;

/// Records a cycle that a task's wait, the event `blocked`, closed; the run ends if nothing can break it.
pub(crate) fn note_cycle<S: System>(
    state: &mut State<S>,
    actor: ActorId,
    task: TaskId,
    blocked: Seq,
) {
    if state.halted {
        return;
    }
    let Some(cycle) = state.world.cycle_through(task) else {
        return;
    };
    let closed = CycleClosed {
        cycle: cycle.clone(),
    };
    let seq = state.append_kernel(actor, Some(blocked), closed);
    if cycle.breakable {
        let members = cycle.links.iter().map(|link| link.task).collect();
        state.open_cycles.push((seq, members));
    } else {
        state.end_with(Verdict::Deadlock(cycle));
    }
}

/// Records that a task got away from the cycles it was part of.
pub(crate) fn note_escape<S: System>(state: &mut State<S>, actor: ActorId, task: TaskId) {
    while let Some(at) = state
        .open_cycles
        .iter()
        .position(|(_, tasks)| tasks.contains(&task))
    {
        let (closed_at, _) = state.open_cycles.remove(at);
        let broken = CycleBroken {
            closed_at,
            by: task,
        };
        state.append_kernel(actor, Some(closed_at), broken);
    }
}
