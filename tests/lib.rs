//! What the tests across the crates share: recording a scenario in memory, looking into its log,
//! replaying it, and telling the same log with another beginning.
//!
//! Nothing here decides what is right; the tests do.

mod conversion;
mod project;
mod recording;
mod retelling;
mod rewriting;

pub use conversion::{iso, scenario};
pub use project::{Story, root};
pub use recording::{
    Recorded, defects, events, fingerprint, reader, record, replay, set, world_after,
};
pub use retelling::begun_with;
pub use rewriting::rewritten;
