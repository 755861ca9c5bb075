//! The log under everything that happens to files.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod arrangement;
mod codec_twin;
mod cuts;
mod disk;
mod document;
mod durable_figures;
mod failing;
mod figures;
mod files;
mod flips;
mod hostile;
mod kills;
mod lives;
mod machine;
mod power;
mod recovery;
mod round_trip;
mod salvaging;
mod storage_errors;
mod support;

/// How often something is tried: as often as a variable of the environment says, or so often.
#[expect(
    clippy::disallowed_methods,
    reason = "how often a test tries is nothing that is simulated"
)]
fn long_form(variable: &str, short: u64) -> u64 {
    match std::env::var(variable) {
        Ok(times) => times.parse().expect("a number"),
        Err(_) => short,
    }
}
