//! An agent that hangs is given up at its limit, whoever asked it to run.

use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Plan, Time, number as kernel};

use super::up::{Turn, Up};
use super::{EXCLUDED, seconds};
use crate::config::Config;
use crate::domain_event::{DomainEvent, number};
use crate::message::Name;

/// A run that has not ended.
#[derive(Debug)]
struct Open {
    task: Name,
    symbol: Name,
    /// No later than this it has ended.
    until: Time,
}

/// `live.hung-agent-freed`
pub(super) struct HungAgentFreed {
    life: Up,
    limits: Vec<(Name, Duration)>,
    open: Vec<Open>,
}

impl HungAgentFreed {
    pub(super) fn new(plan: &Plan<Config>) -> HungAgentFreed {
        let config = &plan.system;
        let tasks = config.schedules.tasks(&config.symbols, &config.agents);
        let limit = |task: &crate::config::Schedule| {
            // The limit is kept to the nanosecond, the time of an event no finer.
            (task.name.clone(), seconds(task.timeout_seconds))
        };
        HungAgentFreed {
            life: Up::default(),
            limits: tasks.iter().map(limit).collect(),
            open: Vec::new(),
        }
    }

    /// Whether a run has outlived its limit by now.
    fn pass(&self, now: Time) -> Result<(), String> {
        match self.open.iter().find(|run| run.until < now) {
            None => Ok(()),
            Some(run) => Err(format!(
                "expected the agent of {} to be given up at its limit, found it still running",
                run.task
            )),
        }
    }
}

impl Invariant<DomainEvent> for HungAgentFreed {
    fn id(&self) -> &'static str {
        "live.hung-agent-freed"
    }

    fn statement(&self) -> &'static str {
        "a hung agent is released at its timeout and holds up nobody beyond it"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::TaskRunStarted,
            number::TaskRunEnded,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::TaskRunStarted]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        if self.life.note(event) != Turn::Nothing {
            self.open.clear();
        }
        match event.domain() {
            Some(DomainEvent::TaskRunStarted(run)) => {
                let limit = self.limits.iter().find(|(task, _)| *task == run.task);
                if let Some((_, limit)) = limit {
                    self.open.push(Open {
                        task: run.task.clone(),
                        symbol: run.symbol.clone(),
                        until: event.time + *limit,
                    });
                }
            }
            Some(DomainEvent::TaskRunEnded(run)) => {
                let same = |open: &Open| open.task == run.task && open.symbol == run.symbol;
                if let Some(at) = self.open.iter().position(same) {
                    self.open.swap_remove(at);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{crashed, minimal, run_ended, run_started, started};
    use super::*;
    use crate::domain_event::TaskOutcome;
    use crate::invariants::planted::Planted;

    fn planted() -> Planted {
        Planted::of(HungAgentFreed::new(&minimal())).then(started())
    }

    #[test]
    fn an_agent_that_is_given_up_at_its_limit_is_fine() {
        let log = planted().then(run_started("ta_analysis", false));
        let log = log
            .at(30.0)
            .then(run_ended("ta_analysis", TaskOutcome::TimedOut));
        log.at(99.0).then(run_started("ta_analysis", true)).holds();
    }

    #[test]
    fn an_agent_that_outlives_its_limit_is_found_at_the_next_event_or_the_end() {
        for forced in [false, true] {
            let log = planted().then(run_started("ta_analysis", forced));
            let what = log.at(30.1).then(run_started("regime_detection", false));
            assert_eq!(
                what.violated(),
                "expected the agent of ta_analysis to be given up at its limit, found it still running"
            );
        }
        let log = planted().then(run_started("ta_analysis", false));
        let other = log.at(10.0).then(run_started("regime_detection", false));
        other
            .at(60.0)
            .kernel(dacapo_kernel::RunEnded {
                verdict: dacapo_kernel::Verdict::Complete,
            })
            .violated();
    }

    #[test]
    fn a_crash_ends_every_run() {
        let log = planted().then(run_started("ta_analysis", false));
        log.at(5.0)
            .kernel(crashed())
            .at(99.0)
            .then(started())
            .holds();
    }
}
