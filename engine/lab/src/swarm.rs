//! The plan of one seed of a campaign: what goes wrong in it, and who schedules.
//!
//! Runs are to differ in kind, not only in detail: each kind of fault is off altogether in many of them, and how
//! many are on is itself drawn, none included. Every kind draws from a stream of its own, so that a
//! new kind changes no other kind's draws.

mod draw;
mod kinds;

use dacapo_kernel::{FaultKind, Plan, SchedulerKind, Stream, Time};

pub use self::kinds::{FaultChoice, UnknownFault};

/// Which part of a run has faults, in a hundred; the rest is left for what must come true in the end.
const NOISY_PERCENT: u64 = 55;

/// How far into a run that has no planned end things go wrong.
const HORIZON: Time = Time::from_secs(600);

/// What a campaign fixes of the plans that are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swarm {
    /// The kinds of fault that may be drawn.
    pub faults: FaultChoice,
    /// Who schedules; drawn if absent.
    pub scheduler: Option<SchedulerKind>,
}

impl Swarm {
    /// The plan of a seed: the base plan, and what is drawn on top of it. Faults that the base plan has
    /// are kept. What is expected of its figures is dropped: that was said of the run as it is
    /// written.
    pub fn plan<C: Clone>(&self, base: &Plan<C>, kinds: &[FaultKind], seed: u64) -> Plan<C> {
        let mut plan = base.clone();
        plan.seed = seed;
        plan.expect.figures.clear();
        plan.scheduler = self.scheduler.unwrap_or_else(|| scheduler(seed));
        let noisy = self.noisy_until(base);
        let before = plan.faults.faults.len();
        let drawn = self.faults.draw(kinds, seed, noisy);
        plan.faults.faults.extend(drawn);
        if plan.faults.faults.len() > before && base.duration_ns.is_some() {
            plan.faults.quiet_from = Some(noisy);
        }
        plan
    }

    /// The instant until which things go wrong.
    fn noisy_until<C>(&self, base: &Plan<C>) -> Time {
        if let Some(quiet) = base.faults.quiet_from {
            return quiet;
        }
        base.duration_ns.map_or(HORIZON, |duration| {
            Time::from_nanos(duration / 100 * NOISY_PERCENT)
        })
    }
}

/// A scheduler of a seed; each is as likely as the others.
fn scheduler(seed: u64) -> SchedulerKind {
    let mut stream = Stream::new(seed, "swarm", "scheduler");
    let at = stream.below(SchedulerKind::NAMES.len() as u64);
    SchedulerKind::NAMES[at as usize].1
}

#[cfg(test)]
mod tests;
