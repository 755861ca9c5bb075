//! `halt.sticks`: who halts trading is told, and only somebody who clears the halt lets it go on. A pause
//! outlives a crash, too.

use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Plan, Time};

use crate::config::{Config, StoreKind};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, OutsideAction, StateChanged, StateSaved, number};
use crate::invariants::has_crashed;
use crate::invariants::money::COORDINATOR;

/// How long a halt or a pause may wait to be saved while the store works.
const SAVED_WITHIN: Duration = Duration::from_secs(120);

/// Why somebody is halted who was stopped: nothing else is a halt.
const HALTS: [&str; 2] = ["halt", "circuit_breaker"];

/// The halt or the pause in force, and whether it is safe.
#[derive(Debug)]
pub(super) struct HaltSticks {
    has_store: bool,
    state: RunState,
    /// The coordinator has begun and reads what was saved.
    loading: bool,
    /// What holds after a restart: a stop in good order is no halt.
    held: RunState,
    /// It was told to stop, and nothing is tried again.
    ended: bool,
    /// It was told so when it did not listen, and hears of it later.
    doomed: bool,
    halt: Kept,
    pause: Kept,
}

/// What is durable of one state.
#[derive(Debug)]
struct Kept {
    of: RunState,
    /// Under which name its reason is saved.
    name: &'static str,
    /// Since when it waits to be saved.
    unsaved: Option<Time>,
    /// Whether the store failed since then.
    failed: bool,
    /// It is saved, and nobody has left the state since.
    durable: bool,
}

impl Kept {
    fn new(of: RunState, name: &'static str) -> Kept {
        Kept {
            of,
            name,
            unsaved: None,
            failed: false,
            durable: false,
        }
    }

    fn enter(&mut self, to: RunState, at: Option<Time>) {
        if to == self.of {
            self.unsaved = at;
            self.failed = false;
        } else {
            self.unsaved = None;
            self.durable = false;
        }
    }

    /// What is saved says whether it stands.
    fn save(&mut self, state: RunState, saved: &StateSaved) -> Result<(), String> {
        let Kept { of, name, .. } = *self;
        match saved.record.0[name].as_str() {
            None if self.unsaved.is_some() || (self.durable && state == of) => Err(format!(
                "expected the reason of the {name} in what is saved, found none"
            )),
            Some(_) if state != of => Err(format!(
                "expected no {name} in what is saved while {state}, found one"
            )),
            reason => {
                self.durable = reason.is_some();
                self.unsaved = None;
                Ok(())
            }
        }
    }

    fn fail(&mut self, at: Time, loading: bool) {
        self.unsaved = self.unsaved.map(|_| at);
        self.failed = true;
        self.durable &= !loading;
    }

    /// What was not saved before a crash is lost with it; it has to be saved at once.
    fn crash(&mut self, at: Time) -> Result<(), String> {
        let unsaved = self.unsaved.take();
        if unsaved.is_some_and(|since| since < at) && !self.failed {
            return Err(format!(
                "expected the {} to be saved at once, found it lost in a crash",
                self.name
            ));
        }
        Ok(())
    }
}

impl HaltSticks {
    pub(super) fn new(plan: &Plan<Config>) -> HaltSticks {
        HaltSticks::with(plan.system.store.kind != StoreKind::None)
    }

    fn with(has_store: bool) -> HaltSticks {
        HaltSticks {
            has_store,
            state: RunState::Running,
            loading: false,
            held: RunState::Running,
            ended: false,
            doomed: false,
            halt: Kept::new(RunState::Halted, "halt"),
            pause: Kept::new(RunState::Paused, "pause"),
        }
    }

    fn change(&mut self, changed: &StateChanged, at: Time) -> Result<(), String> {
        let StateChanged { from, to, by } = changed;
        if *from != self.state {
            return Err(format!(
                "expected a change from {}, found one from {from}",
                self.state
            ));
        }
        if *from == RunState::Halted && (*by != *"clear_halt" || *to != RunState::Paused) {
            return Err(format!(
                "expected HALTED to be left by clear_halt for paused, found it left by {by} for {to}"
            ));
        }
        self.state = *to;
        if *by == *"stop" {
            self.end();
            return Ok(());
        }
        self.held = *to;
        // What was read from the store is there already.
        let is_new = !self.loading && !self.ended;
        let unsaved = (is_new && self.has_store).then_some(at);
        self.halt.enter(*to, unsaved);
        self.pause.enter(*to, unsaved);
        Ok(())
    }

