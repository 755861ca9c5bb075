//! The one door through which simulated code meets time, chance, others and the outside.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use crate::chance::{UNIT_BOUND, unit_from};
use crate::event::Body;
use crate::executor::{Core, State};
use crate::id::{ActorId, Seq, TaskId, Time};
use crate::name::Name;
use crate::panic_message::panic_message;
use crate::port::Port;
use crate::sync::call::Call;
use crate::sync::join::JoinHandle;
use crate::sync::timer::{Sleep, Timer, Until};
use crate::system::System;
use crate::task::{NewTask, Pending, TaskRef, cut_off};

/// The voice of one actor inside a run. Cheap to clone; works in whatever task it is used.
pub struct Ctx<S: System> {
    pub(crate) core: Rc<Core<S>>,
    pub(crate) actor: ActorId,
}

impl<S: System> Clone for Ctx<S> {
    fn clone(&self) -> Ctx<S> {
        Ctx {
            core: Rc::clone(&self.core),
            actor: self.actor,
        }
    }
}

/// The limit of a [`timeout`](Ctx::timeout) was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time limit was reached")]
pub struct Elapsed;

impl<S: System> Ctx<S> {
    // Events.

    /// Appends an event of the system's own, applies it, and goes on. Never yields.
    #[inline]
    pub fn emit(&self, event: impl Into<S::Event>) -> Seq {
        self.act(|state| state.emit(self.actor, Body::Domain(event.into())))
            .unwrap_or_default()
    }

    /// Does something that leaves a trace in the log. If the run has ended, or this task's host
    /// has crashed, at that event or before, the task is cut off here; code that runs because
    /// the task is being dropped gets none.
    #[inline]
    fn act<T>(&self, what: impl FnOnce(&mut State<S>) -> T) -> Option<T> {
        let mut state = self.core.state.borrow_mut();
        let done = if state.is_cut_off() {
            None
        } else {
            Some(what(&mut state))
        };
        if state.is_cut_off() {
            drop(state);
            cut_off();
        }
        done
    }

