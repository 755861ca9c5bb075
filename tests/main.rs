//! Tests across the crates, in one program.

mod architecture;
mod determinism;
mod documents;
mod golden;
mod hostile;
mod models;
mod plan_files;
mod replays;
mod store;
mod stories;
mod travel;
