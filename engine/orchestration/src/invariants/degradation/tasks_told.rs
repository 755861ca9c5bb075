//! `tasks.told`: what is told of tasks is how they are.

use dacapo_kernel::{Event, Invariant, Plan, Time};
use serde_json::Value;

use crate::config::{Config, Schedule, StoreKind};
use crate::domain_event::{DomainEvent, StateSaved, StatusReported, number};
use crate::message::{Instant, Name};

/// A task as the log has told it.
struct Task {
    name: Name,
    agent: Name,
    interval_seconds: u64,
    /// Whether it is scheduled; none where that is what was saved once.
    enabled: Option<bool>,
    /// When it last finished, as it is told; none where that is what was saved once.
    last_run: Option<Value>,
    /// When the schedule began to run it, while it does.
    began: Option<Time>,
    /// When any of this changed: at that moment it may be told as it was before.
    changed: Option<Time>,
}

/// How each task is, in the order of the table.
pub(super) struct TasksTold {
    start_us: i64,
    tasks: Vec<Task>,
    /// Whether a coordinator may go on from something.
    is_saved: bool,
}

impl TasksTold {
    pub(super) fn new(plan: &Plan<Config>) -> TasksTold {
        let config = &plan.system;
        let schedules = config.schedules.tasks(&config.symbols, &config.agents);
        let task = |schedule: Schedule| Task {
            name: schedule.name,
            agent: schedule.agent,
            interval_seconds: schedule.interval_seconds,
            enabled: None,
            last_run: None,
            began: None,
            changed: None,
        };
        let has_store = config.store.kind != StoreKind::None;
        TasksTold {
            start_us: plan.start_unix_ns / 1_000,
            tasks: schedules.into_iter().map(task).collect(),
            is_saved: has_store && config.store.saved.is_some(),
        }
    }

    /// A coordinator begins with all its tasks, none of which has run, unless it goes on from what was saved.
    fn begin(&mut self) {
        for task in &mut self.tasks {
            task.enabled = (!self.is_saved).then_some(true);
            task.last_run = (!self.is_saved).then_some(Value::Null);
            task.began = None;
        }
    }

    fn change(&mut self, name: &Name, now: Time, how: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.name == *name) {
            task.changed = Some(now);
            how(task);
        }
    }

    fn save(&mut self, saved: &StateSaved, now: Time) -> Result<(), String> {
        self.is_saved = true;
        let record = &saved.record.0;
        let tasks = &record["tasks"];
        let under_way = record["in_flight_tasks"].as_array();
        for task in &self.tasks {
            task.is_told(&tasks[task.name.as_str()], now)?;
            let Some(began) = task.began.filter(|_| task.changed != Some(now)) else {
                continue;
            };
            let began = Instant::from(began).to_iso(self.start_us);
            let mut entries = under_way.into_iter().flatten();
            let since = entries.find(|it| it["name"] == *task.name);
            let since = since.and_then(|it| it["started_at"].as_str());
            if since.is_none_or(|since| *since > *began) {
                return Err(format!(
                    "expected {} to be saved as under way since {began}, found {since:?}",
                    task.name
                ));
            }
        }
        Ok(())
    }

    fn report(&self, reported: &StatusReported, now: Time) -> Result<(), String> {
        let told = reported.status.0["tasks"].as_array();
        let told = told.map_or(&[][..], Vec::as_slice);
        let names = told.iter().map(|task| task["name"].as_str());
        if !names.eq(self.tasks.iter().map(|task| Some(task.name.as_str()))) {
            return Err("expected every task to be told of in order, found others".to_owned());
        }
        for (task, told) in self.tasks.iter().zip(told) {
            task.is_told(told, now)?;
            if told["agent"] != *task.agent {
                return Err(format!(
                    "expected {} to be told to be asked for {}, found {}",
                    task.agent, task.name, told["agent"]
                ));
            }
            if told["interval_seconds"] != task.interval_seconds {
                return Err(format!(
                    "expected {} s to be told between two runs of {}, found {}",
                    task.interval_seconds, task.name, told["interval_seconds"]
                ));
            }
        }
        Ok(())
    }
}

impl Task {
    fn is_told(&self, told: &Value, now: Time) -> Result<(), String> {
        if self.changed == Some(now) {
            return Ok(());
        }
        if let Some(enabled) = self.enabled
            && told["enabled"] != enabled
        {
            let not = if enabled { "" } else { "not " };
            return Err(format!(
                "expected {} to be told to be {not}scheduled, found otherwise",
                self.name
            ));
        }
        match &self.last_run {
            Some(last_run) if told["last_run"] != *last_run => Err(format!(
                "expected {last_run} to be told as the last run of {}, found {}",
                self.name, told["last_run"]
            )),
            _ => Ok(()),
        }
    }
}

