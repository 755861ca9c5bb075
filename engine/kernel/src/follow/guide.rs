//! What a run takes from a recording that it goes by, door by door.
//!
//! A door asks before it lets chance, time or somebody outside decide, and is told which recorded input applies,
//! if one does. Where the run has a [`Point`], the event of a fork, it goes as recorded up to there: a door
//! gives what the recording has next, and at the point the change. Everywhere else an input is found by what
//! it is for. What then applies is the one thing in which a fork and a run that follows differ:
//!
//! | | a fork behind its point | a run that follows |
//! |---|---|---|
//! | draws, items of feeds | the recorded ones | the recorded ones |
//! | an answer | to the same question | to the same question, or one at the same instant, or the next |
//! | a choice | the scheduler says | the recorded one of the instant |
//! | a fault at a door | the plan says | the recorded one, else the plan says |
//! | what befalls, a crash, a jump of the clock | as planned | as recorded |

use std::collections::VecDeque;
use std::rc::Rc;

use super::Inputs;
use super::left::Left;
use super::point::{Point, faults};
use super::recorded::{Recorded, bytes_of};
use crate::doors::Instead;
use crate::event::{Event, EventSet};
use crate::fork::{Fork, Recording, Reused};
use crate::id::{ActorId, Seq, Time};
use crate::journal::JournalError;
use crate::kernel_event::{CallOutcome, FaultInjected, KernelEvent};
use crate::name::Name;
use crate::port::Answer;

/// The recording that a run goes by.
pub(crate) struct Guide<E> {
    pub(super) recorded: Rc<Recorded<E>>,
    /// Where a fork leaves it; a run that follows has no such event.
    point: Option<Point<E>>,
    left: Left,
    /// Which recorded call stands for a call of this run.
    standing: Vec<(Seq, usize)>,
    /// The calls of this run for which the recording has none.
    generated: Vec<Seq>,
    reused: Reused,
    /// Recorded inputs that were used, of sorts that a fork does not count.
    pub(super) others: u64,
    /// How many items feeds were given.
    brought: u64,
}

/// What becomes of a call: an answer, unless it never comes, and the faults on its way, if the recording says.
pub(crate) type Answered<E> = (Option<Answer<E>>, Option<Vec<FaultInjected>>);

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

/// Who asks a door which question: the actor, by number and name, the door, and how often it had asked before.
pub(crate) type Asks<'a> = (ActorId, &'a str, &'a str, u64);

impl<E: EventSet> Guide<E> {
    /// A fork of a recording.
    pub(crate) fn forking(recording: &Rc<Recording<E>>, fork: Fork<E>) -> Guide<E> {
        let recorded = Rc::clone(&recording.inputs);
        let left = Left::after(&recorded, Some(fork.at));
        let point = Point::new(Rc::clone(recording), fork);
        Guide::new(recorded, Some(point), left)
    }

    /// A run that follows a recording.
    pub(crate) fn following(recorded: Recorded<E>) -> Guide<E> {
        let left = Left::whole(&recorded);
        Guide::new(Rc::new(recorded), None, left)
    }

    fn new(recorded: Rc<Recorded<E>>, point: Option<Point<E>>, left: Left) -> Guide<E> {
        Guide {
            recorded,
            point,
            left,
            standing: Vec::new(),
            generated: Vec::new(),
            reused: Reused::default(),
            others: 0,
            brought: 0,
        }
    }

    /// Whether the run follows the recording from its first event, with nobody outside but that.
    pub(crate) fn follows(&self) -> bool {
        self.point.is_none()
    }

    /// Takes note of an event: before the point it is the recorded one.
    pub(crate) fn compare(&mut self, event: &Event<E>) -> Result<(), JournalError<E>> {
        self.point
            .as_mut()
            .map_or(Ok(()), |point| point.compare(event))
    }

