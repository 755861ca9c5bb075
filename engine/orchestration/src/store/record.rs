//! What is saved of a coordinator, as rows: itself, its tasks, its failures, the paper account.
//!
//! The log keeps it as one JSON object, as the original does.

use serde_json::{Map, Value, json};

use crate::amount::Amount;
use crate::coordinator::Statistics;
use crate::coordinator::degradation::FailureCounts;
use crate::coordinator::state::RunState;
use crate::message::Name;
use crate::risk::RiskMemory;

/// What is saved of a coordinator.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Whether it traded.
    pub state: RunState,
    /// The reason of a halt, until it is cleared.
    pub halt: Option<Name>,
    /// Whether every position is to be closed while that stands.
    pub closing: bool,
    /// The reason of a pause, until it goes on.
    pub pause: Option<Name>,
    /// What it has counted.
    pub statistics: Statistics,
    /// Its tasks, in the order of the table.
    pub tasks: Vec<TaskRow>,
    /// The failures that count, where they are kept.
    pub failures: Option<FailureCounts>,
    /// What risk must remember, where it is kept.
    pub risk: Option<RiskMemory>,
    /// The balances of the paper account by asset, where there is one. They follow from the fills in
    /// the log, so the object there has none.
    pub portfolio: Vec<(Name, Amount)>,
}

/// What is saved of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// Its name.
    pub name: Name,
    /// Whether it runs at all.
    pub enabled: bool,
    /// When it last finished, as ISO 8601.
    pub last_run: Option<String>,
    /// Whether it was running.
    pub under_way: bool,
    /// Since when, as ISO 8601.
    pub started: Option<String>,
}

impl Record {
    /// The object that the log keeps.
    pub fn to_json(&self) -> Value {
        // What stands inside the macro is copied, so what is large is put in afterwards.
        let mut tasks = Map::new();
        for task in &self.tasks {
            let mut saved = Map::new();
            saved.insert("enabled".to_owned(), task.enabled.into());
            saved.insert("last_run".to_owned(), task.last_run.clone().into());
            tasks.insert(task.name.as_str().to_owned(), saved.into());
        }
        let under_way = self.tasks.iter().filter(|task| task.under_way);
        let under_way: Vec<Value> = under_way
            .map(|task| json!({ "name": task.name, "started_at": task.started }))
            .collect();
        let mut record = json!({
            "state": self.state.name(),
            "statistics": self.statistics,
            "halt": self.halt,
        });
        record["tasks"] = tasks.into();
        record["in_flight_tasks"] = under_way.into();
        if self.closing {
            record["closing"] = json!(true);
        }
        if let Some(pause) = &self.pause {
            record["pause"] = json!(pause);
        }
        if let Some(risk) = &self.risk
            && *risk != RiskMemory::default()
        {
            record["risk"] = json!(risk);
        }
        if let Some(failures) = self.failures {
            record["failures"] = json!(failures);
        }
        record
    }
}
