//! Faults as data: a plan that the kernel asks at each of its doors.
//!
//! A plan is written in a scenario, drawn from a seed, or what is left of a run that was shrunk.
//! Every fault that strikes is an event of the log. What a fault does behind a door is decided by
//! whoever opens the door.

use serde::{Deserialize, Serialize};

use crate::id::{Seq, Time};

/// When a planned crash strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// At an instant, before anything else happens at it.
    Time(Time),
    /// Right after an event; the task that made it does nothing more.
    Event(Seq),
    /// So many events after the host came up again from a crash.
    Recovery(u64),
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
    /// The wall clock jumps; virtual time does not.
    JumpClock {
        /// At which instant.
        at: Time,
        /// By how many nanoseconds, forward or back.
        by: i64,
    },
    /// A door that the system opened lets chance in, now and then.
    Door {
        /// The name of the door.
        door: String,
        /// For whom; for everybody, if absent.
        actor: Option<String>,
        /// How often, in a thousand.
        per_mille: u32,
        /// The least value that it strikes with.
        least: u64,
        /// The greatest.
        most: u64,
        /// It is shut from this instant on; never, if absent.
        until: Option<Time>,
    },
    /// A door lets chance in once.
    Strike {
        /// The name of the door.
        door: String,
        /// For whom.
        actor: String,
        /// How often that actor has asked at the door before.
        asked: u64,
        /// The value that it strikes with.
        value: u64,
    },
    /// Of two or more tasks that could run another one goes first than a queue would choose.
    Choose {
        /// Which choice of the run, counted from 0.
        choice: u64,
        /// Which task, counted in the order in which they became ready.
        index: u32,
    },
    /// Something happens that only the system knows the meaning of.
    Act {
        /// Its name among the system's faults.
        what: String,
        /// At which instant; what changes the system's settings does so from the start.
        at: Time,
        /// How much of it.
        value: u64,
    },
}

impl Fault {
    /// The kind by which people and properties name it: a door and a system's own act by their
    /// own names.
    pub fn name(&self) -> &str {
        match self {
            Fault::CrashHost { .. } => CRASH_HOST,
            Fault::CrashTask { .. } => CRASH_TASK,
            Fault::JumpClock { .. } => JUMP_CLOCK,
            Fault::Choose { .. } => "choose",
            Fault::Door { door, .. } | Fault::Strike { door, .. } => door,
            Fault::Act { what, .. } => what,
        }
    }

    /// The instant after which it strikes no more, as far as the plan tells; none if it may always.
    fn ends(&self) -> Option<Time> {
        match self {
            Fault::CrashHost {
                when: When::Time(at),
                restart_after,
                ..
            } => Some(*at + std::time::Duration::from_nanos(restart_after.unwrap_or(0))),
            Fault::CrashTask { at, .. } | Fault::JumpClock { at, .. } | Fault::Act { at, .. } => {
                Some(*at)
            }
            Fault::Door { until, .. } => *until,
            Fault::Choose { .. } => Some(Time::ZERO),
            Fault::CrashHost { .. } | Fault::Strike { .. } => None,
        }
    }
}

/// The name of crashes of hosts among the kinds of fault.
pub const CRASH_HOST: &str = "crash-host";
/// The name of crashes of tasks among the kinds of fault.
pub const CRASH_TASK: &str = "crash-task";
/// The name of jumps of the wall clock among the kinds of fault.
pub const JUMP_CLOCK: &str = "jump-clock";

/// Everything that is planned to go wrong in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultPlan {
    /// The faults.
    pub faults: Vec<Fault>,
    /// From this instant on nothing goes wrong any more, and what must come true in the end has to;
    /// never, if absent.
    pub quiet_from: Option<Time>,
}

impl FaultPlan {
    /// The instant from which no fault of the plan strikes any more; none if there is no such
    /// instant, or nobody can tell.
    pub fn ends(&self) -> Option<Time> {
        if self.quiet_from.is_some() {
            return self.quiet_from;
        }
        let mut ends = self.faults.iter().map(Fault::ends);
        ends.try_fold(Time::ZERO, |last, end| Some(last.max(end?)))
    }
}

impl From<Vec<Fault>> for FaultPlan {
    fn from(faults: Vec<Fault>) -> FaultPlan {
        FaultPlan {
            faults,
            quiet_from: None,
        }
    }
}

/// A kind of fault that a system can suffer: what people read of it, and how a fuzzer draws it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultKind {
    /// Its name, such as `model.timeout`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub meaning: &'static str,
    /// What the value it strikes with stands for, and its unit; empty where it has none.
    pub value: &'static str,
    /// The least value.
    pub least: u64,
    /// The greatest value.
    pub most: u64,
    /// How it comes about.
    pub how: How,
}

impl FaultKind {
    /// A kind that comes in at a door of its name, at most so often in a thousand.
    pub const fn door(
        name: &'static str,
        meaning: &'static str,
        value: &'static str,
        least: u64,
        most: u64,
        most_per_mille: u32,
    ) -> FaultKind {
        FaultKind {
            name,
            meaning,
            value,
            least,
            most,
            how: How::Door { most_per_mille },
        }
    }
}

/// How a fault comes about, and how often a fuzzer lets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// At a door that the system opens, at most this often in a thousand.
    Door {
        /// In a thousand.
        most_per_mille: u32,
    },
    /// At an instant, or from the start, at most so many times in a run.
    Act {
        /// How many times.
        times: u32,
    },
    /// A crash of this host; the value is how long it stays down, in milliseconds.
    CrashHost {
        /// The name of the host.
        host: &'static str,
    },
    /// A crash of the oldest task of this name.
    CrashTask {
        /// The name of the task.
        task: &'static str,
    },
    /// A jump of the wall clock, forward or back; the value is how far, in milliseconds.
    JumpClock,
}