    /// Does in one go what somebody does who is not on this task's host, such as a store or an
    /// exchange that is called directly: if the host crashes at an event of it, that somebody
    /// still does the rest, and the task is cut off after it.
    pub fn elsewhere<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = std::mem::replace(&mut self.core.state.borrow_mut().elsewhere, true);
        let done = work();
        let mut state = self.core.state.borrow_mut();
        state.elsewhere = before;
        if state.is_cut_off() {
            drop(state);
            cut_off();
        }
        done
    }

    /// The event from which what happens next in this task will be said to follow.
    #[inline]
    pub fn cause(&self) -> Option<Seq> {
        self.core.state.borrow().cause
    }

    /// Says from which event what happens next in this task follows.
    #[inline]
    pub fn set_cause(&self, cause: Option<Seq>) {
        self.core.state.borrow_mut().cause = cause;
    }

    /// The same context speaking for another actor; a new name is announced in the log.
    pub fn actor(&self, name: impl Into<Name>) -> Ctx<S> {
        let actor = self.act(|state| state.actor(name));
        Ctx {
            core: Rc::clone(&self.core),
            actor: actor.unwrap_or(self.actor),
        }
    }

    // Time.

    /// Virtual time: monotone, and the same for everybody.
    #[inline]
    pub fn now(&self) -> Time {
        self.core.state.borrow().now
    }

    /// The wall clock as this run sees it: nanoseconds since 1970-01-01T00:00:00Z.
    pub fn wall_unix_ns(&self) -> i64 {
        let state = self.core.state.borrow();
        let elapsed = i64::try_from(state.now.as_nanos()).unwrap_or(i64::MAX);
        let wall = state.start_unix_ns.saturating_add(elapsed);
        wall.saturating_add(state.wall_ahead)
    }

    /// The wall clock at the start of the run: nanoseconds since 1970-01-01T00:00:00Z.
    pub fn start_unix_ns(&self) -> i64 {
        self.core.state.borrow().start_unix_ns
    }

    /// Waits for a span of virtual time. Even a span of zero lets everybody else go first.
    pub async fn sleep(&self, span: Duration) {
        Sleep::new(&self.core, Until::After(span)).await;
    }

    /// Waits until an instant of virtual time.
    pub async fn sleep_until(&self, deadline: Time) {
        Sleep::new(&self.core, Until::At(deadline)).await;
    }

    /// Gives a future a limit in virtual time; at exactly the limit, the limit wins.
    ///
    /// # Errors
    /// [`Elapsed`] if the limit came first; the future is dropped then.
    pub async fn timeout<F: Future>(
        &self,
        span: Duration,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        let mut future = std::pin::pin!(future);
        let timer = Timer::set(&self.core, self.now() + span);
        poll_fn(|context| {
            if timer.is_due() {
                return Poll::Ready(Err(Elapsed));
            }
            self.core.state.borrow_mut().current_slot().timeouts += 1;
            let polled = future.as_mut().poll(context);
            self.core.state.borrow_mut().current_slot().timeouts -= 1;
            polled.map(Ok)
        })
        .await
    }

    /// Gives a future whose panic is its own affair, not that of the task around it.
    ///
    /// # Errors
    /// What it said when it panicked; the future is dropped then.
    pub fn catch_panic<F: Future>(
        &self,
        future: F,
    ) -> impl Future<Output = Result<F::Output, String>> {
        // Moved to the heap at once: kept in a future of its own it would be copied from one to
        // the next.
        let mut future = Box::pin(future);
        poll_fn(move |context| {
            let timeouts = self.core.state.borrow_mut().current_slot().timeouts;
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                Ok(polled) => polled.map(Ok),
                // The end of the run, or of the host, goes all the way up.
                Err(cut) if self.core.state.borrow().halted => resume_unwind(cut),
                Err(panic) => {
                    self.core.state.borrow_mut().current_slot().timeouts = timeouts;
                    Poll::Ready(Err(panic_message(panic.as_ref())))
                }
            }
        })
    }

    /// Waits as a server does that nobody may ever ask again: if nothing but such waits is left, the
    /// run is complete and not stalled. So is every wait for an item of an inbox.
    pub async fn at_rest<F: Future>(&self, wait: F) -> F::Output {
        let mut wait = std::pin::pin!(wait);
        poll_fn(|context| {
            let polled = wait.as_mut().poll(context);
            if polled.is_pending() {
                self.core.state.borrow_mut().current_slot().pending = Pending::Rest;
            }
            polled
        })
        .await
    }

    /// Lets every other task that could run go first.
    pub async fn yield_now(&self) {
        let mut yielded = false;
        poll_fn(|_| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            let mut state = self.core.state.borrow_mut();
            let current = state.current();
            state.wake(current);
            Poll::Pending
        })
        .await;
    }

    // Tasks.

    /// The task that is running.
    pub fn task(&self) -> TaskId {
        self.core.state.borrow().current().id
    }

    /// Starts a task on the same host. Its handle tells how it ended, and what it returned.
    pub fn spawn<T: 'static>(
        &self,
        name: impl Into<Name>,
        future: impl Future<Output = T> + 'static,
    ) -> JoinHandle<S, T> {
        self.start(name.into(), false, future)
    }

    /// Starts a task that serves for as long as others work; no run waits for its end.
    pub fn spawn_daemon<T: 'static>(
        &self,
        name: impl Into<Name>,
        future: impl Future<Output = T> + 'static,
    ) -> JoinHandle<S, T> {
        self.start(name.into(), true, future)
    }

    fn start<T: 'static>(
        &self,
        name: Name,
        daemon: bool,
        future: impl Future<Output = T> + 'static,
    ) -> JoinHandle<S, T> {
        // On the heap before anything is wrapped around it, so that it is moved once.
        let (result, future) = JoinHandle::<S, T>::keep_result(Box::pin(future));
        let task = self.act(|state| {
            let task = NewTask {
                name,
                actor: self.actor,
                host: state.current_slot().host,
                daemon,
                observed: true,
            };
            state.start_task(task, Box::pin(future))
        });
        JoinHandle::new(Rc::clone(&self.core), task.unwrap_or(TaskRef::NONE), result)
    }

    // Chance.

    /// A number in `0..bound` from this actor's stream for a purpose; an input of the run.
    pub fn random(&self, purpose: &'static str, bound: u64) -> u64 {
        self.act(|state| state.draw(self.actor, purpose, bound))
            .unwrap_or_default()
    }

    /// A number in `0.0..1.0` from this actor's stream for a purpose; an input of the run.
    pub fn random_unit(&self, purpose: &'static str) -> f64 {
        unit_from(self.random(purpose, UNIT_BOUND))
    }

    /// Whether chance is let in at this place. Off unless the run's faults name the door.
    pub fn buggify(&self, door: &'static str) -> bool {
        self.fault(door).is_some()
    }

    /// Whether chance is let in at this place, and how much of it: what the value stands for is
    /// said where the system describes its faults. Off unless the run's faults name the door.
    #[inline]
    pub fn fault(&self, door: &'static str) -> Option<u64> {
        self.act(|state| {
            let fault = state.opens(self.actor, door)?;
            let value = fault.value;
            state.emit(self.actor, Body::Kernel(fault.into()));
            Some(value)
        })
        .flatten()
    }

    /// Whether a fault that lasts is let in at this place, and when it is over: its value is for how
    /// many seconds it lasts from now on. It does not outlast the part of the run in which things go
    /// wrong.
    pub fn lasting_fault(&self, door: &'static str) -> Option<Time> {
        let seconds = self.fault(door)?;
        let state = self.core.state.borrow();
        Some(state.doors.end_of(state.now, seconds))
    }

    /// Takes a fault into the log that nobody planned: `real` is what really went wrong, if anything
    /// did, where something real is in use while a run is recorded. A replay, which has nothing real,
    /// is told what the log says.
    pub fn real_fault(&self, door: &'static str, real: Option<u64>) -> Option<u64> {
        self.act(|state| {
            let fault = state.befalls(self.actor, door, real)?;
            let value = fault.value;
            state.emit(self.actor, Body::Kernel(fault.into()));
            Some(value)
        })
        .flatten()
    }

    // The outside.

    /// Asks the outside and waits for the answer, in this task.
    ///
    /// The request is an event whose role is [`Call`](crate::Role::Call), the answer one whose
    /// role is [`Answer`](crate::Role::Answer). Dropping the future cancels the call.
    pub async fn call(&self, port: Port, request: impl Into<S::Event>) -> S::Event {
        let call = Call::make(&self.core, self.actor, port, request.into());
        poll_fn(|_| call.poll_answer()).await
    }
}
