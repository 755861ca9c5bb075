//! A step of a task: which comes next, and how far it gets.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::{BoxFuture, Slot, TaskRef, UNSEEN, drop_future};
use crate::executor::{Core, State};
use crate::id::{ActorId, Seq};
use crate::journal::Journal;
use crate::kernel_event::{Choice, KernelEvent, TaskEnding};
use crate::panic_message::panic_message;
use crate::system::System;

impl<S: System> State<S> {
    /// The task to run next, taken out of the queue; a choice among several is an input.
    /// None also if the run stops here, or the chosen task crashes at the choice.
    #[inline]
    pub(crate) fn next_step(&mut self) -> Option<(TaskRef, BoxFuture)> {
        loop {
            let task = match self.ready.len() {
                0 => return None,
                1 => self.ready.pop_front()?,
                of => self.choose(of)?,
            };
            self.steps_at_instant += 1;
            if self.steps_at_instant > self.budgets.events_at_one_instant {
                self.too_much_at_once();
                return None;
            }
            let Some(slot) = self.slot_mut(task) else {
                continue;
            };
            slot.queued = false;
            slot.pending = UNSEEN;
            let Some(future) = slot.future.take() else {
                continue;
            };
            self.cause = slot.cause;
            self.current = Some(task);
            return Some((task, future));
        }
    }

    fn choose(&mut self, of: usize) -> Option<TaskRef> {
        let index = if let Journal::Verify(verifier) = &mut self.journal {
            match verifier.peek_kernel() {
                Some(KernelEvent::Choice(choice)) => choice.index as usize,
                _ => 0,
            }
        } else {
            // The scheduler is asked in any case, so that it stands where it stood.
            let ready = &mut self.ready.iter().map(|task| task.id);
            let own = self.scheduler.choose(ready);
            let (seq, guide) = (Seq(self.next_seq), self.guide.as_mut());
            let recorded = guide.and_then(|guide| guide.choose(seq, self.now));
            recorded.unwrap_or(own)
        };
        let index = index.min(of - 1);
        let choice = Choice {
            of: of as u32,
            index: index as u32,
        };
        // What runs is settled before the event, at which the chosen task's host may crash.
        let chosen = self.ready.remove(index)?;
        self.append_kernel(ActorId::ENGINE, None, choice);
        let crashed = self.slot(chosen).is_some_and(|slot| slot.fate.is_some());
        (!crashed && self.stop.is_none()).then_some(chosen)
    }

    /// The step is over. Keeps the future of a task that goes on, or that a crash will drop;
    /// hands back that of a task that gave itself up, with what caused its end.
    #[inline]
    fn leave(
        &mut self,
        task: TaskRef,
        future: BoxFuture,
    ) -> Option<(BoxFuture, Option<Seq>, TaskEnding)> {
        let cause = self.cause.take();
        self.current = None;
        self.halted = self.stop.is_some();
        let slot = &mut self.slots[task.slot as usize];
        slot.cause = cause;
        match &slot.fate {
            None | Some(TaskEnding::Crashed) => {
                slot.future = Some(future);
                None
            }
            Some(ending) => Some((future, cause, ending.clone())),
        }
    }

    /// The step is over and the task done. None if it ends otherwise: its host crashed.
    fn done(&mut self, task: TaskRef, ending: TaskEnding) {
        let cause = self.cause.take();
        self.current = None;
        self.halted = self.stop.is_some();
        let crashed = |slot: &Slot| slot.fate == Some(TaskEnding::Crashed);
        if !self.slot(task).is_some_and(crashed) {
            self.end_task(task, cause, ending);
        }
    }
}

/// The panic that cuts a task off; it never leaves [`step`].
struct CutOff;

/// Cuts the running task off, right here. Nothing happens in code that runs because a task is
/// being dropped: that goes on to its end and leaves no trace.
#[cold]
pub(crate) fn cut_off() {
    if !std::thread::panicking() {
        resume_unwind(Box::new(CutOff));
    }
}

/// Runs a task until it blocks or ends.
#[inline]
pub(crate) fn step<S: System>(core: &Rc<Core<S>>, task: TaskRef, mut future: BoxFuture) {
    let mut context = Context::from_waker(Waker::noop());
    let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
    match polled {
        Ok(Poll::Pending) => {
            let over = core.state.borrow_mut().leave(task, future);
            if let Some((future, cause, ending)) = over {
                drop_future(future);
                core.state.borrow_mut().end_task(task, cause, ending);
            }
        }
        Ok(Poll::Ready(())) => {
            drop_future(future);
            core.state.borrow_mut().done(task, TaskEnding::Returned);
        }
        Err(panic) => {
            drop_future(future);
            let ending = TaskEnding::Panicked(panic_message(panic.as_ref()));
            core.state.borrow_mut().done(task, ending);
        }
    }
}
