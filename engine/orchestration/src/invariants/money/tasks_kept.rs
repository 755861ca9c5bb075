//! `recovery.tasks`: the schedule goes on where it was saved.

use std::collections::BTreeSet;

use dacapo_kernel::{Event, Invariant, Plan, Time};
use serde_json::Value;

use crate::config::{Config, Schedule};
use crate::domain_event::{DomainEvent, TaskRunStarted, number};
use crate::message::{Instant, Name, Span};

/// One task, and what of it must outlive a restart.
struct Task {
    name: Name,
    interval: Option<Span>,
    /// Whether nothing but its own schedule decides when it runs.
    is_free: bool,
    saved: Saved,
    /// What holds since the coordinator went on from what was saved.
    kept: Kept,
}

/// What was saved of a task.
#[derive(Default)]
struct Saved {
    disabled: bool,
    last_run: Option<String>,
    under_way: bool,
}

/// What is known of a task.
#[derive(Default)]
struct Kept {
    disabled: bool,
    /// Before it, it is not due.
    not_before: Option<Instant>,
    /// It was under way, and is due at once.
    cut_off: bool,
}

/// After a restart a disabled task stays disabled, one that had run is not run before its interval is
/// over, and one that was cut off runs as soon as any other does.
pub(super) struct TasksKept {
    start_us: i64,
    tasks: Vec<Task>,
    /// What the schedule runs.
    running: BTreeSet<Name>,
    /// When the last task that it ran since the restart finished, if any did.
    idle_since: Option<Time>,
    /// Whether the last thing that was saved is known: a save that failed may have been done after all.
    is_known: bool,
}

impl TasksKept {
    pub(super) fn new(plan: &Plan<Config>) -> TasksKept {
        let config = &plan.system;
        let schedules = config.schedules.tasks(&config.symbols, &config.agents);
        let task = |schedule: Schedule| Task {
            // How long a task by bars waits, the market decides.
            interval: match schedule.interval_bars {
                Some(_) => None,
                None => i64::try_from(schedule.interval_seconds)
                    .ok()
                    .map(Span::from_secs),
            },
            is_free: schedule.depends_on.is_empty() && !schedule.symbols.is_empty(),
            name: schedule.name,
            saved: Saved::default(),
            kept: Kept::default(),
        };
        TasksKept {
            start_us: plan.start_unix_ns / 1_000,
            tasks: schedules.into_iter().map(task).collect(),
            running: BTreeSet::new(),
            idle_since: None,
            is_known: false,
        }
    }

    fn save(&mut self, record: &Value) {
        self.is_known = true;
        let under_way = record["in_flight_tasks"].as_array();
        let under_way = |name: &Name| {
            let mut names = under_way.into_iter().flatten().map(|task| &task["name"]);
            names.any(|other| other.as_str() == Some(name.as_str()))
        };
        let tasks = &record["tasks"];
        for task in &mut self.tasks {
            let saved = &tasks[task.name.as_str()];
            task.saved = Saved {
                disabled: saved["enabled"].as_bool() == Some(false),
                last_run: saved["last_run"].as_str().map(str::to_owned),
                under_way: under_way(&task.name),
            };
        }
    }

    /// The coordinator goes on from what was saved.
    fn restore(&mut self) {
        for task in &mut self.tasks {
            let saved = &task.saved;
            let last_run = saved.last_run.as_deref();
            let last_run = last_run.and_then(|text| Instant::from_iso(text, self.start_us));
            task.kept = Kept {
                disabled: saved.disabled,
                not_before: last_run
                    .filter(|_| !saved.under_way)
                    .zip(task.interval)
                    .map(|(last, interval)| last + interval),
                cut_off: saved.under_way && !saved.disabled && task.is_free,
            };
        }
    }

    fn begin(&mut self, run: &TaskRunStarted, now: Time) -> Result<(), String> {
        // All that is due at a look begins at it, and a look ends with the last of it.
        let looks_again = self.running.is_empty() && self.idle_since.is_some_and(|end| end < now);
        if looks_again && let Some(task) = self.tasks.iter().find(|task| task.kept.cut_off) {
            return Err(format!(
                "expected {}, which was cut off, to run as soon as anything did after a restart, found it wait",
                task.name
            ));
        }
        if !run.forced {
            self.running.insert(run.task.clone());
        }
        let Some(task) = self.named(&run.task) else {
            return Ok(());
        };
        if run.forced {
            task.kept.cut_off = false;
            return Ok(());
        }
        let now = Instant::from(now);
        let kept = std::mem::take(&mut task.kept);
        if kept.disabled {
            return Err(format!(
                "expected {} to stay disabled over a restart, found it run",
                run.task
            ));
        }
        if kept.not_before.is_some_and(|due| now < due) {
            return Err(format!(
                "expected {} to wait for its interval over a restart, found it run before",
                run.task
            ));
        }
        Ok(())
    }

    fn finish(&mut self, task: &Name, now: Time) {
        if self.running.remove(task) && self.running.is_empty() {
            self.idle_since = Some(now);
        }
    }

    fn named(&mut self, name: &Name) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.name == *name)
    }
}

