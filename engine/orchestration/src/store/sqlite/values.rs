//! The values of a row, as they are written and read.

use rusqlite::types::Value;

use super::fault::damaged;
use crate::amount::Amount;
use crate::store::tables::TableError;

/// A text.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A text, or nothing.
pub(super) fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.to_owned()))
}

/// A count.
///
/// # Errors
/// If it is larger than an integer of SQLite.
pub(super) fn count(count: u64) -> Result<Value, TableError> {
    let count = i64::try_from(count);
    count
        .map(Value::Integer)
        .map_err(|_| TableError::Failed("a count does not fit the store".to_owned()))
}

/// The values of a row, one after the other. One of another type than expected is damage.
pub(super) struct Values(std::vec::IntoIter<Value>);

impl Values {
    pub(super) fn of(row: Vec<Value>) -> Values {
        Values(row.into_iter())
    }

    pub(super) fn integer(&mut self) -> Result<i64, TableError> {
        self.optional_integer()?.ok_or_else(damaged)
    }

    pub(super) fn optional_integer(&mut self) -> Result<Option<i64>, TableError> {
        match self.0.next() {
            Some(Value::Integer(integer)) => Ok(Some(integer)),
            Some(Value::Null) => Ok(None),
            _ => Err(damaged()),
        }
    }

    pub(super) fn count(&mut self) -> Result<u64, TableError> {
        u64::try_from(self.integer()?).map_err(|_| damaged())
    }

    pub(super) fn text(&mut self) -> Result<String, TableError> {
        self.optional()?.ok_or_else(damaged)
    }

    pub(super) fn optional(&mut self) -> Result<Option<String>, TableError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(damaged()),
        }
    }

    pub(super) fn number(&mut self) -> Result<u32, TableError> {
        u32::try_from(self.integer()?).map_err(|_| damaged())
    }

    pub(super) fn amount(&mut self) -> Result<Amount, TableError> {
        self.text()?.parse().map_err(|_| damaged())
    }
    pub(super) fn optional_amount(&mut self) -> Result<Option<Amount>, TableError> {
        let text = self.optional()?;
        let read = text.map(|text| text.parse().map_err(|_| damaged()));
        read.transpose()
    }
}
