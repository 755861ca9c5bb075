//! What a fork takes from its recording, door by door.
//!
//! Before the event of the fork a door gives what the recording has next; at it, the change; behind it
//! what was recorded for whoever asks, as far as it still applies.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use crate::event::{Body, Event, EventSet};
use crate::id::{ActorId, Seq, Time};
use crate::journal::{BoxedStorage, Divergence, JournalError, head_of};
use crate::kernel_event::{FaultInjected, KernelEvent};
use crate::log::Writer;
use crate::name::Name;

use super::{Change, Fork, RecordedCall, RecordedItem, Recording, Reused, bytes_of};

/// The journal of a fork.
pub(crate) struct Guide<E> {
    recording: Rc<Recording<E>>,
    fork: Fork<E>,
    /// Where its events go; nowhere, if only its end is wanted.
    pub(crate) writer: Option<Box<Writer<BoxedStorage>>>,
    /// What is left of the draws behind the fork, by actor and purpose.
    draws: BTreeMap<(Name, Name), VecDeque<(u64, u64)>>,
    /// What is left of the answers behind the fork, by caller and question.
    calls: BTreeMap<(Name, Vec<u8>), VecDeque<Seq>>,
    pub(crate) reused: Reused,
    scratch: Vec<u8>,
}

/// What a door finds in the recording.
enum Here<E> {
    /// The recorded event comes next.
    Recorded(Option<Event<E>>),
    /// The event of the fork comes next.
    Changed(Option<Event<E>>),
    /// The run is its own by now.
    Free,
}

/// What becomes of a call.
pub(crate) enum Answered<E> {
    /// It is answered as recorded, after so long, with these faults on the way.
    As(Duration, E, Vec<FaultInjected>),
    /// It is never answered.
    Never,
    /// Whoever answers says, unless the answer would come up to this time: it did not in the recording.
    AskAfter(Time),
    /// Whoever answers says.
    Ask,
}

/// The next item of a feed.
pub(crate) struct Item<E> {
    pub(crate) time: Time,
    pub(crate) event: E,
    pub(crate) faults: Vec<FaultInjected>,
    /// Whether the feed itself says instead what comes, because a fault on its way is another one.
    pub(crate) is_generated: bool,
    /// Whether it does not come at all.
    pub(crate) is_left_out: bool,
    /// Whether it comes at another time.
    pub(crate) is_moved: bool,
}

impl<E: EventSet> Guide<E> {
    pub(crate) fn new(
        recording: Rc<Recording<E>>,
        fork: Fork<E>,
        writer: Option<Box<Writer<BoxedStorage>>>,
    ) -> Guide<E> {
        let mut draws: BTreeMap<_, VecDeque<_>> = BTreeMap::new();
        for draw in recording.draws.iter().filter(|draw| draw.at > fork.at) {
            let key = (draw.actor.clone(), draw.purpose.clone());
            draws
                .entry(key)
                .or_default()
                .push_back((draw.bound, draw.value));
        }
        let mut calls: BTreeMap<_, VecDeque<_>> = BTreeMap::new();
        for (at, call) in recording.calls.range(fork.at..) {
            if call.answer.is_some() {
                let key = (call.caller.clone(), call.request.clone());
                calls.entry(key).or_default().push_back(*at);
            }
        }
        Guide {
            recording,
            fork,
            writer,
            draws,
            calls,
            reused: Reused::default(),
            scratch: Vec::new(),
        }
    }

    fn here(&self, seq: Seq) -> Here<E> {
        if seq < self.fork.at {
            Here::Recorded(self.recording.event(seq))
        } else if seq == self.fork.at {
            Here::Changed(self.recording.event(seq))
        } else {
            Here::Free
        }
    }

    /// Takes one event: before the fork it is the recorded one.
    pub(crate) fn append(&mut self, event: &Event<E>) -> Result<(), JournalError<E>> {
        if event.seq < self.fork.at && !self.recording.has(event, &mut self.scratch) {
            return Err(JournalError::Diverged(Box::new(Divergence {
                seq: event.seq,
                expected: self.recording.event(event.seq),
                actual: Some(event.clone()),
            })));
        }
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let written = writer.append(head_of(event), |out| event.encode(out));
        written.map(|_| ()).map_err(JournalError::Log)
    }

