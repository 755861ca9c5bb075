//! Tests across the crates, in one program.

mod architecture;
mod determinism;
mod documents;
mod replays;
mod stories;
