//! Deadlines of the running task; cancelled when dropped.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::executor::{Core, State, Wake};
use crate::id::Time;
use crate::system::System;
use crate::task::Pending;
use crate::timers::TimerKey;

/// When a sleep ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// A span after it begins.
    After(Duration),
    /// At an instant.
    At(Time),
}

/// A task doing nothing until a deadline.
pub(crate) struct Sleep<'a, S: System> {
    core: &'a Core<S>,
    until: Until,
    /// The timer, while it runs.
    key: Option<TimerKey>,
}

impl<'a, S: System> Sleep<'a, S> {
    pub(crate) fn new(core: &'a Core<S>, until: Until) -> Sleep<'a, S> {
        Sleep {
            core,
            until,
            key: None,
        }
    }
}

impl<S: System> Future for Sleep<'_, S> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let mut state = self.core.state.borrow_mut();
        let key = match self.key {
            Some(key) => key,
            None => {
                let deadline = match self.until {
                    Until::After(span) => state.now + span,
                    Until::At(deadline) => deadline,
                };
                set(&mut state, deadline)
            }
        };
        if state.timers.is_pending(key) {
            state.current_slot().pending = Pending::Other("a timer");
            drop(state);
            self.key = Some(key);
            Poll::Pending
        } else {
            drop(state);
            self.key = None;
            Poll::Ready(())
        }
    }
}

impl<S: System> Drop for Sleep<'_, S> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.core.state.borrow_mut().timers.cancel(key);
        }
    }
}

/// A limit that something else runs under.
pub(crate) struct Timer<S: System> {
    core: Rc<Core<S>>,
    deadline: Time,
    key: TimerKey,
}

impl<S: System> Timer<S> {
    pub(crate) fn set(core: &Rc<Core<S>>, deadline: Time) -> Timer<S> {
        let key = set(&mut core.state.borrow_mut(), deadline);
        Timer {
            core: Rc::clone(core),
            deadline,
            key,
        }
    }

    /// Whether the deadline has come, even if other things happen first at that instant.
    pub(crate) fn is_due(&self) -> bool {
        self.core.state.borrow().now >= self.deadline
    }
}

impl<S: System> Drop for Timer<S> {
    fn drop(&mut self) {
        self.core.state.borrow_mut().timers.cancel(self.key);
    }
}

/// Sets a timer that wakes the running task.
#[inline]
fn set<S: System>(state: &mut State<S>, deadline: Time) -> TimerKey {
    let wake = Wake {
        task: state.current(),
        cause: state.cause,
        float: state.float_now.after(deadline.since(state.now)),
    };
    state.timers.set(deadline, wake)
}
