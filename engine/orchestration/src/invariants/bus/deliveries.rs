//! Which deliveries each message still owes, as the events tell it.
//!
//! Every delivery of a message follows from its publishing, and so does whatever its publisher does
//! next, once the publish is over. So an event that follows from a publishing and is no delivery
//! shows that the publish is over. A publish that a time limit or a crash cuts off shows nothing of
//! the kind, and owes nothing.

use dacapo_kernel::Seq;

use super::table::{Keys, Table, is};
use crate::domain_event::{Delivered, DomainEvent, Published};
use crate::message::{Name, Topic};

/// A message whose deliveries are under way.
pub(super) struct Open {
    /// Its number.
    pub(super) number: u64,
    /// The event of its publishing.
    pub(super) seq: Seq,
    /// What it is about.
    pub(super) topic: Topic,
    /// Who published it.
    pub(super) source: Name,
    /// Who was subscribed when it was published, in order.
    pub(super) keys: Keys,
    /// Those before this place were tried.
    pub(super) next: usize,
    /// Places beyond it that were tried out of order.
    ahead: Vec<usize>,
    /// The last call of a handler.
    pub(super) called: Option<Seq>,
    /// The message whose handler published it, as the first thing that it did.
    pub(super) within: Option<u64>,
}

impl Open {
    /// Whether the subscription at a place is still to be tried.
    pub(super) fn owes(&self, place: usize) -> bool {
        place >= self.next && !self.ahead.contains(&place)
    }
}

/// What a delivery turned out to be.
pub(super) enum Attempt {
    /// The first one for the subscription at this place; the message was published here.
    First { at: usize, place: usize },
    /// Another one.
    Again,
    /// One to somebody who was not subscribed when the message was published.
    Stranger,
}

/// The messages whose deliveries are under way, and who is subscribed.
#[derive(Default)]
pub(super) struct Deliveries {
    table: Table,
    /// In the order in which they were published.
    open: Vec<Open>,
}

impl Deliveries {
    /// Messages whose deliveries are under way, in the order in which they were published.
    pub(super) fn open(&self) -> &[Open] {
        &self.open
    }

    /// Takes subscriptions into account, and that the bus begins anew.
    pub(super) fn apply(&mut self, event: &DomainEvent) {
        if matches!(event, DomainEvent::Started(_)) {
            self.open.clear();
        }
        self.table.apply(event);
    }

    /// A message is published, as a consequence of an event.
    pub(super) fn published(&mut self, seq: Seq, cause: Option<Seq>, it: &Published) {
        let keys = self.table.of(it.message.topic);
        if keys.is_empty() {
            return;
        }
        let calling = |open: &&Open| cause.is_some() && open.called == cause;
        let within = self.open.iter().rev().find(calling).map(|open| open.number);
        self.open.push(Open {
            number: it.message.id.as_number(),
            seq,
            topic: it.message.topic,
            source: it.message.source.clone(),
            keys: keys.clone(),
            next: 0,
            ahead: Vec::new(),
            called: None,
            within,
        });
    }

    /// What a delivery is.
    pub(super) fn classify(&self, it: &Delivered) -> Attempt {
        let Ok(at) = self
            .open
            .binary_search_by_key(&it.message, |open| open.number)
        else {
            return Attempt::Again;
        };
        let open = &self.open[at];
        let is_its = |place: &usize| is(&open.keys[*place], &it.subscriber, it.label.as_ref());
        let (all, mut untried) = (0..open.keys.len(), open.next..open.keys.len());
        match untried.find(|place| is_its(place) && open.owes(*place)) {
            Some(place) => Attempt::First { at, place },
            None if all.into_iter().any(|place| is_its(&place)) => Attempt::Again,
            None => Attempt::Stranger,
        }
    }

    /// Notes the first delivery for the subscription at a place.
    pub(super) fn tried(&mut self, seq: Seq, at: usize, place: usize) {
        let open = &mut self.open[at];
        open.called = Some(seq);
        if place == open.next {
            open.next += 1;
            while let Some(found) = open.ahead.iter().position(|ahead| *ahead == open.next) {
                open.ahead.swap_remove(found);
                open.next += 1;
            }
        } else {
            open.ahead.push(place);
        }
    }

    /// Forgets the message at a place, if it owes nothing any more.
    pub(super) fn settle(&mut self, at: usize) {
        if self.open[at].next == self.open[at].keys.len() {
            self.open.remove(at);
        }
    }

    /// Its publisher goes on: takes out the message that an event follows from, if it still owes
    /// deliveries.
    pub(super) fn left(&mut self, cause: Option<Seq>) -> Option<Open> {
        let cause = cause?;
        let at = self
            .open
            .binary_search_by_key(&cause, |open| open.seq)
            .ok()?;
        Some(self.open.remove(at))
    }
}
