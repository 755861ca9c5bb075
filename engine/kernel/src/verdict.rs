//! How a run ended, and why. What a property says of a run lives in [`invariant`](crate::Invariant).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::TaskId;
use crate::name::Name;
use crate::numbered;
use crate::wait_graph::Cycle;

numbered! {
    /// How a run ended.
    #[derive(Eq)]
    pub enum Verdict {
        /// Every task returned, or the planned duration is over.
        1 Complete,
        /// Tasks wait for each other in a circle that no timeout of theirs can break.
        2 Deadlock(Cycle),
        /// Nothing can run, nothing will come, and these tasks still wait.
        3 Stall(Vec<Waiting>),
        /// Time moved on this long, in nanoseconds, and nothing of the system's own happened.
        4 Livelock(u64),
        /// A task panicked.
        5 Panic(Panicked),
        /// A budget of the run was used up.
        6 Exhausted(Budget),
        /// Somebody outside asked the run to stop.
        7 Interrupted,
    }
}

/// A task that panicked while nobody waited for its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panicked {
    /// Which task.
    pub task: TaskId,
    /// Its name.
    pub name: Name,
    /// What it said.
    pub message: String,
}

/// A task at the end of a stalled run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which task.
    pub task: TaskId,
    /// Its name.
    pub name: Name,
    /// What it waits for.
    pub wait: String,
}

numbered! {
    /// Which budget a run used up, and how large it was.
    #[derive(Copy, Eq)]
    pub enum Budget {
        /// Events in all.
        1 Events(u64),
        /// Virtual time, in nanoseconds.
        2 Time(u64),
        /// Events at one instant.
        3 EventsAtOneInstant(u64),
        /// Tasks alive at once.
        4 Tasks(u64),
        /// Messages waiting in one queue.
        5 Queue(u64),
    }
}

impl Verdict {
    /// The name that scenarios and tables use.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Complete => "complete",
            Verdict::Deadlock(_) => "deadlock",
            Verdict::Stall(_) => "stall",
            Verdict::Livelock(_) => "livelock",
            Verdict::Panic(_) => "panic",
            Verdict::Exhausted(_) => "exhausted",
            Verdict::Interrupted => "interrupted",
        }
    }

    /// Every name that [`name`](Verdict::name) can give.
    pub const NAMES: [&'static str; 7] = [
        "complete",
        "deadlock",
        "stall",
        "livelock",
        "panic",
        "exhausted",
        "interrupted",
    ];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Complete => f.write_str("complete"),
            Verdict::Deadlock(cycle) => write!(f, "deadlock: {cycle}"),
            Verdict::Stall(waiting) => {
                f.write_str("stall: nothing can run and nothing will come")?;
                waiting
                    .iter()
                    .try_for_each(|w| write!(f, "; {} waits for {}", w.name, w.wait))
            }
            Verdict::Livelock(nanos) => {
                write!(
                    f,
                    "livelock: {} s of virtual time without progress",
                    *nanos as f64 / 1e9
                )
            }
            Verdict::Panic(panic) => write!(f, "panic in {}: {}", panic.name, panic.message),
            Verdict::Exhausted(budget) => write!(f, "budget exhausted: {budget}"),
            Verdict::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Events(n) => write!(f, "{n} events"),
            Budget::Time(nanos) => write!(f, "{} s of virtual time", *nanos as f64 / 1e9),
            Budget::EventsAtOneInstant(n) => write!(f, "{n} events at one instant"),
            Budget::Tasks(n) => write!(f, "{n} tasks at once"),
            Budget::Queue(n) => write!(f, "{n} messages in one queue"),
        }
    }
}
