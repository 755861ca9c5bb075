//! The table of tasks: starting and waking them. How one runs is in `step`, how it ends in `end`.
//!
//! One thread, no wakers: whatever can wake a task does so by its reference, in a fixed order.

mod end;
mod step;

use std::future::Future;
use std::pin::Pin;

use crate::executor::State;
use crate::id::{ActorId, HostId, Seq, TaskId};
use crate::kernel_event::{TaskEnding, TaskStarted, TimerFired};
use crate::name::Name;
use crate::system::System;
use crate::verdict::{Budget, Verdict};

pub(crate) use self::end::{bury, drop_future, kill};
pub(crate) use self::step::{cut_off, step};

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
}
