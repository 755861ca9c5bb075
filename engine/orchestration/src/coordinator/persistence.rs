//! What a coordinator saves of itself, when, and how it goes on from it.
//!
//! The record is state, statistics, tasks, the tasks under way. The sound coordinator adds its failures,
//! the reason of a halt or a pause and what risk must remember, and saves these at once.

use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::FloatSeconds;
use serde_json::Value;

use super::degradation::FailureCounts;
use super::retry::Retry;
use super::state::RunState;
use super::{Coordinator, Statistics};
use crate::amount::Amount;
use crate::clock::start_us;
use crate::defect::Defect;
use crate::domain_event::StateRestored;
use crate::message::{
    InFlightTasksRecovered, Instant, Name, Priority, Span, StoreLost, StoreUnreadable, Topic,
};
use crate::risk::RiskMemory;
use crate::store::{Found, Loss, Record, StoreError, TaskRow};

/// How often the state is saved.
const SAVE_EVERY: Span = Span::from_secs(600);

/// By whom a stop in good order is said to be made; it is no halt that must be cleared.
pub(super) const STOP: &str = "stop";

/// When the state was saved, and what must be saved soon.
#[derive(Debug)]
pub(super) struct Saving {
    last_attempt: Instant,
    /// The same by the clock of an event loop, which the period is measured by.
    float_attempt: FloatSeconds,
    /// How many bars had closed then.
    bars: u64,
    /// What halted trading, until it is cleared.
    halt: Option<Name>,
    /// While that stands, every position is to be closed.
    closing: bool,
    /// What paused trading, until it goes on.
    pause: Option<Name>,
    /// What is saved, or waits to be, of what risk must remember.
    risk: RiskMemory,
    /// Something that must not wait is not saved yet, and somebody tries.
    urgent: bool,
}

impl Saving {
    /// Nothing was saved yet, at the start of the loop.
    pub(super) fn begun(now: Instant, float_attempt: FloatSeconds, bars: u64) -> Saving {
        Saving {
            last_attempt: now,
            float_attempt,
            bars,
            halt: None,
            closing: false,
            pause: None,
            risk: RiskMemory::default(),
            urgent: false,
        }
    }
}

/// The record cannot be read any further.
struct Unreadable;

impl Coordinator {
    // Saving.

    /// Saves the state. Returns whether it was saved.
    pub fn save(&self) -> bool {
        // Nothing is written down for nobody.
        if !self.store.exists() {
            return false;
        }
        let record = self.record();
        let mut told = record.to_json();
        if !self.keeps_halts()
            && let Some(told) = told.as_object_mut()
        {
            told.remove("halt");
            told.remove("closing");
            told.remove("pause");
        }
        let saved = self.store.save_state(&self.ctx, &record, told).is_ok();
        self.saving.borrow_mut().urgent &= !saved;
        saved
    }

    /// Saves the state if it is time to. With `persist-on-stop-only` it never is.
    pub(super) fn save_when_due(&self) {
        if !self.period_is_over() {
            return;
        }
        {
            let mut saving = self.saving.borrow_mut();
            saving.last_attempt = self.clock.now(&self.ctx);
            saving.float_attempt = self.ctx.float_seconds();
            saving.bars = self.bars.bars().closed;
        }
        self.save();
    }

    /// Whether it is time for a periodic save. The period is measured by the floating-point clock of
    /// an event loop, as in the original: where a look comes exactly at its end it may be a hair too
    /// short, and the next look saves.
    fn period_is_over(&self) -> bool {
        if let Some(bars) = self.config.store.save_bars {
            return self.saves_periodically() && self.bars_are_over(bars);
        }
        let passed = self
            .ctx
            .float_seconds()
            .since(self.saving.borrow().float_attempt);
        self.saves_periodically() && passed >= SAVE_EVERY.as_secs_f64()
    }

    /// Whether so many bars have closed since the last save.
    fn bars_are_over(&self, bars: u32) -> bool {
        let due = self.saving.borrow().bars.saturating_add(bars.into());
        self.bars.bars().closed >= due
    }

    fn saves_periodically(&self) -> bool {
        !self.defects.has(Defect::PersistOnStopOnly) && self.store.exists()
    }

    /// When the state is to be saved next.
    pub(super) fn next_save(&self) -> Option<Instant> {
        let last_attempt = self.saving.borrow().last_attempt;
        let due = match self.config.store.save_bars {
            // A bar that closes wakes whoever waits for this.
            Some(bars) => self.bars_are_over(bars).then_some(last_attempt),
            None => Some(last_attempt + SAVE_EVERY),
        };
        due.filter(|_| self.saves_periodically())
    }

