//! What a table is, whatever it is written in.

use std::borrow::Cow;
use std::io;

use jiff::Timestamp;

/// A table before its first row.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Letters, digits and underscores; no other table has it.
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Letters, digits and underscores; no other column of the table has it.
    pub(super) name: String,
    pub(super) kind: ColumnKind,
}

impl Column {
    pub(super) fn new(name: &str, kind: ColumnKind) -> Column {
        Column {
            name: name.to_owned(),
            kind,
        }
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Whole,
    Real,
    Text,
    Instant,
}

/// A cell. Any may be empty, whatever its column is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Empty,
    Whole(i64),
    /// Always finite.
    Real(f64),
    Text(Cow<'a, str>),
    /// Nanoseconds since 1970-01-01 UTC.
    Instant(i64),
}

impl Cell<'_> {
    /// A number that is as good as never too large for a cell.
    pub(super) fn whole(number: u64) -> Cell<'static> {
        Cell::Whole(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// A number; none if it is not finite, which not every form can hold.
    pub(super) fn real(number: f64) -> Cell<'static> {
        match number.is_finite() {
            true => Cell::Real(number),
            false => Cell::Empty,
        }
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Cell<'a> {
    fn from(text: T) -> Cell<'a> {
        Cell::Text(text.into())
    }
}

/// Where tables are written. Tables are told of before their rows, at any time.
pub(super) trait Sink {
    /// Begins a table, which from then on goes by the number of tables before it.
    fn table(&mut self, table: &Table) -> io::Result<()>;

    /// Adds a row, a cell for each column.
    fn row(&mut self, table: usize, cells: &[Cell<'_>]) -> io::Result<()>;

    /// Everything is there.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// An instant as ISO 8601 in UTC, always with nanoseconds: readers take the form of the first cell for all.
pub(super) fn iso(ns: i64) -> String {
    Timestamp::from_nanosecond(i128::from(ns))
        .map_or_else(|_| ns.to_string(), |at| format!("{at:.9}"))
}

/// A title up to its first comma as a name that needs no quotes in any tool, and that none of these has yet.
pub fn name_for(title: &str, fallback: &str, taken: &[String]) -> String {
    let mut name = String::new();
    for c in title.chars().take_while(|c| *c != ',') {
        match c {
            c if c.is_ascii_alphanumeric() => name.push(c.to_ascii_lowercase()),
            _ if name.is_empty() || name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    name.truncate(60);
    let name = match name.trim_end_matches('_') {
        "" => fallback,
        // A name that begins with a digit would need quotes.
        name if name.starts_with(|c: char| c.is_ascii_digit()) => &format!("n{name}"),
        name => name,
    };
    if !taken.iter().any(|other| other == name) {
        return name.to_owned();
    }
    let mut numbered = (2..).map(|number: u64| format!("{name}_{number}"));
    let free = numbered.find(|name| !taken.contains(name));
    free.expect("there are more numbers than names")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if two tables would share a file, or a name could be anything but a name.
    #[test]
    fn a_title_becomes_a_name_of_its_own() {
        let taken = ["a_b".to_owned(), "a_b_2".to_owned()];
        for (title, name) in [
            ("A/B, and what was done", "a_b_3"),
            ("A B C", "a_b_c"),
            ("../../etc/passwd", "etc_passwd"),
            ("\"; DROP TABLE x --", "drop_table_x"),
            ("", "table"),
            ("…", "table"),
            ("2 runs", "n2_runs"),
        ] {
            assert_eq!(name_for(title, "table", &taken), name);
        }
        assert_eq!(name_for(&"x".repeat(500), "t", &[]).len(), 60);
    }
}
