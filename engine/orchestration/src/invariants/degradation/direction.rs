//! Which way the level moves, and what is said about it.

use dacapo_kernel::{ActorId, Event, HostId, Invariant, KernelEvent, Time, number as kernel};

use super::ledger::{Ledger, kind};
use crate::config::Config;
use crate::domain_event::{DomainEvent, OutcomeCounted, number};
use crate::message::{DegradationLevel, LevelChange, LevelEvent, Payload, Topic};

/// A failure never improves the level, a success never worsens it: a failure adds one to the count of
/// its kind and nothing else, a success takes away one at most, and the level is what the counts
/// make. Each move of the level is announced once, at the same instant, by a label that says which way.
pub(super) struct Direction {
    ledger: Ledger,
    host: Option<HostId>,
    coordinator: Option<ActorId>,
    /// Moves that are not announced yet, all of the same instant.
    moves: Vec<(DegradationLevel, DegradationLevel)>,
    at: Time,
}

impl Direction {
    pub(super) fn new(config: &Config) -> Direction {
        Direction {
            ledger: Ledger::new(config),
            host: None,
            coordinator: None,
            moves: Vec::new(),
            at: Time::ZERO,
        }
    }
}

impl Invariant<DomainEvent> for Direction {
    fn id(&self) -> &'static str {
        "degrade.direction"
    }

    fn statement(&self) -> &'static str {
        "a failure never improves the level, a success never worsens it, and the published label matches \
         the direction"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            kernel::TaskCrashed,
            Ledger::MADE_FROM[0],
            Ledger::MADE_FROM[1],
            Ledger::MADE_FROM[2],
            number::Published,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OutcomeCounted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if let Some(kernel) = event.kernel() {
            // Whoever was to announce a move may be gone.
            match kernel {
                KernelEvent::HostStarted(it) if it.name == "coordinator" => {
                    self.host = Some(it.host);
                }
                KernelEvent::HostCrashed(it) if self.host == Some(it.host) => self.moves.clear(),
                KernelEvent::TaskCrashed(_) => self.moves.clear(),
                _ => {}
            }
            return Ok(());
        }
        self.passed(event.time)?;
        match event.domain() {
            Some(started @ DomainEvent::Started(_)) => {
                self.coordinator = Some(event.actor);
                self.moves.clear();
                self.ledger.apply(started);
            }
            Some(counted @ DomainEvent::OutcomeCounted(it)) => {
                self.counted(it)?;
                let old = self.ledger.level;
                self.ledger.apply(counted);
                if old != it.level {
                    self.moves.push((old, it.level));
                    self.at = event.time;
                }
            }
            Some(DomainEvent::Published(it)) => {
                let message = &it.message;
                if let Payload::LevelChange(change) = &message.payload
                    && message.topic == Topic::SystemEvents
                    && self.coordinator == Some(event.actor)
                {
                    return self.announced(change);
                }
            }
            Some(other) => self.ledger.apply(other),
            None => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.passed(end)
    }
}

impl Direction {
    fn counted(&self, it: &OutcomeCounted) -> Result<(), String> {
        let old = self.ledger;
        let (is_failure, is_llm) = kind(it.outcome);
        let (own, own_old, other, other_old) = if is_llm {
            (it.llm_failures, old.llm, it.api_failures, old.api)
        } else {
            (it.api_failures, old.api, it.llm_failures, old.llm)
        };
        if is_failure && it.level < old.level {
            return Err(format!(
                "expected a failure not to improve the level {}, found {}",
                old.level, it.level
            ));
        }
        if !is_failure && it.level > old.level {
            return Err(format!(
                "expected a success not to worsen the level {}, found {}",
                old.level, it.level
            ));
        }
        if other != other_old {
            return Err(format!(
                "expected the other count to stay at {other_old}, found {other}"
            ));
        }
        if is_failure && own != own_old.saturating_add(1) {
            return Err(format!(
                "expected a failure to add one to {own_old}, found {own}"
            ));
        }
        if !is_failure && own != own_old && own != own_old.saturating_sub(1) {
            return Err(format!(
                "expected a success to take one from {own_old} or none, found {own}"
            ));
        }
        let level = old.level_of(it.llm_failures, it.api_failures);
        if level != it.level {
            return Err(format!(
                "expected the counts to make the level {level}, found {}",
                it.level
            ));
        }
        Ok(())
    }

