//! Locks and semaphores whose waits are seen: first come, first served, handed on directly.
//!
//! Taking a free lock neither yields nor leaves a trace in the log. A task that takes the same
//! lock twice waits for itself, as it would in production.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::ctx::Ctx;
use crate::executor::Core;
use crate::id::{LockId, TaskId};
use crate::kernel_event::{LockAbandoned, LockBlocked, LockGranted};
use crate::name::Name;
use crate::sync::cycle::{note_cycle, note_escape};
use crate::system::System;
use crate::task::{Pending, Slot, TaskRef, cut_off};

/// A number of permits; with one permit, a lock.
pub struct Semaphore<S: System> {
    inner: Rc<Inner<S>>,
}

impl<S: System> Clone for Semaphore<S> {
    fn clone(&self) -> Semaphore<S> {
        Semaphore {
            inner: Rc::clone(&self.inner),
        }
    }
}

struct Inner<S: System> {
    core: Rc<Core<S>>,
    id: LockId,
    name: Name,
    queue: RefCell<Queue>,
}

struct Queue {
    free: u32,
    holders: Vec<TaskId>,
    waiters: VecDeque<Rc<Ticket>>,
}

/// One wait: whose it is, and whether the permit has come.
struct Ticket {
    task: TaskRef,
    granted: Cell<bool>,
}

impl<S: System> Semaphore<S> {
    /// A semaphore with this many permits. Its name is what people see of it.
    pub fn new(ctx: &Ctx<S>, name: impl Into<Name>, permits: u32) -> Semaphore<S> {
        let mut state = ctx.core.state.borrow_mut();
        let id = LockId(state.next_lock);
        state.next_lock += 1;
        let queue = Queue {
            free: permits,
            holders: Vec::new(),
            waiters: VecDeque::new(),
        };
        let core = Rc::clone(&ctx.core);
        let inner = Inner {
            core,
            id,
            name: name.into(),
            queue: RefCell::new(queue),
        };
        Semaphore {
            inner: Rc::new(inner),
        }
    }

    /// Waits for a permit. It is returned when the guard is dropped.
    pub async fn acquire(&self) -> Permit<S> {
        let inner = &self.inner;
        if inner.core.state.borrow().halted {
            cut_off();
        }
        if let Some(holder) = inner.take_free() {
            return Permit {
                inner: Rc::clone(inner),
                holder,
            };
        }
        let wait = LockWait::begin(inner);
        poll_fn(|_| wait.poll_granted()).await;
        wait.into_permit()
    }

    /// The tasks that hold a permit now.
    pub fn holders(&self) -> Vec<TaskId> {
        self.inner.queue.borrow().holders.clone()
    }

    /// Whether the running task holds a permit now.
    pub fn is_held_by_me(&self) -> bool {
        let me = self.inner.core.state.borrow().current().id;
        self.inner.queue.borrow().holders.contains(&me)
    }
}

/// A held permit; dropping it hands the permit to whoever has waited longest.
///
/// It counts as held by the task that took it, even if it is given to another: whoever looks for
/// cycles of waits cannot see that. Let the task that uses it take it.
#[must_use = "a permit is returned as soon as its guard is dropped"]
pub struct Permit<S: System> {
    inner: Rc<Inner<S>>,
    holder: TaskId,
}

impl<S: System> Drop for Permit<S> {
    fn drop(&mut self) {
        self.inner.hand_on(self.holder);
    }
}

impl<S: System> Inner<S> {
    #[inline]
    fn take_free(&self) -> Option<TaskId> {
        let mut queue = self.queue.borrow_mut();
        if queue.free == 0 {
            return None;
        }
        let me = self.core.state.borrow().current().id;
        queue.free -= 1;
        queue.holders.push(me);
        Some(me)
    }

