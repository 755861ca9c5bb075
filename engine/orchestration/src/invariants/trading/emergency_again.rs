//! `emergency.again`: what could not be closed is tried again every five seconds, and neither more nor less often.
//!
//! As long as the halt stands that asked for it, a restart closes everything anew.

use dacapo_kernel::{Event, Invariant, Time};

use crate::domain_event::{DomainEvent, EmergencyOrder, EmergencyOrdered, number};
use crate::message::Payload;

/// How long to wait before what could not be closed is tried again, in nanoseconds.
const PAUSE_NS: u64 = 5_000_000_000;
/// How long telling everybody of what was closed may take besides, in nanoseconds.
const TELLING_NS: u64 = 55_000_000_000;
/// The first attempt, and how often it is repeated.
const MOST: u32 = 11;

/// The attempts to close everything that are under way: never two at a time.
#[derive(Debug, Default)]
pub(super) struct EmergencyAgain {
    /// How often it was tried, and when last, while something is left.
    tried: Option<(u32, Time)>,
    /// Whether a close is saved that goes on for as long as the halt stands.
    saved: bool,
    /// When a restart read that.
    resumed: Option<Time>,
}

impl EmergencyAgain {
    /// It is so late, and another attempt is not overdue.
    fn pass(&self, now: Time) -> Result<(), String> {
        if self.resumed.is_some_and(|since| since < now) {
            return Err(
                "expected a restart to go on closing everything, found nothing ordered".into(),
            );
        }
        let latest = |last: Time| last.as_nanos() + PAUSE_NS + TELLING_NS;
        match self.tried {
            Some((_, last)) if now.as_nanos() > latest(last) => Err(
                "expected what could not be closed to be tried again, found nothing done".into(),
            ),
            _ => Ok(()),
        }
    }

    fn order(&mut self, ordered: &EmergencyOrdered, now: Time) -> Result<(), String> {
        let (EmergencyOrder::CloseAll, Some(left)) = (ordered.order, ordered.left) else {
            return Ok(());
        };
        self.resumed = None;
        let before = self.tried.take();
        let times = before.map_or(1, |(times, _)| times + 1);
        // After the last attempt a person is asked, and whatever comes then begins anew.
        self.tried = (left > 0 && times < MOST).then_some((times, now));
        let too_soon = |(_, last): &(u32, Time)| now.as_nanos() < last.as_nanos() + PAUSE_NS;
        match before.filter(too_soon) {
            Some(_) => {
                Err("expected five seconds between two attempts to close, found less".into())
            }
            None => Ok(()),
        }
    }
}

impl Invariant<DomainEvent> for EmergencyAgain {
    fn id(&self) -> &'static str {
        "emergency.again"
    }

    fn statement(&self) -> &'static str {
        "what could not be closed in an emergency is tried again every five seconds, ten times, and not more often; \
         a restart goes on with it"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            dacapo_kernel::number::HostCrashed,
            dacapo_kernel::number::TaskCrashed,
            number::Started,
            number::EmergencyOrdered,
            number::StateSaved,
            number::StateRestored,
            // That the store has lost something is told.
            number::Published,
            // Time goes on.
            number::MarketTrade,
            number::TaskRunStarted,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::EmergencyOrdered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::EmergencyOrdered(it)) => return self.order(it, event.time),
            Some(DomainEvent::MarketTrade(_) | DomainEvent::TaskRunStarted(_)) => {
                return self.pass(event.time);
            }
            Some(DomainEvent::StateSaved(it)) => {
                let closing = it.record.0.get("closing");
                self.saved = closing.is_some_and(|closing| *closing == true);
            }
            Some(DomainEvent::StateRestored(it)) if it.complete && self.saved => {
                self.resumed = Some(event.time);
            }
            Some(DomainEvent::Published(it)) => {
                if let Payload::StoreLost(_) = &it.message.payload {
                    (self.saved, self.resumed) = (false, None);
                }
            }
            // Whoever tried is gone, or may be.
            _ => (self.tried, self.resumed) = (None, None),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain_event::{Started, StateSaved};
    use crate::invariants::degradation::samples::{begun, restored};
    use crate::invariants::planted::Planted;
    use crate::message::Json;

    fn ordered(left: u64) -> EmergencyOrdered {
        EmergencyOrdered {
            order: EmergencyOrder::CloseAll,
            left: Some(left),
        }
    }

    fn tried() -> Planted {
        Planted::of(EmergencyAgain::default()).then(ordered(1))
    }

    // Fails if an attempt may follow at once on one that left something, or must wait where nothing is left.
    #[test]
    fn an_attempt_waits_for_the_one_before() {
        tried().at(5.0).then(ordered(0)).then(ordered(0)).holds();
        let hasty = tried().at(4.9).then(ordered(0)).violated();
        assert!(hasty.ends_with("found less"), "{hasty}");
        tried().then(Started {}).then(ordered(0)).holds();
    }

    // Fails if an attempt that left something may be the last one, or must be followed although nothing is left.
    #[test]
    fn an_attempt_follows_one_that_left_something() {
        let later = |log: Planted| log.at(61.0).then(begun("BTC/USDT", false));
        let found = later(tried()).violated();
        assert!(found.contains("to be tried again"), "{found}");
        later(tried().at(5.0).then(ordered(0))).holds();
        later(tried().then(Started {})).holds();
        let reduced = EmergencyOrdered {
            order: EmergencyOrder::Reduce(30.0),
            left: Some(1),
        };
        later(Planted::of(EmergencyAgain::default()).then(reduced)).holds();
    }

    // Fails if a new emergency has to wait after the last attempt of one before.
    #[test]
    fn after_the_last_attempt_it_begins_anew() {
        let last = (1..11).fold(tried(), |log, times| {
            log.at(f64::from(times) * 5.0).then(ordered(1))
        });
        last.then(ordered(0)).holds();
    }

    // Fails if a restart may forget that everything is to be closed, or has to close although nobody asked.
    #[test]
    fn a_restart_goes_on() {
        let restarted = |closing: bool| {
            let record = serde_json::json!({ "closing": closing });
            Planted::of(EmergencyAgain::default())
                .then(StateSaved {
                    record: Json(record),
                })
                .then(Started {})
                .then(restored())
        };
        let later = |log: Planted| log.at(1.0).then(begun("BTC/USDT", false));
        let found = later(restarted(true)).violated();
        assert!(found.contains("a restart"), "{found}");
        later(restarted(true).then(ordered(0))).holds();
        later(restarted(false).then(ordered(0))).holds();
    }
}
