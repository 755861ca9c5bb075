//! The tables in SQL, and how a file of an earlier version gets them.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::{damaged, failed};
use crate::store::tables::{Loss, TableError};

/// What each version adds to the one before it; a file of version `n` has had the first `n`.
///
/// Every row ends with a seal over its values, since SQLite has no checksums: see [`seal`](super::seal).
const MIGRATIONS: [&str; 2] = [
    "
CREATE TABLE commits (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL CHECK (number >= 0),
    seal BLOB NOT NULL CHECK (length(seal) = 8)
) STRICT;
CREATE TABLE coordinator (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'halted')),
    halt TEXT,
    closing INTEGER NOT NULL CHECK (closing IN (0, 1)),
    task_runs INTEGER NOT NULL CHECK (task_runs >= 0),
    conflicts_detected INTEGER NOT NULL CHECK (conflicts_detected >= 0),
    conflicts_resolved INTEGER NOT NULL CHECK (conflicts_resolved >= 0),
    trades_routed INTEGER NOT NULL CHECK (trades_routed >= 0),
    seal BLOB NOT NULL CHECK (length(seal) = 8)
) STRICT;
CREATE TABLE task_runs (
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    task TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    last_run TEXT,
    under_way INTEGER NOT NULL CHECK (under_way IN (0, 1)),
    started TEXT,
    seal BLOB NOT NULL CHECK (length(seal) = 8),
    CHECK (under_way = 1 OR started IS NULL)
) STRICT;
CREATE TABLE degradation (
    kind TEXT PRIMARY KEY CHECK (kind IN ('llm', 'api')),
    failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    seal BLOB NOT NULL CHECK (length(seal) = 8)
) STRICT;
CREATE TABLE portfolio (
    asset TEXT PRIMARY KEY CHECK (asset <> ''),
    amount TEXT NOT NULL CHECK (amount <> ''),
    seal BLOB NOT NULL CHECK (length(seal) = 8)
) STRICT;
CREATE TABLE legs (
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    key TEXT NOT NULL CHECK (key <> ''),
    copy INTEGER NOT NULL CHECK (copy >= 0),
    due_us INTEGER NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    amount_usd TEXT NOT NULL CHECK (amount_usd <> ''),
    execution_type TEXT NOT NULL,
    priority INTEGER NOT NULL,
    batch_index INTEGER NOT NULL CHECK (batch_index BETWEEN 0 AND 4294967295),
    offset_s INTEGER,
    status TEXT NOT NULL CHECK (status IN ('pending', 'sending', 'executed', 'failed')),
    seal BLOB NOT NULL CHECK (length(seal) = 8),
    UNIQUE (key, copy)
) STRICT;
CREATE INDEX legs_to_do ON legs (status, due_us, batch_index);
CREATE TABLE intents (
    key TEXT PRIMARY KEY CHECK (key <> ''),
    symbol TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('signal', 'plan')),
    outcome TEXT CHECK (outcome <> ''),
    seal BLOB NOT NULL CHECK (length(seal) = 8)
) STRICT;
CREATE INDEX intents_open ON intents (key) WHERE outcome IS NULL;
",
    "
CREATE TABLE pause (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    reason TEXT NOT NULL,
    seal BLOB NOT NULL CHECK (length(seal) = 8)
) STRICT;
CREATE TABLE risk (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    closings INTEGER NOT NULL CHECK (closings >= 0),
    peak_equity TEXT NOT NULL CHECK (peak_equity <> ''),
    losses INTEGER NOT NULL CHECK (losses BETWEEN 0 AND 4294967295),
    wins INTEGER NOT NULL CHECK (wins BETWEEN 0 AND 4294967295),
    trades_today INTEGER NOT NULL CHECK (trades_today BETWEEN 0 AND 4294967295),
    cooldown_until_us INTEGER,
    cooldown_reason TEXT NOT NULL,
    volatility_spike INTEGER NOT NULL CHECK (volatility_spike IN (0, 1)),
    daily_reset_us INTEGER,
    weekly_reset_us INTEGER,
    day INTEGER NOT NULL,
    day_start TEXT CHECK (day_start <> ''),
    week INTEGER NOT NULL,
    week_start TEXT CHECK (week_start <> ''),
    seal BLOB NOT NULL CHECK (length(seal) = 8)
) STRICT;
CREATE TABLE breakers (
    breaker TEXT PRIMARY KEY CHECK (breaker IN ('daily_loss', 'weekly_loss', 'max_drawdown')),
    seal BLOB NOT NULL CHECK (length(seal) = 8)
) STRICT;
",
];

/// The version that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings the tables to this program's version, in one transaction.
///
/// # Errors
/// If they are of a later version, or not ours, or it could not be done.
pub(super) fn migrate(db: &mut Connection) -> Result<(), TableError> {
    let version = version(db)?;
    if version > VERSION {
        return Err(Loss::Newer.into());
    }
    let done = usize::try_from(version).map_err(|_| damaged())?;
    if done == 0 && !is_empty(db)? {
        return Err(damaged());
    }
    let missing = &MIGRATIONS[done..];
    if missing.is_empty() {
        return Ok(());
    }
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate);
    let change = change.map_err(failed)?;
    for migration in missing {
        change.execute_batch(migration).map_err(failed)?;
    }
    change
        .pragma_update(None, "user_version", VERSION)
        .map_err(failed)?;
    change.commit().map_err(failed)
}

fn version(db: &Connection) -> Result<i64, TableError> {
    let read = db.query_row("PRAGMA user_version", [], |row| row.get(0));
    read.map_err(failed)
}

fn is_empty(db: &Connection) -> Result<bool, TableError> {
    let read = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
        row.get::<_, i64>(0)
    });
    Ok(read.map_err(failed)? == 0)
}