    /// The kernel's own event that is to come next, if that is settled: none inside if it is another one.
    fn settled(&self, seq: Seq) -> Option<Option<KernelEvent>> {
        let point = self.point.as_ref().filter(|point| seq <= point.at())?;
        Some(if seq == point.at() {
            point.changed_kernel().cloned()
        } else {
            point.next(seq).and_then(|event| event.kernel().cloned())
        })
    }

    /// The value of a draw; none if the stream of the actor says.
    pub(crate) fn draw(&mut self, seq: Seq, actor: &str, purpose: &str, bound: u64) -> Option<u64> {
        let value = match self.settled(seq) {
            Some(Some(KernelEvent::Draw(draw))) => Some(draw.value),
            Some(_) => None,
            None => {
                let value = self.left.draw(actor, purpose, bound);
                match value {
                    Some(_) => self.reused.draws_recorded += 1,
                    None => self.reused.draws_generated += 1,
                }
                value
            }
        };
        value.map(|value| value.min(bound.saturating_sub(1)))
    }

    /// Which of the tasks that could run does; none if the scheduler says.
    pub(crate) fn choose(&mut self, seq: Seq, now: Time) -> Option<usize> {
        match self.settled(seq) {
            Some(Some(KernelEvent::Choice(choice))) => Some(choice.index as usize),
            Some(_) => None,
            None if self.follows() => {
                let index = self.left.choose(&self.recorded, now)?;
                self.others += 1;
                Some(index)
            }
            None => None,
        }
    }

    /// The value with which a door lets chance in; `planned` is what the plan says, in which the change
    /// of a fault has been taken into account.
    pub(crate) fn opens(&mut self, seq: Seq, asks: Asks<'_>, planned: Option<u64>) -> Option<u64> {
        if let Some(recorded) = self.opened(seq, asks) {
            return recorded;
        }
        let (_, actor, door, asked) = asks;
        let struck = match self.follows() {
            true => self.left.struck(actor, door, asked),
            false => None,
        };
        self.others += u64::from(struck.is_some());
        struck.or(planned)
    }

    /// The value of a fault that nobody planned; `real` is what really happened.
    pub(crate) fn befalls(
        &mut self,
        (seq, now): (Seq, Time),
        asks: Asks<'_>,
        real: Option<u64>,
    ) -> Option<u64> {
        match self.opened(seq, asks) {
            Some(recorded) => recorded,
            None if self.follows() => self.left.befallen(asks.1, asks.2, now),
            None => real,
        }
    }

    /// Before the point: the value with which the recording has a door open here, if it does.
    fn opened(&self, seq: Seq, (actor, _, door, asked): Asks<'_>) -> Option<Option<u64>> {
        let point = self.point.as_ref().filter(|point| seq < point.at())?;
        let next = point.next(seq).filter(|event| event.actor == actor);
        Some(match next.as_ref().and_then(Event::kernel) {
            Some(KernelEvent::FaultInjected(fault))
                if fault.door == *door && fault.asked == asked =>
            {
                Some(fault.value)
            }
            _ => None,
        })
    }

    /// The question whose answer is another one, if a fault is what the fork changes.
    pub(crate) fn changed_fault(&self) -> Option<Instead> {
        let (actor, fault, value) = self.point.as_ref()?.changed_fault()?;
        let actor = self.recorded.actors.get(&actor)?;
        Some(Instead {
            actor: actor.to_string(),
            door: fault.door.to_string(),
            asked: fault.asked,
            value,
        })
    }

    /// Whether what is planned comes about here.
    pub(crate) fn comes_about(&self, seq: Seq, kind: u16) -> bool {
        let point = self.point.as_ref();
        point.is_none_or(|point| point.comes_about(seq, kind))
    }

    /// By how much the wall clock jumps instead, if that is what is another one here.
    pub(crate) fn jump(&self, seq: Seq) -> Option<i64> {
        let point = self.point.as_ref().filter(|point| seq == point.at())?;
        match point.changed_kernel() {
            Some(KernelEvent::ClockJumped(jumped)) => Some(jumped.by),
            _ => None,
        }
    }

