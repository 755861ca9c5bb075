//! A coordinator whose host came up again listens again, however often it crashes on the way.

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Time, number as kernel};

use super::up::{Turn, Up};
use super::{BOUND, EXCLUDED, is_late, is_undisturbed};
use crate::config::Config;
use crate::domain_event::{DomainEvent, number};

/// `live.recovery-ends`
pub(super) struct RecoveryEnds {
    quiet: Option<Time>,
    life: Up,
    /// Since when it has been recovering.
    since: Option<Time>,
}

impl RecoveryEnds {
    pub(super) fn new(plan: &Plan<Config>) -> RecoveryEnds {
        RecoveryEnds {
            quiet: plan.faults.ends().filter(|_| is_undisturbed(plan)),
            life: Up::default(),
            since: None,
        }
    }

    fn pass(&self, now: Time) -> Result<(), String> {
        match self.since {
            Some(since) if is_late(since, self.quiet, BOUND, now) => Err(
                "expected the coordinator to listen again after a restart, found it recovering"
                    .into(),
            ),
            _ => Ok(()),
        }
    }
}

impl Invariant<DomainEvent> for RecoveryEnds {
    fn id(&self) -> &'static str {
        "live.recovery-ends"
    }

    fn statement(&self) -> &'static str {
        "recovery ends under repeated crashes"
    }

    fn applies(&self) -> bool {
        self.quiet.is_some()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            kernel::HostRestarted,
            number::Started,
            number::Subscribed,
            number::StoreFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[kernel::HostRestarted]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        if self.life.note(event) == Turn::Crashed {
            self.since = None;
        }
        match (event.kernel(), event.domain()) {
            (Some(KernelEvent::HostRestarted(restarted)), _)
                if self.life.is_its(restarted.host) =>
            {
                self.since = Some(event.time);
            }
            // It waits for its store, and asks again within a minute.
            (_, Some(DomainEvent::StoreFailed(_))) if self.since.is_some() => {
                self.since = Some(event.time);
            }
            _ => {}
        }
        if self.life.listens() {
            self.since = None;
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{crashed, ended, listens, minimal, restarted, started};
    use super::*;
    use crate::domain_event::StoreFailed;
    use crate::invariants::planted::Planted;

    fn restarting() -> Planted {
        let log = Planted::of(RecoveryEnds::new(&minimal())).then(started());
        let log = log.at(10.0).kernel(crashed()).at(15.0).kernel(restarted());
        log.then(started())
    }

    #[test]
    fn a_coordinator_that_listens_again_has_recovered() {
        restarting()
            .then(listens())
            .at(900.0)
            .kernel(ended())
            .holds();
    }

    #[test]
    fn one_that_never_does_is_found() {
        let found = restarting().at(136.0).then(started()).violated();
        assert!(found.ends_with("found it recovering"), "{found}");
    }

    #[test]
    fn a_store_that_fails_is_waited_for() {
        let failed = StoreFailed {
            operation: "load_state".into(),
        };
        let log = restarting()
            .at(100.0)
            .then(failed)
            .at(160.0)
            .then(listens());
        log.at(900.0).kernel(ended()).holds();
    }

    #[test]
    fn a_crash_on_the_way_begins_recovery_anew() {
        let log = restarting().at(100.0).kernel(crashed());
        let log = log.at(130.0).kernel(restarted());
        log.at(249.0).then(listens()).holds();
    }
}
