//! One row of a tape: which column is which, and what a row says.
//!
//! Judges each row by itself. Whether rows are in order is the business of the tape.

use std::collections::BTreeSet;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::number::exact;
use super::tape_error::TapeProblem;
use super::{Side, TickKind, is_symbol};

/// How many markets one tape may name.
const MAX_SYMBOLS: usize = 4_096;

/// The columns that a tape may have, as people are told about them.
pub(super) const KNOWN_COLUMNS: &str = "received_ns (_us, _ms), exchange_ns (_us, _ms), symbol, kind, price, size, side, bid, bid_size, ask, ask_size";

/// A row as it is written: both clocks in nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) received_ns: Option<u64>,
    pub(super) exchange_ns: Option<u64>,
    pub(super) symbol: Arc<str>,
    pub(super) kind: TickKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Received,
    Exchange,
    Symbol,
    Kind,
    Price,
    Size,
    Side,
    Bid,
    BidSize,
    Ask,
    AskSize,
}

const COLUMN_COUNT: usize = Column::AskSize as usize + 1;

/// A column of the file, and for a clock how many nanoseconds its unit has.
#[derive(Clone, Copy, Debug)]
struct Place {
    column: Column,
    unit_ns: u64,
}

impl Place {
    fn from_name(name: &str) -> Option<Place> {
        let (column, unit_ns) = match name {
            "received_ns" => (Column::Received, 1),
            "received_us" => (Column::Received, 1_000),
            "received_ms" => (Column::Received, 1_000_000),
            "exchange_ns" => (Column::Exchange, 1),
            "exchange_us" => (Column::Exchange, 1_000),
            "exchange_ms" => (Column::Exchange, 1_000_000),
            "symbol" => (Column::Symbol, 0),
            "kind" => (Column::Kind, 0),
            "price" => (Column::Price, 0),
            "size" => (Column::Size, 0),
            "side" => (Column::Side, 0),
            "bid" => (Column::Bid, 0),
            "bid_size" => (Column::BidSize, 0),
            "ask" => (Column::Ask, 0),
            "ask_size" => (Column::AskSize, 0),
            _ => return None,
        };
        Some(Place { column, unit_ns })
    }
}

/// Turns lines into rows, once the first line has said what the columns are.
#[derive(Debug)]
pub(super) struct RowReader {
    places: Vec<Place>,
    symbols: BTreeSet<Arc<str>>,
}

impl RowReader {
    pub(super) fn from_header(header: &str) -> Result<Self, TapeProblem> {
        let mut places: Vec<Place> = Vec::new();
        for name in header.split(',') {
            let place = Place::from_name(name).ok_or_else(|| TapeProblem::UnknownColumn {
                name: name.to_owned(),
            })?;
            if places.iter().any(|known| known.column == place.column) {
                return Err(TapeProblem::ColumnTwice {
                    name: name.to_owned(),
                });
            }
            places.push(place);
        }
        let reader = RowReader {
            places,
            symbols: BTreeSet::new(),
        };
        if !reader.has_received() && !reader.has_exchange() {
            return Err(TapeProblem::MissingColumn {
                name: "received_ns or exchange_ns",
            });
        }
        if !reader.has(Column::Symbol) {
            return Err(TapeProblem::MissingColumn { name: "symbol" });
        }
        Ok(reader)
    }

    pub(super) fn has_received(&self) -> bool {
        self.has(Column::Received)
    }

    pub(super) fn has_exchange(&self) -> bool {
        self.has(Column::Exchange)
    }

    /// The markets seen so far.
    pub(super) fn symbols(&self) -> &BTreeSet<Arc<str>> {
        &self.symbols
    }

    pub(super) fn read(&mut self, line: &str) -> Result<Row, TapeProblem> {
        let fields = self.split(line)?;
        Ok(Row {
            received_ns: self.clock(&fields, Column::Received)?,
            exchange_ns: self.clock(&fields, Column::Exchange)?,
            symbol: self.symbol(fields.text(Column::Symbol))?,
            kind: match fields.text(Column::Kind) {
                "trade" => fields.trade()?,
                "" if !self.has(Column::Kind) => fields.trade()?,
                "quote" => fields.quote()?,
                other => {
                    return Err(TapeProblem::UnknownWord {
                        column: "kind",
                        value: other.to_owned(),
                        expected: "trade or quote",
                    });
                }
            },
        })
    }

    fn has(&self, column: Column) -> bool {
        self.places.iter().any(|place| place.column == column)
    }

