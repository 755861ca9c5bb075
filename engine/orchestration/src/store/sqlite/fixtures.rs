//! A store in a file, and what may have happened to it when a coordinator begins.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::coordinator::Statistics;
use crate::coordinator::state::RunState;

/// A folder with a store that has three commits.
struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        let fixture = Fixture {
            folder: tempfile::tempdir().expect("there is room for a folder"),
        };
        let mut tables = Sqlite::create(&fixture.path(), 0).expect("it is made");
        for runs in 1..=3 {
            tables
                .commit(Write::State(&record(runs)))
                .expect("it is saved");
        }
        fixture
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("run.store")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("run.store{ending}"))
    }

    fn open(&self) -> Sqlite {
        Sqlite::open(&self.path(), 0).expect("the mark can be read")
    }

    /// What a coordinator that begins is told.
    fn found(&self) -> Result<(), TableError> {
        self.open().check()
    }

    fn sql(&self, sql: &str) {
        let db = Connection::open(self.path()).expect("it is a database");
        db.execute_batch(sql).expect("it is changed");
    }
}

fn record(runs: u64) -> Record {
    Record {
        state: RunState::Running,
        halt: None,
        closing: false,
        pause: None,
        statistics: Statistics {
            total_task_runs: runs,
            ..Statistics::default()
        },
        tasks: Vec::new(),
        failures: None,
        risk: None,
        portfolio: Vec::new(),
    }
}

fn runs(tables: &mut Sqlite) -> Option<u64> {
    let record = tables.state().expect("it can be read");
    record.map(|record| record.statistics.total_task_runs)
}

/// Fails if a setting is left to how SQLite was compiled, or does not take in a file or in memory.
#[test]
fn the_settings_are_those_of_the_documentation() {
    let fixture = Fixture::new();
    for (mut tables, journal) in [(fixture.open(), "delete"), (Sqlite::in_memory(), "memory")] {
        let db = tables.db().expect("it opens");
        let expected = [
            ("journal_mode", journal),
            ("synchronous", "3"),
            ("trusted_schema", "0"),
            ("cell_size_check", "1"),
            ("foreign_keys", "1"),
            ("busy_timeout", "250"),
            ("user_version", "2"),
        ];
        for (pragma, value) in expected {
            assert_eq!(settings::read(db, pragma).as_deref(), Ok(value), "{pragma}");
        }
        let defensive = db.db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE);
        assert_eq!(defensive, Ok(true));
    }
}

/// Fails if a table loses its STRICT or a row its CHECKs.
#[test]
fn rows_that_make_no_sense_are_refused() {
    let mut tables = Sqlite::in_memory();
    let db = tables.db().expect("it opens");
    let seal = "x'0011223344556677'";
    for row in [
        format!("coordinator VALUES (2, 'running', NULL, 0, 0, 0, 0, 0, {seal})"),
        format!("coordinator VALUES (1, 'asleep', NULL, 0, 0, 0, 0, 0, {seal})"),
        format!("coordinator VALUES (1, 'running', NULL, 0, -1, 0, 0, 0, {seal})"),
        format!("coordinator VALUES (1, 'running', NULL, 0, 'many', 0, 0, 0, {seal})"),
        "coordinator VALUES (1, 'running', NULL, 0, 0, 0, 0, 0, x'00')".to_owned(),
        format!("task_runs VALUES (0, 'ta', 2, NULL, 0, NULL, {seal})"),
        format!("task_runs VALUES (0, 'ta', 1, NULL, 0, '2025-01-06', {seal})"),
        format!("degradation VALUES ('disk', 1, {seal})"),
        format!("portfolio VALUES ('', '1', {seal})"),
        format!(
            "legs VALUES (1, 'k', 0, 0, 'S', 'hold', '1', 'limit', 0, 0, NULL, 'pending', {seal})"
        ),
        format!("legs VALUES (1, 'k', 0, 0, 'S', 'buy', '1', 'limit', 0, 0, NULL, 'lost', {seal})"),
        format!("intents VALUES ('k', 'S', 'leg', NULL, {seal})"),
    ] {
        let refused = db.execute_batch(&format!("INSERT INTO {row}"));
        assert!(refused.is_err(), "{row}");
    }
    let twice = format!("INSERT INTO intents VALUES ('k', 'S', 'plan', NULL, {seal})");
    db.execute_batch(&twice).expect("it is new");
    assert!(db.execute_batch(&twice).is_err(), "a key is there once");
}

/// Fails if reopening loses or adds anything.
#[test]
fn a_store_that_nothing_happened_to_is_gone_on_from() {
    let fixture = Fixture::new();
    let mut tables = fixture.open();
    assert_eq!(tables.check(), Ok(()));
    assert_eq!(runs(&mut tables), Some(3));
    let private = |path: PathBuf| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
    };
    for path in [fixture.path(), fixture.beside(".mark")] {
        assert_eq!(private(path) & 0o777, 0o600);
    }
}

