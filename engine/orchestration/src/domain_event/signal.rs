//! What became of a trading signal on its way to a proposal.

use dacapo_kernel::numbered;
use serde::{Deserialize, Serialize};

use crate::message::{Name, Topic};

/// One message that consensus or a conflict rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The number of the message.
    pub message: u64,
    /// What it is about.
    pub topic: Topic,
    /// The symbol that it speaks of, if it names one.
    pub symbol: Option<Name>,
}

/// How far the other agents agree with a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsensusBuilt {
    /// The number of the message with the signal.
    pub signal: u64,
    /// The symbol of the signal.
    pub symbol: Name,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// How many agree.
    pub agreement: u32,
    /// How many spoke.
    pub total: u32,
    /// What the confidence is multiplied by.
    pub multiplier: f64,
    /// The confidence afterwards.
    pub confidence: f64,
}

/// Agents contradict each other about a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictFound {
    /// The number of the message with the signal.
    pub signal: u64,
    /// The symbol of the signal.
    pub symbol: Name,
    /// The kinds of conflict.
    pub kinds: Vec<Name>,
    /// What they rest on.
    pub evidence: Vec<Evidence>,
}

numbered! {
    /// Where a resolution came from.
    #[derive(Copy, Eq)]
    pub enum ResolvedBy {
        /// A model's reply that passed validation.
        1 Reply,
        /// A reply that did not: the default.
        2 UnusableReply,
        /// No model answered in time.
        3 Timeout,
        /// Every model failed.
        4 Failure,
        /// The degradation level forbids asking.
        5 Level,
    }
}

/// What is done about a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictResolved {
    /// The number of the message with the signal.
    pub signal: u64,
    /// `proceed`, `wait`, `modify`, `abort`, or whatever a trusted reply said.
    pub action: Name,
    /// How sure.
    pub confidence: f64,
    /// Where it came from.
    pub by: ResolvedBy,
}

/// Why a signal ended without an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalDropped {
    /// The number of the message with the signal.
    pub signal: u64,
    /// Why.
    pub reason: Name,
}
