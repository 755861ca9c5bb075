//! How a coordinator goes on from what was saved of an earlier one.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::clock::start_us;
use crate::coordinator::degradation::FailureCounts;
use crate::coordinator::retry::Retry;
use crate::coordinator::state::RunState;
use crate::coordinator::{Coordinator, Statistics};
use crate::defect::Defect;
use crate::domain_event::StateRestored;
use crate::message::{
    InFlightTasksRecovered, Instant, Name, Priority, Span, StoreLost, StoreUnreadable, Topic,
};
use crate::risk::RiskMemory;
use crate::store::{Found, Loss, StoreError};

/// The record cannot be read any further.
struct Unreadable;

impl Coordinator {
    /// Goes on from what was saved. Returns whether there was something and all of it could be
    /// read; what was read before a mistake stays.
    pub async fn load(self: &Rc<Self>) -> bool {
        if !self.keeps_risk() {
            self.pass_over_closings();
        }
        let Found { record, loss } = self.read_saved().await;
        let unreadable = loss.is_some_and(|loss| loss != Loss::RolledBack);
        let complete = record.as_ref().is_some_and(|record| self.restore(record));
        let counts = self.degradation.borrow().counts();
        if record.is_some() || unreadable || counts != FailureCounts::default() {
            let statistics = self.statistics.get();
            self.ctx.emit(StateRestored {
                task_runs: statistics.total_task_runs,
                conflicts: statistics.total_conflicts_detected,
                llm_failures: counts.llm_failures,
                api_failures: counts.api_failures,
                level: self.level(),
                complete: complete || record.is_none() && !unreadable,
            });
        }
        let garbled = (record.is_some() && !complete).then_some(Loss::Corrupt);
        if let Some(loss) = loss.or(garbled) {
            self.mistrust(loss).await;
        }
        if self.is_closing() {
            self.close_everything();
        }
        if let Some(record) = record.filter(|_| complete) {
            self.recover_tasks(&record).await;
        }
        self.ask_for_orders().await;
        complete
    }

    /// What was saved of a halt may be lost, too: nothing is traded until an operator clears it. Where
    /// halts are not kept, nobody cares.
    async fn mistrust(&self, loss: Loss) {
        if !self.keeps_halts() {
            return;
        }
        self.enter(RunState::Halted, loss.name());
        let loss = match loss {
            Loss::Corrupt => {
                self.publish(Topic::RiskAlerts, StoreUnreadable {}, Priority::Urgent)
                    .await;
                return;
            }
            Loss::Gone | Loss::RolledBack | Loss::Newer => Name::fixed(loss.name()),
        };
        self.publish(Topic::RiskAlerts, StoreLost { loss }, Priority::Urgent)
            .await;
    }

    /// What is saved. A store that does not work is tried until it does, since it may hold a halt;
    /// where halts are not kept, nobody waits for it.
    async fn read_saved(&self) -> Found {
        let mut retry = Retry::default();
        loop {
            match self.store.load_state(&self.ctx) {
                Ok(found) => return found,
                Err(StoreError::Failed) if self.keeps_halts() => {}
                Err(_) => return Found::default(),
            }
            self.wait_for_retry(&mut retry).await;
        }
    }

    /// Waits until what just failed is to be tried again.
    pub(in crate::coordinator) async fn wait_for_retry(&self, retry: &mut Retry) {
        let now = Instant::from(self.ctx.now());
        retry.failed(now);
        let span = retry.next().map_or(Span::default(), |next| next - now);
        let span = Duration::from_micros(span.as_micros().unsigned_abs());
        self.ctx.sleep(span).await;
    }

    /// Takes over a record. Returns whether all of it could be read.
    pub fn restore(&self, record: &Value) -> bool {
        self.try_restore(record).is_ok()
    }

