//! How much the bus holds.

use dacapo_kernel::{Event, Invariant};

use super::cleaned::Cleaned;
use super::table::Table;
use crate::config::Config;
use crate::domain_event::{DomainEvent, number};
use crate::message::{Instant, Topic};

/// History and subscriptions stay within their caps. The history gives up its oldest messages when it
/// is full and not before, and those that expired at the next cleaning, if there is any; a subscription
/// is refused when its topic is full and not before.
pub(super) struct Bounded {
    table: Table,
    per_topic: usize,
    /// 0 means without bound.
    history_cap: u64,
    history: u64,
    cleaned: Cleaned,
}

impl Bounded {
    pub(super) fn new(config: &Config) -> Bounded {
        let bus = &config.message_bus;
        Bounded {
            table: Table::default(),
            per_topic: bus.subscriptions.per_topic,
            history_cap: bus.max_history_size as u64,
            history: 0,
            cleaned: Cleaned::new(config),
        }
    }
}

impl Invariant<DomainEvent> for Bounded {
    fn id(&self) -> &'static str {
        "bus.bounded"
    }

    fn statement(&self) -> &'static str {
        "history, subscriptions per topic, queues and timers stay within their caps; past a \
         subscription cap the caller gets an error; what expired leaves the history at the next cleaning"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::Subscribed,
            number::Unsubscribed,
            number::Published,
            number::HistoryShrunk,
            number::OutsideRefused,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Subscribed, number::Published]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(domain) = event.domain() else {
            return Ok(());
        };
        self.cleaned.note(Instant::from(event.time), domain)?;
        match domain {
            DomainEvent::Started(_) => self.history = 0,
            DomainEvent::Published(it) => return self.publish(it.trimmed.into()),
            DomainEvent::HistoryShrunk(it) => {
                self.history = self.history.saturating_sub(it.dropped);
                return Ok(());
            }
            DomainEvent::OutsideRefused(it) if it.outcome == "subscription_rejected" => {
                return self.refuse();
            }
            _ => {}
        }
        self.table.apply(domain);
        match domain {
            DomainEvent::Subscribed(it) => self.count(it.topic),
            _ => Ok(()),
        }
    }
}

impl Bounded {
    fn publish(&mut self, trimmed: u64) -> Result<(), String> {
        let with_it = self.history + 1;
        let beyond = match self.history_cap {
            0 => 0,
            cap => with_it.saturating_sub(cap),
        };
        self.history = with_it.saturating_sub(trimmed);
        if trimmed == beyond {
            return Ok(());
        }
        let how = if trimmed < beyond { "fewer" } else { "more" };
        Err(format!(
            "expected {beyond} messages to leave the history of {with_it}, found {how}: {trimmed}"
        ))
    }

    fn count(&self, topic: Topic) -> Result<(), String> {
        let there = self.table.of(topic).len();
        if there <= self.per_topic {
            return Ok(());
        }
        Err(format!(
            "expected at most {} subscriptions to `{topic}`, found {there}",
            self.per_topic
        ))
    }

    /// The event does not say which topic it was about: one of them must be full.
    fn refuse(&self) -> Result<(), String> {
        let full = |topic: &Topic| self.table.of(*topic).len() >= self.per_topic;
        if Topic::ALL.iter().any(full) {
            return Ok(());
        }
        Err(
            "expected a subscription to be refused by a full topic only, found room everywhere"
                .into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{config, key, published, subscribed, unsubscribed};
    use super::*;
    use crate::domain_event::{HistoryShrunk, OutsideRefused, Published, Subscribed};
    use crate::invariants::planted::Planted;

    fn of_two() -> Planted {
        let mut config = config();
        config.message_bus.subscriptions.per_topic = 2;
        config.message_bus.max_history_size = 2;
        Planted::of(Bounded::new(&config))
            .then(subscribed("a", None))
            .then(subscribed("b", None))
    }

    fn refused() -> OutsideRefused {
        OutsideRefused {
            outcome: "subscription_rejected".into(),
            reason: "full".to_owned(),
        }
    }

    fn trimming(number: u64, trimmed: u32) -> Published {
        Published {
            trimmed,
            ..published(number, "agent")
        }
    }

    #[test]
    fn a_full_topic_lets_replacements_in_and_refuses_others() {
        let replacing = Subscribed {
            replaced: vec![key("a", None)],
            ..subscribed("a", None)
        };
        let log = of_two().then(replacing).then(refused());
        log.then(unsubscribed("b", None))
            .then(subscribed("c", None))
            .holds();
    }

    #[test]
    fn one_subscription_too_many_is_found_and_so_is_a_refusal_without_need() {
        let found = of_two().then(subscribed("c", None)).violated();
        assert!(found.contains("at most 2 subscriptions"), "{found}");
        let found = of_two().then(unsubscribed("a", None)).then(refused());
        assert!(found.violated().contains("room everywhere"));
    }

    #[test]
    fn the_history_gives_up_exactly_what_does_not_fit() {
        let two = || of_two().then(trimming(0, 0)).then(trimming(1, 0));
        two().then(trimming(2, 1)).holds();
        let shrunk = HistoryShrunk {
            dropped: 1,
            expired: true,
        };
        two().then(shrunk).then(trimming(2, 0)).holds();
        assert!(two().then(trimming(2, 0)).violated().contains("fewer"));
        assert!(two().then(trimming(2, 2)).violated().contains("more"));
    }
}
