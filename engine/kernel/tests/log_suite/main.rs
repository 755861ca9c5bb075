//! The log under everything that happens to files.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod arrangement;
mod codec_twin;
mod cuts;
mod document;
mod figures;
mod files;
mod flips;
mod hostile;
mod kills;
mod machine;
mod power;
mod recovery;
mod round_trip;
mod salvaging;
mod storage_errors;
mod support;
