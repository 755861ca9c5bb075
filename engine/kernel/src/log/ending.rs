//! How a log ends: closed, open or torn. Only reading it all tells the last two apart.

use super::chain::Chain;

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was closed: nothing is missing.
    Closed {
        /// The final chain: the fingerprint of the run.
        chain: Chain,
        /// How many events the log holds.
        events: u64,
    },
    /// It was never closed, or is still being written; what is there is whole.
    Open {
        /// The chain after the last block.
        chain: Chain,
        /// How many events the log holds.
        events: u64,
    },
    /// It was never closed, and its last write did not come to its end.
    Torn {
        /// Where the torn part begins, in bytes.
        offset: u64,
        /// How many bytes the torn part has, which are dropped.
        dropped: u64,
        /// The chain after the last whole block.
        chain: Chain,
        /// How many events stand before the torn part.
        events: u64,
    },
}

impl Ending {
    /// Whether the log was closed, so that nothing is missing.
    pub fn is_closed(&self) -> bool {
        matches!(self, Ending::Closed { .. })
    }

    /// How many events can be read.
    pub fn events(&self) -> u64 {
        match *self {
            Ending::Closed { events, .. }
            | Ending::Open { events, .. }
            | Ending::Torn { events, .. } => events,
        }
    }

    /// The chain after the last of them.
    pub fn chain(&self) -> Chain {
        match *self {
            Ending::Closed { chain, .. }
            | Ending::Open { chain, .. }
            | Ending::Torn { chain, .. } => chain,
        }
    }
}
