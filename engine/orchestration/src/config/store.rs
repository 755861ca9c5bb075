//! The store of what must survive a crash: whether there is one, and when it fails.

use serde::{Deserialize, Serialize};

use crate::message::Json;

/// What the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// Memory that outlives a crash of the coordinator's host.
    #[default]
    Memory,
    /// SQLite: in memory, or in the file that `path` names.
    Sqlite,
    /// There is none: nothing survives.
    None,
}

/// The store, and when it fails. Operations of a kind are counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// What it is.
    pub kind: StoreKind,
    /// The file of an `sqlite` store, which a run makes and a replay does not need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Instead of every 600 seconds, the state is saved after so many bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_bars: Option<u32>,
    /// When nothing works: from and until, in seconds since the start of the run.
    pub down: Vec<[f64; 2]>,
    /// The insertions of scheduled trades that fail.
    pub insert_fail: Vec<u64>,
    /// Whether looking for scheduled trades always fails.
    pub fetch_fail: bool,
    /// Whether changing the status of a scheduled trade always fails.
    pub update_fail: bool,
    /// What it holds of a coordinator before the run: an object, or text that is no JSON.
    pub saved: Option<Json>,
}