    /// What is not saved stays so.
    fn end(&mut self) {
        self.ended = true;
        (self.halt.unsaved, self.pause.unsaved) = (None, None);
    }

    /// Whether the coordinator that begins again is as it was.
    fn has_begun(&mut self) -> Result<(), String> {
        self.loading = false;
        self.ended |= std::mem::take(&mut self.doomed);
        let (halted, paused) = (self.halt.durable, self.pause.durable);
        let forgotten = match self.state {
            RunState::Halted => None,
            RunState::Paused => halted.then_some("halt"),
            RunState::Running if halted => Some("halt"),
            RunState::Running => paused.then_some("pause"),
        };
        match forgotten {
            None => Ok(()),
            Some(what) => Err(format!(
                "expected the {what} to outlive the restart, found the coordinator {}",
                self.state
            )),
        }
    }

    fn look(&self, now: Time) -> Result<(), String> {
        let waits = |since: Time| now.since(since) > SAVED_WITHIN;
        for kept in [&self.halt, &self.pause] {
            if kept.unsaved.is_some_and(waits) {
                return Err(format!(
                    "expected the {} to be saved, found it in memory only",
                    kept.name
                ));
            }
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for HaltSticks {
    fn id(&self) -> &'static str {
        "halt.sticks"
    }

    fn statement(&self) -> &'static str {
        "only clear_halt leaves HALTED; pause, resume, a lesser alert or a restart do not; a clean \
         stop is not a halt; a restart does not lift a pause"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::StateChanged,
            number::StateSaved,
            number::StoreFailed,
            number::Subscribed,
            number::ScheduleEnded,
            number::OutsideActed,
            dacapo_kernel::number::HostCrashed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StateChanged]]
    }

    // A store that gives back an earlier state gives back one from before the halt.
    fn excludes(&self) -> &'static [&'static str] {
        &["store.stale"]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.look(event.time)?;
        let at = event.time;
        if has_crashed(event, COORDINATOR) {
            self.loading = true;
            self.halt.crash(at)?;
            return self.pause.crash(at);
        }
        let Some(event) = event.domain() else {
            return Ok(());
        };
        match event {
            DomainEvent::Started(_) => {
                (self.state, self.held) = (RunState::Running, RunState::Running);
                (self.loading, self.ended) = (true, false);
            }
            DomainEvent::StateChanged(changed) => self.change(changed, at)?,
            DomainEvent::StateSaved(saved) => {
                let reason = saved.record.0["halt"].as_str();
                // Whoever is stopped and is halted then is in the same state as before.
                if self.state == RunState::Halted && reason.is_some_and(|it| HALTS.contains(&it)) {
                    self.held = RunState::Halted;
                }
                self.halt.save(self.held, saved)?;
                self.pause.save(self.held, saved)?;
            }
            DomainEvent::ScheduleEnded(_) => self.end(),
            DomainEvent::OutsideActed(it) if matches!(it.action, OutsideAction::Stop) => {
                self.doomed = self.loading;
                if self.state == RunState::Halted {
                    self.end();
                }
            }
            // It is tried again, and until the store has worked nobody can tell what it holds.
            DomainEvent::StoreFailed(_) => {
                self.halt.fail(at, self.loading);
                self.pause.fail(at, self.loading);
            }
            DomainEvent::Subscribed(it) if self.loading && it.subscriber == *"coordinator" => {
                self.has_begun()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.look(end)
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::HostCrashed;
    use serde_json::json;

    use super::super::plant::changed;
    use super::*;
    use crate::domain_event::{ScheduleEnded, Started, StoreFailed, Subscribed};
    use crate::invariants::planted::Planted;
    use crate::message::{Json, Name, Topic};

    fn running() -> Planted {
        Planted::of(HaltSticks::with(true))
    }

    fn halted() -> Planted {
        running().then(changed(RunState::Running, RunState::Halted, "halt"))
    }

    fn paused() -> Planted {
        running().then(changed(RunState::Running, RunState::Paused, "pause"))
    }

    fn saved_pause() -> StateSaved {
        StateSaved {
            record: Json(json!({ "halt": null, "pause": "pause" })),
        }
    }

    fn saved(halt: Option<&str>) -> StateSaved {
        StateSaved {
            record: Json(json!({ "halt": halt })),
        }
    }

    fn subscribed() -> Subscribed {
        Subscribed {
            topic: Topic::TradingSignals,
            subscriber: Name::fixed("coordinator"),
            label: None,
            replaced: Vec::new(),
        }
    }

    #[test]
    fn nothing_but_clear_halt_leaves_it() {
        for (to, by) in [
            (RunState::Paused, "pause"),
            (RunState::Running, "clear_halt"),
            (RunState::Paused, "circuit_breaker"),
        ] {
            let what = halted()
                .then(saved(Some("halt")))
                .then(changed(RunState::Halted, to, by))
                .violated();
            assert!(what.contains("found it left by"), "{what}");
        }
    }

    #[test]
    fn a_restart_does_not_forget_it() {
        let what = halted()
            .then(saved(Some("halt")))
            .then(Started {})
            .then(subscribed())
            .violated();
        assert!(what.contains("outlive the restart"), "{what}");
        let read_again = changed(RunState::Running, RunState::Halted, "halt");
        halted()
            .then(saved(Some("halt")))
            .then(Started {})
            .then(read_again)
            .then(subscribed())
            .holds();
    }

    #[test]
    fn it_is_saved_at_once() {
        let crash = || HostCrashed {
            host: COORDINATOR,
            abrupt: true,
        };
        let what = halted().at(10.0).kernel(crash()).violated();
        assert!(what.ends_with("found it lost in a crash"), "{what}");
        halted().kernel(crash()).holds();
        let failed = StoreFailed {
            operation: Name::fixed("save_state"),
        };
        halted().then(failed).at(10.0).kernel(crash()).holds();
    }

    #[test]
    fn its_reason_is_saved() {
        let what = halted().then(saved(None)).violated();
        assert!(what.contains("found none"), "{what}");
        let what = halted().at(121.0).then(subscribed()).violated();
        assert!(what.contains("in memory only"), "{what}");
        halted()
            .at(119.0)
            .then(StoreFailed {
                operation: Name::fixed("save_state"),
            })
            .at(200.0)
            .then(saved(Some("halt")))
            .holds();
    }

    #[test]
    fn a_halt_that_was_cleared_is_not_kept() {
        let cleared = halted().then(saved(Some("halt"))).then(changed(
            RunState::Halted,
            RunState::Paused,
            "clear_halt",
        ));
        let what = cleared.then(saved(Some("halt"))).violated();
        assert!(what.contains("while paused"), "{what}");
    }

    #[test]
    fn a_stop_in_good_order_is_forgotten() {
        running()
            .then(changed(RunState::Running, RunState::Halted, "stop"))
            .then(saved(None))
            .then(Started {})
            .then(subscribed())
            .holds();
    }

    #[test]
    fn a_stop_in_good_order_lifts_no_pause() {
        let stopped = || {
            let log = paused().then(saved_pause());
            log.then(changed(RunState::Paused, RunState::Halted, "stop"))
        };
        stopped().then(saved_pause()).holds();
        let what = stopped().then(saved(None)).violated();
        assert!(what.contains("reason of the pause"), "{what}");
        for reason in ["stop", "pause"] {
            let what = stopped().then(saved(Some(reason))).violated();
            assert!(what.contains("no halt in what is saved"), "{what}");
        }
        stopped().then(saved(Some("circuit_breaker"))).holds();
        let ended = stopped().then(saved_pause()).then(ScheduleEnded {});
        let resumed = ended.then(changed(RunState::Halted, RunState::Paused, "clear_halt"));
        resumed.at(900.0).then(subscribed()).holds();
    }

    #[test]
    fn a_restart_does_not_lift_a_pause() {
        let what = paused()
            .then(saved_pause())
            .then(Started {})
            .then(subscribed())
            .violated();
        assert!(what.starts_with("expected the pause to outlive"), "{what}");
        for kept in [RunState::Paused, RunState::Halted] {
            paused()
                .then(saved_pause())
                .then(Started {})
                .then(changed(RunState::Running, kept, "pause"))
                .then(subscribed())
                .holds();
        }
    }

    #[test]
    fn a_pause_is_saved_at_once_with_its_reason() {
        let what = paused().then(saved(None)).violated();
        assert!(what.contains("reason of the pause"), "{what}");
        let crash = HostCrashed {
            host: COORDINATOR,
            abrupt: true,
        };
        let what = paused().at(10.0).kernel(crash).violated();
        assert!(what.contains("the pause to be saved at once"), "{what}");
        let resumed = changed(RunState::Paused, RunState::Running, "resume");
        let what = paused()
            .then(saved_pause())
            .then(resumed)
            .then(saved_pause())
            .violated();
        assert!(what.contains("no pause in what is saved"), "{what}");
    }
}
