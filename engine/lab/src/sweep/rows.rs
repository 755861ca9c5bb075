//! The rows of a sweep as a file of comma-separated values (RFC 4180), to which each is appended when it
//! is there, and from which a sweep goes on.
//!
//! The first column says of which scenario a row is; a file of another one is refused. A row that was cut
//! off in the middle, by a kill or a full disk, is dropped and made again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::columns::Column;
use super::vary::Vary;

/// What came of one combination.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The values that it has, in the order of the keys.
    pub values: Vec<String>,
    /// How its run ended.
    pub verdict: String,
    /// The properties that it violates.
    pub failures: Vec<String>,
    /// How many events it has.
    pub events: u64,
    /// Its figures, in the order of the columns; none where one is not defined.
    pub figures: Vec<Option<f64>>,
}

/// Why a file of rows cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// It cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Somebody else is writing it.
    #[error("{0} is being written by another sweep; wait for it, or give another path")]
    Locked(PathBuf),
    /// It is something else.
    #[error(
        "{path}, line {line}: expected {expected}, found {found}; the file is of another sweep: give another path"
    )]
    Other {
        /// Which file.
        path: PathBuf,
        /// On which line, counted from 1.
        line: u64,
        /// What should be there.
        expected: String,
        /// What is.
        found: String,
    },
    /// It is larger than any sweep makes it.
    #[error("{path} has more than {BYTES_MAX} bytes: it is no file of a sweep")]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
}

/// How large a file of rows can be.
const BYTES_MAX: u64 = 1 << 30;

/// A file of rows, open for one sweep.
#[derive(Debug)]
pub struct RowsFile {
    path: PathBuf,
    file: File,
    scenario: String,
}

impl RowsFile {
    /// Opens or makes the file, and reads the rows that are there.
    ///
    /// # Errors
    /// If it cannot be read or written, is of another sweep, or being written by one.
    pub fn open(
        path: &Path,
        scenario: &str,
        vary: &[Vary],
        columns: &[Column],
    ) -> Result<(RowsFile, BTreeMap<Vec<String>, Row>), RowsError> {
        let problem = |error| RowsError::Io {
            path: path.to_owned(),
            error,
        };
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(problem)?;
        if !file.metadata().map_err(problem)?.is_file() {
            return Err(problem(io::Error::other("it is no regular file")));
        }
        if file.try_lock().is_err() {
            return Err(RowsError::Locked(path.to_owned()));
        }
        let mut text = String::new();
        let read = (&mut file).take(BYTES_MAX + 1).read_to_string(&mut text);
        if read.map_err(problem)? as u64 > BYTES_MAX {
            return Err(RowsError::TooLarge {
                path: path.to_owned(),
            });
        }
        // What stands behind the last line break was cut off.
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        let header = header(vary, columns);
        let rows = rows(path, &text[..whole], scenario, &header, vary.len())?;
        if whole == 0 {
            let line = line(&header);
            // Only what could be the beginning of this very file is taken for one that was cut off.
            if !line.starts_with(&text) {
                return Err(other(path, 1, &line, &text));
            }
            file.set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| file.write_all(line.as_bytes()))
                .map_err(problem)?;
        } else {
            file.set_len(whole as u64)
                .and_then(|()| file.seek(SeekFrom::End(0)))
                .map_err(problem)?;
        }
        let file = RowsFile {
            path: path.to_owned(),
            file,
            scenario: scenario.to_owned(),
        };
        Ok((file, rows))
    }

    /// Appends a row.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&mut self, row: &Row) -> Result<(), RowsError> {
        let figures = row.figures.iter().map(|figure| match figure {
            Some(value) => value.to_string(),
            None => String::new(),
        });
        let mut fields = vec![self.scenario.clone()];
        fields.extend(row.values.iter().cloned());
        fields.extend([
            row.verdict.clone(),
            row.failures.join(" "),
            row.events.to_string(),
        ]);
        fields.extend(figures);
        // One write, so that a row is there as a whole or is the last one, cut off.
        let written = self.file.write_all(line(&fields).as_bytes());
        written.map_err(|error| RowsError::Io {
            path: self.path.clone(),
            error,
        })
    }
}

/// The rows of a file; an error at the first line that is none of this sweep's.
fn rows(
    path: &Path,
    text: &str,
    scenario: &str,
    header: &[String],
    keys: usize,
) -> Result<BTreeMap<Vec<String>, Row>, RowsError> {
    let mut rows = BTreeMap::new();
    for (number, fields) in (1..).zip(text.lines()) {
        let split = fields_of(fields);
        let refused = |expected: &str| other(path, number, expected, fields);
        if number == 1 {
            if split != header {
                return Err(refused(line(header).trim_end()));
            }
            continue;
        }
        if split.first().map(String::as_str) != Some(scenario) {
            return Err(refused(&format!("a row of the scenario {scenario}")));
        }
        let row = row(&split, keys, header.len());
        let row = row.ok_or_else(|| refused("a row with a value in each column"))?;
        rows.insert(row.values.clone(), row);
    }
    Ok(rows)
}