impl Invariant<DomainEvent> for TasksTold {
    fn id(&self) -> &'static str {
        "tasks.told"
    }

    fn statement(&self) -> &'static str {
        "of each task it is told, to whoever asks and to the store, whether it is scheduled and when it last \
         finished, and to the store since when it is under way"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::TaskSwitched,
            number::TaskRunStarted,
            number::TaskFinished,
            number::StateSaved,
            number::StatusReported,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StateSaved, number::StatusReported]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.begin(),
            Some(DomainEvent::TaskSwitched(it)) => {
                self.change(&it.task, now, |task| task.enabled = Some(it.enabled));
            }
            Some(DomainEvent::TaskRunStarted(it)) if !it.forced => {
                self.change(&it.task, now, |task| {
                    task.began.get_or_insert(now);
                });
            }
            Some(DomainEvent::TaskFinished(it)) => {
                let told = Instant::from(now).to_iso(self.start_us);
                self.change(&it.task, now, |task| {
                    (task.last_run, task.began) = (Some(told.into()), None);
                });
            }
            Some(DomainEvent::StateSaved(it)) => return self.save(it, now),
            Some(DomainEvent::StatusReported(it)) => return self.report(it, now),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::begun;
    use super::*;
    use crate::domain_event::{Started, TaskFinished, TaskSwitched};
    use crate::invariants::minimal_plan;
    use crate::invariants::planted::Planted;
    use crate::message::Json;

    const TASK: &str = "ta_analysis";

    /// The first task was switched off, and is under way or has run.
    fn lived(is_over: bool) -> Planted {
        let mut plan = minimal_plan();
        plan.start_unix_ns = 0;
        let log = Planted::of(TasksTold::new(&plan)).then(Started {});
        let log = log.then(TaskSwitched {
            task: TASK.into(),
            enabled: false,
        });
        let log = log.then(begun("BTC/USDT", false));
        let finished = TaskFinished { task: TASK.into() };
        let log = if is_over { log.then(finished) } else { log };
        log.at(1.0)
    }

    /// What is true of all tasks then, with the first one as it is told.
    fn tasks(first: &Value) -> Value {
        let schedules = minimal_plan();
        let config = schedules.system;
        let all = config.schedules.tasks(&config.symbols, &config.agents);
        let told = all.iter().map(|task| {
            let mut told = json!({"name": task.name, "agent": task.agent,
                "interval_seconds": task.interval_seconds, "enabled": true, "last_run": null});
            if *task.name == *TASK {
                let fields = first.as_object().expect("they are fields").clone();
                told.as_object_mut().expect("it is one").extend(fields);
            }
            told
        });
        told.collect()
    }

    fn saved(first: &Value, under_way: &Value) -> StateSaved {
        let tasks = tasks(first);
        let by_name = tasks.as_array().expect("a list").iter();
        let by_name = by_name.map(|task| (task["name"].as_str().unwrap().to_owned(), task.clone()));
        let by_name: serde_json::Map<String, Value> = by_name.collect();
        StateSaved {
            record: Json(json!({"tasks": by_name, "in_flight_tasks": under_way})),
        }
    }

    fn reported(first: &Value) -> StatusReported {
        StatusReported {
            status: Json(json!({"tasks": tasks(first)})),
        }
    }

    fn truth() -> Value {
        json!({"enabled": false, "last_run": Instant::START.to_iso(0)})
    }

    // Fails if the truth is found, or anything else that is told is not.
    #[test]
    fn what_is_told_of_a_task_is_the_truth() {
        lived(true).then(reported(&truth())).holds();
        lived(true).then(saved(&truth(), &json!([]))).holds();
        for (field, wrong) in [
            ("enabled", json!(true)),
            ("last_run", Value::Null),
            ("agent", json!("another")),
            ("interval_seconds", json!(1)),
            ("name", json!("another")),
        ] {
            let mut told = truth();
            told[field] = wrong;
            lived(true).then(reported(&told)).violated();
            if ["enabled", "last_run"].contains(&field) {
                lived(true).then(saved(&told, &json!([]))).violated();
            }
        }
    }

    #[test]
    fn what_is_under_way_is_saved_as_that() {
        let told = json!({"enabled": false, "last_run": null});
        let since = |text: Option<String>| json!([{ "name": TASK, "started_at": text }]);
        let listed = since(Some(Instant::START.to_iso(0)));
        lived(false).then(saved(&told, &listed)).holds();
        let late = since(Some(Instant::from(Time::from_secs(1)).to_iso(0)));
        for wrong in [json!([]), since(None), late] {
            lived(false).then(saved(&told, &wrong)).violated();
        }
        lived(true).then(saved(&truth(), &listed)).holds();
    }

    #[test]
    fn what_was_saved_may_be_gone_on_from() {
        let again = || {
            lived(true)
                .then(saved(&truth(), &json!([])))
                .then(Started {})
        };
        again().then(reported(&truth())).holds();
        let told = json!({"enabled": true, "last_run": null});
        again().then(reported(&told)).holds();
        lived(true)
            .then(Started {})
            .then(reported(&truth()))
            .violated();
    }
}
