//! The run of one seed: drawn, made, judged, made again if the seed says so, kept if it failed.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use dacapo_kernel::log::{Memory, Reader, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, Budget, Event, Events, FaultKind, Outcome, Plan, Run, RunError, Stream, System,
    Verified, verify,
};

use super::catalogue::{self, Catalogue, Marks};
use super::kept_files::KeptFiles;
use super::{Campaign, FuzzError};
use crate::examine::anything_happened;
use crate::judgement::{Ended, Failure, judge};
use crate::scenario::{Alternative, DataDir, Varied};

/// The property that a run violates on purpose, to show that failures are reported.
pub const CANARY: &str = "fuzz.canary";

/// The property that is violated where the engine itself fails in a run.
pub const ENGINE: &str = "engine";

/// What came of a seed.
pub(super) struct Told {
    pub(super) seed: u64,
    pub(super) events: u64,
    /// Whether anything of the system's own happened in this run or in one before it.
    pub(super) happened: bool,
    pub(super) marks: Marks,
    pub(super) failures: Vec<Failure>,
    /// What it drew in the place of what the scenario says; looked up if it failed.
    pub(super) alternatives: Vec<Alternative>,
    pub(super) exhausted: Option<Budget>,
    /// Whether it was made again, and how that differs.
    pub(super) again: Option<Result<(), String>>,
    pub(super) log: Option<PathBuf>,
}

/// What a worker needs to run seeds, made once and used for all of them.
pub(super) struct Bench<'a, S: System> {
    campaign: &'a Campaign<'a>,
    varied: Varied<S>,
    files: KeptFiles<DataDir>,
    kinds: Vec<FaultKind>,
    catalogue: Catalogue,
    /// The log of the last run.
    log: Rc<RefCell<Memory>>,
    /// The log of the same run made again.
    second: Rc<RefCell<Memory>>,
    happened: bool,
}