    fn hand_on(&self, from: TaskId) {
        let mut queue = self.queue.borrow_mut();
        let held = queue.holders.iter().position(|holder| *holder == from);
        let at = held.expect("a permit is returned once, by the guard that stands for it");
        let mut state = self.core.state.borrow_mut();
        while let Some(ticket) = queue.waiters.pop_front() {
            let alive = |slot: &&Slot| slot.fate.is_none();
            let Some(slot) = state.slot(ticket.task).filter(alive) else {
                continue;
            };
            let actor = slot.actor;
            queue.holders[at] = ticket.task.id;
            ticket.granted.set(true);
            let granted = LockGranted {
                task: ticket.task.id,
                lock: self.id,
                from,
            };
            let cause = state.cause;
            let seq = state.append_kernel(actor, cause, granted);
            state.wake_because(ticket.task, seq);
            return;
        }
        queue.holders.remove(at);
        queue.free += 1;
    }
}

/// A wait for a permit; taken back if the task stops waiting.
struct LockWait<S: System> {
    inner: Rc<Inner<S>>,
    ticket: Rc<Ticket>,
    taken: bool,
}

impl<S: System> LockWait<S> {
    fn begin(inner: &Rc<Inner<S>>) -> LockWait<S> {
        let mut queue = inner.queue.borrow_mut();
        let mut state = inner.core.state.borrow_mut();
        let task = state.current();
        let slot = state.current_slot();
        let (actor, breakable) = (slot.actor, slot.timeouts > 0);
        let blocked = LockBlocked {
            task: task.id,
            lock: inner.id,
            name: inner.name.clone(),
            holders: queue.holders.clone(),
            breakable,
        };
        let cause = state.cause;
        let blocked = state.append_kernel(actor, cause, blocked);
        note_cycle(&mut state, actor, task.id, blocked);
        let ticket = Rc::new(Ticket {
            task,
            granted: Cell::new(false),
        });
        queue.waiters.push_back(Rc::clone(&ticket));
        LockWait {
            inner: Rc::clone(inner),
            ticket,
            taken: false,
        }
    }

    fn poll_granted(&self) -> Poll<()> {
        if self.ticket.granted.get() {
            return Poll::Ready(());
        }
        let name = self.inner.name.clone();
        self.inner.core.state.borrow_mut().current_slot().pending = Pending::Lock(name);
        Poll::Pending
    }

    fn into_permit(mut self) -> Permit<S> {
        self.taken = true;
        Permit {
            inner: Rc::clone(&self.inner),
            holder: self.ticket.task.id,
        }
    }
}

impl<S: System> Drop for LockWait<S> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        if self.ticket.granted.get() {
            self.inner.hand_on(self.ticket.task.id);
            return;
        }
        self.inner
            .queue
            .borrow_mut()
            .waiters
            .retain(|other| !Rc::ptr_eq(other, &self.ticket));
        let mut state = self.inner.core.state.borrow_mut();
        let task = self.ticket.task;
        let Some(actor) = state.slot(task).map(|slot| slot.actor) else {
            return;
        };
        let cause = state.cause;
        state.append_kernel(
            actor,
            cause,
            LockAbandoned {
                task: task.id,
                lock: self.inner.id,
            },
        );
        note_escape(&mut state, actor, task.id);
    }
}

/// A lock: one holder at a time.
pub struct Lock<S: System>(Semaphore<S>);

impl<S: System> Clone for Lock<S> {
    fn clone(&self) -> Lock<S> {
        Lock(self.0.clone())
    }
}

impl<S: System> Lock<S> {
    /// A free lock. Its name is what people see of it.
    pub fn new(ctx: &Ctx<S>, name: impl Into<Name>) -> Lock<S> {
        Lock(Semaphore::new(ctx, name, 1))
    }

    /// Waits for the lock; it is released when the guard is dropped.
    pub async fn acquire(&self) -> Permit<S> {
        self.0.acquire().await
    }

    /// Whether the running task holds the lock now.
    pub fn is_held_by_me(&self) -> bool {
        self.0.is_held_by_me()
    }
}
