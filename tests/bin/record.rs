//! Records one scenario in memory and prints its fingerprint.
//!
//! The tests of determinism start it in other folders and environments than their own.

use std::path::Path;

use dacapo_lab::scenario::Overrides;
use dacapo_tests::{fingerprint, record};

#[expect(clippy::print_stdout, reason = "the fingerprint is its only result")]
fn main() {
    let scenario = std::env::args_os()
        .nth(1)
        .expect("the first argument is a scenario file");
    let recorded = record(Path::new(&scenario), &Overrides::default());
    println!("{}", fingerprint(&recorded.log));
}
