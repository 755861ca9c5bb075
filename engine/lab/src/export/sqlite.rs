//! A SQLite database with all tables. An instant is ISO 8601 in UTC, as SQLite's own functions take it.

use std::io;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};

use super::table::{Cell, ColumnKind, Sink, Table, iso};

pub(super) struct Sqlite {
    database: Connection,
    /// For each table, what adds a row to it.
    inserts: Vec<String>,
}

fn other(error: rusqlite::Error) -> io::Error {
    io::Error::other(error)
}

impl Sqlite {
    pub(super) fn create(path: &Path) -> io::Result<Sqlite> {
        // Whoever is there first has the name: nothing of somebody else's is written to.
        drop(std::fs::File::create_new(path)?);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags).map_err(other)?;
        // The file is of no use before all of it is there, so nothing has to be undone.
        let begin = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN";
        database.execute_batch(begin).map_err(other)?;
        Ok(Sqlite {
            database,
            inserts: Vec::new(),
        })
    }
}

impl Sink for Sqlite {
    fn table(&mut self, table: &Table) -> io::Result<()> {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let kind = match column.kind {
                    ColumnKind::Whole => "INTEGER",
                    ColumnKind::Real => "REAL",
                    ColumnKind::Text | ColumnKind::Instant => "TEXT",
                };
                format!("\"{}\" {kind}", column.name)
            })
            .collect();
        let create = format!("CREATE TABLE \"{}\" ({})", table.name, columns.join(", "));
        self.database.execute_batch(&create).map_err(other)?;
        let places = vec!["?"; table.columns.len()].join(", ");
        self.inserts
            .push(format!("INSERT INTO \"{}\" VALUES ({places})", table.name));
        self.database
            .set_prepared_statement_cache_capacity(self.inserts.len());
        Ok(())
    }

    fn row(&mut self, table: usize, cells: &[Cell<'_>]) -> io::Result<()> {
        let insert = self.database.prepare_cached(&self.inserts[table]);
        let mut insert = insert.map_err(other)?;
        insert.execute(params_from_iter(cells)).map_err(other)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let end = "COMMIT; PRAGMA synchronous = FULL";
        self.database.execute_batch(end).map_err(other)?;
        self.database.close().map_err(|(_, error)| other(error))
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Cell::Empty => Value::Null,
            Cell::Whole(number) => Value::Integer(*number),
            Cell::Real(number) => Value::Real(*number),
            Cell::Text(text) => {
                return Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())));
            }
            Cell::Instant(ns) => Value::Text(iso(*ns)),
        };
        Ok(ToSqlOutput::Owned(value))
    }
}
