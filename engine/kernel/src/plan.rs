//! The resolved plan of a run: what its first event carries, so that the log can be run again.
//!
//! How a person writes it, as a scenario file, is the lab's affair.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::FaultPlan;
use crate::id::Time;
use crate::schedule::SchedulerKind;

/// Everything that decides how a run goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan<C> {
    /// The name of the scenario.
    pub name: String,
    /// What it is about, in a sentence.
    pub story: String,
    /// Where generated inputs come from.
    pub seed: u64,
    /// The wall clock at virtual time zero: nanoseconds since 1970-01-01T00:00:00Z.
    pub start_unix_ns: i64,
    /// The run is complete at this virtual time, if not before.
    pub duration_ns: Option<u64>,
    /// Who chooses among tasks that could run.
    pub scheduler: SchedulerKind,
    /// Bounds that end a run.
    pub budgets: Budgets,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// The profile whose defects are on.
    pub profile: String,
    /// The defects that are on in all, by name.
    pub defects: Vec<String>,
    /// The data files that were read, each with its digest.
    pub data: Vec<DataFile>,
    /// What is expected of the run.
    pub expect: Expect,
    /// The system's own part.
    pub system: C,
}

impl<C> Plan<C> {
    /// A plan in which everything but the system's own part is as it is by default: no seed, no
    /// fault, no defect, the first in first out, and nothing expected.
    pub fn of(name: impl Into<String>, system: C) -> Plan<C> {
        Plan {
            name: name.into(),
            story: String::new(),
            seed: 0,
            start_unix_ns: 0,
            duration_ns: None,
            scheduler: SchedulerKind::Fifo,
            budgets: Budgets::default(),
            faults: FaultPlan::default(),
            profile: String::new(),
            defects: Vec::new(),
            data: Vec::new(),
            expect: Expect::default(),
            system,
        }
    }

    /// The instant at which the run is complete, if it is bounded.
    pub fn end(&self) -> Option<Time> {
        self.duration_ns.map(Time::from_nanos)
    }
}

/// Bounds of a run; reaching one ends it with a verdict that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budgets {
    /// Events in all.
    pub events: u64,
    /// Events at one instant of virtual time.
    pub events_at_one_instant: u64,
    /// Tasks alive at once.
    pub tasks: u64,
    /// Messages waiting in one inbox.
    pub queue: u64,
    /// Virtual time in seconds, whatever the planned duration.
    pub virtual_seconds: u64,
    /// Seconds of virtual time without anything of the system's own happening; 0 for no bound.
    pub idle_seconds: u64,
}

impl Default for Budgets {
    fn default() -> Budgets {
        Budgets {
            events: 1_000_000_000,
            events_at_one_instant: 1_000_000,
            tasks: 100_000,
            queue: 1_000_000,
            virtual_seconds: 10 * 366 * 86_400,
            idle_seconds: 0,
        }
    }
}

impl Budgets {
    /// The bound on virtual time without progress, if there is one.
    pub(crate) fn idle(&self) -> Option<Duration> {
        (self.idle_seconds > 0).then(|| Duration::from_secs(self.idle_seconds))
    }
}

/// A file that a scenario named, as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// As the scenario names it, relative to the scenario file.
    pub path: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub digest: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// What is expected of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expect {
    /// The name of the verdict; `complete` unless stated.
    pub verdict: Option<String>,
    /// Bounds on the system's figures.
    pub figures: Vec<FigureBound>,
}

/// A bound on one figure of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureBound {
    /// The name of the figure.
    pub figure: String,
    /// It is at least this.
    pub at_least: Option<f64>,
    /// It is at most this.
    pub at_most: Option<f64>,
}
