//! What was written to the store, read from it, and what it failed to do.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::message::{DegradationLevel, Instant, Json, Name};

/// The state of the coordinator was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateSaved {
    /// The whole record.
    pub record: Json,
}

/// The coordinator went on from what was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateRestored {
    /// Task runs that had succeeded.
    pub task_runs: u64,
    /// Signals that had met a conflict.
    pub conflicts: u64,
    /// Failures of language models that count.
    pub llm_failures: u32,
    /// Failures of everything else that count.
    pub api_failures: u32,
    /// The level that follows.
    pub level: DegradationLevel,
    /// Whether all of the record could be read.
    pub complete: bool,
}

/// A scheduled trade was stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegStored {
    /// Its number in the store.
    pub leg: u64,
    /// The plan and place that it has, which no other trade shares.
    pub key: Name,
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// In dollars.
    pub amount_usd: Amount,
    /// Which batch it belongs to, counted from 0.
    pub batch_index: i64,
    /// When it is due.
    pub due: Instant,
}

/// The status of a stored trade changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegMarked {
    /// Its number in the store.
    pub leg: u64,
    /// `sending`, `executed`, `failed`, or `pending` again.
    pub status: Name,
}

/// The store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreFailed {
    /// What it was asked.
    pub operation: Name,
}
