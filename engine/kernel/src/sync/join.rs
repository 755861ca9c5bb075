//! Waiting for the end of another task.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use crate::executor::Core;
use crate::id::TaskId;
use crate::kernel_event::{JoinAbandoned, JoinBlocked, TaskEnding};
use crate::sync::cycle::{note_cycle, note_escape};
use crate::system::System;
use crate::task::{Pending, TaskRef, kill};

/// The handle of a task. Dropping it leaves the task alone.
///
/// A task that panics ends the run, unless somebody joins it.
pub struct JoinHandle<S: System, T> {
    core: Rc<Core<S>>,
    task: TaskRef,
    result: Rc<RefCell<Option<T>>>,
    /// Somebody has been told how the task ended.
    seen: bool,
}

/// Why a task returned nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Another task gave it up.
    #[error("the task was aborted")]
    Aborted,
    /// It panicked, with this message.
    #[error("the task panicked: {0}")]
    Panicked(String),
    /// It crashed, or its host did.
    #[error("the task crashed")]
    Crashed,
}

impl<S: System, T: 'static> JoinHandle<S, T> {
    pub(crate) fn new(
        core: Rc<Core<S>>,
        task: TaskRef,
        result: Rc<RefCell<Option<T>>>,
    ) -> JoinHandle<S, T> {
        JoinHandle {
            core,
            task,
            result,
            seen: false,
        }
    }

    /// Wraps a future so that its result waits for the handle.
    pub(crate) fn keep_result(
        future: impl Future<Output = T> + 'static,
    ) -> (Rc<RefCell<Option<T>>>, impl Future<Output = ()> + 'static) {
        let result = Rc::new(RefCell::new(None));
        let keep = Rc::clone(&result);
        (result, async move {
            let value = future.await;
            *keep.borrow_mut() = Some(value);
        })
    }

    /// The number of the task.
    pub fn task(&self) -> TaskId {
        self.task.id
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        let state = self.core.state.borrow();
        state.slot(self.task).is_some_and(|slot| slot.ended)
    }

    /// Ends the task where it waits; its guards are released.
    pub fn abort(&self) {
        kill(&self.core, &[self.task], &TaskEnding::Aborted);
    }

    /// Waits for the end of the task: what it returned.
    ///
    /// # Errors
    /// If it was aborted, panicked or crashed.
    pub async fn join(mut self) -> Result<T, JoinError> {
        if !self.is_finished() {
            let wait = JoinWait::begin(&self);
            poll_fn(|_| {
                if self.is_finished() {
                    Poll::Ready(())
                } else {
                    wait.pending()
                }
            })
            .await;
        }
        self.seen = true;
        match self.ending() {
            Some(TaskEnding::Panicked(message)) => Err(JoinError::Panicked(message)),
            Some(TaskEnding::Aborted) => Err(JoinError::Aborted),
            Some(TaskEnding::Crashed) => Err(JoinError::Crashed),
            Some(TaskEnding::Returned) | None => {
                self.result.borrow_mut().take().ok_or(JoinError::Aborted)
            }
        }
    }

    fn ending(&self) -> Option<TaskEnding> {
        self.core
            .state
            .borrow()
            .slot(self.task)
            .and_then(|slot| slot.fate.clone())
    }
}

impl<S: System, T> Drop for JoinHandle<S, T> {
    fn drop(&mut self) {
        self.core.state.borrow_mut().unobserve(self.task, self.seen);
    }
}

/// One task waiting for another; taken back if it stops waiting before the other ends.
struct JoinWait<S: System> {
    core: Rc<Core<S>>,
    waiter: TaskRef,
    on: TaskRef,
}

impl<S: System> JoinWait<S> {
    fn begin<T>(handle: &JoinHandle<S, T>) -> JoinWait<S> {
        let mut state = handle.core.state.borrow_mut();
        let waiter = state.current();
        if let Some(slot) = state.slot_mut(handle.task) {
            slot.joiners.push(waiter);
        }
        let slot = state.current_slot();
        let (actor, breakable) = (slot.actor, slot.timeouts > 0);
        let blocked = JoinBlocked {
            task: waiter.id,
            on: handle.task.id,
            breakable,
        };
        let cause = state.cause;
        let blocked = state.append_kernel(actor, cause, blocked);
        note_cycle(&mut state, actor, waiter.id, blocked);
        JoinWait {
            core: Rc::clone(&handle.core),
            waiter,
            on: handle.task,
        }
    }

    fn pending(&self) -> Poll<()> {
        let mut state = self.core.state.borrow_mut();
        if let Some(name) = state.slot(self.on).map(|slot| slot.name.clone()) {
            state.current_slot().pending = Pending::Join(name);
        }
        Poll::Pending
    }
}

impl<S: System> Drop for JoinWait<S> {
    fn drop(&mut self) {
        let mut state = self.core.state.borrow_mut();
        let Some(slot) = state.slot_mut(self.on).filter(|slot| !slot.ended) else {
            return;
        };
        slot.joiners.retain(|joiner| *joiner != self.waiter);
        let Some(actor) = state.slot(self.waiter).map(|slot| slot.actor) else {
            return;
        };
        let abandoned = JoinAbandoned {
            task: self.waiter.id,
            on: self.on.id,
        };
        let cause = state.cause;
        state.append_kernel(actor, cause, abandoned);
        note_escape(&mut state, actor, self.waiter.id);
    }
}
