//! Which of the tasks that could run does.
//!
//! A scheduler sees tasks in the order in which they became ready, never in an order that an
//! address or a hash made. Replay needs none: it reads the choices from the log.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::chance::Stream;
use crate::id::TaskId;

/// Chooses one of two or more tasks that could run.
pub trait Scheduler: Debug {
    /// The place in `enabled` of the task to run next.
    fn choose(&mut self, enabled: &mut dyn ExactSizeIterator<Item = TaskId>) -> usize;
}

/// The schedulers that a scenario can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchedulerKind {
    /// In the order in which tasks became ready: the reference order.
    #[default]
    Fifo,
    /// Any of them, equally likely.
    Random,
}

impl SchedulerKind {
    /// Every kind with its name.
    pub const NAMES: [(&'static str, SchedulerKind); 2] = [
        ("fifo", SchedulerKind::Fifo),
        ("random", SchedulerKind::Random),
    ];

    /// A scheduler of this kind for a run with this seed.
    pub fn build(self, seed: u64) -> Box<dyn Scheduler> {
        match self {
            SchedulerKind::Fifo => Box::new(Fifo),
            SchedulerKind::Random => Box::new(Random(Stream::new(seed, "engine", "schedule"))),
        }
    }
}

/// The task that has been ready longest.
#[derive(Debug)]
struct Fifo;

impl Scheduler for Fifo {
    fn choose(&mut self, _: &mut dyn ExactSizeIterator<Item = TaskId>) -> usize {
        0
    }
}

/// Any ready task, equally likely.
#[derive(Debug)]
struct Random(Stream);

impl Scheduler for Random {
    fn choose(&mut self, enabled: &mut dyn ExactSizeIterator<Item = TaskId>) -> usize {
        self.0.below(enabled.len() as u64) as usize
    }
}
