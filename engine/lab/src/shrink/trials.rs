//! Trying a plan: whether a run of it still fails in the way that is looked for.
//!
//! What was tried is remembered, so that nothing is run twice, and how many runs are made is
//! bounded. What is tried next is decided elsewhere, from the answers alone: shrinking takes the same
//! way on a slow machine as on a fast one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_kernel::log::{Memory, Reader, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, Events, Fault, Files, Outcome, Plan, Run, RunError, System, Time,
};

use super::{Recorded, ShrinkError, Step, Stopped};
use crate::fuzz::caught;
use crate::group::Group;
use crate::judgement::{Ended, Failure, judge};

/// The least bound on the events of a try.
const EVENTS_LEAST: u64 = 100_000;
/// How many times as many events as the recorded run a try can have.
const EVENTS_TIMES: u64 = 4;

/// Tries plans, and counts.
pub(super) struct Trials<'a, S: System> {
    recorded: &'a Recorded<S>,
    files: &'a dyn Files,
    target: &'a Group,
    /// The answers so far, by digest of what can differ between two plans here.
    seen: BTreeMap<[u8; 32], bool>,
    /// How many runs were made.
    pub(super) runs: u64,
    max_runs: u64,
    /// The fewest inputs with which a run has failed so far.
    pub(super) fewest: usize,
    progress: &'a mut dyn FnMut(Step) -> bool,
    /// Why nothing is tried any more.
    pub(super) stopped: Option<Stopped>,
}

impl<'a, S: System> Trials<'a, S> {
    pub(super) fn new(
        recorded: &'a Recorded<S>,
        files: &'a dyn Files,
        target: &'a Group,
        max_runs: u64,
        progress: &'a mut dyn FnMut(Step) -> bool,
    ) -> Trials<'a, S> {
        Trials {
            recorded,
            files,
            target,
            seen: BTreeMap::new(),
            runs: 0,
            max_runs,
            fewest: recorded.explicit.faults.faults.len(),
            progress,
            stopped: None,
        }
    }

    /// The first try of a plan, whose error is worth knowing: whether it fails in the way that is
    /// looked for.
    pub(super) fn first(&mut self, plan: &Plan<S::Config>) -> Result<bool, ShrinkError> {
        let fails = self.run(plan)?;
        self.seen.insert(digest(plan), fails);
        Ok(fails)
    }

    /// Whether a plan still fails in the way that is looked for. One that cannot be run does not, and
    /// neither does any once trying has been stopped.
    pub(super) fn fails(&mut self, plan: &Plan<S::Config>) -> bool {
        let digest = digest(plan);
        if let Some(known) = self.seen.get(&digest) {
            return *known;
        }
        if self.stopped.is_none() && self.runs >= self.max_runs {
            self.stopped = Some(Stopped::Runs(self.max_runs));
        }
        if self.stopped.is_some() {
            return false;
        }
        let fails = self.run(plan).unwrap_or(false);
        self.seen.insert(digest, fails);
        if fails {
            self.fewest = self.fewest.min(plan.faults.faults.len());
        }
        let step = Step {
            inputs: self.fewest,
            runs: self.runs,
        };
        if !(self.progress)(step) {
            self.stopped = Some(Stopped::Time);
        }
        fails
    }

    /// The same for other faults in a plan.
    pub(super) fn fails_with(&mut self, plan: &Plan<S::Config>, faults: &[Fault]) -> bool {
        let faults = self.recorded.moved(faults.to_vec());
        self.fails(&with_faults(plan, faults))
    }

    /// The faults where they are once crashes after an event are moved to that event's new place.
    pub(super) fn settled(&self, plan: &Plan<S::Config>, faults: Vec<Fault>) -> Plan<S::Config> {
        with_faults(plan, self.recorded.moved(faults))
    }

    fn run(&mut self, plan: &Plan<S::Config>) -> Result<bool, ShrinkError> {
        self.runs += 1;
        fails::<S>(&self.bounded(plan), self.files, self.target)
    }

    /// When a plan fails in the way that is looked for; none if only its end shows it, or it does not.
    pub(super) fn time_of_failure(&mut self, plan: &Plan<S::Config>) -> Option<Time> {
        self.runs += 1;
        let plan = self.bounded(plan);
        let (outcome, log) = record::<S>(&plan, self.files).ok()?;
        let at = failure_of::<S>(&plan, &outcome, self.target)?.at?;
        let mut events = Events::<S::Event>::new(reader(log).ok()?);
        events.seek(at).ok()?;
        Some(events.next().ok()??.time)
    }

    /// A fault that is left out can send a run astray; it need not be followed far.
    fn bounded(&self, plan: &Plan<S::Config>) -> Plan<S::Config> {
        let most = EVENTS_LEAST.max(self.recorded.events.saturating_mul(EVENTS_TIMES));
        let mut plan = plan.clone();
        plan.budgets.events = plan.budgets.events.min(most);
        plan
    }
}

fn with_faults<C: Clone>(plan: &Plan<C>, faults: Vec<Fault>) -> Plan<C> {
    let mut plan = plan.clone();
    plan.faults.faults = faults;
    plan
}

/// What can differ between two plans that are tried.
fn digest<C>(plan: &Plan<C>) -> [u8; 32] {
    let differing = (&plan.faults, plan.duration_ns, plan.scheduler);
    let json = serde_json::to_vec(&differing).expect("faults are plain data");
    *blake3::hash(&json).as_bytes()
}

/// Whether a plan fails in the way that is looked for. A mistake in the program itself, which other inputs may meet, is
/// no failure of the run.
///
/// # Errors
/// If it cannot be run, or the program fails.
pub(crate) fn fails<S: System>(
    plan: &Plan<S::Config>,
    files: &dyn Files,
    target: &Group,
) -> Result<bool, ShrinkError> {
    let mut outcome = None;
    caught(&mut || outcome = Some(Run::<S>::new(plan).discard(files)))
        .map_err(ShrinkError::Panicked)?;
    let Some(outcome) = outcome else {
        return Ok(false);
    };
    Ok(failure_of::<S>(plan, &outcome?, target).is_some())
}

/// The failure of this group that a run has, if it has one.
pub(crate) fn failure_of<S: System>(
    plan: &Plan<S::Config>,
    outcome: &Outcome<S::View>,
    target: &Group,
) -> Option<Failure> {
    let judgement = judge(&Ended::<S> {
        plan,
        verdict: Some(&outcome.verdict),
        world: &outcome.world,
        findings: &outcome.findings,
    });
    let mut failures = judgement.failures.into_iter();
    failures.find(|failure| Group::of(failure) == *target)
}

/// Makes a run with its log in memory.
pub(crate) fn record<S: System>(
    plan: &Plan<S::Config>,
    files: &dyn Files,
) -> Result<(Outcome<S::View>, Vec<u8>), RunError> {
    let log = Rc::new(RefCell::new(Memory(Vec::new())));
    let storage: BoxedStorage = Box::new(Rc::clone(&log));
    let outcome = Run::<S>::new(plan).record(files, storage, SyncPolicy::Never)?;
    let bytes = std::mem::take(&mut log.borrow_mut().0);
    Ok((outcome, bytes))
}

/// A log that is in memory, to be read.
pub(crate) fn reader(log: Vec<u8>) -> Result<Reader<BoxedStorage>, RunError> {
    let storage: BoxedStorage = Box::new(Memory(log));
    Ok(Reader::open(storage)?)
}
