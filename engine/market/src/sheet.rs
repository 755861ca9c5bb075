//! Tables in CSV files as people bring them: rows of named columns, read within fixed bounds.
//!
//! A bar, a signal, anything with a head and cells is read through [`Sheet`]; what a cell means is the
//! business of whoever asks for it. Every error says the file, the line and the column.

mod cell;
mod error;
mod time;

use std::io::{BufRead, BufReader, Chain, Cursor, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::unpacked::Unpacked;

pub use cell::number;
pub use error::{SheetError, SheetProblem, Shown};
pub use time::{TimeFormat, Times};

/// The most columns a table may have.
pub const MAX_COLUMNS: usize = 256;
/// The longest row, in bytes.
pub const MAX_ROW_BYTES: usize = 1 << 16;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// The rows of one CSV file, plain or gzip by content.
#[derive(Debug)]
pub struct Sheet<R: Read> {
    file: String,
    input: BufReader<Chain<Cursor<Vec<u8>>, Unpacked<R>>>,
    parser: Reader,
    delimiter: u8,
    header: Vec<String>,
    text: Box<[u8]>,
    ends: Box<[usize]>,
    /// The line that is read next; the first is 1.
    line: u64,
    rows: u64,
    bytes: u64,
    max_rows: u64,
    max_bytes: u64,
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The line on which it begins; the first of the file is 1.
    pub line: u64,
    text: &'a str,
    ends: &'a [usize],
    /// How many bytes stand between two cells: none, or what separates them in the file.
    between: usize,
}

impl<'a> Row<'a> {
    /// The cell of a column, without the blanks around it.
    pub fn cell(&self, column: usize) -> &'a str {
        let start = match column {
            0 => 0,
            _ => self.ends[column - 1] + self.between,
        };
        let cell = self.text.get(start..self.ends[column]).unwrap_or_default();
        match cell.as_bytes() {
            // Nearly every cell begins and ends with a digit or letter.
            [one] if one.is_ascii_alphanumeric() => cell,
            [first, .., last] if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
                cell
            }
            _ => cell.trim(),
        }
    }
}

impl<R: Read> Sheet<R> {
    /// Reads the head of the table in `input`, which errors call `file`. `max_bytes` bounds what comes out after
    /// decompression.
    ///
    /// # Errors
    /// What [`SheetProblem`] lists, at line 1.
    pub fn open(
        file: &str,
        input: R,
        max_rows: u64,
        max_bytes: u64,
    ) -> Result<Sheet<R>, SheetError> {
        let at_first = |problem| SheetError::new(file, 1, None, problem);
        let unreadable = |error| at_first(SheetProblem::Read(error));
        let mut input = Unpacked::sniff(input).map_err(unreadable)?;
        let mut head = Vec::new();
        let look = input.by_ref().take(MAX_ROW_BYTES as u64);
        BufReader::new(look)
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        let (parser, delimiter, mark) = begin(&head).map_err(at_first)?;
        let mut head = Cursor::new(head);
        head.set_position(mark as u64);
        let mut sheet = Sheet {
            file: file.to_owned(),
            input: BufReader::with_capacity(MAX_ROW_BYTES, head.chain(input)),
            parser,
            delimiter,
            header: Vec::new(),
            text: vec![0; MAX_ROW_BYTES].into(),
            ends: vec![0; MAX_COLUMNS + 1].into(),
            line: 1,
            rows: 0,
            bytes: 0,
            max_rows,
            max_bytes,
        };
        sheet.read_header()?;
        Ok(sheet)
    }

