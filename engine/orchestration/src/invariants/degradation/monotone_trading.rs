//! What may be traded at which level.

use dacapo_kernel::{Event, Invariant};

use super::ledger::Ledger;
use crate::config::Config;
use crate::domain_event::{ConflictFound, ConflictResolved, DomainEvent, ResolvedBy, number};
use crate::message::DegradationLevel;

/// What may trade at a worse level may trade at every better level, and an unresolved conflict never
/// proceeds because the level got worse.
///
/// The worse the level, the fewer conflicts are put to a model: all of them while the level is NORMAL
/// or REDUCED, at LIMITED those with the regime alone, at EMERGENCY none. What is not put to one, or
/// gets no usable answer, is not traded.
pub(super) struct MonotoneTrading {
    ledger: Ledger,
    open: Vec<Conflict>,
}

struct Conflict {
    signal: u64,
    /// The level at which it was found.
    level: DegradationLevel,
    /// Whether the level allows it to be asked about.
    asked: bool,
}

impl MonotoneTrading {
    pub(super) fn new(config: &Config) -> MonotoneTrading {
        MonotoneTrading {
            ledger: Ledger::new(config),
            open: Vec::new(),
        }
    }
}

impl Invariant<DomainEvent> for MonotoneTrading {
    fn id(&self) -> &'static str {
        "degrade.monotone-trading"
    }

    fn statement(&self) -> &'static str {
        "what may trade at a worse level may trade at every better level; an unresolved conflict never \
         proceeds because the level got worse"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            Ledger::MADE_FROM[0],
            Ledger::MADE_FROM[1],
            Ledger::MADE_FROM[2],
            number::ConflictFound,
            number::ConflictResolved,
            number::SignalDropped,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConflictResolved]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::ConflictFound(it)) => self.found(it),
            Some(DomainEvent::ConflictResolved(it)) => return self.resolved(it),
            Some(DomainEvent::SignalDropped(it)) => {
                self.open.retain(|conflict| conflict.signal != it.signal);
            }
            Some(other) => {
                if matches!(other, DomainEvent::Started(_)) {
                    self.open.clear();
                }
                self.ledger.apply(other);
            }
            None => {}
        }
        Ok(())
    }
}

impl MonotoneTrading {
    fn found(&mut self, it: &ConflictFound) {
        let level = self.ledger.level;
        let asked = match level {
            DegradationLevel::Normal | DegradationLevel::Reduced => true,
            DegradationLevel::Limited => it.kinds.iter().all(|kind| *kind == "regime_conflict"),
            DegradationLevel::Emergency => false,
        };
        self.open.push(Conflict {
            signal: it.signal,
            level,
            asked,
        });
    }

    fn resolved(&mut self, it: &ConflictResolved) -> Result<(), String> {
        let trades = it.action == "proceed" || it.action == "modify";
        let answered = it.by == ResolvedBy::Reply;
        if trades && !answered {
            return Err(format!(
                "expected a conflict that no reply resolved to wait, found {}",
                it.action
            ));
        }
        let at = self.open.iter().position(|open| open.signal == it.signal);
        let Some(conflict) = at.map(|at| self.open.swap_remove(at)) else {
            return Ok(());
        };
        let by_level = it.by == ResolvedBy::Level;
        if by_level && conflict.asked {
            return Err(format!(
                "expected the conflict to be put to a model at {}, found it settled by the level",
                conflict.level
            ));
        }
        if !by_level && !conflict.asked {
            return Err(format!(
                "expected the conflict to be settled by the level {}, found a model asked: {}",
                conflict.level, it.action
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::counted;
    use super::*;
    use crate::domain_event::Counted::ApiFailure;
    use crate::invariants::bus::samples::config;
    use crate::invariants::planted::Planted;
    use crate::message::DegradationLevel::{Emergency, Limited, Normal};

    fn conflict(failures: u32, level: DegradationLevel, kinds: &[&str]) -> Planted {
        let found = ConflictFound {
            signal: 7,
            symbol: "BTC/USDT".into(),
            kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
            evidence: Vec::new(),
        };
        Planted::of(MonotoneTrading::new(&config()))
            .then(counted(ApiFailure, [0, failures], level))
            .then(found)
    }

    fn resolved(action: &str, by: ResolvedBy) -> ConflictResolved {
        ConflictResolved {
            signal: 7,
            action: action.into(),
            confidence: 0.5,
            by,
        }
    }

    const OPINION: &str = "ta_sentiment_conflict";
    const REGIME: &str = "regime_conflict";

    #[test]
    fn the_worse_the_level_the_less_is_traded() {
        use ResolvedBy::{Level, Reply};
        let reply = || resolved("proceed", Reply);
        conflict(1, Normal, &[OPINION, REGIME])
            .then(reply())
            .holds();
        conflict(6, Limited, &[REGIME]).then(reply()).holds();
        let waits = || resolved("wait", Level);
        conflict(6, Limited, &[OPINION, REGIME])
            .then(waits())
            .holds();
        conflict(9, Emergency, &[REGIME]).then(waits()).holds();
    }

    #[test]
    fn what_nobody_resolved_must_wait() {
        for by in [ResolvedBy::Level, ResolvedBy::Timeout, ResolvedBy::Failure] {
            let log = conflict(6, Limited, &[OPINION]).then(resolved("proceed", by));
            assert!(log.violated().contains("that no reply resolved"));
        }
    }

    #[test]
    fn a_better_level_asks_and_a_worse_one_does_not() {
        let log = conflict(1, Normal, &[OPINION]).then(resolved("wait", ResolvedBy::Level));
        assert!(log.violated().contains("to be put to a model"));
        let reply = || resolved("proceed", ResolvedBy::Reply);
        let log = conflict(6, Limited, &[OPINION, REGIME]).then(reply());
        assert!(log.violated().contains("settled by the level"));
        let log = conflict(9, Emergency, &[REGIME]).then(reply());
        assert!(log.violated().contains("settled by the level"));
    }
}
