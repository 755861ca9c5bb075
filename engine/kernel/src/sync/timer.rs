//! A deadline of the running task; cancelled when dropped.

use std::rc::Rc;
use std::task::Poll;

use crate::executor::{Core, Target};
use crate::id::Time;
use crate::system::System;
use crate::task::Pending;
use crate::timers::TimerKey;

pub(crate) struct Timer<S: System> {
    core: Rc<Core<S>>,
    deadline: Time,
    key: TimerKey,
}

impl<S: System> Timer<S> {
    pub(crate) fn set(core: &Rc<Core<S>>, deadline: Time) -> Timer<S> {
        let mut state = core.state.borrow_mut();
        let target = Target::Wake(state.current(), state.cause);
        let key = state.timers.set(deadline, target);
        Timer {
            core: Rc::clone(core),
            deadline,
            key,
        }
    }

    /// Whether the timer has fired.
    pub(crate) fn poll_fired(&self) -> Poll<()> {
        let mut state = self.core.state.borrow_mut();
        if state.timers.is_pending(self.key) {
            state.current_slot().pending = Pending::Other("a timer");
            Poll::Pending
        } else {
            Poll::Ready(())
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
