//! The loop that keeps the schedule: run what is due, sleep, look again.
//!
//! The loop looks every second, counted from the end of its last iteration. It sleeps through
//! the looks that would find nothing, and is woken when what is due may have changed.

use std::cell::Cell;
use std::rc::Rc;

use dacapo_kernel::{Semaphore, Time};

use super::Coordinator;
use super::schedule::look_at_or_after;
use super::state::{self, RunState};
use crate::domain_event::{ScheduleEnded, TaskFinished};
use crate::message::Name;

impl Coordinator {
    /// Keeps the schedule until the run ends or the coordinator is stopped.
    ///
    /// A halt stops the work. With `halt-lifted-by-pause` it ends the loop at the next look, and
    /// nothing starts it again.
    pub async fn keep_schedule(self: &Rc<Self>) {
        loop {
            if self.is_over() {
                break;
            }
            self.look().await;
            self.sleep_until_due().await;
        }
        self.ctx.emit(ScheduleEnded {});
        // The message handlers keep working, although nothing is scheduled any more.
        self.ctx.at_rest(std::future::pending::<()>()).await;
    }

    /// Whether nothing is to be scheduled any more.
    fn is_over(&self) -> bool {
        let halted = self.state.get() == RunState::Halted;
        self.stopped.get() || halted && state::is_lifted_by_pause(self.defects)
    }

    /// Sleeps through every look that would find nothing to do.
    async fn sleep_until_due(&self) {
        let (ended, float_ended) = (self.ctx.now(), self.ctx.float_seconds());
        loop {
            let changed = self.nudged.wait(&self.ctx);
            match self.next_look(ended) {
                None => self.ctx.at_rest(changed).await,
                Some(next) => {
                    let span = next - self.ctx.now();
                    if self.ctx.timeout(span, changed).await.is_err() {
                        // The original sleeps from look to look.
                        let looks = (self.ctx.now() - ended).as_secs();
                        self.ctx
                            .correct_float_seconds(float_ended.after_seconds(looks));
                        return;
                    }
                }
            }
        }
    }

    /// The next look that will find something, not before the present.
    fn next_look(&self, ended: Time) -> Option<Time> {
        let soonest = look_at_or_after(ended, self.ctx.now());
        if self.is_over() {
            return Some(soonest);
        }
        let halted = self.state.get() == RunState::Halted;
        let task = self.timetable.borrow().next_due().filter(|_| !halted);
        let due = task
            .into_iter()
            .chain(self.next_leg())
            .chain(self.next_save());
        let due = due.min()?;
        let due = self.clock.time_of(&self.ctx, due);
        Some(look_at_or_after(ended, due).max(soonest))
    }

    /// Saves what is due to be saved, runs the legs that are due, then every task that was due when
    /// the look began, and waits for all of them.
    pub async fn look(self: &Rc<Self>) {
        let look = self.clock.now(&self.ctx);
        self.store.wait_for(&self.ctx).await;
        self.save_when_due();
        self.run_due_legs().await;
        if self.state.get() == RunState::Halted {
            return;
        }
        let due = self.timetable.borrow().due(look);
        // All of them are under way from here on, also those that wait for their turn.
        for at in &due {
            self.begin_task(*at);
        }
        match due.as_slice() {
            [] => {}
            [one] => self.run_task(*one).await,
            several => Box::pin(self.run_several(several)).await,
        }
    }

    async fn run_several(self: &Rc<Self>, due: &[usize]) {
        let most = self.config.coordinator.max_concurrent_tasks;
        let slots = Semaphore::new(&self.ctx, "task slots", most);
        let mut handles = Vec::with_capacity(due.len());
        for at in due.iter().copied() {
            let (me, slots) = (Rc::clone(self), slots.clone());
            let name = self.timetable.borrow().tasks()[at].name.clone();
            handles.push(self.ctx.spawn(name, async move {
                let _slot = slots.acquire().await;
                me.run_task(at).await;
            }));
        }
        for handle in handles {
            // A panic of a task ends the run; nothing else ends it early.
            drop(handle.join().await);
        }
    }

    /// Runs a task that is under way for all its symbols.
    async fn run_task(self: &Rc<Self>, at: usize) {
        let (symbols, most) = {
            let timetable = self.timetable.borrow();
            let task = &timetable.tasks()[at];
            (
                task.schedule.symbols.clone(),
                task.schedule.max_concurrent_symbols,
            )
        };
        let slots = Semaphore::new(&self.ctx, "symbol slots", most);
        let mut handles = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            let (me, slots) = (Rc::clone(self), slots.clone());
            let counted = Rc::new(Cell::new(false));
            let (name, is_counted) = (symbol.clone(), Rc::clone(&counted));
            let run = self.ctx.spawn(symbol.clone(), async move {
                let _slot = slots.acquire().await;
                me.run_once(at, name, false, &is_counted).await;
            });
            handles.push((symbol, counted, run));
        }
        for (symbol, counted, run) in handles {
            if run.join().await.is_err() && !counted.get() {
                self.count_crashed_run(at, symbol).await;
            }
        }
        self.finish_task(at);
    }

    /// Tells the timetable of every bar, for as long as the coordinator is there.
    pub(super) async fn watch_bars(self: Rc<Self>) {
        let mut seen = self.bars.bars();
        self.timetable.borrow_mut().begin_bars(seen);
        loop {
            seen = self.bars.after(&self.ctx, seen).await;
            self.timetable.borrow_mut().note_bars(seen);
            self.nudge();
        }
    }

    /// Notes that a task is under way, so that nobody else begins it.
    pub(super) fn begin_task(&self, at: usize) {
        let now = self.clock.now(&self.ctx);
        self.timetable.borrow_mut().begin(at, now);
    }

    /// Runs a task that is under way for one symbol, because somebody asked for it.
    pub(super) async fn run_forced(self: &Rc<Self>, at: usize, symbol: Name) {
        self.run_once(at, symbol, true, &Cell::new(false)).await;
        self.timetable.borrow_mut().task_mut(at).end();
        self.nudge();
    }

    fn finish_task(&self, at: usize) {
        let now = self.clock.now(&self.ctx);
        let task = {
            let mut timetable = self.timetable.borrow_mut();
            let task = timetable.task_mut(at);
            task.end();
            task.interrupted = false;
            task.last_run = Some(now);
            task.name.clone()
        };
        self.ctx.emit(TaskFinished { task });
    }
}
