//! What a scenario says of bars: the files, how their rows are stamped, what is done with odd rows.

use serde::{Deserialize, Serialize};

use super::ColumnNames;

/// Bars from CSV files, one for each market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BarsConfig {
    /// The files. Bars of one instant come in the order of their symbols.
    pub files: Vec<BarFile>,
    /// What is done with a row that no market can have made. Default: the file is refused.
    pub nonsense: Nonsense,
    /// What is done with a row of the same time as one before. Default: dropped.
    pub repeats: Repeats,
    /// What is done with a row that is earlier than one before. Default: put where it belongs.
    pub backwards: Backwards,
    /// What is done where bars are missing. Default: counted.
    pub gaps: Gaps,
    /// The most rows of a file; one more is an error. Default 5,000,000.
    pub max_rows: u64,
    /// The most bytes of a file, counted after decompression; one more is an error. Default 1 GiB.
    pub max_bytes: u64,
}

impl BarsConfig {
    /// The settings of a scenario that names files and nothing else.
    pub fn new(files: Vec<BarFile>) -> BarsConfig {
        BarsConfig {
            files,
            nonsense: Nonsense::default(),
            repeats: Repeats::default(),
            backwards: Backwards::default(),
            gaps: Gaps::default(),
            max_rows: 5_000_000,
            max_bytes: 1 << 30,
        }
    }
}

/// One file, and what its rows mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BarFile {
    /// The file, relative to the scenario.
    pub file: String,
    /// The market.
    pub symbol: String,
    /// Which end of a bar its time is.
    pub stamped: Stamped,
    /// How long a bar is, in seconds. Without it: the most common step from row to row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar_s: Option<u32>,
    /// The zone of times that have none. Without it: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The form of the times, where it is not recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
    /// Which column is which, where the names do not say so.
    pub columns: ColumnNames,
}

impl BarFile {
    /// A file of which nothing else has to be said.
    pub fn new(file: impl Into<String>, symbol: impl Into<String>, stamped: Stamped) -> BarFile {
        BarFile {
            file: file.into(),
            symbol: symbol.into(),
            stamped,
            bar_s: None,
            zone: None,
            time_format: None,
            columns: ColumnNames::default(),
        }
    }
}

/// Which end of a bar its time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stamped {
    /// The instant at which it opened.
    Open,
    /// The instant at which it closed.
    Close,
}

/// What is done with a row that no market can have made: a price of zero or less, a high below the low, an
/// open or close outside of both, no price at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nonsense {
    /// The file is refused, with the row.
    #[default]
    Refuse,
    /// The row is left out and counted.
    Drop,
}

/// What is done with a row of the same time as one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeats {
    /// The first is kept, the others are left out and counted.
    #[default]
    Drop,
    /// The file is refused, with the row.
    Refuse,
}

/// What is done with a row that is earlier than one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backwards {
    /// It is put where it belongs and counted.
    #[default]
    Sort,
    /// It is left out and counted.
    Drop,
    /// The file is refused, with the row.
    Refuse,
}

/// What is done where bars are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gaps {
    /// They are counted.
    #[default]
    Count,
    /// The file is refused, with the row after the gap.
    Refuse,
}
