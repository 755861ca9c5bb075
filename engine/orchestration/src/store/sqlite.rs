//! The tables in SQLite: in memory in a simulation, in a file for a real run.
//!
//! Where a file fails, what was asked fails; who tries again, and when, is decided by whoever asked.

mod fault;
mod file;
mod risk;
mod rows;
mod schema;
mod seal;
mod settings;
mod values;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod samples;

use std::collections::VecDeque;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::serialize::{Data, OwnedData};
use rusqlite::types::Value;
use rusqlite::{Connection, MAIN_DB, OpenFlags, TransactionBehavior};

use super::intent::Intent;
use super::record::Record;
use super::tables::{Agenda, Committed, KEPT_COMMITS, Loss, TableError, Tables, Which, Write};
use super::{LegStatus, StoredLeg};
use crate::message::{Instant, Name};
use crate::rebalance::Leg;

use fault::{damaged, failed};
use file::StoreFile;

/// The name of a database that only its connection knows.
const IN_MEMORY: &str = ":memory:";

/// The tables in SQLite.
pub(super) struct Sqlite {
    place: Place,
    /// What the times of scheduled trades are counted from, in microseconds since 1970.
    start_us: i64,
    /// Opened when it is needed, and again when a coordinator begins.
    db: Option<Connection>,
    /// The tables before each of the last commits, the newest last, as the bytes of a database.
    before: VecDeque<OwnedData>,
    /// The number of the last commit that was made; none if the mark beside a file does not say.
    mark: Option<u64>,
}

#[derive(Debug)]
enum Place {
    /// Memory, under a name that SQLite knows it by.
    Memory(String),
    File(StoreFile),
}

/// How many statements are kept prepared: more than there are.
const STATEMENTS: usize = 64;

impl Sqlite {
    /// Tables in memory. Times are told from the start of the run.
    pub(super) fn in_memory() -> Sqlite {
        Sqlite::at(Place::Memory(IN_MEMORY.to_owned()), 0, Some(0))
    }

    /// Tables in a new file, for a run that begins `start_us` microseconds after 1970.
    ///
    /// # Errors
    /// If there is a file of that name, or its mark, already, or it cannot be made.
    pub(super) fn create(path: &Path, start_us: i64) -> Result<Sqlite, TableError> {
        let file = StoreFile::create(path)?;
        let mut tables = Sqlite::at(Place::File(file), start_us, Some(0));
        tables.db()?;
        Ok(tables)
    }

    /// Tables in a file that may be there: what is wrong with it is told when a coordinator begins.
    ///
    /// # Errors
    /// If its mark can be neither read nor made.
    pub(super) fn open(path: &Path, start_us: i64) -> Result<Sqlite, TableError> {
        let (file, mark) = StoreFile::open(path)?;
        Ok(Sqlite::at(Place::File(file), start_us, mark))
    }

    fn at(place: Place, start_us: i64, mark: Option<u64>) -> Sqlite {
        Sqlite {
            place,
            start_us,
            db: None,
            before: VecDeque::new(),
            mark,
        }
    }

    /// The connection; it is made if there is none.
    fn db(&mut self) -> Result<&mut Connection, TableError> {
        if self.db.is_none() {
            self.db = Some(self.connect()?);
        }
        self.db.as_mut().ok_or_else(damaged)
    }

    fn connect(&self) -> Result<Connection, TableError> {
        let usual = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let (mut db, in_memory) = match &self.place {
            Place::Memory(name) => {
                let flags = usual | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
                (Connection::open_with_flags(name, flags), name == IN_MEMORY)
            }
            Place::File(file) => {
                file.must_be_there()?;
                let flags = usual | OpenFlags::SQLITE_OPEN_NOFOLLOW;
                (Connection::open_with_flags(file.path(), flags), false)
            }
        }
        .and_opened()?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        if in_memory {
            settings::use_small_pages(&db)?;
        }
        settings::apply(&db, in_memory)?;
        schema::migrate(&mut db)?;
        Ok(db)
    }

    /// A copy of the tables as they are.
    fn copy(&mut self) -> Result<OwnedData, TableError> {
        match self.db()?.serialize(MAIN_DB).map_err(failed)? {
            Data::Owned(copy) => Ok(copy),
            // Only what was made of bytes lends them.
            Data::Shared(_) => Err(damaged()),
        }
    }

    fn number(&mut self) -> Result<u64, TableError> {
        let rows = seal::rows(self.db()?, "commits", "", &[])?;
        match rows.first().map(Vec::as_slice) {
            None => Ok(0),
            Some([_, Value::Integer(number)]) => u64::try_from(*number).map_err(|_| damaged()),
            Some(_) => Err(damaged()),
        }
    }