    /// The names of the columns, as they are written.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The file, as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// How many rows have been read after the head.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The next row, or `None` after the last. Blank lines are no rows.
    ///
    /// # Errors
    /// What [`SheetProblem`] lists, with the line.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, SheetError> {
        let plain = self.plain_record()?;
        self.row(plain)
    }

    /// The row of a plain record, or of the next one that the parser finds.
    fn row(&mut self, plain: Option<(u64, usize)>) -> Result<Option<Row<'_>>, SheetError> {
        let (line, count, between) = match plain {
            Some((line, count)) => (line, count, 1),
            None => match self.record()? {
                Some((line, count)) => (line, count, 0),
                None => return Ok(None),
            },
        };
        self.rows += 1;
        if self.rows > self.max_rows {
            let limit = self.max_rows;
            return Err(self.error(line, None, SheetProblem::TooManyRows { limit }));
        }
        if count != self.header.len() {
            let problem = SheetProblem::Width {
                expected: self.header.len(),
                actual: count,
            };
            return Err(self.error(line, None, problem));
        }
        let text = self.row_text(line, count)?;
        Ok(Some(Row {
            line,
            text,
            ends: &self.ends[..count],
            between,
        }))
    }

    /// An error in this table.
    pub fn error(&self, line: u64, column: Option<usize>, problem: SheetProblem) -> SheetError {
        let column = column.and_then(|at| self.header.get(at).cloned());
        SheetError::new(&self.file, line, column, problem)
    }

    fn read_header(&mut self) -> Result<(), SheetError> {
        let Some((line, count)) = self.record()? else {
            return Err(self.error(1, None, SheetProblem::Empty));
        };
        if count > MAX_COLUMNS {
            let limit = MAX_COLUMNS;
            return Err(self.error(line, None, SheetProblem::TooManyColumns { limit }));
        }
        let text = self.row_text(line, count)?;
        let row = Row {
            line,
            text,
            ends: &self.ends[..count],
            between: 0,
        };
        let header: Vec<String> = (0..count).map(|at| row.cell(at).to_owned()).collect();
        let is_number = |name: &String| name.parse::<f64>().is_ok();
        if header.iter().all(is_number) {
            return Err(self.error(line, None, SheetProblem::NoHeader));
        }
        for (at, name) in header.iter().enumerate() {
            if header[..at].contains(name) {
                let name = name.clone();
                return Err(self.error(line, None, SheetProblem::ColumnTwice { name }));
            }
        }
        self.header = header;
        Ok(())
    }

    fn row_text(&self, line: u64, count: usize) -> Result<&str, SheetError> {
        let end = count.checked_sub(1).map_or(0, |last| self.ends[last]);
        std::str::from_utf8(&self.text[..end])
            .map_err(|_| self.error(line, None, SheetProblem::NotUtf8))
    }

    /// The next record, if it is one as nearly all are: a line of its own that has been read to its end and has
    /// no quotes. Its bytes stay as they are, so cells stand apart. Anything else is left to the parser.
    fn plain_record(&mut self) -> Result<Option<(u64, usize)>, SheetError> {
        self.skip_blank_lines()?;
        let (input, delimiter) = (self.input.buffer(), self.delimiter);
        let mut count = 0;
        for (at, &byte) in input.iter().enumerate() {
            // Digits, letters and nearly all that cells are made of.
            if byte > b',' && byte != b';' {
                continue;
            }
            let is_end = byte == b'\n' || byte == b'\r';
            if is_end || byte == delimiter {
                if count == MAX_COLUMNS {
                    return Ok(None);
                }
                self.ends[count] = at;
                count += 1;
            } else if byte == b'"' {
                return Ok(None);
            }
            if is_end {
                let taken = match (byte, input.get(at + 1)) {
                    (b'\n', _) => at + 1,
                    (_, Some(b'\n')) => at + 2,
                    _ => return Ok(None),
                };
                if self.bytes + taken as u64 > self.max_bytes {
                    return Ok(None);
                }
                self.text[..at].copy_from_slice(&input[..at]);
                let line = self.line;
                self.line += 1;
                self.bytes += taken as u64;
                self.input.consume(taken);
                return Ok(Some((line, count)));
            }
        }
        Ok(None)
    }

    /// The next record in the buffers: its line and how many cells it has.
    fn record(&mut self) -> Result<Option<(u64, usize)>, SheetError> {
        self.skip_blank_lines()?;
        let line = self.line;
        let (mut written, mut ended) = (0, 0);
        loop {
            let input = match self.input.fill_buf() {
                Ok(input) => input,
                Err(error) => return Err(self.error(line, None, SheetProblem::Read(error))),
            };
            let (result, taken, out, ends) =
                self.parser
                    .read_record(input, &mut self.text[written..], &mut self.ends[ended..]);
            let lines = input[..taken].iter().filter(|byte| **byte == b'\n').count();
            self.line += lines as u64;
            self.bytes += taken as u64;
            self.input.consume(taken);
            (written, ended) = (written + out, ended + ends);
            let problem = match result {
                _ if self.bytes > self.max_bytes => SheetProblem::TooManyBytes {
                    limit: self.max_bytes,
                },
                ReadRecordResult::InputEmpty => continue,
                ReadRecordResult::OutputFull => SheetProblem::RowTooLong {
                    limit: MAX_ROW_BYTES,
                },
                ReadRecordResult::OutputEndsFull => {
                    SheetProblem::TooManyColumns { limit: MAX_COLUMNS }
                }
                ReadRecordResult::Record => return Ok(Some((line, ended))),
                ReadRecordResult::End => return Ok(None),
            };
            return Err(self.error(line, None, problem));
        }
    }

    fn skip_blank_lines(&mut self) -> Result<(), SheetError> {
        loop {
            let input = match self.input.fill_buf() {
                Ok(input) => input,
                Err(error) => return Err(self.error(self.line, None, SheetProblem::Read(error))),
            };
            let blank = |byte: &&u8| matches!(**byte, b'\n' | b'\r');
            let skipped = input.iter().take_while(blank).count();
            let lines = input[..skipped]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            self.line += lines as u64;
            self.bytes += skipped as u64;
            self.input.consume(skipped);
            if skipped == 0 {
                return Ok(());
            }
        }
    }
}

/// Looks at the first bytes: what reads them, what stands between cells, and how long the mark before them is.
fn begin(head: &[u8]) -> Result<(Reader, u8, usize), SheetProblem> {
    if UTF16_MARKS.iter().any(|mark| head.starts_with(mark)) {
        return Err(SheetProblem::Utf16);
    }
    let mark = if head.starts_with(UTF8_MARK) {
        UTF8_MARK.len()
    } else {
        0
    };
    let line = head[mark..].split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default();
    let count = |of: u8| line.iter().filter(|byte| **byte == of).count();
    // Of equal counts the last is the maximum, so the comma stands last.
    let delimiter = *b"\t;,";
    let delimiter = delimiter.into_iter().max_by_key(|byte| count(*byte));
    let delimiter = delimiter.unwrap_or(b',');
    let parser = ReaderBuilder::new().delimiter(delimiter).build();
    Ok((parser, delimiter, mark))
}

#[cfg(test)]
mod tests;