/// Fails if a lock is told as damage, or changes anything; the same operation works later.
#[test]
fn a_store_that_somebody_else_locks_fails_until_the_lock_is_released() {
    let fixture = Fixture::new();
    let other = Connection::open(fixture.path()).expect("it is a database");
    other.execute_batch("BEGIN EXCLUSIVE").expect("it is free");
    let mut tables = fixture.open();
    assert!(matches!(tables.check(), Err(TableError::Failed(_))));
    assert!(matches!(
        tables.commit(Write::State(&record(4))),
        Err(TableError::Failed(_))
    ));
    other.execute_batch("ROLLBACK").expect("it is held");
    assert_eq!((tables.check(), runs(&mut tables)), (Ok(()), Some(3)));
    assert!(tables.commit(Write::State(&record(4))).is_ok());
}

/// Fails if a write that cannot be done is told as done. Permissions do not hold everybody back, so
/// the connection is one that may only read, and in the place of the journal is a folder.
#[test]
fn a_store_that_cannot_be_written_is_still_read() {
    let fixture = Fixture::new();
    let mut tables = fixture.open();
    let only_reads = Connection::open_with_flags(fixture.path(), OpenFlags::SQLITE_OPEN_READ_ONLY);
    tables.db = Some(only_reads.expect("it is there"));
    assert!(matches!(
        tables.commit(Write::State(&record(4))),
        Err(TableError::Failed(_))
    ));
    assert_eq!(runs(&mut tables), Some(3));

    let mut tables = fixture.open();
    fs::create_dir(fixture.beside("-journal")).expect("there is none");
    assert!(matches!(
        tables.commit(Write::State(&record(4))),
        Err(TableError::Failed(_))
    ));
    fs::remove_dir(fixture.beside("-journal")).expect("it is empty");
    assert_eq!((tables.check(), runs(&mut tables)), (Ok(()), Some(3)));
    assert!(tables.commit(Write::State(&record(4))).is_ok());
}

/// Fails if a changed byte of a row, of a page, or of the whole file is read as if it were nothing.
#[test]
fn a_store_that_is_damaged_is_told_and_put_aside() {
    let corrupt: Result<(), TableError> = Err(Loss::Corrupt.into());
    let by_sql = [
        "UPDATE coordinator SET task_runs = 4",
        "UPDATE commits SET number = 9",
    ];
    for sql in by_sql {
        let fixture = Fixture::new();
        fixture.sql(sql);
        let mut tables = fixture.open();
        let found = tables.check().and_then(|()| tables.state().map(drop));
        assert_eq!(found, corrupt, "{sql}");
    }
    let whole = fs::read(Fixture::new().path()).expect("it is there");
    for (from, to) in [(0, 16), (0, 4_096), (4_096, 8_192), (0, whole.len())] {
        let fixture = Fixture::new();
        let mut bytes = fs::read(fixture.path()).expect("it is there");
        bytes[from..to].fill(0x5a);
        fs::write(fixture.path(), &bytes).expect("it is written");
        let mut tables = fixture.open();
        assert_eq!(tables.check(), corrupt, "{from}..{to}");
        tables.begin_anew().expect("it is put aside");
        let aside = fs::read(fixture.beside(".lost-1")).expect("it is kept");
        assert_eq!(aside, bytes);
        assert_eq!(runs(&mut tables), None);
        // Until something is committed, everybody who begins is told.
        assert_eq!(fixture.found(), Err(Loss::Gone.into()));
        tables.commit(Write::State(&record(9))).expect("it is new");
        assert_eq!(fixture.found(), Ok(()));
    }
}

/// Fails if a bit anywhere in the file can be flipped so that another record is read than was written.
/// Every one around the row is, and every 997th elsewhere; `PROPTEST_CASES=100000` has all of them tried.
#[test]
fn no_flipped_bit_changes_what_is_read() {
    let fixture = Fixture::new();
    let sound = fs::read(fixture.path()).expect("it is there");
    let row = sound.windows(7).rposition(|bytes| bytes == b"running");
    let row = row.expect("the row says that it runs") * 8;
    let all = proptest::test_runner::Config::default().cases >= 100_000;
    let elsewhere = (0..sound.len() * 8).step_by(if all { 1 } else { 997 });
    let mut noticed = 0;
    for at in (row - 200..row + 250).chain(elsewhere) {
        let mut bytes = sound.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        fs::write(fixture.path(), &bytes).expect("it is written");
        let mut tables = fixture.open();
        match tables.check().and_then(|()| tables.state()) {
            Ok(read) => assert_eq!(read, Some(record(3)), "bit {at}"),
            Err(_) => noticed += 1,
        }
    }
    assert!(noticed > 200, "{noticed} flips were noticed");
}

