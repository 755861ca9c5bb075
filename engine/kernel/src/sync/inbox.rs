//! Where the items of a feed wait for the task that takes them.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::ctx::Ctx;
use crate::id::Seq;
use crate::outside::Waiting;
use crate::system::System;
use crate::task::Pending;

/// The receiving end of a feed.
pub struct Inbox<S: System> {
    pub(crate) waiting: Rc<RefCell<Waiting<S::Event>>>,
}

impl<S: System> Clone for Inbox<S> {
    fn clone(&self) -> Inbox<S> {
        Inbox {
            waiting: Rc::clone(&self.waiting),
        }
    }
}

impl<S: System> Inbox<S> {
    /// Waits for the next item: the event by which it arrived, and its place in the log.
    ///
    /// What the task does next follows from that event.
    pub async fn recv(&self, ctx: &Ctx<S>) -> (Seq, S::Event) {
        poll_fn(|_| {
            let mut waiting = self.waiting.borrow_mut();
            let mut state = ctx.core.state.borrow_mut();
            match waiting.items.pop_front() {
                Some((seq, event)) => {
                    state.cause = Some(seq);
                    Poll::Ready((seq, event))
                }
                None => {
                    waiting.reader = Some(state.current());
                    state.current_slot().pending = Pending::Rest;
                    Poll::Pending
                }
            }
        })
        .await
    }
}