    /// A `BEGIN` that fails may have begun all the same, and what was begun holds the lock.
    fn leave_transaction(&mut self) {
        let left = self
            .db
            .as_ref()
            .is_none_or(|db| db.is_autocommit() || db.execute_batch("ROLLBACK").is_ok());
        if !left && matches!(self.place, Place::File(_)) {
            self.db = None;
        }
    }

    fn try_commit(
        &mut self,
        number: i64,
        write: Write<'_>,
        committed: &mut Committed,
    ) -> Result<(), TableError> {
        let start_us = self.start_us;
        let db = self.db()?;
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = transaction.map_err(failed)?;
        committed.stored = carry_out(&transaction, write, start_us)?;
        seal::put(
            &transaction,
            "commits",
            vec![Value::Integer(1), Value::Integer(number)],
        )?;
        committed.agenda = look_ahead(&transaction, start_us)?;
        transaction.commit().map_err(failed)
    }
}

/// What came of opening, with the kind of place that was opened.
trait Opened {
    fn and_opened(self) -> Result<(Connection, bool), TableError>;
}

impl Opened for (rusqlite::Result<Connection>, bool) {
    fn and_opened(self) -> Result<(Connection, bool), TableError> {
        Ok((self.0.map_err(failed)?, self.1))
    }
}

impl Tables for Sqlite {
    fn commit(&mut self, write: Write<'_>) -> Result<Committed, TableError> {
        let before = self.copy()?;
        let number = self.mark.unwrap_or(0) + 1;
        let signed = i64::try_from(number).map_err(|_| damaged())?;
        let mut committed = Committed::default();
        if let Err(error) = self.try_commit(signed, write, &mut committed) {
            self.leave_transaction();
            // An error in the middle of a commit does not say that nothing was committed.
            if self.number() != Ok(number) {
                return Err(error);
            }
        }
        self.mark = Some(number);
        if let Place::File(file) = &mut self.place {
            file.mark(number);
        }
        if self.before.len() == KEPT_COMMITS {
            self.before.pop_front();
        }
        self.before.push_back(before);
        Ok(committed)
    }

    fn check(&mut self) -> Result<(), TableError> {
        if matches!(self.place, Place::File(_)) {
            // Whatever happened to the file, this connection would not know.
            self.db = None;
        }
        let said = settings::read(self.db()?, "integrity_check")?;
        if said != "ok" {
            return Err(damaged());
        }
        let number = self.number()?;
        // Nobody can say that nothing is missing.
        let mark = *self.mark.get_or_insert(number + 1);
        Loss::by_number(number, mark)
    }

    fn state(&mut self) -> Result<Option<Record>, TableError> {
        let start_us = self.start_us;
        rows::record(self.db()?, start_us)
    }

    fn legs(&mut self, which: Which) -> Result<Vec<StoredLeg>, TableError> {
        let start_us = self.start_us;
        let db = self.db()?;
        let rows = match which {
            Which::All => seal::rows(db, "legs", "ORDER BY id", &[]),
            Which::UnderWay => seal::rows(db, "legs", "WHERE status = 'sending' ORDER BY id", &[]),
            Which::DueAt(now) => {
                let now = now.as_micros().saturating_add(start_us);
                let due =
                    "WHERE status = 'pending' AND due_us <= ?1 ORDER BY due_us, batch_index, id";
                seal::rows(db, "legs", due, &[&now])
            }
        }?;
        let leg = |row| Ok(rows::leg(row, start_us)?.0);
        rows.into_iter().map(leg).collect()
    }

    fn open_intents(&mut self) -> Result<Vec<Intent>, TableError> {
        let open = "WHERE outcome IS NULL ORDER BY key";
        let rows = seal::rows(self.db()?, "intents", open, &[])?;
        let intent = |row| Ok(rows::intent(row)?.0);
        rows.into_iter().map(intent).collect()
    }

    #[cfg(test)]
    fn outcome(&mut self, key: &str) -> Result<Option<Name>, TableError> {
        let found = intent_of(self.db()?, key)?;
        Ok(found.and_then(|(_, outcome)| outcome))
    }

    fn agenda(&mut self) -> Result<Agenda, TableError> {
        let start_us = self.start_us;
        look_ahead(self.db()?, start_us)
    }

