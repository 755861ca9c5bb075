//! The kinds of fault that the orchestration can suffer.
//!
//! What a fault does behind its door is said where the door is opened; what somebody outside may do is
//! in [`acts`].

mod acts;

use dacapo_kernel::{FaultKind, How};

pub(crate) use acts::act;

/// What happens to processes and clocks.
const PROCESSES: &[FaultKind] = &[
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
        name: "crash-task",
        meaning: "a run of a task for one symbol crashes",
        value: "",
        least: 0,
        most: 0,
        how: How::CrashTask { task: "BTC/USDT" },
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

/// Every kind of fault, in the order in which people read of them.
pub(crate) fn kinds() -> Vec<FaultKind> {
    [
        crate::agents::FAULTS,
        crate::coordinator::transport::FAULTS,
        dacapo_market::trouble::FAULTS,
        crate::model::FAULTS,
        crate::store::FAULTS,
        crate::exchange::FAULTS,
        acts::KINDS,
        PROCESSES,
    ]
    .concat()
}
