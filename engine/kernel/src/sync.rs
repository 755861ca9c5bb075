//! Waiting in virtual time: timers, locks, semaphores, channels, joins, calls, inboxes.
//!
//! Each is seen by the kernel, so that a run that is stuck can say why. Nothing here yields
//! unless it has to wait.

pub(crate) mod call;
pub(crate) mod channel;
pub(crate) mod consult;
pub(crate) mod cycle;
pub(crate) mod inbox;
pub(crate) mod join;
pub(crate) mod lock;
pub(crate) mod notify;
pub(crate) mod timer;
