//! A recorded market: the rows of a file as ticks, in the order in which they become visible.
//!
//! Decides about order, start and what is left out. Reading lines and rows is done elsewhere.

use std::io::Read;
use std::vec;

use super::lines::Lines;
use super::row::{Row, RowReader};
use super::tape_read::{Counter, TapeRead, has_positive_prices};
use super::{TapeConfig, TapeError, TapeOrder, TapeProblem, Tick};

/// The ticks of one tape, an iterator that ends at the end of the file or at the first error.
///
/// Times count from the start of the run, which is the configured start or the first visible row.
#[derive(Debug)]
pub struct Tape<R: Read> {
    rows: Rows<R>,
    counter: Counter,
    order: TapeOrder,
    /// What the clock of the tape shows when the run begins, in nanoseconds since 1970-01-01 UTC.
    start_ns: Option<u64>,
    visible_ns: Option<u64>,
    ended: bool,
}

#[derive(Debug)]
enum Rows<R: Read> {
    Streamed(RowSource<R>),
    Sorted(vec::IntoIter<Row>),
}

impl<R: Read> Tape<R> {
    /// Opens the tape whose bytes are `input`, plain or gzip. In the order of exchange time this reads all of it.
    ///
    /// # Errors
    /// What [`TapeProblem`] lists, with the file and the line. With rows streamed, those after the header are found later.
    pub fn open(config: &TapeConfig, input: R) -> Result<Self, TapeError> {
        let source = RowSource::open(config, input)?;
        let order = source.order(config.order)?;
        let start_ns = match config.start {
            Some(start) => Some(source.located(
                u64::try_from(start.as_nanosecond()).map_err(|_| TapeProblem::StartBefore1970),
            )?),
            None => None,
        };
        let mut counter = Counter::new(config, order);
        let rows = match order {
            TapeOrder::Received => Rows::Streamed(source),
            TapeOrder::ExchangeTime => Rows::Sorted(source.sorted(&mut counter)?.into_iter()),
        };
        Ok(Tape {
            rows,
            counter,
            order,
            start_ns,
            visible_ns: None,
            ended: false,
        })
    }

    /// What has been read so far.
    pub fn read(&self) -> &TapeRead {
        &self.counter.read
    }

    /// What the clock of the tape shows when the run begins, in nanoseconds since 1970-01-01 UTC;
    /// `None` until the first tick, where the configuration does not say.
    pub fn start_unix_ns(&self) -> Option<u64> {
        self.start_ns
    }

    fn next_row(&mut self) -> Result<Option<Row>, TapeError> {
        match &mut self.rows {
            Rows::Streamed(source) => source.next_row(&mut self.counter),
            Rows::Sorted(rows) => Ok(rows.next()),
        }
    }

    /// The tick that `row` is, or `None` if it is left out.
    fn reveal(&mut self, row: Row) -> Option<Tick> {
        let row_ns = match self.order {
            TapeOrder::Received => row.received_ns,
            TapeOrder::ExchangeTime => row.exchange_ns,
        }
        .expect("the order was chosen among the clocks that every row has");
        let before_ns = self.visible_ns.unwrap_or(row_ns);
        let visible_ns = row_ns.max(before_ns);
        self.visible_ns = Some(visible_ns);
        self.counter.note_pause(visible_ns - before_ns);
        if self.start_ns.is_some_and(|start| visible_ns < start) {
            self.counter.read.before_start += 1;
            return None;
        }
        if !has_positive_prices(&row.kind) {
            return None;
        }
        let start_ns = *self.start_ns.get_or_insert(visible_ns);
        Some(Tick {
            time_ns: visible_ns - start_ns,
            symbol: row.symbol,
            kind: row.kind,
        })
    }
}

impl<R: Read> Iterator for Tape<R> {
    type Item = Result<Tick, TapeError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.next_row() {
                Ok(Some(row)) => {
                    if let Some(tick) = self.reveal(row) {
                        return Some(Ok(tick));
                    }
                }
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// The rows of a file in the order of the file, counted and bounded, with errors that say where.
#[derive(Debug)]
struct RowSource<R: Read> {
    file: String,
    lines: Lines<R>,
    reader: RowReader,
    max_rows: u64,
}

impl<R: Read> RowSource<R> {
    fn open(config: &TapeConfig, input: R) -> Result<Self, TapeError> {
        let file = config.file.clone();
        let at = |line, problem| TapeError {
            file: file.clone(),
            line,
            problem,
        };
        let mut lines = Lines::new(input, config.max_bytes).map_err(|problem| at(1, problem))?;
        let header = lines.next_line().map_err(|problem| at(1, problem))?;
        let reader =
            RowReader::from_header(header.unwrap_or_default()).map_err(|problem| at(1, problem))?;
        Ok(RowSource {
            file,
            lines,
            reader,
            max_rows: config.max_rows,
        })
    }

    fn order(&self, wanted: Option<TapeOrder>) -> Result<TapeOrder, TapeError> {
        let (received, exchange) = (self.reader.has_received(), self.reader.has_exchange());
        self.located(match wanted {
            None if received => Ok(TapeOrder::Received),
            None => Ok(TapeOrder::ExchangeTime),
            Some(TapeOrder::Received) if !received => Err(TapeProblem::OrderWithoutColumn {
                order: "received",
                column: "received_ns",
            }),
            Some(TapeOrder::ExchangeTime) if !exchange => Err(TapeProblem::OrderWithoutColumn {
                order: "exchange-time",
                column: "exchange_ns",
            }),
            Some(order) => Ok(order),
        })
    }

    fn next_row(&mut self, counter: &mut Counter) -> Result<Option<Row>, TapeError> {
        let row = self.read_row(counter.read.rows);
        let row = self.located(row)?;
        if let Some(row) = &row {
            counter.note_row(row);
        }
        counter.read.symbols = self.reader.symbols().len() as u64;
        Ok(row)
    }

    fn read_row(&mut self, rows_before: u64) -> Result<Option<Row>, TapeProblem> {
        match self.lines.next_line()? {
            None if rows_before == 0 => Err(TapeProblem::NoRows),
            None => Ok(None),
            Some("") => Err(TapeProblem::EmptyLine),
            Some(_) if rows_before == self.max_rows => Err(TapeProblem::TooManyRows {
                limit: self.max_rows,
            }),
            Some(line) => self.reader.read(line).map(Some),
        }
    }

    /// All rows, by exchange time; rows of the same time keep the order of the file.
    fn sorted(mut self, counter: &mut Counter) -> Result<Vec<Row>, TapeError> {
        let mut rows = Vec::new();
        while let Some(row) = self.next_row(counter)? {
            rows.push((rows.len(), row));
        }
        rows.sort_by_key(|(place, row)| (row.exchange_ns, *place));
        let moved = rows
            .iter()
            .enumerate()
            .filter(|(now, (before, _))| now != before);
        counter.read.moved = moved.count() as u64;
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// Says of a problem where it is.
    fn located<T>(&self, result: Result<T, TapeProblem>) -> Result<T, TapeError> {
        result.map_err(|problem| TapeError {
            file: self.file.clone(),
            line: self.lines.number(),
            problem,
        })
    }
}
