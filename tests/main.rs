//! Tests across the crates, in one program.

mod stories;
