//! What works again counts again: successes undo failures, and a bad level is probed for better news.

use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Plan, Seq, Time, number as kernel};

use super::idle::Idle;
use super::up::Turn;
use super::{BOUND, EXCLUDED};
use crate::config::Config;
use crate::domain_event::{Counted, DomainEvent, OutcomeCounted, ResolvedBy, TaskOutcome, number};
use crate::invariants::replied::replied;
use crate::message::{DegradationLevel, Name};

/// The failures of one kind, and the successes that should have undone them.
#[derive(Clone, Copy, Debug, Default)]
struct Kind {
    failures: u32,
    /// What the successes since then must undo.
    to_undo: u32,
    /// Successes in a row.
    streak: u64,
    /// When the last of them was.
    at: Time,
}

/// `live.recovers`
pub(super) struct Recovers {
    idle: Idle,
    /// A probe comes at least this often, while the level is bad.
    every: Duration,
    /// The model that is probed.
    model: Name,
    /// How long a probe may take.
    limit: Duration,
    threshold: u64,
    level: DegradationLevel,
    initial: [u32; 2],
    failures_per_level: u32,
    models: Kind,
    tasks: Kind,
    /// Since when the level has been bad without a probe, in a state in which there should be one.
    unprobed: Option<Time>,
    /// The probe that is under way, and when it is given up.
    probe: Option<(Seq, Time)>,
    was_degraded: bool,
}

impl Recovers {
    pub(super) fn new(plan: &Plan<Config>) -> Recovers {
        let Config {
            coordinator,
            conflicts,
            degradation,
            ..
        } = &plan.system;
        let limit = Duration::from_millis(conflicts.max_resolution_time_ms);
        let pause = Duration::from_secs(coordinator.probe_interval_seconds);
        Recovers {
            idle: Idle::though_paused(plan),
            every: pause.saturating_add(limit),
            model: plan.system.llm.primary.model.clone(),
            limit,
            threshold: u64::from(degradation.recovery_threshold),
            level: DegradationLevel::Normal,
            initial: [degradation.llm_failures, degradation.api_failures],
            failures_per_level: degradation.failures_per_level.max(1),
            models: Kind::default(),
            tasks: Kind::default(),
            unprobed: None,
            probe: None,
            was_degraded: false,
        }
    }

    fn pass(&mut self, now: Time) -> Result<(), String> {
        let counts = self.idle.pass(now);
        if let (Some(since), Some(_)) = (self.unprobed, counts)
            && self.idle.since(since) + self.every + BOUND < now
        {
            return Err(format!(
                "expected a probe of the models at {}, found none",
                self.level.name()
            ));
        }
        self.models.is_undone("model", self.threshold, now)?;
        self.tasks.is_undone("task run", self.threshold, now)
    }

    fn begin(&mut self) {
        let [models, tasks] = self.initial;
        let total = models.saturating_add(tasks) / self.failures_per_level;
        self.level = DegradationLevel::ALL[(total as usize).min(3)];
        self.set(models, tasks);
        self.probe = None;
        self.unprobed = None;
    }

    fn set(&mut self, models: u32, tasks: u32) {
        (self.models, self.tasks) = (Kind::of(models), Kind::of(tasks));
    }

    fn count(&mut self, counted: &OutcomeCounted) {
        self.level = counted.level;
        self.models.failures = counted.llm_failures;
        self.tasks.failures = counted.api_failures;
        match counted.outcome {
            Counted::LlmFailure => self.models = Kind::of(counted.llm_failures),
            Counted::ApiFailure => self.tasks = Kind::of(counted.api_failures),
            Counted::LlmSuccess | Counted::ApiSuccess => {}
        }
    }

    fn note(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        match event.domain() {
            Some(DomainEvent::StateRestored(restored)) => {
                self.level = restored.level;
                self.set(restored.llm_failures, restored.api_failures);
            }
            Some(DomainEvent::OutcomeCounted(counted)) => self.count(counted),
            Some(DomainEvent::TaskRunEnded(run)) => match run.outcome {
                TaskOutcome::Done => self.tasks.succeed(now),
                TaskOutcome::TimedOut | TaskOutcome::Failed(_) => {
                    self.tasks = Kind::of(self.tasks.failures);
                }
            },
            Some(DomainEvent::ModelAsked(asked)) if asked.purpose.as_str() == "probe" => {
                if asked.model != self.model {
                    let found = &asked.model;
                    return Err(format!(
                        "expected {} to be probed, found {found}",
                        self.model
                    ));
                }
                self.probe = Some((event.seq, now + self.limit));
                self.unprobed = None;
            }
            Some(DomainEvent::ModelAnswered(answered)) => {
                let probe = self.probe.filter(|(call, _)| event.cause == Some(*call));
                if probe.is_some_and(|(_, until)| until < now) {
                    return Err("expected a probe to be given up in time, found it answered".into());
                }
                if probe.is_some() && replied(&answered.reply).is_ok() {
                    self.models.succeed(now);
                }
            }
            Some(DomainEvent::ConflictResolved(resolved)) => {
                if matches!(resolved.by, ResolvedBy::Reply) {
                    self.models.succeed(now);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a probe should be coming, as things stand after an event.
    fn expect_probe(&mut self, now: Time) {
        let bad = matches!(
            self.level,
            DegradationLevel::Limited | DegradationLevel::Emergency
        );
        self.was_degraded |= self.models.failures > 0 || self.tasks.failures > 0;
        if !bad || !self.idle.is_at_work() {
            self.unprobed = None;
        } else if self.unprobed.is_none() {
            self.unprobed = Some(now);
        }
    }
}

impl Kind {
    fn of(failures: u32) -> Kind {
        Kind {
            failures,
            to_undo: failures,
            ..Kind::default()
        }
    }

    fn succeed(&mut self, now: Time) {
        self.streak += 1;
        self.at = now;
    }

    /// Enough successes in a row have undone every failure, once their instant is over.
    fn is_undone(&self, what: &str, threshold: u64, now: Time) -> Result<(), String> {
        let enough = self.streak >= threshold * u64::from(self.to_undo);
        if self.failures == 0 || !enough || self.at >= now {
            return Ok(());
        }
        Err(format!(
            "expected {} successes in a row of a {what} to undo its {} failures, found {} left",
            self.streak, self.to_undo, self.failures
        ))
    }
}

impl Invariant<DomainEvent> for Recovers {
    fn id(&self) -> &'static str {
        "live.recovers"
    }

    fn statement(&self) -> &'static str {
        "sustained success brings the level back to NORMAL from every level; EMERGENCY probes for it, and \
         gives a probe up in time"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::Subscribed,
            number::StateChanged,
            number::StateRestored,
            number::OutcomeCounted,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::ModelAsked,
            number::ModelAnswered,
            number::ConflictResolved,
            number::OutsideActed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OutcomeCounted, number::StateRestored]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        match self.idle.note(event) {
            Turn::Began => self.begin(),
            Turn::Crashed => self.set(0, 0),
            Turn::Nothing => self.note(event)?,
        }
        self.expect_probe(event.time);
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }

    fn evaluable(&self) -> bool {
        self.was_degraded && self.idle.is_bounded()
    }
}

#[cfg(test)]
mod tests;
