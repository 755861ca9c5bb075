//! One thread of a campaign: takes the next seed, runs it, says what came of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, SyncSender};

use dacapo_kernel::System;

use super::one::{Bench, Told};
use super::{Campaign, FuzzError};

/// What the threads of a campaign share.
pub(super) struct Shared {
    /// The place of the next seed.
    pub(super) next: AtomicU64,
    /// No further seed is taken.
    pub(super) stop: AtomicBool,
}

/// How a thread says what came of its seeds to whoever puts that together.
pub(super) struct Teller {
    send: Sender<Message>,
    wake: SyncSender<()>,
}

impl Teller {
    pub(super) fn new(send: &Sender<Message>, wake: &SyncSender<()>) -> Teller {
        Teller {
            send: send.clone(),
            wake: wake.clone(),
        }
    }

    /// Says something, which is looked at now and then, or at once if it is news. Whether anybody still
    /// wants to know.
    fn tell(&self, message: Message, is_news: bool) -> bool {
        let is_heard = self.send.send(message).is_ok();
        if is_news {
            // Whoever is woken already looks at everything.
            let _ = self.wake.try_send(());
        }
        is_heard
    }
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
pub(super) fn work<S: System>(campaign: &Campaign<'_>, shared: &Shared, teller: &Teller) {
    let broken = |error| {
        teller.tell(Message::Broken(error), true);
    };
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
                if !teller.tell(Message::Told(index, Box::new(told)), is_news) {
                    return;
                }
            }
            Err(error) => return broken(error),
        }
    }
}