    /// The host that crashes right after this event, if one does, and after how long it comes up again.
    pub(crate) fn cut_after(&mut self, actor: &str, kind: u16) -> Option<(Name, Option<u64>)> {
        let cut = self.left.cut_after(actor, kind)?;
        self.others += 1;
        Some((cut.host, cut.restart_after))
    }

    /// What became of a lost call; none if whoever would have answered says.
    pub(crate) fn lost(&self, seq: Seq, call: Seq) -> Option<CallOutcome> {
        match self.settled(seq) {
            Some(Some(KernelEvent::CallLost(lost))) => Some(lost.outcome),
            Some(_) => None,
            None if self.follows() => {
                let mine = |(of, _): &(Seq, usize)| *of;
                let at = self.standing.binary_search_by_key(&call, mine).ok()?;
                self.recorded.calls[self.standing[at].1].lost
            }
            None => None,
        }
    }

    /// What becomes of a call; `own` is what whoever answers says, if there is anybody.
    pub(crate) fn answer(
        &mut self,
        call: Seq,
        (caller, now): (&str, Time),
        request: &E,
        own: Option<Answer<E>>,
    ) -> Answered<E> {
        if let Some(point) = self.point.as_ref().filter(|point| call < point.at()) {
            return match self.recorded.call(call) {
                Some(recorded) => point.answer(recorded, own),
                None => (own, None),
            };
        }
        let kind = request.kind().number;
        let same = (Name::from(caller), kind, bytes_of(request));
        let mut found = self.left.same(&same);
        if found.is_none() && self.follows() {
            let alike = (same.0, kind);
            found = self.left.alike(&self.recorded, &alike, now);
        }
        let Some(at) = found else {
            self.generated.push(call);
            return (own, None);
        };
        self.reused.answers_recorded += 1;
        self.standing.push((call, at));
        let recorded = &self.recorded.calls[at];
        let answer = recorded.answer.as_ref().map(|(_, time, event)| Answer {
            after: time.since(recorded.made),
            event: event.clone(),
        });
        (answer.or(own), Some(faults(&recorded.faults)))
    }

    /// An item of a feed arrives.
    pub(crate) fn arrives(&mut self, seq: Seq, is_recorded: bool) {
        match is_recorded {
            _ if self.point.as_ref().is_none_or(|point| seq <= point.at()) => {}
            true => self.reused.items_recorded += 1,
            false => self.reused.items_generated += 1,
        }
    }

    /// The items of a feed, as far as they are recorded.
    pub(crate) fn items(&mut self, feed: &str) -> VecDeque<Item<E>> {
        let recorded = self.recorded.items.get(feed);
        let recorded = recorded.map_or(&[][..], Vec::as_slice);
        let mut items: Vec<Item<E>> = Vec::with_capacity(recorded.len());
        for recorded in recorded {
            let mut item = Item {
                time: recorded.time,
                event: recorded.event.clone(),
                faults: faults(&recorded.faults),
                is_generated: false,
                is_left_out: false,
                is_moved: false,
            };
            if let Some(point) = &self.point {
                point.item(recorded, &mut item);
            }
            items.push(item);
        }
        items.sort_by_key(|item| item.time);
        self.brought += items.len() as u64;
        items.into()
    }

    /// How many inputs behind the point were recorded ones.
    pub(crate) fn reused(&self) -> Reused {
        Reused {
            answers_generated: self.generated.len() as u64,
            ..self.reused
        }
    }

    /// What became of every input, if the run follows.
    pub(crate) fn inputs(self) -> Option<Inputs> {
        if !self.follows() {
            return None;
        }
        let items = self.recorded.items.values().map(Vec::len).sum::<usize>() as u64;
        let used = self.reused.draws_recorded + self.reused.answers_recorded + self.others;
        Some(Inputs {
            used: used + self.brought,
            unused: self.left.count(&self.recorded) + items.saturating_sub(self.brought),
            generated: self.generated,
        })
    }
}
