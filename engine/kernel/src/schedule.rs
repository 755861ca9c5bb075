//! Which of the tasks that could run does.
//!
//! A scheduler sees tasks in the order in which they became ready, never in an order that an
//! address or a hash made. Replay needs none: it reads the choices from the log.

mod pct;

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::chance::Stream;
use crate::fault::{Fault, FaultPlan};
use crate::id::TaskId;

use pct::Pct;

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
    /// By priorities that are drawn and change at a few points: finds what needs few, rare turns.
    Pct,
}

impl SchedulerKind {
    /// Every kind with its name.
    pub const NAMES: [(&'static str, SchedulerKind); 3] = [
        ("fifo", SchedulerKind::Fifo),
        ("random", SchedulerKind::Random),
        ("pct", SchedulerKind::Pct),
    ];

    /// A scheduler of this kind for a run with this seed, which makes the planned choices.
    pub fn build(self, seed: u64, plan: &FaultPlan) -> Box<dyn Scheduler> {
        let inner: Box<dyn Scheduler> = match self {
            SchedulerKind::Fifo => Box::new(Fifo),
            SchedulerKind::Random => Box::new(Random(Stream::new(seed, "engine", "schedule"))),
            SchedulerKind::Pct => Box::new(Pct::new(Stream::new(seed, "engine", "priorities"))),
        };
        let planned: BTreeMap<u64, u32> = plan.faults.iter().filter_map(planned_choice).collect();
        if planned.is_empty() {
            return inner;
        }
        Box::new(Planned {
            planned,
            made: 0,
            inner,
        })
    }
}

fn planned_choice(fault: &Fault) -> Option<(u64, u32)> {
    match fault {
        Fault::Choose { choice, index } => Some((*choice, *index)),
        _ => None,
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

/// Makes the choices of a plan, and leaves the others to another scheduler.
#[derive(Debug)]
struct Planned {
    planned: BTreeMap<u64, u32>,
    made: u64,
    inner: Box<dyn Scheduler>,
}

impl Scheduler for Planned {
    fn choose(&mut self, enabled: &mut dyn ExactSizeIterator<Item = TaskId>) -> usize {
        let planned = self.planned.get(&self.made).map(|index| *index as usize);
        self.made += 1;
        match planned {
            Some(index) => index.min(enabled.len() - 1),
            None => self.inner.choose(enabled),
        }
    }
}
