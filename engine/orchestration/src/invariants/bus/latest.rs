//! What a look-up on the bus finds.

use dacapo_kernel::{Event, Invariant};

use super::History;
use crate::config::Config;
use crate::domain_event::{DomainEvent, number};
use crate::invariants::ages::Ages;

/// `get_latest` gives the newest unexpired message that matches topic, source, age and filter, or
/// none: the evidence that a consensus and a conflict cite is what was there to be found.
///
/// Nothing happens between the look-ups and the event that cites what they found.
pub(super) struct Latest {
    history: History,
    ages: Ages,
}

impl Latest {
    pub(super) fn new(config: &Config) -> Latest {
        Latest {
            history: History::default(),
            ages: Ages::of(&config.evidence_windows),
        }
    }
}

impl Invariant<DomainEvent> for Latest {
    fn id(&self) -> &'static str {
        "bus.latest"
    }

    fn statement(&self) -> &'static str {
        "`get_latest` gives the newest unexpired message that matches topic, source, age and filter, \
         else none"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            History::MADE_FROM[0],
            History::MADE_FROM[1],
            History::MADE_FROM[2],
            number::ConsensusBuilt,
            Ages::MADE_FROM,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConsensusBuilt]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::ConsensusBuilt(it)) => {
                self.history
                    .check_evidence(&self.ages, event.time, it.signal, &it.evidence)
            }
            Some(other) => {
                self.ages.see(event.time, other);
                self.history.apply(event.time, other);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{config, said, said_of};
    use super::*;
    use crate::domain_event::{ConsensusBuilt, Evidence, HistoryShrunk, Published};
    use crate::invariants::planted::Planted;
    use crate::message::Topic;

    /// A technical analysis (0) and a signal (1) at the start.
    fn log() -> Planted {
        Planted::of(Latest::new(&config()))
            .then(said(0, Topic::TaSignals, 0))
            .then(said(1, Topic::TradingSignals, 0))
    }

    fn citing(messages: &[u64]) -> ConsensusBuilt {
        let cite = |message: &u64| Evidence {
            message: *message,
            topic: Topic::TaSignals,
            symbol: None,
        };
        ConsensusBuilt {
            signal: 1,
            symbol: "BTC/USDT".into(),
            evidence: messages.iter().map(cite).collect(),
            agreement: 0,
            total: 0,
            multiplier: 1.0,
            confidence: 0.5,
        }
    }

    #[test]
    fn what_is_in_its_window_is_found_up_to_the_end_of_it() {
        log().then(citing(&[0])).holds();
        log().at(120.0).then(citing(&[0])).holds();
        log().at(120.000001).then(citing(&[])).holds();
        let trimmed = Published {
            trimmed: 1,
            ..said(2, Topic::RiskAlerts, 0)
        };
        log().then(trimmed).then(citing(&[])).holds();
        let cleared = HistoryShrunk {
            dropped: 2,
            expired: false,
        };
        log().then(cleared).then(citing(&[])).holds();
    }

    #[test]
    fn what_is_there_must_be_found() {
        assert!(log().then(citing(&[])).violated().contains("found nothing"));
    }

    #[test]
    fn what_is_too_old_or_about_something_else_must_not_be_found() {
        let old = log().at(121.0).then(citing(&[0])).violated();
        assert!(old.contains("expected no evidence"), "{old}");
        let foreign = log().then(said_of(2, Topic::TaSignals, 0, "XRP/USDT"));
        assert!(foreign.then(citing(&[2])).violated().contains("the newest"));
    }

    #[test]
    fn the_newest_counts() {
        let two = log().then(said(2, Topic::TaSignals, 0));
        assert!(two.then(citing(&[0])).violated().contains("the newest"));
    }
}