    fn announced(&mut self, change: &LevelChange) -> Result<(), String> {
        let (old, new) = (change.old_level, change.new_level);
        let label = if new == DegradationLevel::Normal {
            LevelEvent::Recovery
        } else if new < old {
            LevelEvent::Decreased
        } else {
            LevelEvent::Increased
        };
        let now = (i64::from(self.ledger.llm), i64::from(self.ledger.api));
        if (change.llm_failures, change.api_failures) != now {
            return Err(format!(
                "expected a move of the level to tell the failures that count, {} and {}, found {} and {}",
                now.0, now.1, change.llm_failures, change.api_failures
            ));
        }
        if change.event != label {
            return Err(format!(
                "expected {old} to {new} to be called {label}, found {}",
                change.event
            ));
        }
        match self.moves.iter().position(|moved| *moved == (old, new)) {
            Some(at) => {
                self.moves.remove(at);
                Ok(())
            }
            None => Err(format!(
                "expected an announcement of a move that was made, found {old} to {new}"
            )),
        }
    }

    fn passed(&self, now: Time) -> Result<(), String> {
        match self.moves.first() {
            Some((old, new)) if now > self.at => Err(format!(
                "expected the move from {old} to {new} to be announced, found nothing of it"
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::samples::counted;
    use super::*;
    use crate::domain_event::{Counted, Published, Started, StateRestored};
    use crate::invariants::bus::samples::config;
    use crate::invariants::planted::Planted;
    use crate::message::DegradationLevel::{Emergency, Limited, Normal, Reduced};
    use crate::message::{Draft, Instant, MessageId};

    /// Failures of models and of everything else count, so many, from what was saved.
    fn with([llm_failures, api_failures]: [u32; 2], level: DegradationLevel) -> Planted {
        let restored = StateRestored {
            task_runs: 0,
            conflicts: 0,
            llm_failures,
            api_failures,
            level,
            complete: true,
        };
        Planted::of(Direction::new(&config()))
            .then(Started {})
            .then(restored)
    }

    fn announced(
        event: LevelEvent,
        [llm_failures, api_failures]: [i64; 2],
        old_level: DegradationLevel,
        new_level: DegradationLevel,
    ) -> Published {
        let change = LevelChange {
            event,
            old_level,
            new_level,
            llm_failures,
            api_failures,
        };
        let draft = Draft::new(Topic::SystemEvents, "coordinator".into(), change);
        let message = draft.stamp(MessageId::number(0), Instant::START);
        Published {
            message: Rc::new(message.expect("it names its source")),
            trimmed: 0,
        }
    }

    #[test]
    fn up_and_down_with_the_right_labels() {
        with([0, 2], Normal)
            .then(counted(Counted::ApiFailure, [0, 3], Reduced))
            .then(counted(Counted::ApiSuccess, [0, 2], Normal))
            .then(announced(LevelEvent::Recovery, [0, 2], Reduced, Normal))
            .then(announced(LevelEvent::Increased, [0, 2], Normal, Reduced))
            .holds();
        with([9, 0], Emergency)
            .then(counted(Counted::LlmSuccess, [8, 0], Limited))
            .then(announced(LevelEvent::Decreased, [8, 0], Emergency, Limited))
            .at(5.0)
            .then(counted(Counted::LlmSuccess, [8, 0], Limited))
            .holds();
    }

    #[test]
    fn the_wrong_way_is_found() {
        let found = with([0, 3], Reduced).then(counted(Counted::ApiFailure, [0, 2], Normal));
        assert!(found.violated().contains("not to improve"));
        let found = with([0, 2], Normal).then(counted(Counted::ApiSuccess, [0, 3], Reduced));
        assert!(found.violated().contains("not to worsen"));
    }

    #[test]
    fn so_is_a_wrong_count_or_level() {
        let found = |it| with([4, 0], Reduced).then(it).violated();
        let what = found(counted(Counted::ApiFailure, [5, 0], Reduced));
        assert!(what.contains("the other count"), "{what}");
        let what = found(counted(Counted::LlmFailure, [6, 0], Limited));
        assert!(what.contains("to add one"), "{what}");
        let what = found(counted(Counted::LlmSuccess, [2, 0], Normal));
        assert!(what.contains("to take one"), "{what}");
        let what = found(counted(Counted::LlmFailure, [5, 0], Limited));
        assert!(what.contains("to make the level"), "{what}");
    }

    #[test]
    fn so_is_what_is_said_wrong_or_not_at_all() {
        let moved = || with([9, 0], Emergency).then(counted(Counted::LlmSuccess, [8, 0], Limited));
        let what = moved().then(announced(LevelEvent::Increased, [8, 0], Emergency, Limited));
        assert!(what.violated().contains("to be called"));
        let what = moved().then(announced(LevelEvent::Decreased, [8, 0], Emergency, Reduced));
        assert!(what.violated().contains("that was made"));
        let what = moved().then(announced(LevelEvent::Decreased, [9, 0], Emergency, Limited));
        assert!(what.violated().contains("to tell the failures"));
        let what = moved().at(1.0).then(Started {});
        assert!(what.violated().contains("found nothing of it"));
    }
}
