//! The event up to which a run goes as recorded, and what is another one there.

use std::rc::Rc;

use super::guide::{Answered, Item};
use super::recorded::{RecordedCall, RecordedItem};
use crate::event::{Body, Event, EventSet};
use crate::fork::{Change, Fork, Recording};
use crate::id::{ActorId, Seq};
use crate::journal::{Divergence, JournalError};
use crate::kernel_event::{FaultInjected, KernelEvent};
use crate::port::Answer;

/// Where a fork leaves its recording.
pub(super) struct Point<E> {
    recording: Rc<Recording<E>>,
    fork: Fork<E>,
    scratch: Vec<u8>,
}

impl<E: EventSet> Point<E> {
    pub(super) fn new(recording: Rc<Recording<E>>, fork: Fork<E>) -> Point<E> {
        Point {
            recording,
            fork,
            scratch: Vec::new(),
        }
    }

    pub(super) fn at(&self) -> Seq {
        self.fork.at
    }

    /// Before the fork an event is the recorded one.
    pub(super) fn compare(&mut self, event: &Event<E>) -> Result<(), JournalError<E>> {
        if event.seq < self.fork.at && !self.recording.has(event, &mut self.scratch) {
            return Err(JournalError::Diverged(Box::new(Divergence {
                seq: event.seq,
                expected: self.recording.event(event.seq),
                actual: Some(event.clone()),
            })));
        }
        Ok(())
    }

    /// The recorded event that comes next.
    pub(super) fn next(&self, seq: Seq) -> Option<Event<E>> {
        self.recording.event(seq)
    }

    /// The kernel's own event that the change puts in place of the recorded one.
    pub(super) fn changed_kernel(&self) -> Option<&KernelEvent> {
        match &self.fork.change {
            Change::Says(Body::Kernel(event)) => Some(event),
            _ => None,
        }
    }

    /// The fault that is another one: for whom, at which door and question, with which value.
    pub(super) fn changed_fault(&self) -> Option<(ActorId, FaultInjected, Option<u64>)> {
        let event = self.recording.event(self.fork.at)?;
        let Some(KernelEvent::FaultInjected(fault)) = event.kernel() else {
            return None;
        };
        let value = match (&self.fork.change, self.changed_kernel()) {
            (Change::LeftOut, _) => None,
            (_, Some(KernelEvent::FaultInjected(changed))) => Some(changed.value),
            _ => Some(fault.value),
        };
        Some((event.actor, fault.clone(), value))
    }

    /// Whether what is planned comes about: before the fork only what the recording has next.
    pub(super) fn comes_about(&self, seq: Seq, kind: u16) -> bool {
        if seq < self.fork.at {
            return self.recording.kind_at(seq) == Some(kind);
        }
        let is_left_out = seq == self.fork.at && self.fork.change == Change::LeftOut;
        !(is_left_out && self.recording.kind_at(seq) == Some(kind))
    }

    /// What becomes of a call before the fork, which the recording has too, at the time that it is made.
    pub(super) fn answer(&self, recorded: &RecordedCall<E>, own: Option<Answer<E>>) -> Answered<E> {
        let at = self.fork.at;
        if recorded.faults.iter().any(|(seq, _)| *seq == at) {
            return (own, None);
        }
        let Some((seq, time, answer)) = &recorded.answer else {
            // The answer did not come up to the fork.
            let until = self.recording.time_at(at);
            let is_late = |own: &Answer<E>| until.is_none_or(|at| recorded.made + own.after > at);
            return (own.filter(is_late), None);
        };
        let mut answer = Answer {
            after: time.since(recorded.made),
            event: answer.clone(),
        };
        if *seq == at {
            match &self.fork.change {
                Change::LeftOut => return (None, None),
                Change::Says(Body::Domain(says)) => answer.event = says.clone(),
                Change::Comes(time) => answer.after = time.since(recorded.made),
                Change::Says(Body::Kernel(_)) => {}
            }
        }
        (Some(answer), Some(faults(&recorded.faults)))
    }

    /// What the change makes of an item of a feed.
    pub(super) fn item(&self, recorded: &RecordedItem<E>, item: &mut Item<E>) {
        let at = self.fork.at;
        item.is_generated = recorded.faults.iter().any(|(seq, _)| *seq == at);
        if recorded.at == at {
            match &self.fork.change {
                Change::LeftOut => item.is_left_out = true,
                Change::Says(Body::Domain(says)) => item.event = says.clone(),
                Change::Comes(time) => (item.time, item.is_moved) = (*time, true),
                Change::Says(Body::Kernel(_)) => {}
            }
        }
    }
}

pub(super) fn faults(recorded: &[(Seq, FaultInjected)]) -> Vec<FaultInjected> {
    recorded.iter().map(|(_, fault)| fault.clone()).collect()
}
