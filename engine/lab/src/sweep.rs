//! Every combination of several values of a scenario, each one run: what comes of it, as figures.
//!
//! A run depends on its combination alone, and the rows are handed out in the order of combinations,
//! whatever the number of threads. What is in a file of rows already is not run again. How long a sweep
//! may go on is decided by whoever asks for it: nothing here reads a clock.

mod columns;
mod one;
mod rows;
mod vary;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use dacapo_kernel::System;

use crate::fuzz::Caught;
use crate::scenario::{Overrides, ScenarioError};

use self::one::Bench;

pub use self::columns::{Column, columns, digest};
pub use self::rows::{Row, RowsError, RowsFile};
pub use self::vary::{Combination, Vary, VaryError, combinations, nth};

/// How long the sweep waits for a run to end before it asks whether to go on.
const PATIENCE: Duration = Duration::from_millis(100);

/// How many combinations a sweep can have.
pub const COMBINATIONS_MAX: u64 = 1_000_000;

/// What a sweep is.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// The scenario file.
    pub scenario: &'a Path,
    /// What goes before what the file says, the same for all combinations.
    pub overrides: &'a Overrides,
    /// What varies.
    pub vary: &'a [Vary],
    /// How many threads run them.
    pub jobs: usize,
    /// Calls something whose panic comes back as a text.
    pub caught: Caught,
}

/// Why a sweep came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The scenario cannot be read, or a value does not fit it.
    #[error(transparent)]
    Scenario(#[from] Box<ScenarioError>),
    /// What is to vary makes no sense.
    #[error(transparent)]
    Vary(#[from] VaryError),
    /// The file of rows cannot be used.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// A door for faults cannot be opened so.
    #[error("--vary {0}")]
    Door(String),
    /// A run could not be made.
    #[error("{combination}: {what}")]
    Run {
        /// Of which combination.
        combination: String,
        /// Why.
        what: String,
    },
}

/// How far a sweep is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many combinations there are.
    pub all: u64,
    /// How many are done, those included that were found in the file.
    pub done: u64,
    /// How many were found in the file.
    pub found: u64,
}

/// What a worker says.
enum Message {
    /// What came of the combination at this place.
    Row(u64, Box<Row>),
    /// It cannot go on.
    Broken(SweepError),
}

/// What the threads share.
struct Shared {
    /// The place of the next combination among those that are left.
    next: AtomicU64,
    /// No further one is taken.
    stop: AtomicBool,
}

impl Sweep<'_> {
    /// Runs the combinations that `found` does not have, and gives the rows of all in their order, as far
    /// as it came. Each new row is handed to `keep` in that order. `watch` is asked after every row and
    /// while none comes; once it returns false, the runs that have begun end and no further one begins.
    ///
    /// # Errors
    /// If the scenario cannot be read, a value does not fit, a run cannot be made, or a row not be kept.
    pub fn run<S: System>(
        &self,
        found: &BTreeMap<Vec<String>, Row>,
        mut keep: impl FnMut(&Row) -> Result<(), RowsError>,
        mut watch: impl FnMut(Progress) -> bool,
    ) -> Result<Vec<Row>, SweepError> {
        let all = combinations(self.vary)?;
        let known = |at: &u64| found.contains_key(&nth(self.vary, *at).values);
        let left: Vec<u64> = (0..all).filter(|at| !known(at)).collect();
        let before = all - left.len() as u64;
        let mut done = 0;
        let progress = |done: u64| Progress {
            all,
            done: before + done,
            found: before,
        };
        let shared = Shared {
            next: AtomicU64::new(0),
            stop: AtomicBool::new(!watch(progress(0))),
        };
        let mut made: BTreeMap<u64, Row> = BTreeMap::new();
        std::thread::scope(|scope| {
            let receive = self.begin::<S>(scope, &shared, &left);
            in_order(&receive, &shared, |row| {
                if let Some(row) = row {
                    keep(&row)?;
                    made.insert(left[done as usize], row);
                    done += 1;
                }
                Ok(watch(progress(done)))
            })
        })?;
        let row = |at: u64| {
            let values = nth(self.vary, at).values;
            made.remove(&at).or_else(|| found.get(&values).cloned())
        };
        Ok((0..all).filter_map(row).collect())
    }

    /// Whether there are not too many combinations and each value fits the scenario by itself; asked before
    /// anything runs.
    ///
    /// # Errors
    /// The first value that does not fit.
    pub fn check<S: System>(&self) -> Result<(), SweepError> {
        combinations(self.vary)?;
        let first = nth(self.vary, 0).values;
        for (at, vary) in self.vary.iter().enumerate() {
            for value in vary.values() {
                let mut values = first.clone();
                values[at] = value.to_owned();
                one::plan::<S>(self, &Combination { values })?;
            }
        }
        Ok(())
    }

    /// Starts the threads.
    fn begin<'scope, S: System>(
        &'scope self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        shared: &'scope Shared,
        left: &'scope [u64],
    ) -> Receiver<Message> {
        let (send, receive) = channel();
        for _ in 0..self.jobs.clamp(1, left.len().max(1)) {
            let send = send.clone();
            scope.spawn(move || self.work::<S>(left, shared, &send));
        }
        receive
    }

    /// Runs combinations until there are no more. Whoever has taken one runs it to its end, so those that
    /// were run have no gaps.
    fn work<S: System>(&self, left: &[u64], shared: &Shared, send: &Sender<Message>) {
        let bench = Bench::<S>::new(self);
        while !shared.stop.load(Ordering::Relaxed) {
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(at) = usize::try_from(index)
                .ok()
                .and_then(|index| left.get(index))
            else {
                return;
            };
            let message = match bench.run(&nth(self.vary, *at)) {
                Ok(row) => Message::Row(index, Box::new(row)),
                Err(error) => Message::Broken(error),
            };
            let is_broken = matches!(message, Message::Broken(_));
            if send.send(message).is_err() || is_broken {
                return;
            }
        }
    }
}

/// Hands rows on in the order of their combinations, and nothing now and then, until all threads are done.
/// Once it is told to stop no further run begins.
fn in_order(
    receive: &Receiver<Message>,
    shared: &Shared,
    mut take: impl FnMut(Option<Row>) -> Result<bool, SweepError>,
) -> Result<(), SweepError> {
    let (mut early, mut next, mut broken) = (BTreeMap::new(), 0, None);
    loop {
        match receive.recv_timeout(PATIENCE) {
            Ok(Message::Row(index, row)) => {
                early.insert(index, row);
            }
            Ok(Message::Broken(error)) => {
                broken.get_or_insert(error);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let mut go_on = take(None);
        while let (Ok(_), Some(row)) = (&go_on, early.remove(&next)) {
            go_on = take(Some(*row));
            next += 1;
        }
        let go_on = go_on.unwrap_or_else(|error| {
            broken.get_or_insert(error);
            false
        });
        if !go_on || broken.is_some() {
            shared.stop.store(true, Ordering::Relaxed);
        }
    }
    broken.map_or(Ok(()), Err)
}
