//! Many runs of one scenario, each with a seed of its own: what fails in them, and what they reach.
//!
//! A run depends on its seed alone, and what is said of all of them is put together in the order
//! of their seeds; so a campaign says the same whatever the number of threads. How long it may go on is
//! decided by whoever asks for it: nothing here reads a clock.

mod catalogue;
mod kept_files;
mod one;
mod seeds;
mod small;
mod tally;
mod worker;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel, sync_channel};
use std::time::Duration;

use dacapo_kernel::{FaultKind, Plan, System, panic_message};

use crate::crash_points::CrashPoints;
use crate::scenario::{Alternative, Loaded, Overrides, ScenarioError, Varied};
use crate::shrink::ShrinkError;
use crate::swarm::Swarm;

use self::tally::Tally;
use self::worker::{Message, Shared, Teller, work};

pub use self::one::{CANARY, ENGINE};
pub use self::seeds::{Seeds, SeedsError, Shard};
pub use self::small::{Small, small};
pub use self::tally::{Count, Diverged, Found, Report, Stopped};

/// How often the campaign looks at the runs that ended, if none of them wakes it: to be woken by each
/// would cost more than to look at it.
const PATIENCE: Duration = Duration::from_millis(20);

/// What a campaign is.
#[derive(Clone, Copy)]
pub struct Campaign<'a> {
    /// The scenario file.
    pub scenario: &'a Path,
    /// What goes before what the file says.
    pub overrides: &'a Overrides,
    /// What makes its runs differ.
    pub runs: Runs<'a>,
    /// The seeds, or the numbers of its cases.
    pub seeds: Seeds,
    /// How many threads run them.
    pub jobs: usize,
    /// It ends with so many seeds that fail, counted in the order of seeds.
    pub max_failures: Option<u64>,
    /// The properties whose violation counts as a failure for that; any, if absent.
    pub sought: Option<&'a [&'a str]>,
    /// How many runs in a thousand are made again and compared.
    pub again_per_mille: u64,
    /// How many runs in a thousand are said to fail although nothing is wrong with them.
    pub canary_per_mille: u64,
    /// Calls something whose panic comes back as a text.
    pub caught: Caught,
    /// Keeps the log of a run that failed, and says where; the logs go unwritten if absent.
    pub keep: Option<&'a Keep<'a>>,
}

/// What makes the runs of a campaign differ.
#[derive(Clone, Copy)]
pub enum Runs<'a> {
    /// Chance: what is drawn from each seed.
    Drawn(&'a Swarm),
    /// Where a host crashes: each case has a number.
    Crashes(&'a CrashPoints),
}

impl Runs<'_> {
    /// The scenario that a seed, or a case, starts from.
    fn base<'v, S: System>(
        &self,
        varied: &'v mut Varied<S>,
        number: u64,
    ) -> Result<&'v Loaded<S>, ScenarioError> {
        match self {
            Runs::Drawn(_) => varied.of(number),
            Runs::Crashes(_) => Ok(varied.written()),
        }
    }

    /// The same with some of the alternatives only that the seed draws.
    fn base_with_only<'v, S: System>(
        &self,
        varied: &'v mut Varied<S>,
        number: u64,
        kept: &[Alternative],
    ) -> Result<&'v Loaded<S>, ScenarioError> {
        match self {
            Runs::Drawn(_) => varied.with_only(number, kept),
            Runs::Crashes(_) => Ok(varied.written()),
        }
    }

    /// What a seed draws in the place of what the scenario says.
    fn alternatives<S: System>(&self, varied: &Varied<S>, number: u64) -> Vec<Alternative> {
        match self {
            Runs::Drawn(_) => varied.alternatives(number),
            Runs::Crashes(_) => Vec::new(),
        }
    }

    /// The plan of a seed, or of a case.
    fn plan<C: Clone>(&self, base: &Plan<C>, kinds: &[FaultKind], number: u64) -> Plan<C> {
        match self {
            Runs::Drawn(swarm) => swarm.plan(base, kinds, number),
            Runs::Crashes(points) => points.plan(base, number),
        }
    }
}

/// Calls something whose panic comes back as a text.
pub type Caught = fn(&mut dyn FnMut()) -> Result<(), String>;

/// Keeps the log of the run of a seed, and says where.
pub type Keep<'a> = dyn Fn(u64, &[u8]) -> Result<PathBuf, String> + Sync + 'a;

/// Why a campaign came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum FuzzError {
    /// The scenario cannot be read.
    #[error(transparent)]
    Scenario(#[from] Box<ScenarioError>),
    /// A failure could not be shrunk.
    #[error(transparent)]
    Shrink(#[from] Box<ShrinkError>),
    /// The log of a run that failed could not be kept.
    #[error("the log of seed {seed:#x} cannot be kept: {what}")]
    Keep {
        /// The seed.
        seed: u64,
        /// Why.
        what: String,
    },
}

/// Calls something and gives its panic back as a text, without the place.
///
/// # Errors
/// The panic.
pub fn caught(work: &mut dyn FnMut()) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_message(panic.as_ref()))
}

impl Campaign<'_> {
    /// Runs the seeds. `watch` is told how far it is, now and then and at each failure; the campaign
    /// ends, once the runs that have begun are over, if it returns false.
    ///
    /// # Errors
    /// If the scenario cannot be read, or the log of a failure not kept.
    pub fn run<S: System>(&self, watch: impl FnMut(&Report) -> bool) -> Result<Report, FuzzError> {
        let varied = Varied::<S>::read(self.scenario, self.overrides).map_err(Box::new)?;
        varied.check().map_err(Box::new)?;
        let catalogue = catalogue::of::<S>(&varied.written().plan);
        let mut tally = Tally::new(self, &catalogue);
        let shared = Shared {
            next: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        };
        std::thread::scope(|scope| {
            let (send, receive) = channel();
            let (wake, woken) = sync_channel(1);
            for _ in 0..self.jobs.max(1) {
                let (teller, shared) = (Teller::new(&send, &wake), &shared);
                scope.spawn(move || work::<S>(self, shared, &teller));
            }
            drop((send, wake));
            self.merge((&receive, &woken), &shared, &mut tally, watch)
        })?;
        Ok(tally.finish())
    }

    /// Takes what the workers say in the order of seeds, until all of them are done.
    fn merge(
        &self,
        (receive, woken): (&Receiver<Message>, &Receiver<()>),
        shared: &Shared,
        tally: &mut Tally<'_>,
        mut watch: impl FnMut(&Report) -> bool,
    ) -> Result<(), FuzzError> {
        let (mut early, mut next, mut broken) = (BTreeMap::new(), 0, None);
        loop {
            let last = match receive.try_recv() {
                Ok(Message::Told(index, told)) => {
                    early.insert(index, told);
                    continue;
                }
                Ok(Message::Broken(error)) => {
                    broken.get_or_insert(error);
                    shared.stop.store(true, Ordering::Relaxed);
                    continue;
                }
                Err(error) => error == TryRecvError::Disconnected,
            };
            while let Some(told) = early.remove(&next) {
                tally.take(*told);
                next += 1;
            }
            if tally.is_full() || !watch(&tally.report) {
                shared.stop.store(true, Ordering::Relaxed);
            }
            if last {
                break;
            }
            // Woken, or not, or by the end of all of them: it looks.
            let _ = woken.recv_timeout(PATIENCE);
        }
        broken.map_or(Ok(()), Err)
    }
}
