//! What can be wrong with a tape, in the words that a person reads.
//!
//! Text that comes from the file is shortened and escaped before it is shown.

use std::io;

use rust_decimal::Decimal;
use thiserror::Error;

use super::NumberProblem;
use super::row::KNOWN_COLUMNS;
use crate::sheet::Shown;

/// What is wrong with a tape, and where.
#[derive(Debug, Error)]
#[error("{file}:{line}: {problem}")]
pub struct TapeError {
    /// The file, as it was named.
    pub file: String,
    /// The line; the first is 1.
    pub line: u64,
    /// What is wrong there.
    pub problem: TapeProblem,
}

impl TapeError {
    /// Where and what, without the file.
    pub fn in_file(&self) -> String {
        format!("line {}: {}", self.line, self.problem)
    }
}

/// What can be wrong with a tape.
#[derive(Debug, Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum TapeProblem {
    #[error("cannot read on: {0}; if the file is compressed, it may be cut short or damaged")]
    Read(io::Error),
    #[error("not UTF-8 at byte {byte} of the line")]
    NotUtf8 { byte: usize },
    #[error("longer than {limit} bytes; this is not a line of a tape")]
    LineTooLong { limit: usize },
    #[error(
        "more than {limit} bytes after decompression; raise max_bytes if the file is meant to be that large"
    )]
    TooManyBytes { limit: u64 },
    #[error("more than {limit} rows; raise max_rows if the file is meant to be that long")]
    TooManyRows { limit: u64 },
    #[error("more than {limit} different symbols")]
    TooManySymbols { limit: usize },
    #[error("no row after the header")]
    NoRows,
    #[error("an empty line; remove it")]
    EmptyLine,
    #[error(
        "expected {expected} fields as in the header, found {actual} (quoted fields are not supported)"
    )]
    Width { expected: usize, actual: usize },
    #[error("unknown column {}; known are {KNOWN_COLUMNS}", Shown(name))]
    UnknownColumn { name: String },
    #[error("column {} comes twice, or the same clock in two units", Shown(name))]
    ColumnTwice { name: String },
    #[error("no column {name}; known are {KNOWN_COLUMNS}")]
    MissingColumn { name: &'static str },
    #[error("order = \"{order}\" needs a column {column}, which the header lacks")]
    OrderWithoutColumn {
        order: &'static str,
        column: &'static str,
    },
    #[error("start is before 1970")]
    StartBefore1970,
    #[error(
        "{column}: {} is not a whole number of its unit since 1970-01-01 UTC, at most in the year 2262",
        Shown(value)
    )]
    NotATime { column: &'static str, value: String },
    #[error("symbol: {} is not 1 to 32 letters, digits or / - _ . :", Shown(value))]
    NotASymbol { value: String },
    #[error("{column}: expected {expected}, found {}", Shown(value))]
    UnknownWord {
        column: &'static str,
        value: String,
        expected: &'static str,
    },
    #[error("{column}: {} {problem}", Shown(value))]
    NotANumber {
        column: &'static str,
        value: String,
        problem: NumberProblem,
    },
    #[error("{column}: {value} is below zero")]
    NegativeSize {
        column: &'static str,
        value: Decimal,
    },
    #[error("{column} is not empty, but the row is a {kind}")]
    NotOfThisKind {
        column: &'static str,
        kind: &'static str,
    },
}