    fn try_restore(&self, record: &Value) -> Result<(), Unreadable> {
        let record = record.as_object().ok_or(Unreadable)?;
        self.statistics.set(statistics(record.get("statistics"))?);
        self.restore_tasks(record.get("tasks"))?;
        if let Some(counts) = record.get("failures")
            && self.keeps_level()
        {
            let counts: FailureCounts =
                serde_json::from_value(counts.clone()).map_err(|_| Unreadable)?;
            self.degradation.borrow_mut().restore(counts);
        }
        if let Some(halt) = record.get("halt").and_then(Value::as_str)
            && self.keeps_halts()
        {
            {
                let mut saving = self.saving.borrow_mut();
                saving.halt = Some(halt.into());
                saving.closing = record.get("closing").is_some_and(|it| *it == true);
            }
            self.enter(RunState::Halted, halt);
        } else if let Some(pause) = record.get("pause").and_then(Value::as_str)
            && self.keeps_halts()
        {
            self.saving.borrow_mut().pause = Some(pause.into());
            self.enter(RunState::Paused, pause);
        }
        if let Some(risk) = record.get("risk")
            && self.keeps_risk()
        {
            let memory: RiskMemory =
                serde_json::from_value(risk.clone()).map_err(|_| Unreadable)?;
            self.periods.set(memory.periods);
            self.closings.set(memory.closings);
            self.saving.borrow_mut().risk = memory.clone();
            self.risk.borrow_mut().state.remember(memory);
        }
        Ok(())
    }

    fn restore_tasks(&self, saved: Option<&Value>) -> Result<(), Unreadable> {
        let Some(saved) = saved else { return Ok(()) };
        let saved = saved.as_object().ok_or(Unreadable)?;
        let mut timetable = self.timetable.borrow_mut();
        for at in 0..timetable.tasks().len() {
            let task = timetable.task_mut(at);
            let Some(of_task) = saved.get(task.name.as_str()) else {
                continue;
            };
            let enabled = of_task.get("enabled");
            task.enabled = enabled.is_none_or(|enabled| enabled.as_bool().unwrap_or(true));
            match of_task.get("last_run") {
                None | Some(Value::Null) => {}
                Some(last_run) => {
                    let text = last_run.as_str().ok_or(Unreadable)?;
                    let start = start_us(&self.ctx);
                    task.last_run = Some(Instant::from_iso(text, start).ok_or(Unreadable)?);
                }
            }
        }
        Ok(())
    }

    /// Tasks that were under way run again: at once, or with `in-flight-not-rerun` only if they
    /// never ran before.
    async fn recover_tasks(self: &Rc<Self>, record: &Value) {
        let under_way = record.get("in_flight_tasks").and_then(Value::as_array);
        let mut recovered = Vec::new();
        for task in under_way.into_iter().flatten() {
            let name = task["name"].as_str().unwrap_or_default();
            recovered.push(Name::from(name));
            let mut timetable = self.timetable.borrow_mut();
            if let Some(at) = timetable.find(name) {
                let task = timetable.task_mut(at);
                task.run_on_start = true;
                task.interrupted = !self.defects.has(Defect::InFlightNotRerun);
            }
        }
        if recovered.is_empty() {
            return;
        }
        let message = InFlightTasksRecovered {
            tasks: recovered,
            action: Name::fixed("marked_for_rerun"),
        };
        self.publish(Topic::SystemEvents, message, Priority::High)
            .await;
    }
}

/// The statistics of a record; what is missing counts from zero.
fn statistics(saved: Option<&Value>) -> Result<Statistics, Unreadable> {
    let Some(saved) = saved else {
        return Ok(Statistics::default());
    };
    let saved = saved.as_object().ok_or(Unreadable)?;
    let count = |name: &str| saved.get(name).and_then(Value::as_u64).unwrap_or(0);
    Ok(Statistics {
        total_task_runs: count("total_task_runs"),
        total_conflicts_detected: count("total_conflicts_detected"),
        total_conflicts_resolved: count("total_conflicts_resolved"),
        total_trades_routed: count("total_trades_routed"),
    })
}
