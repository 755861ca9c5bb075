//! One thread of a campaign: takes the next seed, runs it, says what came of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread::Thread;

use dacapo_kernel::System;

use super::one::{Bench, Told};
use super::{Campaign, FuzzError};

/// What the threads of a campaign share.
pub(super) struct Shared {
    /// The place of the next seed.
    pub(super) next: AtomicU64,
    /// No further seed is taken.
    pub(super) stop: AtomicBool,
    /// Who puts together what the threads say; it sleeps meanwhile.
    pub(super) merger: Thread,
}

/// What a worker says.
pub(super) enum Message {
    /// What came of the seed at this place.
    Told(u64, Box<Told>),
    /// It cannot go on.
    Broken(FuzzError),
}

/// Runs seeds until there are no more. Whoever has taken a seed runs it to its end, so those that were
/// run have no gaps.
pub(super) fn work<S: System>(campaign: &Campaign<'_>, shared: &Shared, send: &Sender<Message>) {
    let broken = |error| drop(send.send(Message::Broken(error)));
    let mut bench = match Bench::<S>::new(campaign) {
        Ok(bench) => bench,
        Err(error) => return broken(error),
    };
    while !shared.stop.load(Ordering::Relaxed) {
        let index = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(seed) = campaign.seeds.nth(index) else {
            return;
        };
        match bench.run(seed) {
            Ok(told) => {
                let is_news = !told.failures.is_empty();
                if send.send(Message::Told(index, Box::new(told))).is_err() {
                    return;
                }
                if is_news {
                    shared.merger.unpark();
                }
            }
            Err(error) => return broken(error),
        }
    }
}