impl Invariant<DomainEvent> for TasksKept {
    fn id(&self) -> &'static str {
        "recovery.tasks"
    }

    fn statement(&self) -> &'static str {
        "over a restart a disabled task stays disabled, one that had run waits for its interval, and one that was cut \
         off runs as soon as anything does"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::StateSaved,
            number::StateRestored,
            number::StoreFailed,
            number::TaskSwitched,
            number::TaskRunStarted,
            number::TaskFinished,
            number::WakeAsked,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StateRestored]]
    }

    /// A store that is put back to an earlier time, or loses what it had, breaks every promise.
    fn excludes(&self) -> &'static [&'static str] {
        super::FORGETFUL_STORE
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                (self.running, self.idle_since) = (BTreeSet::new(), None);
                for task in &mut self.tasks {
                    task.kept = Kept::default();
                }
            }
            Some(DomainEvent::StateSaved(it)) => self.save(&it.record.0),
            Some(DomainEvent::StoreFailed(it)) => self.is_known &= it.operation != *"save_state",
            Some(DomainEvent::StateRestored(it)) if it.complete && self.is_known => self.restore(),
            Some(DomainEvent::TaskSwitched(it)) => {
                if let Some(task) = self.named(&it.task) {
                    (task.kept.disabled, task.kept.cut_off) = (false, false);
                }
            }
            Some(DomainEvent::WakeAsked(it)) => {
                if let Some(task) = self.named(&it.task) {
                    task.kept.not_before = None;
                }
            }
            Some(DomainEvent::TaskRunStarted(it)) => return self.begin(it, event.time),
            Some(DomainEvent::TaskFinished(it)) => self.finish(&it.task, event.time),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain_event::{Started, StateSaved, StoreFailed, TaskFinished, TaskSwitched};
    use crate::invariants::degradation::samples::restored;
    use crate::invariants::minimal_plan;
    use crate::invariants::planted::Planted;
    use crate::message::Json;

    const TASK: &str = "ta_analysis";

    /// It ran at the start of the run.
    fn saved(enabled: bool, under_way: bool) -> StateSaved {
        let under_way = if under_way {
            json!([{"name": TASK}])
        } else {
            json!([])
        };
        let last_run = Instant::START.to_iso(0);
        StateSaved {
            record: Json(json!({
                "tasks": {TASK: {"enabled": enabled, "last_run": last_run}},
                "in_flight_tasks": under_way,
            })),
        }
    }

    fn restarted(saved: StateSaved) -> Planted {
        let mut plan = minimal_plan();
        plan.start_unix_ns = 0;
        went_on(Planted::of(TasksKept::new(&plan)).then(saved))
    }

    fn went_on(log: Planted) -> Planted {
        log.at(1.0).then(Started {}).then(restored())
    }

    fn run(forced: bool) -> TaskRunStarted {
        TaskRunStarted {
            task: TASK.into(),
            symbol: "BTC/USDT".into(),
            forced,
        }
    }

    #[test]
    fn a_disabled_task_that_runs_after_a_restart_is_found() {
        let late = || restarted(saved(false, false)).at(90_000.0);
        let what = late().then(run(false)).violated();
        assert!(what.contains("to stay disabled"), "{what}");
        late().then(run(true)).holds();
        let switched = TaskSwitched {
            task: TASK.into(),
            enabled: true,
        };
        late().then(switched).then(run(false)).holds();
    }

    #[test]
    fn a_task_that_had_run_and_runs_again_at_once_is_found() {
        let what = restarted(saved(true, false)).then(run(false)).violated();
        assert!(what.contains("to wait for its interval"), "{what}");
        let late = restarted(saved(true, false)).at(90_000.0);
        late.then(run(false)).holds();
        restarted(saved(true, true)).then(run(false)).holds();
    }

    #[test]
    fn a_task_that_was_cut_off_and_waits_is_found() {
        let finished = || TaskFinished {
            task: "regime_detection".into(),
        };
        let begun = || TaskRunStarted {
            task: "regime_detection".into(),
            ..run(false)
        };
        let looked = |log: Planted| log.then(begun()).then(finished());
        let what = looked(restarted(saved(true, true))).at(2.0);
        let what = what.then(begun()).violated();
        assert!(what.contains("to run as soon as anything did"), "{what}");
        // It begins at the same look, after another one or before, or by a command.
        for forced in [false, true] {
            let before = restarted(saved(true, true)).then(run(forced));
            looked(before).at(2.0).then(run(false)).holds();
            let after = looked(restarted(saved(true, true))).then(run(forced));
            after.at(2.0).then(begun()).holds();
        }
        looked(restarted(saved(false, true)))
            .at(2.0)
            .then(begun())
            .holds();
        looked(restarted(saved(true, false)))
            .at(2.0)
            .then(begun())
            .holds();
    }

    #[test]
    fn what_may_have_been_saved_after_all_proves_nothing() {
        let failed = |operation: &'static str| StoreFailed {
            operation: operation.into(),
        };
        let log = |operation| {
            let log = Planted::of(TasksKept::new(&minimal_plan()));
            went_on(log.then(saved(false, false)).then(failed(operation))).then(run(false))
        };
        log("save_state").holds();
        log("load_state").violated();
    }
}
