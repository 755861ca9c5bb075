//! Every enabled task runs within its interval, and nothing is left waiting for itself.
//!
//! A restarted coordinator goes by what was saved of its tasks. One that was cut off is due at once.

use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Plan, Time, number as kernel};

use super::EXCLUDED;
use super::idle::{Idle, Overdue, Stretch};
use super::up::Turn;
use crate::config::{Config, Schedule};
use crate::domain_event::{DomainEvent, number};
use crate::message::{Instant, Name, Payload};
use serde_json::Value;

/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(u64::MAX / 4_000_000_000);

/// One task as the plan has it, and how far it is.
#[derive(Debug)]
struct Task {
    name: Name,
    interval: Duration,
    /// Instead of that: after so many bars, whatever they say.
    bars: Option<u64>,
    /// How many had closed when it began last.
    bars_before: u64,
    run_on_start: bool,
    /// Those of its dependencies that are tasks.
    waits_for: Vec<usize>,
    enabled: bool,
    /// Whether it was ever disabled, or put off, which a restart may bring back.
    was_disabled: bool,
    /// Whether a command has said something of it in this life of the coordinator.
    switched: bool,
    /// When it last finished, as far as this coordinator saw.
    last: Option<Time>,
    /// The same as it was saved last: a date, which is read only where it is needed. Empty if none was.
    saved: String,
    due: Time,
    overdue: Overdue,
}

/// `live.tasks-run`
pub(super) struct TasksRun {
    /// When the run begins, in microseconds since 1970.
    start_us: i64,
    idle: Idle,
    tasks: Vec<Task>,
    /// At how many instants bars closed, and the last of them.
    closed: u64,
    last_close: Option<Time>,
    /// A circle of dependencies that should have been refused.
    cycle: Option<String>,
}

impl TasksRun {
    pub(super) fn new(plan: &Plan<Config>) -> TasksRun {
        let config = &plan.system;
        let schedules = config.schedules.tasks(&config.symbols, &config.agents);
        let find = |name: &Name| schedules.iter().position(|other| other.name == *name);
        let saved = config.store.saved.as_ref();
        let saved = saved.and_then(|saved| saved.0.get("tasks"));
        let task = |schedule: &Schedule| {
            let of_task = saved.and_then(|tasks| tasks.get(schedule.name.as_str()));
            Task {
                name: schedule.name.clone(),
                // How long a task by bars waits, the market decides.
                interval: match schedule.interval_bars {
                    Some(_) => FOREVER,
                    None => Duration::from_secs(schedule.interval_seconds),
                },
                // Whoever speaks of crossings only has nothing to say in between.
                bars: schedule
                    .interval_bars
                    .filter(|_| !schedule.by_crossings)
                    .map(u64::from),
                bars_before: 0,
                run_on_start: schedule.run_on_start && schedule.interval_bars.is_none(),
                waits_for: schedule.depends_on.iter().filter_map(find).collect(),
                enabled: true,
                was_disabled: !is_plain(of_task, plan.start_unix_ns / 1_000),
                last: None,
                saved: String::new(),
                due: Time::ZERO,
                overdue: Overdue::default(),
                switched: false,
            }
        };
        TasksRun {
            start_us: plan.start_unix_ns / 1_000,
            idle: Idle::though_paused(plan),
            tasks: schedules.iter().map(task).collect(),
            closed: 0,
            last_close: None,
            cycle: circle(&config.schedules.resolve(&config.symbols)),
        }
    }

    fn pass(&mut self, now: Time) -> Result<(), String> {
        let Some(stretch) = self.idle.pass(now) else {
            return Ok(());
        };
        for at in 0..self.tasks.len() {
            if self.may_run(at) && self.tasks[at].is_late(stretch) {
                let Task {
                    name,
                    interval,
                    bars,
                    ..
                } = &self.tasks[at];
                let interval = match bars {
                    Some(bars) => format!("{bars} bars"),
                    None => format!("{} s", interval.as_secs()),
                };
                return Err(format!(
                    "expected {name} to run within its interval of {interval}, found it not run"
                ));
            }
        }
        Ok(())
    }

    /// Enabled, with every dependency satisfied.
    fn may_run(&self, at: usize) -> bool {
        let task = &self.tasks[at];
        let satisfied = |other: &usize| {
            let last = self.tasks[*other].last;
            last.is_some() && last >= task.last
        };
        task.enabled && task.waits_for.iter().all(satisfied)
    }

