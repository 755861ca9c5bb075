//! Whether the bus forgets what has expired.

use std::collections::VecDeque;

use crate::config::Config;
use crate::domain_event::DomainEvent;
use crate::message::{Instant, Span};

/// How many seconds a cleaning may wait for the bus.
const PATIENCE: i64 = 5;

/// When each remembered message expires, and by when it must be gone.
pub(super) struct Cleaned {
    /// An expired message is gone after this; none if nobody cleans.
    within: Option<Span>,
    /// The last instant at which each is alive, in publish order.
    until: VecDeque<Instant>,
    /// The first of them.
    soonest: Option<Instant>,
}

impl Cleaned {
    pub(super) fn new(config: &Config) -> Cleaned {
        let bus = &config.message_bus;
        let every = i64::try_from(bus.cleanup_interval_seconds).unwrap_or(i64::MAX);
        Cleaned {
            within: bus
                .cleanup
                .then(|| Span::from_secs(every.saturating_add(PATIENCE))),
            until: VecDeque::new(),
            soonest: None,
        }
    }

    /// Takes what happens to the history into account.
    ///
    /// # Errors
    /// If a message is remembered although a cleaning was due since it expired.
    pub(super) fn note(&mut self, now: Instant, event: &DomainEvent) -> Result<(), String> {
        let Some(within) = self.within else {
            return Ok(());
        };
        match event {
            DomainEvent::Started(_) => self.forget(|_| true),
            DomainEvent::HistoryShrunk(it) if it.expired => self.forget(|until| until < now),
            DomainEvent::HistoryShrunk(_) => self.forget(|_| true),
            DomainEvent::Published(it) => {
                let is_late = |until: Instant| now > until + within;
                if self.soonest.is_some_and(is_late) {
                    return Err(
                        "expected what expired to leave the history at the next cleaning, found it there"
                            .into(),
                    );
                }
                let until = now + it.message.ttl.as_span();
                self.soonest = Some(self.soonest.map_or(until, |soonest| soonest.min(until)));
                self.until.push_back(until);
                let trimmed = self.until.len().min(it.trimmed as usize);
                let gone = self.until.drain(..trimmed).min();
                if gone.is_some() && gone == self.soonest {
                    self.soonest = self.until.iter().min().copied();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn forget(&mut self, is_gone: impl Fn(Instant) -> bool) {
        self.until.retain(|until| !is_gone(*until));
        self.soonest = self.until.iter().min().copied();
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::bounded::Bounded;
    use super::super::samples::{config, published};
    use crate::domain_event::{HistoryShrunk, Published};
    use crate::invariants::planted::Planted;
    use crate::message::Ttl;

    /// A message that lives for a minute.
    fn short(number: u64, trimmed: u32) -> Published {
        let mut it = published(number, "agent");
        Rc::make_mut(&mut it.message).ttl = Ttl::from_secs(60.0);
        Published { trimmed, ..it }
    }

    /// A history of two messages, the first of which is there and expires after a minute.
    fn log(cleanup: bool) -> Planted {
        let mut config = config();
        config.message_bus.cleanup = cleanup;
        config.message_bus.cleanup_interval_seconds = 100;
        config.message_bus.max_history_size = 2;
        Planted::of(Bounded::new(&config)).then(short(0, 0))
    }

    fn shrunk(expired: bool) -> HistoryShrunk {
        HistoryShrunk {
            dropped: 1,
            expired,
        }
    }

    #[test]
    fn what_expired_leaves_at_the_next_cleaning() {
        log(true).at(164.0).then(short(1, 0)).holds();
        let found = log(true).at(166.0).then(short(1, 0)).violated();
        assert!(found.contains("the next cleaning"), "{found}");
        log(false).at(166.0).then(short(1, 0)).holds();
    }

    #[test]
    fn what_left_in_any_way_is_not_missed() {
        for expired in [true, false] {
            let left = log(true).at(100.0).then(shrunk(expired));
            left.at(400.0).then(short(1, 0)).holds();
        }
        let full = log(true).at(150.0).then(short(1, 0));
        let trimmed = full.at(160.0).then(short(2, 1));
        trimmed.at(300.0).then(short(3, 1)).holds();
    }
}
