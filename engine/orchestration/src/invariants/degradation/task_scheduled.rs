//! `task.scheduled`: how much the schedule runs at a time, what it waits for, and when it runs nothing.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Time, number as kernel};

use crate::config::{Config, Schedule};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, TaskRunEnded, TaskRunStarted, number};
use crate::message::Name;

/// What the schedule runs.
#[derive(Debug)]
pub(super) struct TaskScheduled {
    most_tasks: usize,
    /// Of each task: how many symbols at a time.
    most_symbols: BTreeMap<Name, usize>,
    /// Of each task: those that must have run since it last did.
    waits_for: BTreeMap<Name, Vec<Name>>,
    /// When each task finished last in the life of this coordinator.
    ran: BTreeMap<Name, Time>,
    /// Those that were switched off, and since when.
    off: BTreeMap<Name, Time>,
    /// The coordinator knows of runs before its life.
    remembers: bool,
    /// Each task from its first run until it has finished: the symbols that it runs for.
    tasks: BTreeMap<Name, Vec<Name>>,
    /// The last time at which a task finished.
    finished: Time,
    halted: Option<Time>,
    /// A task was cut off: of what it held no end is told.
    is_unsure: bool,
}

impl TaskScheduled {
    pub(super) fn new(config: &Config) -> TaskScheduled {
        let schedules = config.schedules.tasks(&config.symbols, &config.agents);
        let names: Vec<Name> = schedules.iter().map(|it| it.name.clone()).collect();
        let waits_for = |it: &Schedule| {
            let known = it.depends_on.iter().filter(|name| names.contains(name));
            (it.name.clone(), known.cloned().collect())
        };
        let most = |most: u32| usize::try_from(most).unwrap_or(usize::MAX);
        TaskScheduled {
            waits_for: schedules.iter().map(waits_for).collect(),
            ran: BTreeMap::new(),
            off: BTreeMap::new(),
            remembers: false,
            most_tasks: most(config.coordinator.max_concurrent_tasks),
            most_symbols: schedules
                .into_iter()
                .map(|it| (it.name, most(it.max_concurrent_symbols)))
                .collect(),
            tasks: BTreeMap::new(),
            finished: Time::ZERO,
            halted: None,
            is_unsure: false,
        }
    }

    fn begin(&mut self, run: &TaskRunStarted, now: Time) -> Result<(), String> {
        // What waits for its turn when a halt comes still gets it.
        let nothing_waits = self.tasks.is_empty() && self.finished < now;
        if self.halted.is_some_and(|since| since < now) && nothing_waits {
            return Err(format!(
                "expected nothing to be scheduled while halted, found {}",
                run.task
            ));
        }
        if !self.tasks.contains_key(&run.task) {
            if nothing_waits && self.off.get(&run.task).is_some_and(|since| *since < now) {
                return Err(format!("expected {} to be off, found it begun", run.task));
            }
            self.wait(&run.task)?;
        }
        let symbols = self.tasks.entry(run.task.clone()).or_default();
        symbols.push(run.symbol.clone());
        let (symbols, tasks) = (symbols.len(), self.tasks.len());
        let most = self.most_symbols.get(&run.task);
        match most.filter(|most| symbols > **most) {
            Some(most) => Err(format!(
                "expected {} for {most} symbols at a time, found {symbols}",
                run.task
            )),
            None if tasks > self.most_tasks => Err(format!(
                "expected {} tasks at a time, found {tasks}",
                self.most_tasks
            )),
            None => Ok(()),
        }
    }

    /// All that it waits for has run since it last did.
    fn wait(&self, task: &Name) -> Result<(), String> {
        let last = self.ran.get(task);
        for other in self.waits_for.get(task).into_iter().flatten() {
            let is_before = match (self.ran.get(other), last) {
                (Some(other), Some(last)) => other < last,
                (Some(_), None) => false,
                (None, last) => last.is_some() || !self.remembers,
            };
            if is_before {
                return Err(format!(
                    "expected {task} to wait until {other} has run again, found it begun"
                ));
            }
        }
        Ok(())
    }

    fn end(&mut self, run: &TaskRunEnded) {
        if let Some(symbols) = self.tasks.get_mut(&run.task) {
            symbols.retain(|symbol| *symbol != run.symbol);
        }
    }
}

