//! Faults as data: a plan that the kernel asks at each of its doors.
//!
//! The kernel's own faults are crashes and doors that the system opens itself with
//! `ctx.buggify`. What goes wrong at a port is decided by who answers there.

use serde::{Deserialize, Serialize};

use crate::id::{Seq, Time};

/// When a planned fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// At an instant, before anything else happens at it.
    Time(Time),
    /// Right after an event; the task that made it does nothing more.
    Event(Seq),
}

/// One planned fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fault {
    /// A host loses its tasks, its volatile state and its unanswered calls.
    CrashHost {
        /// The name of the host.
        host: String,
        /// When.
        when: When,
        /// It comes up again this many nanoseconds later; never, if absent.
        restart_after: Option<u64>,
    },
    /// One task is dropped; its guards are released.
    CrashTask {
        /// The name of the task; the oldest with that name is taken.
        task: String,
        /// At which instant.
        at: Time,
    },
    /// A door that the system opened with `ctx.buggify` lets chance in.
    Door {
        /// The name of the door.
        door: String,
        /// How often, in a thousand.
        per_mille: u32,
    },
}

/// Everything that is planned to go wrong in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan(pub Vec<Fault>);

impl FaultPlan {
    /// How often, in a thousand, a door lets chance in.
    pub(crate) fn door(&self, name: &str) -> u32 {
        let rate = |fault: &Fault| match fault {
            Fault::Door { door, per_mille } if door == name => Some(*per_mille),
            _ => None,
        };
        self.0.iter().find_map(rate).unwrap_or(0)
    }
}
