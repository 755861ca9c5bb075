//! `state.saves`: the state is saved when there is something new, or when it is time again, and not in between.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Time};
use serde_json::Value;

use crate::config::Config;
use crate::domain_event::{DomainEvent, OutsideAction, number};

/// How often the state is saved whatever is in it; the original's clock may come short of it by a hair.
const PERIOD: Duration = Duration::from_millis(599_999);

/// What was saved last. Besides what is saved because it is news, the state is saved every ten minutes,
/// whether it is news or not.
#[derive(Debug)]
pub(super) struct Saved {
    /// Whether time, and not bars, says when it is time again.
    by_time: bool,
    /// A hash of it, since a copy of each record would cost too much.
    last: Option<u64>,
    /// When something was saved last that was there already.
    repeated: Option<Time>,
    /// Stops that may not have been heard yet; each saves, too.
    stops: u32,
}

impl Saved {
    pub(super) fn new(config: &Config) -> Saved {
        Saved {
            by_time: config.store.save_bars.is_none(),
            last: None,
            repeated: None,
            stops: 0,
        }
    }

    fn save(&mut self, record: &Value, now: Time) -> Result<(), String> {
        let mut hasher = Quick::default();
        record.hash(&mut hasher);
        let hash = Some(hasher.finish());
        if std::mem::replace(&mut self.last, hash) != hash {
            return Ok(());
        }
        match self.repeated.replace(now) {
            Some(at) if now.since(at) < PERIOD && self.stops > 0 => {
                self.stops -= 1;
                Ok(())
            }
            Some(at) if now.since(at) < PERIOD => Err(format!(
                "expected what is saved already to be saved again after 600 s, found it saved again twice in {} s",
                now.since(at).as_secs()
            )),
            _ => Ok(()),
        }
    }
}

/// A hash that takes eight bytes at a time: nobody attacks it, and each run has few records.
#[derive(Default)]
struct Quick(u64);

impl Quick {
    fn take(&mut self, word: u64) {
        // The multiplier is that of the golden ratio, as in Fibonacci hashing.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words
            .iter()
            .for_each(|word| self.take(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.take(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.take(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.take(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Invariant<DomainEvent> for Saved {
    fn id(&self) -> &'static str {
        "state.saves"
    }

    fn statement(&self) -> &'static str {
        "the state is saved when there is something new in it, and every 600 s, and not in between"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::StateChanged,
            number::OutsideActed,
            number::StateSaved,
            number::StoreFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StateSaved]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::StateSaved(it)) if self.by_time => {
                return self.save(&it.record.0, event.time);
            }
            Some(DomainEvent::Started(_)) => self.repeated = None,
            Some(DomainEvent::OutsideActed(it)) => {
                self.stops += u32::from(matches!(it.action, OutsideAction::Stop));
            }
            _ => {}
        }
        // It has a reason to save, whatever it saves; what failed is tried again.
        self.last = None;
        Ok(())
    }

    fn evaluable(&self) -> bool {
        self.by_time
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::Plan;
    use serde_json::json;

    use super::super::planted::config;
    use super::*;
    use crate::domain_event::{OutsideActed, StateSaved, StoreFailed};
    use crate::invariants::planted::Planted;
    use crate::message::{Json, Name};

    fn saved(runs: u64) -> StateSaved {
        StateSaved {
            record: Json(json!({ "statistics": {"total_task_runs": runs} })),
        }
    }

    fn begun() -> Planted {
        let plan = Plan::of("planted", config());
        Planted::of(Saved::new(&plan.system)).then(saved(1))
    }

    // Fails if the same may be saved at every look, or must be new after ten minutes, a change or a failure.
    #[test]
    fn the_same_is_saved_again_when_it_is_time() {
        let twice = || begun().at(1.0).then(saved(1));
        twice().at(2.0).then(saved(2)).holds();
        twice().at(601.0).then(saved(1)).holds();
        let failed = StoreFailed {
            operation: Name::fixed("save_state"),
        };
        twice().then(failed).at(3.0).then(saved(1)).holds();
        let stop = OutsideActed {
            action: OutsideAction::Stop,
        };
        let late = || begun().then(stop.clone()).then(saved(1)).then(saved(1));
        late().at(1.0).then(saved(1)).holds();
        late().at(1.0).then(saved(1)).then(saved(1)).violated();
        let found = twice().at(600.0).then(saved(1)).violated();
        assert!(found.ends_with("twice in 599 s"), "{found}");
    }
}
