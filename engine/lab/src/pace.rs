//! How far a long reading is, told now and then.

use dacapo_kernel::{Event, Seq, Time};

/// Of so many events one is told.
const EVERY: u64 = 65_536;

/// Tells `watch` of an event, if it is time to.
#[inline]
pub(crate) fn now_and_then<E>(event: &Event<E>, mut watch: impl FnMut(Seq, Time)) {
    if event.seq.0 % EVERY == EVERY - 1 {
        watch(event.seq, event.time);
    }
}
