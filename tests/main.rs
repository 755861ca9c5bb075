//! Tests across the crates, in one program.

mod architecture;
mod determinism;
mod documents;
mod hostile;
mod replays;
mod stories;
