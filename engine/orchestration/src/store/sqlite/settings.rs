//! How a connection is set up, whatever SQLite was compiled with. The reasons stand in
//! `docs/state-store.md`.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::fault::failed;
use crate::store::tables::TableError;

/// How long an operation waits for whoever else has the file. Virtual time stands still meanwhile, and
/// the coordinator tries again anyway.
pub(super) const BUSY: Duration = Duration::from_millis(250);

/// What is set by a pragma, and what it must read as then: in a file, and in memory.
const PRAGMAS: [(&str, &str, [&str; 2]); 4] = [
    ("cell_size_check", "ON", ["1", "1"]),
    ("foreign_keys", "ON", ["1", "1"]),
    ("journal_mode", "DELETE", ["delete", "memory"]),
    ("synchronous", "EXTRA", ["3", "3"]),
];

/// The size of a page in memory, in bytes: the tables of a run are small, and are copied at each commit.
const SMALL_PAGE: u32 = 1_024;

/// Has a database that nothing was written to yet use small pages.
///
/// # Errors
/// If it cannot.
pub(super) fn use_small_pages(db: &Connection) -> Result<(), TableError> {
    let set = db.pragma_update(None, "page_size", SMALL_PAGE);
    set.map_err(failed)
}

/// Sets a connection up.
///
/// # Errors
/// If a setting does not take.
pub(super) fn apply(db: &Connection, in_memory: bool) -> Result<(), TableError> {
    db.busy_timeout(BUSY).map_err(failed)?;
    for (switch, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
    ] {
        if db.set_db_config(switch, on).map_err(failed)? != on {
            return Err(TableError::Failed(format!("{switch:?} cannot be set")));
        }
    }
    for (pragma, value, expected) in PRAGMAS {
        db.pragma_update(None, pragma, value).map_err(failed)?;
        let found = read(db, pragma)?;
        let expected = expected[usize::from(in_memory)];
        if found != expected {
            return Err(TableError::Failed(format!(
                "{pragma} is {found}, not {expected}"
            )));
        }
    }
    Ok(())
}

/// The value of a pragma, as text.
pub(super) fn read(db: &Connection, pragma: &str) -> Result<String, TableError> {
    let value = db.pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0));
    Ok(match value.map_err(failed)? {
        rusqlite::types::Value::Integer(integer) => integer.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    })
}
