//! What can be wrong with a table, in the words that a person reads.
//!
//! Text that comes from the file is shortened and escaped before it is shown.

use std::fmt;
use std::io;

use thiserror::Error;

/// What is wrong with a table, and where.
#[derive(Debug, Error)]
pub struct SheetError {
    /// The file, as it was named.
    pub file: String,
    /// The line; the first is 1.
    pub line: u64,
    /// The column, as its head names it.
    pub column: Option<String>,
    /// What is wrong there; boxed, since every row that is read could be the one.
    pub problem: Box<SheetProblem>,
}

impl SheetError {
    /// A problem at a place.
    pub fn new(file: &str, line: u64, column: Option<String>, problem: SheetProblem) -> SheetError {
        SheetError {
            file: file.to_owned(),
            line,
            column,
            problem: Box::new(problem),
        }
    }

    /// Where and what, without the file.
    pub fn in_file(&self) -> String {
        match &self.column {
            Some(column) => format!(
                "line {}, column {}: {}",
                self.line,
                Shown(column),
                self.problem
            ),
            None => format!("line {}: {}", self.line, self.problem),
        }
    }
}

impl fmt::Display for SheetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.in_file())
    }
}

/// What can be wrong with a table.
#[derive(Debug, Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum SheetProblem {
    #[error("cannot read on: {0}; if the file is compressed, it may be cut short or damaged")]
    Read(io::Error),
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    #[error("not UTF-8; save the file as UTF-8")]
    NotUtf8,
    #[error("the file is empty; expected a head with the names of the columns")]
    Empty,
    #[error("no row after the head")]
    NoRows,
    #[error("numbers where the names of the columns belong; put a line with names above them")]
    NoHeader,
    #[error("the column {} comes twice; give each a name of its own", Shown(name))]
    ColumnTwice { name: String },
    #[error("more than {limit} columns; keep only those that are read")]
    TooManyColumns { limit: usize },
    #[error("a row of more than {limit} bytes; is a quotation mark left open?")]
    RowTooLong { limit: usize },
    #[error("more than {limit} rows; raise max_rows if the file is meant to be that long")]
    TooManyRows { limit: u64 },
    #[error(
        "more than {limit} bytes after decompression; raise max_bytes if the file is meant to be that large"
    )]
    TooManyBytes { limit: u64 },
    #[error("expected {expected} cells as in the head, found {actual}")]
    Width { expected: usize, actual: usize },
    #[error(
        "no column for the {what}; the columns are {}; say which it is: columns.{what} = \"…\"",
        Listed(names)
    )]
    NoColumn {
        what: &'static str,
        names: Vec<String>,
    },
    #[error(
        "no column {} for the {what}; the columns are {}",
        Shown(name),
        Listed(names)
    )]
    NoSuchColumn {
        what: &'static str,
        name: String,
        names: Vec<String>,
    },
    #[error(
        "{} could each be the {what}; say which it is: columns.{what} = \"…\"",
        Listed(names)
    )]
    SeveralColumns {
        what: &'static str,
        names: Vec<String>,
    },
    #[error("an empty cell where {expected} is expected")]
    NoValue { expected: &'static str },
    #[error("expected {expected}, found {}", Shown(value))]
    Wrong { expected: String, value: String },
    #[error(
        "{} is no time that is recognised; expected ISO 8601 such as 2018-04-04T00:05:00Z, a date such as 2018-04-04, \
         or a number since 1970-01-01 UTC; otherwise say time_format = \"%d.%m.%Y %H:%M\"",
        Shown(value)
    )]
    NotATime { value: String },
    #[error("{} is no time of the form {form}; {hint}", Shown(value))]
    OtherTime {
        value: String,
        form: String,
        hint: &'static str,
    },
    #[error("{} lies outside of the years 1678 to 2261", Shown(value))]
    FarTime { value: String },
    #[error(
        "{} has its own zone, so zone = \"{zone}\" has no meaning; remove it",
        Shown(value)
    )]
    ZoneTwice { value: String, zone: String },
    #[error(
        "a clock in {zone} is {how} at {value}, so nobody can tell the instant; write the times in UTC or with their offsets"
    )]
    DoubtfulTime {
        value: String,
        how: &'static str,
        zone: String,
    },
    #[error("{what}")]
    Nonsense { what: String },
}

/// Text from a file, made short and safe to print.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_CHARACTERS: usize = 40;
        let mut rest = self.0.chars();
        let head: String = rest.by_ref().take(MOST_CHARACTERS).collect();
        let cut = if rest.next().is_some() { "…" } else { "" };
        write!(f, "{head:?}{cut}")
    }
}

/// Names from a file: the first few of them.
struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_NAMES: usize = 12;
        for (at, name) in self.0.iter().take(MOST_NAMES).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}", Shown(name))?;
        }
        match self.0.len().saturating_sub(MOST_NAMES) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