    fn roll_back(&mut self, commits: u64) -> Result<(), TableError> {
        let mut oldest = None;
        for _ in 0..commits {
            match self.before.pop_back() {
                Some(before) => oldest = Some(before),
                None => break,
            }
        }
        let Some(oldest) = oldest else { return Ok(()) };
        let mut copy = Connection::open_in_memory().map_err(failed)?;
        copy.deserialize(MAIN_DB, oldest, true).map_err(failed)?;
        transfer(&copy, self.db()?)
    }

    fn begin_anew(&mut self) -> Result<(), TableError> {
        self.before.clear();
        match &self.place {
            Place::Memory(name) => {
                // One without a name ends with its connection.
                if name != IN_MEMORY {
                    let nothing = Connection::open_in_memory().map_err(failed)?;
                    transfer(&nothing, self.db()?)?;
                }
                self.db = None;
            }
            Place::File(file) => {
                self.db = None;
                file.put_aside()?;
                file.make()?;
            }
        }
        self.db()?;
        Ok(())
    }
}

/// Makes one database as another is.
fn transfer(from: &Connection, to: &mut Connection) -> Result<(), TableError> {
    let backup = Backup::new(from, to).map_err(failed)?;
    // All pages in one step: somebody else's lock is an error, and not to be waited for.
    match backup.step(-1).map_err(failed)? {
        StepResult::Done => Ok(()),
        other => Err(TableError::Failed(format!("the copy ended as {other:?}"))),
    }
}

/// Does the rows of a transaction, and says which trades are new.
fn carry_out(
    db: &Connection,
    write: Write<'_>,
    start_us: i64,
) -> Result<Vec<(usize, u64)>, TableError> {
    let mut stored = Vec::new();
    match write {
        Write::State(record) => rows::put_record(db, record, start_us)?,
        Write::Leg(leg) => stored.push((0, add_leg(db, leg, start_us)?)),
        Write::Legs(legs) => {
            for (place, leg) in legs.iter().enumerate() {
                if copies(db, leg)? == 0 {
                    stored.push((place, add_leg(db, leg, start_us)?));
                }
            }
        }
        Write::Mark(id, status) => {
            let id = i64::try_from(id).unwrap_or(i64::MAX);
            let found = seal::rows(db, "legs", "WHERE id = ?1", &[&id])?;
            if let Some(row) = found.into_iter().next() {
                let (mut row, copy) = rows::leg(row, start_us)?;
                row.status = status;
                seal::put(db, "legs", rows::leg_row(&row, copy, start_us))?;
            }
        }
        Write::Intent(intent) => seal::add(db, "intents", rows::intent_row(intent, None))?,
        Write::Outcome(key, outcome) => {
            if let Some((intent, _)) = intent_of(db, key)? {
                seal::put(db, "intents", rows::intent_row(&intent, Some(outcome)))?;
            }
        }
    }
    Ok(stored)
}

fn copies(db: &Connection, leg: &Leg) -> Result<i64, TableError> {
    let key = leg.key.as_str();
    let counted = db.query_row("SELECT count(*) FROM legs WHERE key = ?1", [key], |row| {
        row.get(0)
    });
    counted.map_err(failed)
}

fn add_leg(db: &Connection, leg: &Leg, start_us: i64) -> Result<u64, TableError> {
    let last = db.query_row("SELECT coalesce(max(id), 0) FROM legs", [], |row| {
        row.get::<_, i64>(0)
    });
    let id = u64::try_from(last.map_err(failed)?).map_err(|_| damaged())? + 1;
    let row = StoredLeg {
        id,
        leg: leg.clone(),
        status: LegStatus::Pending,
    };
    seal::add(db, "legs", rows::leg_row(&row, copies(db, leg)?, start_us))?;
    Ok(id)
}

fn intent_of(db: &Connection, key: &str) -> Result<Option<(Intent, Option<Name>)>, TableError> {
    let found = seal::rows(db, "intents", "WHERE key = ?1", &[&key])?;
    found.into_iter().next().map(rows::intent).transpose()
}

fn look_ahead(db: &Connection, start_us: i64) -> Result<Agenda, TableError> {
    let next = "SELECT min(due_us), \
                EXISTS (SELECT 1 FROM legs WHERE status = 'sending') \
                FROM legs WHERE status = 'pending'";
    let mut statement = db.prepare_cached(next).map_err(failed)?;
    let read = statement.query_row([], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, bool>(1)?))
    });
    let (next_due, under_way) = read.map_err(failed)?;
    let due = |due: i64| Instant::from_micros(due.saturating_sub(start_us));
    Ok(Agenda {
        next_due: next_due.map(due),
        under_way,
    })
}
