//! How tasks end: of their own, by a crash, by somebody who gives them up, or never.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{BoxFuture, Pending, TaskRef};
use crate::executor::{Core, State};
use crate::id::{HostId, Seq};
use crate::kernel_event::{TaskEnded, TaskEnding};
use crate::system::System;
use crate::verdict::{Panicked, Verdict, Waiting};

impl<S: System> State<S> {
    /// Decides how a task ends. The running task ends after its step; of any other, the future
    /// is handed out, to be dropped once nothing is borrowed.
    pub(super) fn doom(&mut self, task: TaskRef, ending: TaskEnding) -> Option<BoxFuture> {
        let running = self.current == Some(task);
        let slot = self.slot_mut(task).filter(|slot| slot.fate.is_none())?;
        slot.fate = Some(ending);
        if running {
            return None;
        }
        let future = slot.future.take();
        if std::mem::replace(&mut slot.queued, false) {
            self.ready.retain(|ready| *ready != task);
        }
        future
    }

    /// Says how a task ended and lets those who waited for that go on.
    pub(super) fn end_task(&mut self, task: TaskRef, cause: Option<Seq>, ending: TaskEnding) {
        let Some(slot) = self.slot_mut(task).filter(|slot| !slot.ended) else {
            return;
        };
        slot.ended = true;
        slot.fate = Some(ending.clone());
        let queued = std::mem::replace(&mut slot.queued, false);
        let (id, actor, observed, daemon) = (slot.id, slot.actor, slot.observed, slot.daemon);
        let joiners = std::mem::take(&mut slot.joiners);
        let seq = self.append_kernel(actor, cause, TaskEnded { task: id, ending });
        for joiner in joiners {
            self.wake_because(joiner, seq);
        }
        self.alive -= 1;
        self.working -= u64::from(!daemon);
        if queued {
            self.ready.retain(|ready| *ready != task);
        }
        if !observed {
            self.report_panic(task);
            self.free.push(task.slot);
        }
    }

    /// The handle of a task is gone: its place in the table may be reused, and a panic that
    /// nobody looked at ends the run.
    pub(crate) fn unobserve(&mut self, task: TaskRef, seen: bool) {
        let Some(slot) = self.slot_mut(task) else {
            return;
        };
        slot.observed = false;
        if slot.ended {
            if !seen {
                self.report_panic(task);
            }
            self.free.push(task.slot);
        }
    }

    fn report_panic(&mut self, task: TaskRef) {
        let Some(slot) = self.slot(task) else { return };
        if let Some(TaskEnding::Panicked(message)) = &slot.fate {
            let verdict = Verdict::Panic(Panicked {
                task: slot.id,
                name: slot.name.clone(),
                message: message.clone(),
            });
            self.end_with(verdict);
        }
    }

    /// The tasks that would wait in vain for ever, if nothing came any more.
    pub(crate) fn stalled(&self) -> Vec<Waiting> {
        self.tasks_where(|slot| !slot.daemon)
            .into_iter()
            .filter_map(|task| {
                let slot = self.slot(task)?;
                let wait = match &slot.pending {
                    Pending::Rest => return None,
                    Pending::Other(what) => (*what).to_owned(),
                    Pending::Lock(name) => format!("lock {name}"),
                    Pending::Join(name) => format!("the end of {name}"),
                    Pending::Channel(name) => format!("channel {name}"),
                };
                Some(Waiting {
                    task: slot.id,
                    name: slot.name.clone(),
                    wait,
                })
            })
            .collect()
    }

    /// Every future that is left, for dropping at the end of a run.
    pub(crate) fn take_all(&mut self) -> Vec<BoxFuture> {
        self.slots
            .iter_mut()
            .filter_map(|slot| slot.future.take())
            .collect()
    }
}

/// Ends tasks from outside their own steps: drops their futures, whose guards release what
/// they hold.
pub(crate) fn kill<S: System>(core: &Core<S>, tasks: &[TaskRef], ending: &TaskEnding) {
    let futures: Vec<_> = {
        let mut state = core.state.borrow_mut();
        tasks
            .iter()
            .filter_map(|task| Some((*task, state.doom(*task, ending.clone())?)))
            .collect()
    };
    for (task, future) in futures {
        drop_future(future);
        let mut state = core.state.borrow_mut();
        let cause = state.cause;
        state.end_task(task, cause, ending.clone());
    }
}

/// Drops the tasks of a host that crashed. What their own code still does on the way down is
/// not part of the run; what the kernel's guards give back is.
pub(crate) fn bury<S: System>(core: &Core<S>, host: HostId) {
    let tasks = {
        let mut state = core.state.borrow_mut();
        state.halted = true;
        state.tasks_where(|slot| slot.host == host)
    };
    for task in tasks {
        let future = core
            .state
            .borrow_mut()
            .slot_mut(task)
            .and_then(|slot| slot.future.take());
        if let Some(future) = future {
            drop_future(future);
        }
        let mut state = core.state.borrow_mut();
        state.end_task(task, None, TaskEnding::Crashed);
    }
    let mut state = core.state.borrow_mut();
    state.halted = state.stop.is_some();
}

/// Drops what belongs to a task. A panic on the way down has nobody left to tell.
pub(crate) fn drop_future<T>(future: T) {
    drop(catch_unwind(AssertUnwindSafe(|| drop(future))));
}
