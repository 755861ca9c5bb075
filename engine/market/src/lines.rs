//! The lines of a text file, plain or gzip by content, with bounds on each line and on the whole.
//!
//! Knows nothing of columns. Quoted fields that span lines are not supported, so that a line of the
//! file is a line of the tape and an error can name it exactly.

use std::io::{BufRead, BufReader, Read};

use super::tape_error::TapeProblem;
use crate::unpacked::Unpacked;

/// The longest line, in bytes without its end. A row of a tape has about 90.
pub(super) const MAX_LINE_BYTES: usize = 1_024;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads one line at a time into a buffer that is used again.
#[derive(Debug)]
pub(super) struct Lines<R: Read> {
    input: BufReader<Unpacked<R>>,
    buffer: Vec<u8>,
    number: u64,
    bytes: u64,
    max_bytes: u64,
}

impl<R: Read> Lines<R> {
    /// Looks at the first bytes of `input` to see whether it is compressed.
    /// `max_bytes` bounds what comes out after decompression.
    pub(super) fn new(input: R, max_bytes: u64) -> Result<Self, TapeProblem> {
        Ok(Lines {
            input: BufReader::with_capacity(
                1 << 16,
                Unpacked::sniff(input).map_err(TapeProblem::Read)?,
            ),
            buffer: Vec::with_capacity(MAX_LINE_BYTES + 2),
            number: 0,
            bytes: 0,
            max_bytes,
        })
    }

    /// The number of the line last asked for; the first is 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its end, or `None` after the last.
    pub(super) fn next_line(&mut self) -> Result<Option<&str>, TapeProblem> {
        self.number += 1;
        self.buffer.clear();
        let longest_with_end = MAX_LINE_BYTES as u64 + 2;
        let mut bounded = self.input.by_ref().take(longest_with_end);
        let read = bounded
            .read_until(b'\n', &mut self.buffer)
            .map_err(TapeProblem::Read)?;
        if read == 0 {
            return Ok(None);
        }
        self.bytes += read as u64;
        if self.bytes > self.max_bytes {
            return Err(TapeProblem::TooManyBytes {
                limit: self.max_bytes,
            });
        }
        let line = without_end(&self.buffer);
        if line.len() > MAX_LINE_BYTES {
            return Err(TapeProblem::LineTooLong {
                limit: MAX_LINE_BYTES,
            });
        }
        let line = std::str::from_utf8(line).map_err(|error| TapeProblem::NotUtf8 {
            byte: error.valid_up_to() + 1,
        })?;
        Ok(Some(match self.number {
            1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line),
            _ => line,
        }))
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
