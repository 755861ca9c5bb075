//! The threads of a test: each takes the next case, until there are no more.
//!
//! What comes of a case depends on it alone, and results are handed out in the order of the cases,
//! whatever the number of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use dacapo_kernel::System;

use super::{Case, Standing, Test, Tested, Trouble, one};

/// How long a result is waited for before somebody is asked whether to go on.
const PATIENCE: Duration = Duration::from_millis(100);

impl Test<'_> {
    /// Tests all cases. `see` is shown each result, in the order of the cases, and nothing now and then;
    /// once it returns false no further case begins.
    pub fn run<S: System>(
        &self,
        cases: &[Case],
        mut see: impl FnMut(Option<&Tested>) -> bool,
    ) -> Vec<Tested> {
        let mut all = Vec::new();
        if self.jobs <= 1 {
            for case in cases {
                let tested = self.one::<S>(case);
                let go_on = see(Some(&tested));
                all.push(tested);
                if !go_on {
                    break;
                }
            }
            return all;
        }
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let mut early: BTreeMap<usize, Tested> = BTreeMap::new();
        std::thread::scope(|scope| {
            let (send, receive) = channel();
            for _ in 0..self.jobs.clamp(1, cases.len().max(1)) {
                let (send, next, stop) = (send.clone(), &next, &stop);
                scope.spawn(move || self.work::<S>(cases, (next, stop), &send));
            }
            drop(send);
            loop {
                match receive.recv_timeout(PATIENCE) {
                    Ok((at, tested)) => drop(early.insert(at, tested)),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                let mut go_on = see(None);
                while let Some(tested) = early.remove(&all.len()) {
                    go_on = see(Some(&tested)) && go_on;
                    all.push(tested);
                }
                if !go_on {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        });
        all
    }

    fn work<S: System>(
        &self,
        cases: &[Case],
        (next, stop): (&AtomicUsize, &AtomicBool),
        send: &Sender<(usize, Tested)>,
    ) {
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(at) else { return };
            if send.send((at, self.one::<S>(case))).is_err() {
                return;
            }
        }
    }

    fn one<S: System>(&self, case: &Case) -> Tested {
        let mut standing = None;
        let wall = (self.timed)(&mut || {
            let mut made = None;
            let caught = (self.caught)(&mut || made = Some(one::case::<S>(case, self)));
            standing = match caught {
                Ok(()) => made,
                Err(panic) => Some(Standing::Broken(Trouble::Panicked(panic))),
            };
        });
        Tested {
            case: case.clone(),
            standing: standing.unwrap_or_else(|| {
                Standing::Broken(Trouble::Panicked("nothing came of it".to_owned()))
            }),
            wall,
        }
    }
}