    fn split<'a>(&self, line: &'a str) -> Result<Fields<'a>, TapeProblem> {
        let mut fields = Fields([""; COLUMN_COUNT]);
        let mut found = 0;
        for text in line.split(',') {
            if let Some(place) = self.places.get(found) {
                fields.0[place.column as usize] = text;
            }
            found += 1;
        }
        if found != self.places.len() {
            return Err(TapeProblem::Width {
                expected: self.places.len(),
                actual: found,
            });
        }
        Ok(fields)
    }

    fn clock(&self, fields: &Fields<'_>, column: Column) -> Result<Option<u64>, TapeProblem> {
        let Some(place) = self.places.iter().find(|place| place.column == column) else {
            return Ok(None);
        };
        let text = fields.text(column);
        let ns = text
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u64>().ok())
            .flatten()
            .and_then(|time| time.checked_mul(place.unit_ns))
            .filter(|ns| i64::try_from(*ns).is_ok());
        match ns {
            Some(ns) => Ok(Some(ns)),
            None => Err(TapeProblem::NotATime {
                column: name(column),
                value: text.to_owned(),
            }),
        }
    }

    fn symbol(&mut self, text: &str) -> Result<Arc<str>, TapeProblem> {
        if let Some(known) = self.symbols.get(text) {
            return Ok(Arc::clone(known));
        }
        if !is_symbol(text) {
            return Err(TapeProblem::NotASymbol {
                value: text.to_owned(),
            });
        }
        if self.symbols.len() == MAX_SYMBOLS {
            return Err(TapeProblem::TooManySymbols { limit: MAX_SYMBOLS });
        }
        let symbol: Arc<str> = Arc::from(text);
        self.symbols.insert(Arc::clone(&symbol));
        Ok(symbol)
    }
}

/// The texts of one line, by column. A column that the file lacks is empty.
struct Fields<'a>([&'a str; COLUMN_COUNT]);

impl<'a> Fields<'a> {
    fn text(&self, column: Column) -> &'a str {
        self.0[column as usize]
    }

    fn trade(&self) -> Result<TickKind, TapeProblem> {
        self.must_be_empty(
            "trade",
            &[Column::Bid, Column::BidSize, Column::Ask, Column::AskSize],
        )?;
        Ok(TickKind::Trade {
            price: self.number(Column::Price)?,
            size: self.size(Column::Size)?,
            side: match self.text(Column::Side) {
                "" => None,
                "buy" => Some(Side::Buy),
                "sell" => Some(Side::Sell),
                other => {
                    return Err(TapeProblem::UnknownWord {
                        column: "side",
                        value: other.to_owned(),
                        expected: "buy, sell or nothing",
                    });
                }
            },
        })
    }

    fn quote(&self) -> Result<TickKind, TapeProblem> {
        self.must_be_empty("quote", &[Column::Price, Column::Size, Column::Side])?;
        Ok(TickKind::Quote {
            bid: self.number(Column::Bid)?,
            bid_size: self.size(Column::BidSize)?,
            ask: self.number(Column::Ask)?,
            ask_size: self.size(Column::AskSize)?,
        })
    }

    fn number(&self, column: Column) -> Result<Decimal, TapeProblem> {
        let text = self.text(column);
        exact(text).map_err(|problem| TapeProblem::NotANumber {
            column: name(column),
            value: text.to_owned(),
            problem,
        })
    }

    fn size(&self, column: Column) -> Result<Decimal, TapeProblem> {
        let size = self.number(column)?;
        if size < Decimal::ZERO {
            return Err(TapeProblem::NegativeSize {
                column: name(column),
                value: size,
            });
        }
        Ok(size)
    }

    fn must_be_empty(&self, kind: &'static str, columns: &[Column]) -> Result<(), TapeProblem> {
        match columns
            .iter()
            .find(|column| !self.text(**column).is_empty())
        {
            Some(column) => Err(TapeProblem::NotOfThisKind {
                column: name(*column),
                kind,
            }),
            None => Ok(()),
        }
    }
}

fn name(column: Column) -> &'static str {
    match column {
        Column::Received => "received",
        Column::Exchange => "exchange",
        Column::Symbol => "symbol",
        Column::Kind => "kind",
        Column::Price => "price",
        Column::Size => "size",
        Column::Side => "side",
        Column::Bid => "bid",
        Column::BidSize => "bid_size",
        Column::Ask => "ask",
        Column::AskSize => "ask_size",
    }
}