/// Fails if a store is made where there was one before.
#[test]
fn a_store_that_is_gone_is_not_made_anew_in_silence() {
    let fixture = Fixture::new();
    fs::remove_file(fixture.path()).expect("it is there");
    let mut tables = fixture.open();
    assert_eq!(tables.check(), Err(Loss::Gone.into()));
    assert_eq!(tables.state(), Err(Loss::Gone.into()));
    assert!(!fixture.path().exists(), "nobody asked for another");
    tables.begin_anew().expect("now somebody did");
    assert_eq!(fixture.found(), Err(Loss::Gone.into()));

    // An empty file in its place is no better.
    fs::write(fixture.path(), "").expect("it is written");
    assert_eq!(fixture.found(), Err(Loss::Gone.into()));
}

/// Fails if a copy from before the last commit is gone on from as if it were the last.
#[test]
fn a_store_that_was_put_back_is_told() {
    let fixture = Fixture::new();
    let older = fs::read(fixture.path()).expect("it is there");
    let mut tables = fixture.open();
    tables
        .commit(Write::State(&record(4)))
        .expect("it is saved");
    fs::write(fixture.path(), older).expect("it is written");
    let mut tables = fixture.open();
    assert_eq!(tables.check(), Err(Loss::RolledBack.into()));
    assert_eq!(runs(&mut tables), Some(3), "what it holds is still read");
    tables
        .commit(Write::State(&record(5)))
        .expect("it is saved");
    assert_eq!(fixture.found(), Ok(()));
}

/// Fails if a mark that says nothing is taken for one that says that nothing is missing.
#[test]
fn a_mark_that_says_nothing_proves_nothing() {
    for mark in ["", "soon", "99999999999999999999999999"] {
        let fixture = Fixture::new();
        fs::write(fixture.beside(".mark"), mark).expect("it is written");
        assert_eq!(fixture.found(), Err(Loss::RolledBack.into()), "{mark}");
    }
    // Without one there is nothing to hold the store against, and its own number counts.
    let fixture = Fixture::new();
    fs::remove_file(fixture.beside(".mark")).expect("it is there");
    assert_eq!(fixture.found(), Ok(()));
}

/// Fails if a file of an earlier version loses what it holds, or does not get the tables that it lacks.
#[test]
fn a_store_of_an_earlier_version_goes_on() {
    let fixture = Fixture::new();
    let before = fixture.open().state();
    assert!(matches!(before, Ok(Some(_))), "{before:?}");
    fixture.sql("DROP TABLE pause; DROP TABLE risk; DROP TABLE breakers; PRAGMA user_version = 1");
    let mut tables = fixture.open();
    assert_eq!(tables.check(), Ok(()));
    assert_eq!(tables.state(), before);
    let mut paused = record(9);
    paused.pause = Some(Name::fixed("pause"));
    assert!(tables.commit(Write::State(&paused)).is_ok());
    assert_eq!(fixture.open().state(), Ok(Some(paused)));
}

/// Fails if a file of a later version, or of another program, is read or changed.
#[test]
fn a_store_of_a_later_version_is_left_alone() {
    let fixture = Fixture::new();
    fixture.sql("PRAGMA user_version = 3");
    let before = fs::read(fixture.path()).expect("it is there");
    let mut tables = fixture.open();
    assert_eq!(tables.check(), Err(Loss::Newer.into()));
    assert!(tables.commit(Write::State(&record(4))).is_err());
    assert_eq!(fs::read(fixture.path()).expect("it is there"), before);

    let fixture = Fixture::new();
    fixture.sql("PRAGMA user_version = 0");
    assert_eq!(fixture.found(), Err(Loss::Corrupt.into()));
}

/// Fails if a run overwrites what is there, or follows a link to it.
#[test]
fn a_run_begins_with_a_new_file_only() {
    let fixture = Fixture::new();
    let refused = Sqlite::create(&fixture.path(), 0).err();
    let refused = refused.expect("it is there");
    assert!(refused.to_string().contains("exists"), "{refused}");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let link = folder.path().join("run.store");
    symlink(folder.path().join("target"), &link).expect("it is made");
    assert!(Sqlite::create(&link, 0).is_err());
    assert!(!folder.path().join("target").exists());
    let nowhere = folder.path().join("no/run.store");
    let refused = Sqlite::create(&nowhere, 0).err();
    let refused = refused.expect("there is no such folder");
    assert!(refused.to_string().contains("no/run.store"), "{refused}");
}
