//! The table of tasks: starting, waking, stepping and ending them.
//!
//! One thread, no wakers: whatever can wake a task does so by its reference, in a fixed order.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::executor::{Core, State};
use crate::id::{ActorId, HostId, Seq, TaskId};
use crate::journal::Journal;
use crate::kernel_event::{Choice, KernelEvent, TaskEnded, TaskEnding, TaskStarted, TimerFired};
use crate::name::Name;
use crate::panic_message::panic_message;
use crate::system::System;
use crate::verdict::{Budget, Panicked, Verdict, Waiting};

/// A task's future.
pub(crate) type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

/// A task, by its place in the table and its number, so that a reused place is not mistaken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskRef {
    pub(crate) slot: u32,
    pub(crate) id: TaskId,
}

impl TaskRef {
    /// No task at all.
    pub(crate) const NONE: TaskRef = TaskRef {
        slot: u32::MAX,
        id: TaskId(u64::MAX),
    };
}

/// What a task was last seen waiting for, for the report of a stall.
#[derive(Clone, Debug)]
pub(crate) enum Pending {
    /// Time to pass, an answer, or something that the kernel does not see.
    Other(&'static str),
    /// A lock or a semaphore.
    Lock(Name),
    /// The end of another task.
    Join(Name),
    /// A channel.
    Channel(Name),
    /// What need never come: an item of a feed, a wish of somebody whom it serves.
    Rest,
}

/// What a task waits for that did not say.
const UNSEEN: Pending = Pending::Other("something that the kernel does not see");

/// One task.
pub(crate) struct Slot {
    pub(crate) id: TaskId,
    pub(crate) name: Name,
    pub(crate) actor: ActorId,
    pub(crate) host: HostId,
    pub(crate) cause: Option<Seq>,
    /// Absent while the task runs and after its end.
    future: Option<BoxFuture>,
    pub(crate) queued: bool,
    /// Runs for as long as the others do; nobody waits for its end.
    daemon: bool,
    /// Somebody holds the handle and will see how it ended.
    observed: bool,
    /// How the task ends, as soon as that is certain: it is not woken any more.
    pub(crate) fate: Option<TaskEnding>,
    /// Its end is in the log.
    pub(crate) ended: bool,
    /// How many timeouts enclose what it is doing.
    pub(crate) timeouts: u32,
    pub(crate) pending: Pending,
    pub(crate) joiners: Vec<TaskRef>,
}

/// What is said of a task when it is started.
pub(crate) struct NewTask {
    pub(crate) name: Name,
    pub(crate) actor: ActorId,
    pub(crate) host: HostId,
    pub(crate) daemon: bool,
    pub(crate) observed: bool,
}

impl<S: System> State<S> {
    #[inline]
    pub(crate) fn slot(&self, task: TaskRef) -> Option<&Slot> {
        self.slots
            .get(task.slot as usize)
            .filter(|slot| slot.id == task.id)
    }

    #[inline]
    pub(crate) fn slot_mut(&mut self, task: TaskRef) -> Option<&mut Slot> {
        self.slots
            .get_mut(task.slot as usize)
            .filter(|slot| slot.id == task.id)
    }

    /// The task whose step this is.
    #[inline]
    pub(crate) fn current(&self) -> TaskRef {
        self.current
            .expect("simulated code runs in a task: do this in a host's own async function")
    }

    /// The table entry of the running task.
    #[inline]
    pub(crate) fn current_slot(&mut self) -> &mut Slot {
        let current = self.current();
        &mut self.slots[current.slot as usize]
    }

    // Starting and waking.

    /// Adds a task at the back of the ready queue.
    pub(crate) fn start_task(&mut self, task: NewTask, future: BoxFuture) -> TaskRef {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        let started = TaskStarted {
            task: id,
            name: task.name.clone(),
            host: task.host,
            parent: self.current.map(|task| task.id),
        };
        let (actor, daemon) = (task.actor, task.daemon);
        let at = self.place(Slot {
            id,
            name: task.name,
            actor,
            host: task.host,
            cause: None,
            future: Some(future),
            queued: true,
            daemon,
            observed: task.observed,
            fate: None,
            ended: false,
            timeouts: 0,
            pending: UNSEEN,
            joiners: Vec::new(),
        });
        let task = TaskRef { slot: at, id };
        self.ready.push_back(task);
        self.alive += 1;
        self.working += u64::from(!daemon);
        let cause = self.append_kernel(actor, self.cause, started);
        self.slots[at as usize].cause = Some(cause);
        if self.alive > self.budgets.tasks {
            self.end_with(Verdict::Exhausted(Budget::Tasks(self.budgets.tasks)));
        }
        task
    }

    fn place(&mut self, slot: Slot) -> u32 {
        match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// Puts a task at the back of the ready queue, unless it is there or will not run again.
    #[inline]
    pub(crate) fn wake(&mut self, task: TaskRef) {
        if let Some(slot) = self.slots.get_mut(task.slot as usize)
            && slot.id == task.id
            && !slot.queued
            && slot.fate.is_none()
        {
            slot.queued = true;
            self.ready.push_back(task);
        }
    }

    /// Wakes a task because of an event.
    #[inline]
    pub(crate) fn wake_because(&mut self, task: TaskRef, cause: Seq) {
        if let Some(slot) = self.slots.get_mut(task.slot as usize)
            && slot.id == task.id
        {
            slot.cause = Some(cause);
            if !slot.queued && slot.fate.is_none() {
                slot.queued = true;
                self.ready.push_back(task);
            }
        }
    }

    /// A timer of a task has come due.
    #[inline]
    pub(crate) fn fire(&mut self, task: TaskRef, cause: Option<Seq>) {
        let Some(slot) = self.slot(task) else { return };
        let seq = self.append_kernel(slot.actor, cause, TimerFired { task: task.id });
        self.wake_because(task, seq);
    }

    /// The tasks that have not ended and fit, oldest first.
    pub(crate) fn tasks_where(&self, wanted: impl Fn(&Slot) -> bool) -> Vec<TaskRef> {
        let mut tasks: Vec<TaskRef> = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| !slot.ended && wanted(slot))
            .map(|(at, slot)| TaskRef {
                slot: at as u32,
                id: slot.id,
            })
            .collect();
        tasks.sort_by_key(|task| task.id);
        tasks
    }

    // Ending.

    /// Decides how a task ends. The running task ends after its step; of any other, the future
    /// is handed out, to be dropped once nothing is borrowed.
    fn doom(&mut self, task: TaskRef, ending: TaskEnding) -> Option<BoxFuture> {
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
    fn end_task(&mut self, task: TaskRef, cause: Option<Seq>, ending: TaskEnding) {
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

    // Steps.

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
