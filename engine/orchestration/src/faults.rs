//! The kinds of fault that the orchestration can suffer, and what its own acts do to a configuration.
//!
//! What a fault does behind its door is decided where the door is opened.

use dacapo_kernel::{FaultKind, How, Plan, Time};

use crate::config::Config;

/// Every kind of fault, in the order in which people read of them.
pub(crate) const KINDS: &[FaultKind] = &[
    FaultKind {
        name: "crash-host",
        meaning: "the coordinator's host crashes and comes up again",
        value: "how long it is down, in milliseconds",
        least: 0,
        most: 60_000,
        how: How::CrashHost {
            host: "coordinator",
        },
    },
    FaultKind {
        name: "jump-clock",
        meaning: "the wall clock jumps, forward or back; virtual time does not",
        value: "how far, in milliseconds",
        least: 1_000,
        most: 48 * 3_600_000,
        how: How::JumpClock,
    },
];

/// What an act does to the configuration of a run.
///
/// # Errors
/// If there is no such act.
pub(crate) fn act(
    _plan: &mut Plan<Config>,
    what: &str,
    _at: Time,
    _value: u64,
) -> Result<(), String> {
    Err(format!("there is no act `{what}`"))
}
