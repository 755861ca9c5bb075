//! A bounded queue between tasks, in memory: its messages leave no trace in the log.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::ctx::Ctx;
use crate::id::Seq;
use crate::name::Name;
use crate::system::System;
use crate::task::{Pending, TaskRef, cut_off};

/// A channel that holds at most `capacity` messages; its name is what people see of it.
///
/// # Panics
/// If the capacity is zero: nothing could ever be sent.
pub fn channel<S: System, T>(
    ctx: &Ctx<S>,
    name: impl Into<Name>,
    capacity: usize,
) -> (Sender<S, T>, Receiver<S, T>) {
    assert!(
        capacity > 0,
        "a channel needs room for at least one message"
    );
    let queue = Rc::new(RefCell::new(Queue {
        name: name.into(),
        messages: VecDeque::new(),
        capacity,
        receiver: None,
        senders: VecDeque::new(),
        next_wait: 0,
        open_senders: 1,
        open_receiver: true,
    }));
    let sender = Sender {
        ctx: ctx.clone(),
        queue: Rc::clone(&queue),
    };
    (
        sender,
        Receiver {
            ctx: ctx.clone(),
            queue,
        },
    )
}

struct Queue<T> {
    name: Name,
    messages: VecDeque<(Option<Seq>, T)>,
    capacity: usize,
    receiver: Option<TaskRef>,
    /// Waits of senders for room, each by its number, in order.
    senders: VecDeque<(u64, TaskRef)>,
    next_wait: u64,
    open_senders: usize,
    open_receiver: bool,
}

impl<T> Queue<T> {
    fn has_room(&self) -> bool {
        self.messages.len() < self.capacity
    }
}

/// The end that messages go in at.
pub struct Sender<S: System, T> {
    ctx: Ctx<S>,
    queue: Rc<RefCell<Queue<T>>>,
}

/// The end that messages come out at.
pub struct Receiver<S: System, T> {
    ctx: Ctx<S>,
    queue: Rc<RefCell<Queue<T>>>,
}

/// A message that found no room, or nobody to take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError<T> {
    /// The channel is full.
    Full(T),
    /// The receiver is gone.
    Closed(T),
}

impl<S: System, T> Sender<S, T> {
    /// Puts a message in if there is room.
    ///
    /// # Errors
    /// With the message, if the channel is full or the receiver gone.
    pub fn try_send(&self, message: T) -> Result<(), SendError<T>> {
        let mut queue = self.queue.borrow_mut();
        if !queue.open_receiver {
            return Err(SendError::Closed(message));
        }
        if !queue.has_room() {
            return Err(SendError::Full(message));
        }
        let mut state = self.ctx.core.state.borrow_mut();
        if state.halted {
            drop((queue, state));
            cut_off();
            return Err(SendError::Closed(message));
        }
        queue.messages.push_back((state.cause, message));
        if let Some(receiver) = queue.receiver.take() {
            state.wake(receiver);
        }
        Ok(())
    }

    /// Waits for room and puts a message in.
    ///
    /// # Errors
    /// With the message, if the receiver is gone.
    pub async fn send(&self, message: T) -> Result<(), SendError<T>> {
        let message = match self.try_send(message) {
            Err(SendError::Full(message)) => message,
            done => return done,
        };
        self.send_later(message).await
    }

    async fn send_later(&self, message: T) -> Result<(), SendError<T>> {
        let mut message = Some(message);
        let mut wait = None;
        poll_fn(|_| {
            let Some(unsent) = message.take() else {
                return Poll::Ready(Ok(()));
            };
            match self.try_send(unsent) {
                Err(SendError::Full(unsent)) => {
                    message = Some(unsent);
                    wait.get_or_insert_with(|| SendWait::begin(self)).line_up();
                    Poll::Pending
                }
                done => Poll::Ready(done),
            }
        })
        .await
    }
}

/// A sender that waits for room. If it goes away after it was woken and before it took the
/// room, the next one in line is woken instead.
struct SendWait<'a, S: System, T> {
    sender: &'a Sender<S, T>,
    number: u64,
}

impl<'a, S: System, T> SendWait<'a, S, T> {
    fn begin(sender: &'a Sender<S, T>) -> SendWait<'a, S, T> {
        let mut queue = sender.queue.borrow_mut();
        let number = queue.next_wait;
        queue.next_wait += 1;
        SendWait { sender, number }
    }

    fn line_up(&self) {
        let mut queue = self.sender.queue.borrow_mut();
        let mut state = self.sender.ctx.core.state.borrow_mut();
        let me = state.current();
        if !queue
            .senders
            .iter()
            .any(|(number, _)| *number == self.number)
        {
            queue.senders.push_back((self.number, me));
        }
        state.current_slot().pending = Pending::Channel(queue.name.clone());
    }
}

impl<S: System, T> Drop for SendWait<'_, S, T> {
    fn drop(&mut self) {
        let mut queue = self.sender.queue.borrow_mut();
        queue.senders.retain(|(number, _)| *number != self.number);
        if queue.has_room()
            && let Some((_, next)) = queue.senders.pop_front()
        {
            self.sender.ctx.core.state.borrow_mut().wake(next);
        }
    }
}

impl<S: System, T> Receiver<S, T> {
    /// Waits for a message; none once every sender is gone and the channel is empty.
    ///
    /// What the task does next follows from what its sender did before.
    #[inline]
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|_| {
            let mut queue = self.queue.borrow_mut();
            let mut state = self.ctx.core.state.borrow_mut();
            if state.halted {
                drop((queue, state));
                cut_off();
                return Poll::Pending;
            }
            match queue.messages.pop_front() {
                Some((cause, message)) => {
                    if let Some((_, sender)) = queue.senders.pop_front() {
                        state.wake(sender);
                    }
                    state.cause = cause;
                    Poll::Ready(Some(message))
                }
                None if queue.open_senders == 0 => Poll::Ready(None),
                None => {
                    queue.receiver = Some(state.current());
                    state.current_slot().pending = Pending::Channel(queue.name.clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.queue.borrow().messages.len()
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<S: System, T> Clone for Sender<S, T> {
    fn clone(&self) -> Sender<S, T> {
        self.queue.borrow_mut().open_senders += 1;
        Sender {
            ctx: self.ctx.clone(),
            queue: Rc::clone(&self.queue),
        }
    }
}

impl<S: System, T> Drop for Sender<S, T> {
    fn drop(&mut self) {
        let mut queue = self.queue.borrow_mut();
        queue.open_senders -= 1;
        if queue.open_senders == 0
            && let Some(receiver) = queue.receiver.take()
        {
            self.ctx.core.state.borrow_mut().wake(receiver);
        }
    }
}

impl<S: System, T> Drop for Receiver<S, T> {
    fn drop(&mut self) {
        let mut queue = self.queue.borrow_mut();
        queue.open_receiver = false;
        let mut state = self.ctx.core.state.borrow_mut();
        while let Some((_, sender)) = queue.senders.pop_front() {
            state.wake(sender);
        }
    }
}
