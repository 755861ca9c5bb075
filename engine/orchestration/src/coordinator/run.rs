//! One run of one task for one symbol: the agent, its limit, what it publishes, how it is counted.

use std::rc::Rc;
use std::time::Duration;

use super::Coordinator;
use crate::agents::{AgentError, Output};
use crate::config::{Duty, TaskKind};
use crate::defect::Defect;
use crate::domain_event::{Counted, TaskOutcome, TaskRunEnded, TaskRunStarted};
use crate::message::{Draft, Name, Payload, Priority, Raised, Span, TaskError, Topic, Ttl};

impl Coordinator {
    /// Runs a task for one symbol within its limit, and counts how it went.
    pub(super) async fn run_once(self: &Rc<Self>, at: usize, symbol: Name, forced: bool) {
        let (name, limit_s) = self.terms(at);
        let started = TaskRunStarted {
            task: name.clone(),
            symbol: symbol.clone(),
            forced,
        };
        self.ctx.emit(started);
        let outcome = self.run_limited(at, &symbol, limit_s).await;
        let (task, of) = (name.clone(), symbol.clone());
        self.ctx.emit(TaskRunEnded {
            task,
            symbol: of,
            outcome: outcome.clone(),
        });
        self.count_run(name, symbol, limit_s, outcome).await;
    }

    /// Runs the agent within its limit. With `no-agent-timeout` there is none.
    ///
    /// Agents of one instant run beside each other: each starts after those that are ready before
    /// it, and how it went is noted after those that are ready then.
    async fn run_limited(self: &Rc<Self>, at: usize, symbol: &Name, limit_s: f64) -> TaskOutcome {
        // On the heap, so that what is spawned for each symbol stays small.
        let work = Box::pin(self.run_agent(at, symbol));
        if self.defects.has(Defect::NoAgentTimeout) {
            return match work.await {
                Ok(()) => TaskOutcome::Done,
                Err(error) => TaskOutcome::Failed(error.0),
            };
        }
        let begun = async {
            self.ctx.yield_now().await;
            work.await
        };
        let limit = Duration::from_secs_f64(limit_s);
        let ended = self.ctx.timeout(limit, begun).await;
        self.ctx.yield_now().await;
        self.ctx.yield_now().await;
        match ended {
            Err(_) => TaskOutcome::TimedOut,
            Ok(Err(error)) => TaskOutcome::Failed(error.0),
            Ok(Ok(())) => TaskOutcome::Done,
        }
    }

    /// Runs a task as a command does with `force-run-bypasses-guards`: no limit, nothing counted.
    pub(super) async fn run_unguarded(
        self: &Rc<Self>,
        at: usize,
        symbol: Name,
    ) -> Result<(), Raised> {
        let (task, _) = self.terms(at);
        let of = symbol.clone();
        self.ctx.emit(TaskRunStarted {
            task: task.clone(),
            symbol: of,
            forced: true,
        });
        let ran = self.run_agent(at, &symbol).await;
        let outcome = match &ran {
            Ok(()) => TaskOutcome::Done,
            Err(error) => TaskOutcome::Failed(error.0.clone()),
        };
        self.ctx.emit(TaskRunEnded {
            task,
            symbol,
            outcome,
        });
        ran.map_err(|_| Raised::Value)
    }

    fn terms(&self, at: usize) -> (Name, f64) {
        let timetable = self.timetable.borrow();
        let task = &timetable.tasks()[at];
        (task.name.clone(), task.schedule.timeout_seconds)
    }

    /// Counts a run first and publishes its error then; the change of level follows that.
    async fn count_run(
        self: &Rc<Self>,
        task: Name,
        symbol: Name,
        limit_s: f64,
        outcome: TaskOutcome,
    ) {
        let error = match outcome {
            TaskOutcome::Done => {
                self.count(|statistics| statistics.total_task_runs += 1);
                if !self.defects.has(Defect::ApiSuccessUnrecorded) {
                    self.count_outcome(Counted::ApiSuccess);
                }
                return;
            }
            TaskOutcome::TimedOut => {
                self.count_outcome(Counted::ApiFailure);
                format!("Task timed out after {limit_s}s")
            }
            TaskOutcome::Failed(error) => {
                if !self.defects.has(Defect::TaskErrorsIgnored) {
                    self.count_outcome(Counted::ApiFailure);
                }
                error
            }
        };
        let error = TaskError {
            task,
            symbol,
            error: Name::from(error),
        };
        self.publish(Topic::SystemEvents, error, Priority::High)
            .await;
    }

    async fn run_agent(self: &Rc<Self>, at: usize, symbol: &Name) -> Result<(), AgentError> {
        let ran = self.agents.run(at, symbol, &self.exchange).await;
        let output = match ran {
            Err(_) if self.swallows_errors(at) => return Ok(()),
            ran => ran?,
        };
        let Some(Output { payload, plan }) = output else {
            return Ok(());
        };
        self.publish_output(at, payload).await;
        if let Some(plan) = plan {
            Box::pin(self.rebalance(&plan)).await;
        }
        Ok(())
    }

    fn swallows_errors(&self, at: usize) -> bool {
        let sentiment = Duty::Role(TaskKind::SentimentAnalysis);
        self.timetable.borrow().tasks()[at].schedule.duty == sentiment
            && self.defects.has(Defect::SentimentErrorsSwallowed)
    }

    async fn publish_output(&self, at: usize, payload: Payload) {
        let voice = self.agents.voice(at);
        let draft = Draft::new(voice.topic, voice.source.clone(), payload)
            .priority(voice.priority)
            .ttl(self.life_on(voice.topic));
        let published = self.bus.publish(voice.ctx, draft).await;
        published.expect("an agent is named as the source, and every life is above zero");
    }

    /// How long what an agent says lives: at least as long as it counts as evidence.
    fn life_on(&self, topic: Topic) -> Ttl {
        let windows = &self.config.evidence_windows;
        let window = match topic {
            Topic::TaSignals => windows.ta_signals,
            Topic::RegimeUpdates => windows.regime_updates,
            Topic::SentimentUpdates => windows.sentiment_updates,
            _ => Span::default(),
        };
        let usual = Ttl::default().as_secs();
        if self.defects.has(Defect::TtlBelowWindow) {
            return Ttl::from_secs(usual);
        }
        Ttl::from_secs(window.as_secs_f64().max(usual))
    }
}
