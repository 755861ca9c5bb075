//! What SQLite says went wrong, as the tables tell it.

use rusqlite::{Error, ErrorCode};

use crate::store::tables::{Loss, TableError};

/// What an error of SQLite means: damage stays, anything else may pass.
pub(super) fn failed(error: Error) -> TableError {
    match &error {
        Error::SqliteFailure(code, _)
            if matches!(
                code.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
            ) =>
        {
            damaged()
        }
        // A value of another type than its column's.
        Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) => damaged(),
        _ => TableError::Failed(error.to_string()),
    }
}

/// What is there cannot be what was written.
pub(super) fn damaged() -> TableError {
    Loss::Corrupt.into()
}
