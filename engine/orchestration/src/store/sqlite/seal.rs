//! Rows that carry a seal: a hash over their values, by which a changed byte is noticed.
//!
//! SQLite checks its structure and not its content. The log rules, and the seal only finds damage; it
//! keeps nobody from forging a row.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, ToSql, params_from_iter};

use super::fault::{damaged, failed};
use crate::store::tables::TableError;

/// How many bytes of the hash are kept.
const LENGTH: usize = 8;

/// Writes a row, in place of one with the same key.
pub(super) fn put(db: &Connection, table: &str, values: Vec<Value>) -> Result<(), TableError> {
    write(db, "INSERT OR REPLACE", table, values)
}

/// Writes a row that must be new.
pub(super) fn add(db: &Connection, table: &str, values: Vec<Value>) -> Result<(), TableError> {
    write(db, "INSERT", table, values)
}

/// Takes every row out of a table.
pub(super) fn clear(db: &Connection, table: &str) -> Result<(), TableError> {
    let mut statement = db
        .prepare_cached(&format!("DELETE FROM {table}"))
        .map_err(failed)?;
    statement.execute([]).map_err(failed)?;
    Ok(())
}

fn write(
    db: &Connection,
    how: &str,
    table: &str,
    mut values: Vec<Value>,
) -> Result<(), TableError> {
    values.push(Value::Blob(seal(table, &values)));
    let places = vec!["?"; values.len()].join(", ");
    let sql = format!("{how} INTO {table} VALUES ({places})");
    let mut statement = db.prepare_cached(&sql).map_err(failed)?;
    statement
        .execute(params_from_iter(values))
        .map_err(failed)?;
    Ok(())
}

/// The rows of a table that fulfil a condition and come in an order, without their seals.
///
/// # Errors
/// If one was changed by anybody but this program.
pub(super) fn rows(
    db: &Connection,
    table: &str,
    rest: &str,
    given: &[&dyn ToSql],
) -> Result<Vec<Vec<Value>>, TableError> {
    let sql = format!("SELECT * FROM {table} {rest}");
    let mut statement = db.prepare_cached(&sql).map_err(failed)?;
    let columns = statement.column_count();
    let read = |row: &Row<'_>| (0..columns).map(|at| row.get(at)).collect();
    let rows = statement.query_map(given, read).map_err(failed)?;
    let mut checked = Vec::new();
    for row in rows {
        let mut values: Vec<Value> = row.map_err(failed)?;
        let sealed = values.pop();
        if sealed != Some(Value::Blob(seal(table, &values))) {
            return Err(damaged());
        }
        checked.push(values);
    }
    Ok(checked)
}

fn seal(table: &str, values: &[Value]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    let mut part = |kind: u8, bytes: &[u8]| {
        hasher.update(&[kind]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(b't', table.as_bytes());
    for value in values {
        match value {
            Value::Null => part(b'n', &[]),
            Value::Integer(integer) => part(b'i', &integer.to_le_bytes()),
            Value::Real(real) => part(b'r', &real.to_bits().to_le_bytes()),
            Value::Text(text) => part(b's', text.as_bytes()),
            Value::Blob(blob) => part(b'b', blob),
        }
    }
    hasher.finalize().as_bytes()[..LENGTH].to_vec()
}