impl<'a, S: System> Bench<'a, S> {
    /// Reads the scenario: a plan stays in the thread that made it.
    pub(super) fn new(campaign: &'a Campaign<'a>) -> Result<Bench<'a, S>, FuzzError> {
        let varied = Varied::read(campaign.scenario, campaign.overrides).map_err(Box::new)?;
        let written = varied.written();
        Ok(Bench {
            campaign,
            catalogue: catalogue::of::<S>(&written.plan),
            files: KeptFiles::new(written.files.clone()),
            varied,
            kinds: S::faults(),
            log: Rc::default(),
            second: Rc::default(),
            happened: false,
        })
    }

    /// Runs a seed.
    pub(super) fn run(&mut self, seed: u64) -> Result<Told, FuzzError> {
        let base = self.campaign.runs.base(&mut self.varied, seed);
        let base = &base.map_err(Box::new)?.plan;
        let plan = self.campaign.runs.plan(base, &self.kinds, seed);
        let mut told = None;
        let panic = (self.campaign.caught)(&mut || told = Some(self.attempt(seed, &plan)));
        let mut told = match (told, panic) {
            (Some(told), Ok(())) => told,
            (_, panic) => {
                let what = panic.err().unwrap_or_else(|| "nothing was said".to_owned());
                let told = self.broken(seed, format!("a panic: {what}"));
                // What the panic left behind may still hold on to the buffers.
                let left = self.log.try_borrow().map(|log| log.clone());
                self.log = Rc::new(RefCell::new(left.unwrap_or_default()));
                self.second = Rc::default();
                told
            }
        };
        if drawn(seed, "canary") < self.campaign.canary_per_mille {
            told.failures.push(canary());
        }
        if !told.failures.is_empty() {
            told.alternatives = self.campaign.runs.alternatives(&self.varied, seed);
        }
        self.keep(&mut told)?;
        Ok(told)
    }

    /// Makes the run of a seed and judges it.
    fn attempt(&mut self, seed: u64, plan: &Plan<S::Config>) -> Told {
        let again = drawn(seed, "again") < self.campaign.again_per_mille;
        let made = if self.campaign.keep.is_some() || again {
            self.record(plan, &self.log)
        } else {
            Run::<S>::new(plan).discard(&self.files)
        };
        let outcome = match made {
            Ok(outcome) => outcome,
            Err(error) => return self.broken(seed, error.to_string()),
        };
        self.look_for_anything();
        let judgement = judge(&Ended::<S> {
            plan,
            verdict: Some(&outcome.verdict),
            world: &outcome.world,
            findings: &outcome.findings,
        });
        Told {
            seed,
            events: outcome.events,
            happened: self.happened,
            marks: self.catalogue.marks(&outcome),
            failures: judgement.failures,
            alternatives: Vec::new(),
            exhausted: judgement.exhausted,
            again: again.then(|| self.compare(plan)),
            log: None,
        }
    }

    fn record(
        &self,
        plan: &Plan<S::Config>,
        into: &Rc<RefCell<Memory>>,
    ) -> Result<Outcome<S::View>, RunError> {
        // The room stays.
        into.borrow_mut().0.clear();
        let storage: BoxedStorage = Box::new(Rc::clone(into));
        Run::<S>::new(plan).record(&self.files, storage, SyncPolicy::Never)
    }

    fn reader(&self) -> Result<Reader<BoxedStorage>, RunError> {
        let storage: BoxedStorage = Box::new(Rc::clone(&self.log));
        Ok(Reader::open(storage)?)
    }

    /// Whether anything of the system's own happens in these runs; asked until it does.
    fn look_for_anything(&mut self) {
        self.happened = self.happened
            || self.campaign.keep.is_none()
            || self
                .reader()
                .and_then(|reader| anything_happened::<S>(&mut Events::new(reader)))
                .unwrap_or(false);
    }

    /// Reads each event, writes it again, and says which of them is another then: a log must tell what happened.
    fn read_back(&self) -> Result<(), String> {
        let mut reader = self.reader().map_err(|error| error.to_string())?;
        let mut written = Vec::new();
        while let Some(record) = reader.next().map_err(|error| error.to_string())? {
            let (seq, head) = (record.seq, record.head);
            let event =
                Event::<S::Event>::decode(seq, head.time, head.kind, head.version, record.body);
            let event = event.map_err(|error| error.to_string())?;
            written.clear();
            let again = event.encode(&mut written);
            again.map_err(|error| format!("event {seq} cannot be written again: {error}"))?;
            if written != record.body {
                return Err(format!(
                    "read and written again, event {seq} has other bytes: what is read is not what happened"
                ));
            }
        }
        Ok(())
    }

    /// Makes a run again, from its seed and from its log, and says how that differs.
    fn compare(&self, plan: &Plan<S::Config>) -> Result<(), String> {
        self.record(plan, &self.second).map_err(|e| e.to_string())?;
        if *self.log.borrow() != *self.second.borrow() {
            return Err("made again from the same plan, the log has other bytes".to_owned());
        }
        self.read_back()?;
        let replayed = self
            .reader()
            .and_then(|reader| verify::<S>(reader, None))
            .map_err(|error| format!("it cannot be replayed: {error}"))?;
        match replayed {
            Verified::Same(_) => Ok(()),
            Verified::SameSoFar(_) => Err("its log was cut off".to_owned()),
            Verified::Diverged(divergence, _) => Err(format!(
                "replayed, it differs first at event {}",
                divergence.seq
            )),
        }
    }

    fn broken(&self, seed: u64, what: String) -> Told {
        Told {
            seed,
            events: 0,
            happened: self.happened,
            marks: Marks::default(),
            failures: vec![failure(ENGINE, "a run that comes to an end", what)],
            alternatives: Vec::new(),
            exhausted: None,
            again: None,
            log: None,
        }
    }

    /// Keeps the log of a run that failed before the next seed is taken.
    fn keep(&self, told: &mut Told) -> Result<(), FuzzError> {
        let diverged = matches!(told.again, Some(Err(_)));
        if let Some(keep) = self.campaign.keep
            && (diverged || !told.failures.is_empty())
        {
            let kept = keep(told.seed, &self.log.borrow().0);
            let seed = told.seed;
            told.log = Some(kept.map_err(|what| FuzzError::Keep { seed, what })?);
        }
        Ok(())
    }
}

/// A number below 1,000 that is the seed's for a purpose.
fn drawn(seed: u64, purpose: &str) -> u64 {
    Stream::new(seed, "fuzz", purpose).below(1_000)
}

fn canary() -> Failure {
    failure(
        CANARY,
        "no canary",
        "a run that was chosen to fail".to_owned(),
    )
}

fn failure(property: &str, expected: &str, actual: String) -> Failure {
    Failure {
        property: property.to_owned(),
        at: None,
        expected: expected.to_owned(),
        actual,
        waits: Vec::new(),
        defects: Vec::new(),
    }
}
