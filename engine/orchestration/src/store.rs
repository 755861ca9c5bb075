//! The durable state of a coordinator: what it saved of itself, the orders it sent, the trades it scheduled.
//!
//! It lives outside the coordinator's host and survives its crashes. Every operation can fail as
//! the scenario says; what was done, or not, is told as an event. What it holds is in `tables`.

mod intent;
mod legs;
mod model;
mod record;
mod sqlite;
mod tables;
mod trouble;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use crate::Ctx;
use crate::config::{StoreConfig, StoreKind};
use crate::domain_event::{StateSaved, StoreFailed};
use crate::message::{Instant, Json, Name};

use model::Model;
use sqlite::Sqlite;
use tables::{Agenda, Committed, TableError, Tables, Write};
use trouble::Trouble;

pub use intent::Intent;
pub use legs::{LegStatus, StoredLeg};
pub use record::{Record, TaskRow};
pub use tables::Loss;
pub(crate) use trouble::KINDS as FAULTS;

/// The door of what really happened to a file. No plan names it: it opens when the file fails, and in a
/// replay when the log says so.
const DISK: &str = "store.disk";
/// The door of what a restart really found. Whoever looks does several things at once, and a log must say which of them failed.
pub(crate) const FOUND: &str = "store.disk-found";
/// The door of what really happened when the file was to be put back.
const PUT_BACK: &str = "store.disk-put-back";

/// The store did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no store.
    #[error("there is no store")]
    Absent,
    /// It does not work at the moment, or this operation failed.
    #[error("the store failed")]
    Failed,
}

/// What a coordinator that begins finds of an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What is saved of it, if anything is.
    pub record: Option<Value>,
    /// What of that, or of anything else, got lost.
    pub loss: Option<Loss>,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Rc<Inner>,
}

struct Inner {
    config: StoreConfig,
    tables: RefCell<Box<dyn Tables>>,
    failures: Failures,
    /// What the scenario says that it holds, where nothing was saved in its place.
    given: RefCell<Option<Value>>,
    /// Whether anything was ever written to it.
    used: Cell<bool>,
    agenda: Cell<Agenda>,
    insertions: Cell<u64>,
    trouble: Trouble,
}

/// What becomes of failures of the tables themselves. Those in memory do not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failures {
    /// They happen, and nobody replays them.
    Live,
    /// They go into the log.
    Recorded,
    /// They come from the log.
    Replayed,
}

impl Store {
    /// A store in memory, with what the scenario says it holds.
    pub fn new(config: StoreConfig) -> Store {
        let tables: Box<dyn Tables> = match config.kind {
            StoreKind::Sqlite => Box::new(Sqlite::in_memory()),
            StoreKind::Memory | StoreKind::None => Box::<Model>::default(),
        };
        Store::with(config, tables, Failures::Live)
    }

    /// The store of a run that its log tells all of; `place` is that of its file, if there is to be one. What a file does
    /// goes into the log, so a replay or a fork, which has none, meets the same.
    ///
    /// # Errors
    /// If there is a file already, or it cannot be made.
    pub(crate) fn of_run(
        config: StoreConfig,
        start_us: i64,
        place: Option<PathBuf>,
    ) -> Result<Store, String> {
        if let Some(path) = place {
            let tables = Sqlite::create(&path, start_us).map_err(|error| error.to_string())?;
            return Ok(Store::with(config, Box::new(tables), Failures::Recorded));
        }
        if config.path.is_some() {
            let tables = Box::<Model>::default();
            return Ok(Store::with(config, tables, Failures::Replayed));
        }
        Ok(Store::new(config))
    }

    /// The store in a file that may be there, for whoever lives and is not replayed. A new one is
    /// made only if there was none before.
    ///
    /// # Errors
    /// If the mark beside the file can be neither read nor made. What is wrong with the file itself
    /// is told when a coordinator begins.
    pub fn open(config: StoreConfig, path: &Path, start_us: i64) -> Result<Store, String> {
        let tables = Sqlite::open(path, start_us).map_err(|error| error.to_string())?;
        let store = Store::with(config, Box::new(tables), Failures::Live);
        store.inner.used.set(true);
        Ok(store)
    }

    fn with(config: StoreConfig, tables: Box<dyn Tables>, failures: Failures) -> Store {
        let given = config.saved.as_ref().map(|saved| saved.0.clone());
        let inner = Inner {
            used: Cell::new(given.is_some()),
            given: RefCell::new(given),
            config,
            tables: RefCell::new(tables),
            failures,
            agenda: Cell::default(),
            insertions: Cell::new(0),
            trouble: Trouble::default(),
        };
        Store {
            inner: Rc::new(inner),
        }
    }

    /// Whether there is one.
    pub fn exists(&self) -> bool {
        self.inner.config.kind != StoreKind::None
    }

    // The coordinator's own state.

    /// Replaces what is saved of the coordinator. The log tells it as `told` says, once it is saved.
    ///
    /// # Errors
    /// If it was not saved.
    pub fn save_state(
        &self,
        ctx: &Ctx,
        record: &Record,
        told: impl FnOnce() -> Value,
    ) -> Result<(), StoreError> {
        self.write(ctx, "save_state", false, Write::State(record))?;
        let record = Json(told());
        ctx.emit(StateSaved { record });
        self.acknowledge(ctx, "save_state")
    }

