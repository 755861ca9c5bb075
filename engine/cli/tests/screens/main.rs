//! What a person reads is an interface: every screen, on a small kitchen.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot prepare itself fails, and says where"
)]

#[path = "../../examples/kitchen.rs"]
#[expect(unreachable_pub, reason = "the example is a program of its own")]
mod kitchen;

mod desk;
mod failures;
mod fuzzing;
mod hostile;
mod process;
mod reading;
mod replaying;
mod reporting;
mod running;
mod salvaging;
mod shrinking;
mod testing;
