//! What the bus remembers, as the events tell it: each message with the time of its publishing.
//!
//! Ages are told by virtual time, whatever a message says of its own.

use std::collections::VecDeque;
use std::rc::Rc;

use dacapo_kernel::Time;

use crate::coordinator::evidence::TOPICS;
use crate::domain_event::{DomainEvent, Evidence, number};
use crate::invariants::ages::{Ages, InForce};
use crate::invariants::alike::alike;
use crate::message::{Instant, Message, Span, Topic};

/// The messages that are remembered, in publish order.
#[derive(Default)]
pub(in crate::invariants) struct History {
    kept: VecDeque<Kept>,
    /// Something was dropped of which the events do not say what it was.
    uncertain: bool,
}

struct Kept {
    message: Rc<Message>,
    at: Instant,
    /// The last instant at which it is alive.
    until: Instant,
}

impl Kept {
    fn age(&self, now: Instant) -> Span {
        now - self.at
    }

    fn is_expired(&self, now: Instant) -> bool {
        now > self.until
    }
}

impl History {
    /// The kinds of event that it is made from.
    pub(in crate::invariants) const MADE_FROM: [u16; 3] =
        [number::Started, number::Published, number::HistoryShrunk];

    /// Takes a publishing or a clearance into account; anything else changes nothing. Returns how
    /// many messages had expired when the bus dropped those that had.
    pub(in crate::invariants) fn apply(&mut self, time: Time, event: &DomainEvent) -> Option<u64> {
        match event {
            DomainEvent::Started(_) => *self = History::default(),
            DomainEvent::Published(it) => {
                let (message, at) = (Rc::clone(&it.message), Instant::from(time));
                let until = at + message.ttl.as_span();
                self.kept.push_back(Kept { message, at, until });
                for _ in 0..it.trimmed {
                    self.kept.pop_front();
                }
            }
            DomainEvent::HistoryShrunk(it) if it.expired => {
                let now = Instant::from(time);
                let before = self.kept.len();
                if self.kept.iter().any(|kept| kept.is_expired(now)) {
                    self.kept.retain(|kept| !kept.is_expired(now));
                }
                let expired = (before - self.kept.len()) as u64;
                return (!self.uncertain).then_some(expired);
            }
            DomainEvent::HistoryShrunk(it) => {
                self.uncertain |= it.dropped < self.kept.len() as u64;
                self.kept.clear();
            }
            _ => {}
        }
        None
    }

    /// The remembered message of this number.
    pub(in crate::invariants) fn find(&self, number: u64) -> Option<&Message> {
        let numbered = |kept: &Kept| kept.message.id.as_number();
        let at = self.kept.binary_search_by_key(&number, numbered).ok()?;
        Some(&self.kept[at].message)
    }

    /// Compares the evidence that was found at a time for a signal with what there was to find.
    ///
    /// # Errors
    /// If the newest message of a topic that is about the signal's symbol, alive and within the
    /// window of the topic is not the one that was found.
    pub(in crate::invariants) fn check_evidence(
        &self,
        ages: &Ages,
        time: Time,
        signal: u64,
        evidence: &[Evidence],
    ) -> Result<(), String> {
        // Whoever looked may not have heard of a bar that closed at this very instant.
        let (shortest, longest) = (ages.shortest(time), ages.longest(time));
        let checked = self.check_within(&shortest, time, signal, evidence);
        if checked.is_ok() || shortest == longest {
            return checked;
        }
        self.check_within(&longest, time, signal, evidence)
    }

    fn check_within(
        &self,
        windows: &InForce,
        time: Time,
        signal: u64,
        evidence: &[Evidence],
    ) -> Result<(), String> {
        if self.uncertain {
            return Ok(());
        }
        // A signal that waited until it was forgotten cannot be asked for its symbol.
        let Some(signal) = self.find(signal) else {
            return Ok(());
        };
        for topic in TOPICS {
            let (window, _) = windows.of(topic).unwrap_or_default();
            let there = self.newest(topic, window, Instant::from(time), signal);
            let found = evidence.iter().find(|it| it.topic == topic);
            compare(topic, there, found.map(|it| it.message))?;
        }
        Ok(())
    }

    fn newest(&self, topic: Topic, window: Span, now: Instant, signal: &Message) -> Option<u64> {
        let symbol = signal.payload.field("symbol");
        let matches = |kept: &&Kept| {
            kept.message.topic == topic
                && !kept.is_expired(now)
                && alike(kept.message.payload.field("symbol"), symbol)
        };
        // They were published in the order of time: before one that is too old all are.
        let young = |kept: &&Kept| kept.age(now) <= window;
        let newest = self.kept.iter().rev().take_while(young).find(matches);
        newest.map(|kept| kept.message.id.as_number())
    }
}

fn compare(topic: Topic, there: Option<u64>, found: Option<u64>) -> Result<(), String> {
    match (there, found) {
        (Some(there), None) => Err(format!(
            "expected msg-{there} as the evidence on `{topic}`, found nothing"
        )),
        (None, Some(found)) => Err(format!(
            "expected no evidence on `{topic}`, found msg-{found}"
        )),
        (Some(there), Some(found)) if there != found => Err(format!(
            "expected msg-{there}, the newest on `{topic}` that matches, found msg-{found}"
        )),
        _ => Ok(()),
    }
}
