//! One run of one task for one symbol: the agent, its limit, what it publishes, how it is counted.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::Coordinator;
use super::evidence::LIFE_BY_BARS;
use crate::agents::{AgentError, Output};
use crate::config::{Duty, TaskKind};
use crate::defect::Defect;
use crate::domain_event::{Counted, TaskOutcome, TaskRunEnded, TaskRunStarted, WakeAsked};
use crate::message::{Draft, Instant, Name, Payload, Priority, Raised, TaskError, Topic, Ttl};
use crate::rebalance::Plan;

impl Coordinator {
    /// Runs a task for one symbol within its limit, and counts how it went; `counted` says whether that
    /// has been done, for whoever finds the run crashed.
    pub(super) async fn run_once(
        self: &Rc<Self>,
        at: usize,
        symbol: Name,
        forced: bool,
        counted: &Cell<bool>,
    ) {
        let (name, limit_s) = self.terms(at);
        let outcome = self.run_limited(at, &symbol, limit_s, forced).await;
        counted.set(true);
        self.count_run(name, symbol, limit_s, outcome).await;
    }

    /// A run crashed before anybody counted it: a failed run like any other.
    pub(super) async fn count_crashed_run(self: &Rc<Self>, at: usize, symbol: Name) {
        let (name, limit_s) = self.terms(at);
        let outcome = TaskOutcome::Failed("the run crashed".to_owned());
        self.tell_end(at, &symbol, outcome.clone());
        self.count_run(name, symbol, limit_s, outcome).await;
    }

    /// Runs the agent within its limit. With `no-agent-timeout` there is none.
    ///
    /// Agents of one instant run beside each other: each starts after those that are ready before
    /// it, and how it went is noted after those that are ready then.
    async fn run_limited(
        self: &Rc<Self>,
        at: usize,
        symbol: &Name,
        limit_s: f64,
        forced: bool,
    ) -> TaskOutcome {
        // On the heap, so that what is spawned for each symbol stays small.
        let work = Box::pin(self.run_and_tell(at, symbol, forced));
        let ended = if self.defects.has(Defect::NoAgentTimeout) {
            Ok(work.await)
        } else {
            let begun = async {
                self.ctx.yield_now().await;
                work.await
            };
            let limit = Duration::from_secs_f64(limit_s);
            let ended = self.ctx.timeout(limit, begun).await;
            self.ctx.yield_now().await;
            self.ctx.yield_now().await;
            ended
        };
        match ended {
            Ok(Ok(())) => TaskOutcome::Done,
            Ok(Err(error)) => TaskOutcome::Failed(error.0),
            Err(_) => {
                self.tell_end(at, symbol, TaskOutcome::TimedOut);
                TaskOutcome::TimedOut
            }
        }
    }

    /// Runs a task as a command does with `force-run-bypasses-guards`: no limit, nothing counted.
    pub(super) async fn run_unguarded(
        self: &Rc<Self>,
        at: usize,
        symbol: Name,
    ) -> Result<(), Raised> {
        let ran = self.run_and_tell(at, &symbol, true).await;
        ran.map_err(|_| Raised::Value)
    }

    /// Runs the agent, and says when it began and how it ended.
    async fn run_and_tell(
        self: &Rc<Self>,
        at: usize,
        symbol: &Name,
        forced: bool,
    ) -> Result<(), AgentError> {
        let (task, _) = self.terms(at);
        self.ctx.emit(TaskRunStarted {
            task,
            symbol: symbol.clone(),
            forced,
        });
        let ran = self.run_agent(at, symbol).await;
        let outcome = match &ran {
            Ok(()) => TaskOutcome::Done,
            Err(error) => TaskOutcome::Failed(error.0.clone()),
        };
        self.tell_end(at, symbol, outcome);
        match ran {
            Err(_) if self.swallows_errors(at) => Ok(()),
            ran => ran,
        }
    }

    fn tell_end(&self, at: usize, symbol: &Name, outcome: TaskOutcome) {
        let (task, _) = self.terms(at);
        self.ctx.emit(TaskRunEnded {
            task,
            symbol: symbol.clone(),
            outcome,
        });
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
        Box::pin(self.publish(Topic::SystemEvents, error, Priority::High)).await;
    }

    async fn run_agent(self: &Rc<Self>, at: usize, symbol: &Name) -> Result<(), AgentError> {
        let asked = self.agents.run(at, symbol, &self.exchange);
        // A panic of an agent is a failed run like any other.
        let ran = self.ctx.catch_panic(asked).await;
        if let Some(instant) = self.agents.take_wake(at) {
            self.wake_at(at, instant);
        }
        let output = ran.unwrap_or_else(|panic| Err(AgentError(panic)))?;
        let Some(Output { payload, plan }) = output else {
            return Ok(());
        };
        // What mostly has nothing to publish stays small.
        Box::pin(self.publish_output(at, payload)).await;
        if let Some(plan) = plan {
            self.carry_out(plan).await;
        }
        Ok(())
    }

    /// The agent of a task wants to be asked again.
    fn wake_at(&self, at: usize, instant: Instant) {
        let (task, _) = self.terms(at);
        self.ctx.emit(WakeAsked { task, at: instant });
        self.timetable.borrow_mut().task_mut(at).wake(instant);
        self.nudge();
    }

    /// Carries out a plan in a task of its own, so that the limit of the task that made it cannot
    /// cut off an order midway. With `timeout-cancels-execution` it can.
    async fn carry_out(self: &Rc<Self>, plan: Plan) {
        let me = Rc::clone(self);
        let carried_out = async move { me.rebalance(&plan).await };
        if self.is_cut_off_by_timeouts() {
            Box::pin(carried_out).await;
        } else {
            drop(self.ctx.spawn_daemon("rebalance", carried_out).join().await);
        }
    }

    fn swallows_errors(&self, at: usize) -> bool {
        let sentiment = Duty::Role(TaskKind::SentimentAnalysis);
        self.timetable.borrow().tasks()[at].schedule.duty == sentiment
            && self.defects.has(Defect::SentimentErrorsSwallowed)
    }

    async fn publish_output(self: &Rc<Self>, at: usize, payload: Payload) {
        let voice = self.agents.voice(at);
        let draft = Draft::new(voice.topic, voice.source.clone(), payload)
            .priority(voice.priority)
            .ttl(self.life_on(voice.topic));
        let times = voice.ctx.fault("agent.storm").unwrap_or(1);
        for _ in 1..times {
            self.carry(at, draft.clone()).await;
        }
        if times > 0 {
            self.carry(at, draft).await;
        }
    }

    /// How long what an agent says lives: at least as long as it counts as evidence.
    fn life_on(&self, topic: Topic) -> Ttl {
        let window = self.config.evidence_windows.of(topic);
        let window = match window.unwrap_or_default() {
            (span, None) => span,
            (_, Some(_)) => LIFE_BY_BARS,
        };
        let usual = Ttl::default().as_secs();
        if self.defects.has(Defect::TtlBelowWindow) {
            return Ttl::from_secs(usual);
        }
        Ttl::from_secs(window.as_secs_f64().max(usual))
    }
}
