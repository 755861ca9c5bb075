//! What a coordinator saves of itself, and when. How it goes on from that is in `going_on`.
//!
//! The record is state, statistics, tasks, the tasks under way. The sound coordinator adds its failures,
//! the reason of a halt or a pause and what risk must remember, and saves these at once.

mod going_on;

use std::rc::Rc;

use dacapo_kernel::FloatSeconds;

use super::Coordinator;
use super::retry::Retry;
use super::state::RunState;
use crate::amount::Amount;
use crate::clock::start_us;
use crate::defect::Defect;
use crate::message::{Instant, Name, Span};
use crate::risk::RiskMemory;
use crate::store::{Record, TaskRow};

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

impl Coordinator {
    /// Saves the state. Returns whether it was saved.
    pub fn save(&self) -> bool {
        // Nothing is written down for nobody.
        if !self.store.exists() {
            return false;
        }
        let record = self.record();
        let told = || {
            let mut told = record.to_json();
            if !self.keeps_halts()
                && let Some(told) = told.as_object_mut()
            {
                told.remove("halt");
                told.remove("closing");
                told.remove("pause");
            }
            told
        };
        let saved = self.store.save_state(&self.ctx, &record, told).is_ok();
        let mut saving = self.saving.borrow_mut();
        saving.urgent &= !saved;
        if saved && let Some(risk) = record.risk {
            saving.risk = risk;
        }
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
}