    /// What a coordinator that begins finds of an earlier one.
    ///
    /// # Errors
    /// If it could not be read.
    pub fn load_state(&self, ctx: &Ctx) -> Result<Found, StoreError> {
        self.reach(ctx, "load_state", false)?;
        let found = self.find(ctx);
        found.map_err(|_| self.tell_failure(ctx, "load_state"))
    }

    fn find(&self, ctx: &Ctx) -> Result<Found, TableError> {
        let loss = match self.decay(ctx)? {
            Some(loss) => Some(loss),
            None => match self.with_tables_at(FOUND, ctx, |tables| tables.check()) {
                Ok(()) => None,
                Err(TableError::Lost(loss)) => Some(loss),
                Err(error) => return Err(error),
            },
        };
        match loss {
            // It is not ours to touch.
            Some(Loss::Newer) => return Ok(Found { record: None, loss }),
            // What a file holds that somebody put back is not in the log.
            Some(Loss::RolledBack) if self.inner.failures == Failures::Live => {}
            None => {}
            Some(_) => {
                self.with_tables(ctx, |tables| tables.begin_anew())?;
                self.inner.given.take();
            }
        }
        let agenda = self.with_tables(ctx, |tables| tables.agenda())?;
        self.inner.agenda.set(agenda);
        let record = self.with_tables(ctx, |tables| tables.state())?;
        let record = record.map(|record| record.to_json());
        Ok(Found {
            record: record.or_else(|| self.inner.given.borrow().clone()),
            loss,
        })
    }

    // Orders.

    /// Notes that an order is about to be sent. Without a store nobody does.
    ///
    /// # Errors
    /// If it was not noted.
    pub fn record_intent(&self, ctx: &Ctx, intent: &Intent) -> Result<(), StoreError> {
        if !self.exists() {
            return Ok(());
        }
        self.write(ctx, "record_intent", false, Write::Intent(intent))?;
        self.acknowledge(ctx, "record_intent")
    }

    /// Notes how the order of an intent went.
    ///
    /// # Errors
    /// If it was not noted.
    pub fn settle_intent(&self, ctx: &Ctx, key: &str, outcome: &str) -> Result<(), StoreError> {
        if !self.exists() {
            return Ok(());
        }
        self.write(ctx, "settle_intent", false, Write::Outcome(key, outcome))?;
        self.acknowledge(ctx, "settle_intent")
    }

    /// The orders of which nobody noted how they went.
    ///
    /// # Errors
    /// If they could not be read.
    pub fn open_intents(&self, ctx: &Ctx) -> Result<Vec<Intent>, StoreError> {
        self.reach(ctx, "open_intents", false)?;
        let open = self.with_tables(ctx, |tables| tables.open_intents());
        open.map_err(|_| self.tell_failure(ctx, "open_intents"))
    }

    // Operations.

    /// Does a transaction, unless something is in its way.
    fn write(
        &self,
        ctx: &Ctx,
        operation: &'static str,
        fails: bool,
        write: Write<'_>,
    ) -> Result<Committed, StoreError> {
        self.reach(ctx, operation, fails)?;
        let committed = self.with_tables(ctx, |tables| tables.commit(write));
        let committed = committed.map_err(|_| self.tell_failure(ctx, operation))?;
        self.inner.used.set(true);
        self.inner.agenda.set(committed.agenda);
        Ok(committed)
    }

    /// Asks the tables. What really fails is an input of the run, and goes into its log.
    fn with_tables<T>(
        &self,
        ctx: &Ctx,
        act: impl FnOnce(&mut dyn Tables) -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        self.with_tables_at(DISK, ctx, act)
    }

    /// The same at a door of its own.
    fn with_tables_at<T>(
        &self,
        door: &'static str,
        ctx: &Ctx,
        act: impl FnOnce(&mut dyn Tables) -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        if self.inner.failures == Failures::Replayed
            && let Some(code) = ctx.real_fault(door, None)
        {
            return Err(TableError::from_code(code));
        }
        let done = {
            let mut tables = self.inner.tables.borrow_mut();
            act(tables.as_mut())
        };
        if let Err(error) = &done
            && self.inner.failures == Failures::Recorded
        {
            ctx.real_fault(door, Some(error.code()));
        }
        done
    }

    /// Whether the store does what it is asked now.
    fn reach(&self, ctx: &Ctx, operation: &'static str, fails: bool) -> Result<(), StoreError> {
        if !self.exists() {
            return Err(StoreError::Absent);
        }
        let now = Instant::from(ctx.now());
        let within = |[from, until]: &[f64; 2]| {
            (Instant::from_secs_f64(*from)..Instant::from_secs_f64(*until)).contains(&now)
        };
        let fails = fails || self.inner.config.down.iter().any(within);
        if fails || self.inner.trouble.strikes(ctx, operation) {
            return Err(self.tell_failure(ctx, operation));
        }
        Ok(())
    }

    fn tell_failure(&self, ctx: &Ctx, operation: &'static str) -> StoreError {
        ctx.emit(StoreFailed {
            operation: Name::fixed(operation),
        });
        StoreError::Failed
    }
}