fn other(path: &Path, line: u64, expected: &str, found: &str) -> RowsError {
    let clipped = |text: &str| {
        let short: String = text.trim_end().chars().take(80).collect();
        format!("{short:?}")
    };
    RowsError::Other {
        path: path.to_owned(),
        line,
        expected: clipped(expected),
        found: clipped(found),
    }
}

fn header(vary: &[Vary], columns: &[Column]) -> Vec<String> {
    let mut header = vec!["scenario".to_owned()];
    header.extend(vary.iter().map(|one| one.key.clone()));
    header.extend(["verdict", "failures", "events"].map(str::to_owned));
    header.extend(columns.iter().map(|column| column.name.to_owned()));
    header
}

/// A row from its fields; none if one is missing or no number.
fn row(fields: &[String], keys: usize, all: usize) -> Option<Row> {
    if fields.len() != all {
        return None;
    }
    let (values, rest) = fields.get(1..)?.split_at_checked(keys)?;
    let [verdict, failures, events, figures @ ..] = rest else {
        return None;
    };
    let figure = |text: &String| match text.as_str() {
        "" => Some(None),
        text => text
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
            .map(Some),
    };
    Some(Row {
        values: values.to_vec(),
        verdict: verdict.clone(),
        failures: failures.split_whitespace().map(str::to_owned).collect(),
        events: events.parse().ok()?,
        figures: figures.iter().map(figure).collect::<Option<_>>()?,
    })
}

/// Fields as a line. Values of a command line have no line breaks.
fn line(fields: &[String]) -> String {
    let quoted = |field: &String| match field.contains([',', '"', '\'', ' ', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.clone(),
    };
    let fields: Vec<String> = fields.iter().map(quoted).collect();
    fields.join(",") + "\n"
}

/// The fields of a line.
fn fields_of(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut().expect("there is one from the beginning");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    use dacapo_kernel::Unit;

    const SCENARIO: &str = "0123456789abcdef";

    fn columns() -> Vec<Column> {
        let column = |name| Column {
            name,
            unit: Unit::Count,
            meaning: "",
            is_main: true,
        };
        ["done", "lost"].map(column).into()
    }

    fn vary() -> Vec<Vary> {
        vec!["queue.words=x,\"y,z\"".parse().unwrap()]
    }

    fn open(path: &Path) -> Result<(RowsFile, BTreeMap<Vec<String>, Row>), RowsError> {
        RowsFile::open(path, SCENARIO, &vary(), &columns())
    }

    fn row_of(value: &str) -> Row {
        Row {
            values: vec![value.to_owned()],
            verdict: "complete".to_owned(),
            failures: vec!["a.b".to_owned(), "c.d".to_owned()],
            events: 12,
            figures: vec![Some(0.1 + 0.2), None],
        }
    }

    fn kept(path: &Path) -> Vec<Row> {
        open(path).unwrap().1.into_values().collect()
    }

    // Fails if a row is not the same after it was written and read, to the last bit.
    #[test]
    fn a_row_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let (mut file, rows) = open(&path).unwrap();
        assert!(rows.is_empty());
        for value in ["x", "\"y,z\""] {
            file.append(&row_of(value)).unwrap();
        }
        drop(file);
        assert_eq!(kept(&path), [row_of("\"y,z\""), row_of("x")]);
    }

    // Fails if a row that was cut off is believed, or the rest is lost with it. Every length is tried.
    #[test]
    fn a_row_that_was_cut_off_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let (mut file, _) = open(&path).unwrap();
        file.append(&row_of("x")).unwrap();
        drop(file);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (mut file, rows) = open(&path).unwrap();
            assert!(rows.is_empty(), "{length}");
            file.append(&row_of("x")).unwrap();
            drop(file);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "{length}");
        }
    }

    // Fails if a file of something else is overwritten or believed.
    #[test]
    fn a_file_of_another_sweep_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let header = "scenario,queue.words,verdict,failures,events,done,lost\n";
        let bad = [
            "my diary".to_owned(),
            "a,b\n1,2\n".to_owned(),
            "a,b\n1,2\n3".to_owned(),
            format!("{header}fedcba9876543210,x,complete,,1,1,1\n"),
            format!("{header}{SCENARIO},x,complete,,1,1\n"),
            format!("{header}{SCENARIO},x,complete,,1,NaN,1\n"),
            format!("{header}{SCENARIO},x,complete,,many,1,1\n"),
        ];
        for text in bad {
            std::fs::write(&path, &text).unwrap();
            assert!(
                matches!(open(&path), Err(RowsError::Other { .. })),
                "{text}"
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert!(matches!(open(folder.path()), Err(RowsError::Io { .. })));
    }

    // Fails if two sweeps may write into each other's rows.
    #[test]
    fn two_sweeps_do_not_write_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let first = open(&path).unwrap();
        assert!(matches!(open(&path), Err(RowsError::Locked(_))));
        drop(first);
        assert!(open(&path).is_ok());
    }
}
