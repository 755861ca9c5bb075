//! Telling every task that waits that something has changed; nothing is remembered for later.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::ctx::Ctx;
use crate::name::Name;
use crate::system::System;
use crate::task::{Pending, TaskRef};

/// A change that tasks can wait for. Its name is what people see of it.
#[derive(Clone)]
pub struct Notify {
    name: Name,
    state: Rc<RefCell<State>>,
}

#[derive(Default)]
struct State {
    changes: u64,
    waiters: Vec<TaskRef>,
}

impl Notify {
    /// A change that has not happened.
    pub fn new(name: impl Into<Name>) -> Notify {
        Notify {
            name: name.into(),
            state: Rc::default(),
        }
    }

    /// Wakes every task that waits now, in the order in which they began to.
    pub fn notify<S: System>(&self, ctx: &Ctx<S>) {
        let waiters = {
            let mut state = self.state.borrow_mut();
            state.changes += 1;
            std::mem::take(&mut state.waiters)
        };
        let mut kernel = ctx.core.state.borrow_mut();
        if kernel.halted {
            return;
        }
        waiters.into_iter().for_each(|waiter| kernel.wake(waiter));
    }

    /// Waits for the next change.
    pub async fn wait<S: System>(&self, ctx: &Ctx<S>) {
        let seen = self.state.borrow().changes;
        poll_fn(|_| {
            let mut state = self.state.borrow_mut();
            if state.changes != seen {
                return Poll::Ready(());
            }
            let mut kernel = ctx.core.state.borrow_mut();
            let me = kernel.current();
            if !state.waiters.contains(&me) {
                state.waiters.push(me);
            }
            kernel.current_slot().pending = Pending::Channel(self.name.clone());
            Poll::Pending
        })
        .await;
    }
}