    fn named(&mut self, name: &Name) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.name == *name)
    }

    fn begin(&mut self, now: Time) {
        for task in &mut self.tasks {
            task.enabled = !task.was_disabled;
            task.switched = false;
            task.last = None;
            let wait = if task.run_on_start {
                Duration::ZERO
            } else {
                task.interval
            };
            task.due = now + wait;
            task.bars_before = self.closed;
            task.overdue.reset();
        }
    }

    /// Bars of several markets that close at one instant count once.
    fn close(&mut self, now: Time) {
        if self.last_close.replace(now) == Some(now) {
            return;
        }
        self.closed += 1;
        // What closes before a coordinator goes to work it does not count.
        let counts = self.idle.life().listens();
        for task in &mut self.tasks {
            if counts {
                task.look_at_bars(self.closed, now);
            } else {
                task.bars_before = self.closed;
            }
        }
    }

    /// A coordinator that comes up again remembers when a task ran; where that is not sure, it may have been now.
    fn remember(&mut self, now: Time) {
        for task in &mut self.tasks {
            let saved = Instant::from_iso(&task.saved, self.start_us);
            let micros = saved.and_then(|last| u64::try_from(last.as_micros()).ok());
            task.due = now.max(micros.map_or(now, Time::from_micros) + task.interval);
        }
    }

    fn save(&mut self, record: &Value) {
        let tasks = &record["tasks"];
        for task in &mut self.tasks {
            let last_run = tasks[task.name.as_str()]["last_run"].as_str();
            task.saved.clear();
            task.saved.push_str(last_run.unwrap_or_default());
        }
    }

    /// What was saved may not be there any more.
    fn forget(&mut self, now: Time) {
        for task in &mut self.tasks {
            task.saved.clear();
        }
        self.remember(now);
    }

    fn note(&mut self, event: &Event<DomainEvent>) {
        match event.domain() {
            Some(DomainEvent::StateRestored(it)) if it.complete => self.remember(event.time),
            Some(DomainEvent::StateRestored(_)) => self.forget(event.time),
            Some(DomainEvent::StateSaved(saved)) => self.save(&saved.record.0),
            Some(DomainEvent::Published(published)) => {
                if let Payload::StoreLost(_) = published.message.payload {
                    self.forget(event.time);
                }
                if let Payload::InFlightTasksRecovered(recovered) = &published.message.payload
                    && self.idle.life().speaks_in(event)
                {
                    for name in &recovered.tasks {
                        if let Some(task) = self.named(name) {
                            task.due = event.time;
                        }
                    }
                }
            }
            Some(DomainEvent::TaskSwitched(switched)) => {
                if let Some(task) = self.named(&switched.task) {
                    task.enabled = switched.enabled;
                    task.switched = true;
                    task.was_disabled |= !switched.enabled;
                    task.overdue.reset();
                }
            }
            Some(DomainEvent::MarketBar(_)) => self.close(event.time),
            Some(DomainEvent::TaskRunStarted(run)) if !run.forced => {
                let closed = self.closed;
                if let Some(task) = self.named(&run.task) {
                    task.bars_before = closed;
                    // A run that was due before a command came tells nothing of what is due after it.
                    task.enabled |= !task.switched;
                    task.overdue.reset();
                }
            }
            Some(DomainEvent::TaskFinished(finished)) => {
                let closed = self.closed;
                if let Some(task) = self.named(&finished.task) {
                    task.last = Some(event.time);
                    task.due = event.time + task.interval;
                    task.look_at_bars(closed, event.time);
                    task.overdue.reset();
                }
            }
            _ => {}
        }
    }
}

impl Task {
    /// A task by bars is due as soon as so many have closed.
    fn look_at_bars(&mut self, closed: u64, now: Time) {
        let is_due = |bars: u64| closed >= self.bars_before.saturating_add(bars);
        if self.bars.is_some_and(is_due) {
            self.due = self.due.min(now);
        }
    }

    fn is_late(&mut self, stretch: Stretch) -> bool {
        self.overdue.wait(stretch, self.due)
    }
}

/// Whether a record says of a task no more than that it is enabled and ran before this run.
fn is_plain(saved: Option<&serde_json::Value>, start_us: i64) -> bool {
    let Some(saved) = saved else { return true };
    let enabled = saved.get("enabled");
    let last_run = saved.get("last_run").filter(|last| !last.is_null());
    let before =
        |text: &str| Instant::from_iso(text, start_us).is_some_and(|last| last <= Instant::START);
    enabled.is_none_or(|enabled| enabled.as_bool() == Some(true))
        && last_run.is_none_or(|last| last.as_str().is_some_and(before))
}

/// A circle of enabled tasks that wait for each other, as text.
fn circle(schedules: &[Schedule]) -> Option<String> {
    let enabled = || schedules.iter().filter(|schedule| schedule.enabled);
    // What waits for nothing that is left can run; what is left in the end waits for itself.
    let mut left: Vec<&Schedule> = enabled().collect();
    loop {
        let before = left.len();
        let names: Vec<Name> = left.iter().map(|schedule| schedule.name.clone()).collect();
        left.retain(|schedule| schedule.depends_on.iter().any(|name| names.contains(name)));
        if left.len() == before {
            break;
        }
    }
    let names: Vec<&str> = left.iter().map(|schedule| schedule.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

impl Invariant<DomainEvent> for TasksRun {
    fn id(&self) -> &'static str {
        "live.tasks-run"
    }

    fn statement(&self) -> &'static str {
        "every enabled task runs within its interval plus the bound; a dependency cycle is refused"
    }

    fn watches(&self) -> &'static [u16] {
        const ALL: &[u16] = &[
            number::MarketBar,
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::Subscribed,
            number::StateChanged,
            number::StateRestored,
            number::StateSaved,
            number::Published,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::TaskFinished,
            number::TaskSwitched,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::OutsideActed,
        ];
        // Bars are many, and mostly nobody counts them.
        let counts_bars = self.tasks.iter().any(|task| task.bars.is_some());
        if counts_bars { ALL } else { &ALL[1..] }
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Started]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        match self.idle.note(event) {
            Turn::Began => self.begin(event.time),
            Turn::Crashed => {}
            Turn::Nothing => self.note(event),
        }
        match &self.cycle {
            Some(names) => Err(format!(
                "expected no circle of dependencies, found one among {names}"
            )),
            None => Ok(()),
        }
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }

    fn evaluable(&self) -> bool {
        self.idle.is_bounded() && !self.tasks.is_empty()
    }
}

#[cfg(test)]
mod tests;
