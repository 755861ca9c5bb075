//! Tests across the crates, in one program.

mod architecture;
mod determinism;
mod documents;
mod hostile;
mod models;
mod replays;
mod stories;
