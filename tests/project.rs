//! Where the project's files are, and the scenarios that ship with it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use dacapo_lab::scenario::Overrides;

use crate::recording::record;

/// The root of the project.
///
/// # Panics
/// Never: the tests lie in a folder of it.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("the tests lie in a folder of the project")
        .to_owned()
}

/// A scenario that ships with the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// A handler that calls the bus which is calling it.
    Deadlock,
    /// Twenty-four hours of all five agents.
    Day,
    /// Three minutes of a recorded market.
    BinanceTape,
    /// A year of hourly bars.
    Eurusd,
    /// Twenty years of daily bars.
    Sp500,
}

impl Story {
    /// Those that hold for all others where something holds for every run, the shortest first.
    pub const ALL: [Story; 3] = [Story::Deadlock, Story::Day, Story::BinanceTape];

    /// Its scenario file.
    pub fn path(self) -> PathBuf {
        root().join("scenarios").join(self.file())
    }

    /// The name of its scenario file.
    pub fn file(self) -> &'static str {
        match self {
            Story::Deadlock => "deadlock.toml",
            Story::Day => "day.toml",
            Story::BinanceTape => "binance-tape.toml",
            Story::Eurusd => "eurusd.toml",
            Story::Sp500 => "sp500.toml",
        }
    }

    /// The log of the scenario as it ships, recorded once for all tests of a program.
    pub fn log(self) -> &'static [u8] {
        static LOGS: [OnceLock<Vec<u8>>; 5] = [const { OnceLock::new() }; 5];
        LOGS[self as usize].get_or_init(|| record(&self.path(), &Overrides::default()).log)
    }
}