    /// The kernel's own event that the change puts in place of the recorded one.
    fn changed_kernel(&self) -> Option<&KernelEvent> {
        match &self.fork.change {
            Change::Says(Body::Kernel(event)) => Some(event),
            _ => None,
        }
    }

    /// The value of a draw; none if the stream of the actor says.
    pub(crate) fn draw(&mut self, seq: Seq, actor: &str, purpose: &str, bound: u64) -> Option<u64> {
        let value = match self.here(seq) {
            Here::Recorded(event) => match event.as_ref().and_then(Event::kernel) {
                Some(KernelEvent::Draw(draw)) => Some(draw.value),
                _ => None,
            },
            Here::Changed(_) => match self.changed_kernel() {
                Some(KernelEvent::Draw(draw)) => Some(draw.value),
                _ => None,
            },
            Here::Free => {
                let key = (Name::from(actor), Name::from(purpose));
                let drawn = self.draws.get_mut(&key).and_then(VecDeque::pop_front);
                let same = drawn.filter(|(recorded, _)| *recorded == bound);
                match same {
                    Some(_) => self.reused.draws_recorded += 1,
                    None => self.reused.draws_generated += 1,
                }
                same.map(|(_, value)| value)
            }
        };
        value.map(|value| value.min(bound.saturating_sub(1)))
    }

    /// Which of the tasks that could run does; none if the scheduler says.
    pub(crate) fn choose(&self, seq: Seq) -> Option<u32> {
        match self.here(seq) {
            Here::Recorded(event) => match event.as_ref().and_then(Event::kernel) {
                Some(KernelEvent::Choice(choice)) => Some(choice.index),
                _ => None,
            },
            Here::Changed(_) => match self.changed_kernel() {
                Some(KernelEvent::Choice(choice)) => Some(choice.index),
                _ => None,
            },
            Here::Free => None,
        }
    }

    /// The value with which a door lets chance in; `planned` is what the plan says, in which the change
    /// of a fault has been taken into account.
    pub(crate) fn opens(
        &self,
        seq: Seq,
        (actor, door, asked): (ActorId, &str, u64),
        planned: Option<u64>,
    ) -> Option<u64> {
        match self.here(seq) {
            Here::Recorded(event) => {
                let event = event.filter(|event| event.actor == actor)?;
                match event.kernel() {
                    Some(KernelEvent::FaultInjected(fault))
                        if fault.door == *door && fault.asked == asked =>
                    {
                        Some(fault.value)
                    }
                    _ => None,
                }
            }
            Here::Changed(_) | Here::Free => planned,
        }
    }

    /// The fault that is another one: at which door, for whom, at which question, with which value.
    pub(crate) fn changed_fault(&self) -> Option<(String, FaultInjected, Option<u64>)> {
        let event = self.recording.event(self.fork.at)?;
        let Some(KernelEvent::FaultInjected(fault)) = event.kernel() else {
            return None;
        };
        let value = match (&self.fork.change, self.changed_kernel()) {
            (Change::LeftOut, _) => None,
            (_, Some(KernelEvent::FaultInjected(changed))) => Some(changed.value),
            _ => Some(fault.value),
        };
        let actor = self.recording.actors.get(&event.actor)?;
        Some((actor.to_string(), fault.clone(), value))
    }

    /// Whether what is planned comes about: before the fork only what the recording has next.
    pub(crate) fn comes_about(&self, seq: Seq, kind: u16) -> bool {
        if seq < self.fork.at {
            return self.recording.kind_at(seq) == Some(kind);
        }
        let is_left_out = seq == self.fork.at && self.fork.change == Change::LeftOut;
        !(is_left_out && self.recording.kind_at(seq) == Some(kind))
    }

    /// By how much the wall clock jumps instead, if that is what the fork changes.
    pub(crate) fn jump(&self, seq: Seq) -> Option<i64> {
        match self.changed_kernel() {
            Some(KernelEvent::ClockJumped(jumped)) if seq == self.fork.at => Some(jumped.by),
            _ => None,
        }
    }

