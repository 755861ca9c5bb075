//! What a person reads is an interface: every screen, on a small kitchen.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot prepare itself fails, and says where"
)]

#[path = "../../examples/kitchen.rs"]
#[expect(unreachable_pub, reason = "the example is a program of its own")]
mod kitchen;

mod desk;
mod exporting;
mod failures;
mod forking;
mod fuzzing;
mod hostile;
mod importing;
mod process;
mod prompting;
mod reading;
mod refusing;
mod replaying;
mod reporting;
mod running;
mod salvaging;
mod shrinking;
mod sweeping;
mod testing;
mod travelling;