impl Invariant<DomainEvent> for TaskScheduled {
    fn id(&self) -> &'static str {
        "task.scheduled"
    }

    fn statement(&self) -> &'static str {
        "the schedule runs no more tasks and symbols at a time than it may, each after what it waits for, and begins \
         nothing while HALTED"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::TaskCrashed,
            number::Started,
            number::StateRestored,
            number::StateChanged,
            number::TaskSwitched,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::TaskFinished,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::TaskRunStarted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::TaskRunStarted(it)) if !it.forced && !self.is_unsure => {
                return self.begin(it, event.time);
            }
            Some(DomainEvent::TaskRunEnded(it)) => self.end(it),
            Some(DomainEvent::TaskFinished(it)) => {
                self.tasks.remove(&it.task);
                self.ran.insert(it.task.clone(), event.time);
                self.finished = event.time;
            }
            Some(DomainEvent::StateChanged(it)) => {
                let is_halted = it.to == RunState::Halted;
                self.halted = is_halted.then(|| self.halted.unwrap_or(event.time));
            }
            Some(DomainEvent::TaskSwitched(it)) if it.enabled => drop(self.off.remove(&it.task)),
            Some(DomainEvent::TaskSwitched(it)) => {
                self.off.entry(it.task.clone()).or_insert(event.time);
            }
            Some(DomainEvent::StateRestored(_)) => self.remembers = true,
            Some(DomainEvent::Started(_)) => {
                self.tasks.clear();
                self.ran.clear();
                self.off.clear();
                self.remembers = false;
                self.halted = None;
                self.is_unsure = false;
            }
            None => self.is_unsure = true,
            Some(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{begun, ended, restored};
    use super::*;
    use crate::domain_event::{Started, StateChanged, TaskFinished, TaskOutcome, TaskSwitched};
    use crate::invariants::planted::Planted;

    fn log() -> Planted {
        let config: Config = serde_json::from_value(serde_json::json!({
            "symbols": ["BTC/USDT", "XRP/USDT"],
            "market": {"source": "none"},
            "schedules": {"technical_analysis": {"max_concurrent_symbols": 1}},
            "coordinator": {"max_concurrent_tasks": 1},
        }))
        .expect("it is one");
        Planted::of(TaskScheduled::new(&config))
    }

    fn of(task: &str, symbol: &str) -> TaskRunStarted {
        TaskRunStarted {
            task: task.into(),
            ..begun(symbol, false)
        }
    }

    fn finished(task: &str) -> TaskFinished {
        TaskFinished { task: task.into() }
    }

    fn changed(to: RunState) -> StateChanged {
        StateChanged {
            from: RunState::Running,
            to,
            by: "halt".into(),
        }
    }

    #[test]
    fn one_symbol_and_one_task_after_another() {
        let first = log()
            .then(begun("BTC/USDT", false))
            .then(begun("XRP/USDT", true));
        let second = first
            .then(ended("BTC/USDT", TaskOutcome::Done))
            .then(begun("XRP/USDT", false))
            .then(ended("XRP/USDT", TaskOutcome::Done));
        let third = second.then(finished("ta_analysis"));
        third.then(of("sentiment_analysis", "BTC/USDT")).holds();
        log()
            .then(begun("BTC/USDT", false))
            .then(Started {})
            .then(begun("XRP/USDT", false))
            .holds();
    }

    #[test]
    fn more_at_a_time_is_found() {
        let begun_once = || log().then(begun("BTC/USDT", false));
        let symbols = begun_once().then(begun("XRP/USDT", false)).violated();
        assert!(symbols.contains("for 1 symbols at a time"), "{symbols}");
        let tasks = begun_once().then(of("sentiment_analysis", "BTC/USDT"));
        let tasks = tasks.violated();
        assert!(tasks.contains("1 tasks at a time"), "{tasks}");
    }

    #[test]
    fn nothing_begins_while_halted() {
        let halted = || log().at(1.0).then(changed(RunState::Halted)).at(2.0);
        let found = halted().then(begun("BTC/USDT", false)).violated();
        assert!(found.contains("while halted"), "{found}");
        halted().then(begun("BTC/USDT", true)).holds();
        let running = halted().then(changed(RunState::Paused));
        running.then(begun("BTC/USDT", false)).holds();
        // What was about to run, and what waited for it.
        let before = log().at(1.0).then(begun("BTC/USDT", false));
        let waits = before
            .then(changed(RunState::Halted))
            .at(2.0)
            .then(ended("BTC/USDT", TaskOutcome::Done))
            .then(begun("XRP/USDT", false))
            .then(ended("XRP/USDT", TaskOutcome::Done))
            .then(finished("ta_analysis"));
        waits.then(of("sentiment_analysis", "BTC/USDT")).holds();
    }

    fn switched(task: &str, enabled: bool) -> TaskSwitched {
        TaskSwitched {
            task: task.into(),
            enabled,
        }
    }

    #[test]
    fn what_is_off_does_not_begin() {
        let off = || log().at(1.0).then(switched("ta_analysis", false));
        let found = off().at(2.0).then(begun("BTC/USDT", false)).violated();
        assert!(found.contains("to be off"), "{found}");
        off().then(begun("BTC/USDT", false)).holds();
        off().at(2.0).then(begun("BTC/USDT", true)).holds();
        let on = off().at(2.0).then(switched("ta_analysis", true));
        on.at(3.0).then(begun("BTC/USDT", false)).holds();
        off()
            .then(Started {})
            .at(2.0)
            .then(begun("BTC/USDT", false))
            .holds();
    }

    #[test]
    fn a_task_waits_for_what_it_depends_on() {
        let regime = || of("regime_detection", "BTC/USDT");
        let first = || log().at(1.0).then(finished("ta_analysis"));
        let found = log().then(regime()).violated();
        assert!(found.contains("to wait until ta_analysis"), "{found}");
        let second = || {
            first()
                .at(2.0)
                .then(regime())
                .then(finished("regime_detection"))
        };
        second().holds();
        second().at(3.0).then(regime()).violated();
        let again = second().at(3.0).then(finished("ta_analysis"));
        again.at(4.0).then(regime()).holds();
        // Whoever goes on may know of a run before.

        log().then(restored()).then(regime()).holds();
    }
}