    /// Whether a halt or a pause survives a restart.
    fn keeps_halts(&self) -> bool {
        !self.defects.has(Defect::HaltForgottenOnRestart)
    }

    /// Whether the failures that count survive a restart.
    fn keeps_level(&self) -> bool {
        !self.defects.has(Defect::LevelNotPersisted)
    }

    /// Whether what risk knows of breaches, losses and cooldowns survives a restart.
    fn keeps_risk(&self) -> bool {
        !self.defects.has(Defect::RiskForgottenOnRestart)
    }

    /// Notes why trading is halted or paused, and makes that durable at once. With
    /// `halt-forgotten-on-restart` nobody does.
    pub(super) fn remember_state(&self, to: RunState, by: &str) {
        if !self.keeps_halts() || by == STOP {
            return;
        }
        let reason = |of: RunState| (to == of).then(|| Name::from(by));
        let (halt, pause) = (reason(RunState::Halted), reason(RunState::Paused));
        let changed = {
            let mut saving = self.saving.borrow_mut();
            saving.closing &= halt.is_some();
            // A pause of what is paused changes nothing.
            let pause = pause.map(|by| saving.pause.clone().unwrap_or(by));
            let changed = saving.halt != halt || saving.pause != pause;
            (saving.halt, saving.pause) = (halt, pause);
            changed
        };
        if changed {
            self.save_at_once();
        }
    }

    /// Notes that every position is to be closed for as long as the halt stands, and makes that
    /// durable at once.
    pub(super) fn remember_closing(&self) {
        let begins = !std::mem::replace(&mut self.saving.borrow_mut().closing, true);
        if begins && self.keeps_halts() {
            self.save_at_once();
        }
    }

    /// Whether the halt that stands asks for every position to be closed.
    pub(super) fn is_closing(&self) -> bool {
        self.saving.borrow().closing
    }

    /// Makes durable at once what is new in what risk must remember.
    pub(super) fn remember_risk(&self) {
        if !self.keeps_risk() {
            return;
        }
        let memory = self.risk_memory();
        let is_news = memory.is_news_to(&self.saving.borrow().risk);
        if is_news {
            self.saving.borrow_mut().risk = memory;
            self.save_at_once();
        }
    }

    fn risk_memory(&self) -> RiskMemory {
        let state = &self.risk.borrow().state;
        state.memory(self.periods.get(), self.closings.get())
    }

    /// Saves what must not wait; if that fails, soon again, whatever keeps the schedule busy.
    fn save_at_once(&self) {
        if self.save() || !self.store.exists() {
            return;
        }
        let is_tried = std::mem::replace(&mut self.saving.borrow_mut().urgent, true);
        if !is_tried && let Some(me) = self.me.upgrade() {
            drop(self.ctx.spawn_daemon("urgent save", me.save_soon()));
        }
    }

    /// Tries until it is saved; nothing is tried again after a stop.
    async fn save_soon(self: Rc<Self>) {
        let mut retry = Retry::default();
        loop {
            self.wait_for_retry(&mut retry).await;
            if !self.saving.borrow().urgent || self.stopped.get() || self.save() {
                return;
            }
        }
    }

    /// Stops in good order: nothing is scheduled any more, and the state is saved.
    pub async fn stop(&self) {
        self.enter(RunState::Halted, STOP);
        self.stopped.set(true);
        self.save();
        self.nudge();
    }

    /// What is saved.
    fn record(&self) -> Record {
        let iso = |instant: Instant| instant.to_iso(start_us(&self.ctx));
        let timetable = self.timetable.borrow();
        let tasks = timetable.tasks().iter().map(|task| TaskRow {
            name: task.name.clone(),
            enabled: task.enabled,
            last_run: task.last_run.map(iso),
            under_way: task.running,
            started: task.started.filter(|_| task.running).map(iso),
        });
        Record {
            state: self.state.get(),
            halt: self.saving.borrow().halt.clone(),
            closing: self.is_closing(),
            statistics: self.statistics.get(),
            tasks: tasks.collect(),
            failures: self
                .keeps_level()
                .then(|| self.degradation.borrow().counts()),
            portfolio: self.balances(),
            pause: self.saving.borrow().pause.clone(),
            risk: self.keeps_risk().then(|| self.risk_memory()),
        }
    }

    /// What is in the paper account, by asset; nothing where nobody keeps one.
    fn balances(&self) -> Vec<(Name, Amount)> {
        let holdings = self.exchange.look_at_paper(|paper| {
            let holdings = paper.portfolio().holdings();
            let balances = holdings.map(|(asset, held)| (Name::from(asset), held.balance));
            balances.collect()
        });
        holdings.unwrap_or_default()
    }

    // Going on.

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
    pub(super) async fn wait_for_retry(&self, retry: &mut Retry) {
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
