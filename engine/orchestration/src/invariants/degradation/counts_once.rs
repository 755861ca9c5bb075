//! How task runs and questions to models count towards the level.

use dacapo_kernel::{Event, HostId, Invariant, KernelEvent, Time, number as kernel};

use crate::domain_event::{Counted, DomainEvent, ResolvedBy, TaskOutcome, number};

/// Every failed task run counts exactly once, whatever its cause: as one failure, at the instant at
/// which it failed. What succeeded counts as a success, if at all: a success while nothing counts
/// leaves no trace. Of the questions that a conflict or a probe asks one outcome counts, however many models were
/// asked.
#[derive(Default)]
pub(super) struct CountsOnce {
    coordinator: Option<HostId>,
    /// Runs that failed, and that succeeded, and are not counted yet.
    failed: u64,
    done: u64,
    /// Conflicts that a model was asked about and that were resolved, and outcomes of models that were counted, now.
    resolved: u64,
    models: u64,
    /// Whether a probe was asked that no outcome counts of yet.
    probed: bool,
    /// When the last of them ended.
    at: Time,
}

impl Invariant<DomainEvent> for CountsOnce {
    fn id(&self) -> &'static str {
        "degrade.counts-once"
    }

    fn statement(&self) -> &'static str {
        "every failed task run counts exactly once, whatever its cause, and so do the models that are asked about a \
         conflict or probed"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            kernel::TaskCrashed,
            number::Started,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::OutcomeCounted,
            number::ModelAsked,
            number::ConflictResolved,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::TaskRunEnded]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if let Some(kernel) = event.kernel() {
            // Whatever a crash cut off is not counted any more.
            match kernel {
                KernelEvent::HostStarted(it) if it.name == "coordinator" => {
                    self.coordinator = Some(it.host);
                }
                KernelEvent::HostCrashed(it) if self.coordinator == Some(it.host) => self.forget(),
                // It need not have been the one that probes.
                KernelEvent::TaskCrashed(_) => self.forget_ended(),
                _ => {}
            }
            return Ok(());
        }
        self.passed(event.time)?;
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.forget(),
            Some(DomainEvent::TaskRunEnded(it)) => {
                self.at = event.time;
                match it.outcome {
                    TaskOutcome::Done => self.done += 1,
                    TaskOutcome::TimedOut | TaskOutcome::Failed(_) => self.failed += 1,
                }
            }
            Some(DomainEvent::OutcomeCounted(it)) => return self.counted(it.outcome, event.time),
            Some(DomainEvent::ModelAsked(it)) => self.probed |= it.purpose == *"probe",
            Some(DomainEvent::ConflictResolved(it)) => {
                self.resolved += u64::from(it.by != ResolvedBy::Level);
                self.at = event.time;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.passed(end)
    }
}

impl CountsOnce {
    fn forget(&mut self) {
        self.forget_ended();
        self.probed = false;
    }

    /// What ended before is not counted any more.
    fn forget_ended(&mut self) {
        (self.failed, self.done) = (0, 0);
        (self.resolved, self.models) = (0, 0);
    }

    fn counted(&mut self, outcome: Counted, now: Time) -> Result<(), String> {
        let (open, what) = match outcome {
            Counted::ApiFailure => (&mut self.failed, "failed"),
            Counted::ApiSuccess => (&mut self.done, "succeeded"),
            Counted::LlmFailure | Counted::LlmSuccess => {
                self.models += 1;
                self.at = now;
                return Ok(());
            }
        };
        if *open == 0 {
            return Err(format!(
                "expected a task run that {what} for each one counted, found none"
            ));
        }
        *open -= 1;
        Ok(())
    }

    /// Time moves: what failed before must have been counted.
    fn passed(&mut self, now: Time) -> Result<(), String> {
        if now <= self.at {
            return Ok(());
        }
        self.done = 0;
        if self.failed > 0 {
            return Err(
                "expected a failed task run to count as a failure, found it uncounted".into(),
            );
        }
        let (models, resolved) = (self.models, self.resolved);
        (self.models, self.resolved) = (0, 0);
        if models > resolved {
            let is_probe = std::mem::take(&mut self.probed);
            if models > resolved + u64::from(is_probe) {
                return Err(
                    "expected one outcome of models for each conflict and probe, found more".into(),
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::{HostCrashed, HostStarted};

    use super::super::samples::{counted, ended};
    use super::*;
    use crate::invariants::planted::Planted;
    use crate::invariants::trading::plant::{asked, resolved};
    use crate::message::DegradationLevel::Normal;

    fn failed() -> Planted {
        let outcome = TaskOutcome::Failed("it is down".to_owned());
        Planted::of(CountsOnce::default())
            .at(1.0)
            .then(ended("BTC/USDT", outcome))
    }

    #[test]
    fn each_failure_is_counted_and_a_success_may_be() {
        failed()
            .then(ended("XRP/USDT", TaskOutcome::TimedOut))
            .then(counted(Counted::ApiFailure, [0, 1], Normal))
            .then(counted(Counted::ApiFailure, [0, 2], Normal))
            .at(2.0)
            .then(ended("BTC/USDT", TaskOutcome::Done))
            .then(counted(Counted::ApiSuccess, [0, 2], Normal))
            .at(3.0)
            .then(ended("BTC/USDT", TaskOutcome::Done))
            .holds();
    }

    #[test]
    fn one_that_is_not_counted_is_found() {
        let later = failed().at(2.0).then(ended("BTC/USDT", TaskOutcome::Done));
        assert!(later.violated().contains("uncounted"));
    }

    #[test]
    fn so_is_one_that_is_counted_twice_or_as_a_success() {
        let once = failed().then(counted(Counted::ApiFailure, [0, 1], Normal));
        let twice = once.then(counted(Counted::ApiFailure, [0, 2], Normal));
        assert!(twice.violated().contains("that failed for each"));
        let swallowed = failed().then(counted(Counted::ApiSuccess, [0, 1], Normal));
        assert!(swallowed.violated().contains("that succeeded for each"));
    }

    #[test]
    fn what_a_crash_of_the_coordinator_cuts_off_need_not_count() {
        let host = HostId(1);
        Planted::of(CountsOnce::default())
            .kernel(HostStarted {
                host,
                name: "coordinator".into(),
            })
            .at(1.0)
            .then(ended("BTC/USDT", TaskOutcome::TimedOut))
            .kernel(HostCrashed { host, abrupt: true })
            .at(2.0)
            .then(ended("BTC/USDT", TaskOutcome::Done))
            .holds();
    }

    // Fails if one conflict may count twice, or a probe not at all.
    #[test]
    fn models_count_once_for_a_conflict_and_once_for_a_probe() {
        let resolved = || resolved(7, "wait", 0.5, ResolvedBy::Failure);
        let failed = |llm| counted(Counted::LlmFailure, [llm, 0], Normal);
        let log = || Planted::of(CountsOnce::default()).at(1.0);
        let later = |log: Planted| log.at(2.0).then(ended("BTC/USDT", TaskOutcome::Done));
        later(log().then(failed(1)).then(resolved())).holds();
        let twice = || log().then(failed(1)).then(failed(2)).then(resolved());
        let what = later(twice()).violated();
        assert!(what.contains("one outcome of models"), "{what}");
        later(log().then(failed(1))).violated();
        let probed = || log().then(asked("probe")).at(1.5);
        later(probed().then(failed(1))).holds();
        later(probed().then(failed(1)).then(failed(2))).violated();
    }
}