    /// What became of a lost call; none if whoever would have answered says.
    pub(crate) fn lost(&self, seq: Seq) -> Option<crate::kernel_event::CallOutcome> {
        let of = |event: &KernelEvent| match event {
            KernelEvent::CallLost(lost) => Some(lost.outcome),
            _ => None,
        };
        match self.here(seq) {
            Here::Recorded(event) => event.as_ref().and_then(Event::kernel).and_then(of),
            Here::Changed(_) => self.changed_kernel().and_then(of),
            Here::Free => None,
        }
    }

    /// What becomes of a call.
    pub(crate) fn answer(&mut self, call: Seq, caller: &str, request: &E) -> Answered<E> {
        if call < self.fork.at {
            return match self.recording.calls.get(&call) {
                Some(recorded) => self.answer_before(recorded),
                None => Answered::Ask,
            };
        }
        let key = (Name::from(caller), bytes_of(request));
        let found = self.calls.get_mut(&key).and_then(VecDeque::pop_front);
        let recorded = found.and_then(|call| self.recording.calls.get(&call));
        let Some((recorded, Some((_, time, answer)))) = recorded.map(|it| (it, &it.answer)) else {
            self.reused.answers_generated += 1;
            return Answered::Ask;
        };
        self.reused.answers_recorded += 1;
        let after = time.since(recorded.made);
        Answered::As(after, answer.clone(), faults(&recorded.faults))
    }

    /// The answer to a call that the recording has too.
    fn answer_before(&self, recorded: &RecordedCall<E>) -> Answered<E> {
        let at = self.fork.at;
        if recorded.faults.iter().any(|(seq, _)| *seq == at) {
            return Answered::Ask;
        }
        let Some((seq, time, answer)) = &recorded.answer else {
            let until = self.recording.place(at).map(|(place, _)| place.time);
            return until.map_or(Answered::Ask, Answered::AskAfter);
        };
        let faults = faults(&recorded.faults);
        let as_recorded = time.since(recorded.made);
        if *seq != at {
            return Answered::As(as_recorded, answer.clone(), faults);
        }
        match &self.fork.change {
            Change::LeftOut => Answered::Never,
            Change::Says(Body::Domain(says)) => Answered::As(as_recorded, says.clone(), faults),
            Change::Comes(time) => Answered::As(time.since(recorded.made), answer.clone(), faults),
            Change::Says(Body::Kernel(_)) => Answered::As(as_recorded, answer.clone(), faults),
        }
    }

    /// An item of a feed arrives.
    pub(crate) fn arrives(&mut self, seq: Seq, is_recorded: bool) {
        match is_recorded {
            _ if seq <= self.fork.at => {}
            true => self.reused.items_recorded += 1,
            false => self.reused.items_generated += 1,
        }
    }

    /// The items of a feed, as far as they are recorded.
    pub(crate) fn items(&self, feed: &str) -> VecDeque<Item<E>> {
        let recorded = self
            .recording
            .items
            .get(feed)
            .map_or(&[][..], Vec::as_slice);
        let items = recorded.iter().map(|item| self.item(item));
        let mut items: Vec<Item<E>> = items.collect();
        items.sort_by_key(|item| item.time);
        items.into()
    }

    fn item(&self, recorded: &RecordedItem<E>) -> Item<E> {
        let at = self.fork.at;
        let mut item = Item {
            time: recorded.time,
            event: recorded.event.clone(),
            faults: faults(&recorded.faults),
            is_generated: recorded.faults.iter().any(|(seq, _)| *seq == at),
            is_left_out: false,
            is_moved: false,
        };
        if recorded.at == at {
            match &self.fork.change {
                Change::LeftOut => item.is_left_out = true,
                Change::Says(Body::Domain(says)) => item.event = says.clone(),
                Change::Comes(time) => (item.time, item.is_moved) = (*time, true),
                Change::Says(Body::Kernel(_)) => {}
            }
        }
        item
    }
}

fn faults(recorded: &[(Seq, FaultInjected)]) -> Vec<FaultInjected> {
    recorded.iter().map(|(_, fault)| fault.clone()).collect()
}
