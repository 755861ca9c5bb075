//! Nothing is scheduled, watched or forgotten by a coordinator that was stopped.

use dacapo_kernel::{Event, Invariant, Plan, Time, number as kernel};

use super::up::{Turn, Up};
use super::{BOUND, EXCLUDED, is_late};
use crate::config::{Config, StoreKind};
use crate::domain_event::{DomainEvent, OutsideAction, number};

/// Why a position is closed that somebody watches.
const AT_A_PRICE: [&str; 2] = ["stop_loss", "take_profit"];

/// `live.schedule-ends`
pub(super) struct ScheduleEnds {
    quiet: Option<Time>,
    life: Up,
    /// Since when it is to end.
    since: Option<Time>,
    /// Somebody stopped it. Where nobody is up, that waits for whoever begins next.
    is_stopped: bool,
    /// When a coordinator that is up was stopped.
    stopped: Option<Time>,
    has_store: bool,
    /// When it halted for that, until it has tried to save so.
    unsaved: Option<Time>,
}

impl ScheduleEnds {
    pub(super) fn new(plan: &Plan<Config>) -> ScheduleEnds {
        ScheduleEnds {
            quiet: plan.faults.ends(),
            life: Up::default(),
            since: None,
            is_stopped: false,
            stopped: None,
            has_store: plan.system.store.kind != StoreKind::None,
            unsaved: None,
        }
    }

    fn pass(&self, now: Time) -> Result<(), String> {
        if self.unsaved.is_some_and(|since| since < now) {
            return Err("expected a stop to be saved, found nothing saved".into());
        }
        match self.since {
            Some(since) if is_late(since, self.quiet, BOUND, now) => {
                Err("expected the schedule to end after a stop, found it going on".into())
            }
            _ => Ok(()),
        }
    }
}

impl Invariant<DomainEvent> for ScheduleEnds {
    fn id(&self) -> &'static str {
        "live.schedule-ends"
    }

    fn statement(&self) -> &'static str {
        "the schedule ends once the coordinator is stopped, and not before anybody stops it; a stop is saved, and nobody \
         watches positions after it"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::Subscribed,
            number::OutsideActed,
            number::ScheduleEnded,
            number::StateChanged,
            number::StateSaved,
            number::StoreFailed,
            number::PositionClosed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OutsideActed, number::ScheduleEnded]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        match self.life.note(event) {
            Turn::Crashed => (self.since, self.stopped, self.unsaved) = (None, None, None),
            Turn::Began => self.stopped = None,
            Turn::Nothing => {}
        }
        match event.domain() {
            Some(DomainEvent::OutsideActed(it)) if matches!(it.action, OutsideAction::Stop) => {
                self.is_stopped = true;
                if self.life.listens() {
                    self.since.get_or_insert(event.time);
                    self.stopped.get_or_insert(event.time);
                }
            }
            Some(DomainEvent::ScheduleEnded(_)) => {
                if !self.is_stopped {
                    return Err("expected a schedule to go on until a stop, found it ended".into());
                }
                self.since = None;
            }
            Some(DomainEvent::StateChanged(it)) if it.by == *"stop" && self.has_store => {
                self.unsaved = Some(event.time);
            }
            Some(DomainEvent::StateSaved(_) | DomainEvent::StoreFailed(_)) => self.unsaved = None,
            Some(DomainEvent::PositionClosed(it)) => {
                let is_after = self.stopped.is_some_and(|since| since < event.time);
                if is_after && AT_A_PRICE.contains(&it.reason.as_str()) {
                    return Err(
                        "expected nobody to watch positions after a stop, found one closed".into(),
                    );
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }

    fn evaluable(&self) -> bool {
        self.is_stopped
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{
        crashed, ended, listens, minimal, restarted, started, state, store_failed,
    };
    use super::*;
    use crate::coordinator::state::RunState;
    use crate::domain_event::{OutsideActed, PositionClosed, ScheduleEnded, StateChanged};
    use crate::invariants::planted::Planted;
    use crate::invariants::trading::plant::position_closed;

    fn working() -> Planted {
        let log = Planted::of(ScheduleEnds::new(&minimal()));
        log.then(started()).then(listens()).at(10.0)
    }

    fn stop() -> OutsideActed {
        OutsideActed {
            action: OutsideAction::Stop,
        }
    }

    // Fails if a coordinator may go on after a stop, or must end before one is done with.
    #[test]
    fn a_stop_ends_the_schedule() {
        let ends = working().then(stop()).at(130.0).then(ScheduleEnded {});
        ends.at(900.0).kernel(ended()).holds();
        let found = working().then(stop()).at(131.0).then(started()).violated();
        assert!(found.contains("going on"), "{found}");
    }

    // Fails if a schedule may end for nothing.
    #[test]
    fn nothing_else_does() {
        let found = working().then(ScheduleEnded {}).violated();
        assert!(found.contains("found it ended"), "{found}");
    }

    // Fails if a crash after the stop counts as a schedule that goes on.
    #[test]
    fn a_crash_ends_it_too() {
        let crash = working().then(stop()).kernel(crashed());
        let again = crash.at(20.0).kernel(restarted()).then(started());
        let stopped = again.then(listens()).at(30.0).then(stop());
        stopped.at(40.0).then(ScheduleEnded {}).holds();
    }

    // Fails if whoever begins after a stop must not heed it.
    #[test]
    fn a_stop_may_come_before_the_next_begins() {
        let down = working().kernel(crashed()).at(20.0).then(stop());
        let again = down.kernel(restarted()).then(started()).then(listens());
        again.then(ScheduleEnded {}).holds();
    }

    // Fails if a stop may leave nothing saved, or a position be closed at its stop long after.
    #[test]
    fn a_stop_is_saved_and_nothing_is_watched() {
        let halted = state(RunState::Running, RunState::Halted);
        let halted = StateChanged {
            by: "stop".into(),
            ..halted
        };
        let stopped = || working().then(stop()).then(halted.clone());
        let later = |log: Planted| log.at(11.0).then(ScheduleEnded {});
        let found = later(stopped()).violated();
        assert!(found.contains("to be saved"), "{found}");
        let saved = || stopped().then(store_failed("save_state"));
        later(saved()).holds();
        let closed = |reason: &str| PositionClosed {
            reason: reason.into(),
            ..position_closed()
        };
        let found = later(saved()).then(closed("stop_loss")).violated();
        assert!(found.contains("to watch positions"), "{found}");
        later(saved()).then(closed("emergency")).holds();
    }
}
