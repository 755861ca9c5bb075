//! What only the real program on a real file system shows: it is killed, the disk is full, somebody
//! else writes, names lead elsewhere, calls of the system fail.
//!
//! What a test needs and a machine does not have (mounting, tracing) is said on standard error, and
//! the simulated disk of the kernel's tests covers it then.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod desk;
mod disk_full;
mod hostile;
mod kills;
mod names;
mod traced;
mod writers;
