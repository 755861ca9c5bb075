//! Deterministic, event-sourced simulation. A run is its log.

mod id;

pub use id::{ActorId, LockId, Seq, TaskId, Time};
