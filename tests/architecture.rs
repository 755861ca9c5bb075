//! What holds between the crates and inside them, read from their source texts and manifests.
//!
//! Each check is a function over texts that returns complaints, so that each is tried on a planted
//! snippet beside the project itself.

mod arrows;
mod bans;
mod manifests;
mod rooms;
mod shape;
mod source;
mod switches;
mod words;

use source::Source;

/// The project's own Rust sources, tests included.
fn project() -> Vec<Source> {
    let sources = source::rust_files(&["engine", "tests", "benches", "docs/examples"]);
    assert!(
        sources.len() > 150,
        "only {} files were found",
        sources.len()
    );
    sources
}

/// Fails with every complaint on a line of its own.
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
