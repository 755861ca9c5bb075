//! Tells whoever waits for it which events of a run are durable.
//!
//! When events become durable is a matter of the log's [`SyncPolicy`](crate::log::SyncPolicy). Nobody is told
//! anything after the log has failed.

use crate::id::Seq;

/// Somebody who is told that every event up to this one, which is included, is durable.
pub(crate) struct Acknowledge<'a> {
    tell: Box<dyn FnMut(Seq) + 'a>,
    /// What was told last.
    told: Option<Seq>,
}

impl<'a> Acknowledge<'a> {
    pub(crate) fn new(tell: impl FnMut(Seq) + 'a) -> Acknowledge<'a> {
        Acknowledge {
            tell: Box::new(tell),
            told: None,
        }
    }

    /// Tells, if it is more than what was told before.
    pub(crate) fn up_to(&mut self, durable: Option<Seq>) {
        if let Some(seq) = durable.filter(|_| durable > self.told) {
            self.told = durable;
            (self.tell)(seq);
        }
    }
}
