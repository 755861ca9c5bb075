//! The durable state of a coordinator: what it saved of itself, and the trades it scheduled.
//!
//! It lives outside the coordinator's host and survives its crashes. Every operation can fail as
//! the scenario says; what was done, or not, is told as an event.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use crate::Ctx;
use crate::config::{StoreConfig, StoreKind};
use crate::domain_event::{LegMarked, LegStored, StateSaved, StoreFailed};
use crate::message::{Instant, Json, Name};
use crate::rebalance::Leg;

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

/// How far a stored trade has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegStatus {
    /// It waits for its time.
    Pending,
    /// It is being sent; whether it arrived is not known.
    Sending,
    /// It was carried out.
    Executed,
    /// It was not.
    Failed,
}

impl LegStatus {
    /// The name that the store keeps.
    pub const fn name(self) -> &'static str {
        match self {
            LegStatus::Pending => "pending",
            LegStatus::Sending => "sending",
            LegStatus::Executed => "executed",
            LegStatus::Failed => "failed",
        }
    }
}

/// A scheduled trade as the store holds it.
#[derive(Clone, Debug)]
pub struct StoredLeg {
    /// Its number in the store, counted from 1.
    pub id: u64,
    /// The trade.
    pub leg: Leg,
    /// How far it has come.
    pub status: LegStatus,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Rc<Inner>,
}

struct Inner {
    config: StoreConfig,
    rows: RefCell<Rows>,
}

#[derive(Default)]
struct Rows {
    state: Option<Value>,
    legs: Vec<StoredLeg>,
    /// How many of the legs the log has told of.
    told: usize,
    insertions: u64,
    plans: u64,
}

impl Store {
    /// A store with what the scenario says it holds.
    pub fn new(config: StoreConfig) -> Store {
        let rows = Rows {
            state: config.saved.as_ref().map(|saved| saved.0.clone()),
            ..Rows::default()
        };
        let inner = Inner {
            config,
            rows: RefCell::new(rows),
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

    /// Replaces what is saved of the coordinator.
    ///
    /// # Errors
    /// If it was not saved.
    pub fn save_state(&self, ctx: &Ctx, record: Value) -> Result<(), StoreError> {
        self.reach(ctx, "save_state", false)?;
        self.inner.rows.borrow_mut().state = Some(record.clone());
        ctx.emit(StateSaved {
            record: Json(record),
        });
        Ok(())
    }

    /// What is saved of the coordinator, if anything is.
    ///
    /// # Errors
    /// If it could not be read.
    pub fn load_state(&self, ctx: &Ctx) -> Result<Option<Value>, StoreError> {
        self.reach(ctx, "load_state", false)?;
        Ok(self.inner.rows.borrow().state.clone())
    }

    // Scheduled trades.

    /// The number of a new plan. It goes on counting over crashes, whether there is a store or not:
    /// a plan that is made at the instant of a crash is another one than that before it.
    pub fn number_plan(&self) -> u64 {
        let mut rows = self.inner.rows.borrow_mut();
        rows.plans += 1;
        rows.plans
    }

    /// Stores one trade.
    ///
    /// # Errors
    /// If it was not stored.
    pub fn insert_leg(&self, ctx: &Ctx, leg: &Leg) -> Result<(), StoreError> {
        let fails = self.counts_as_failing();
        self.reach(ctx, "insert_leg", fails)?;
        self.put(leg);
        self.tell(ctx);
        Ok(())
    }

    /// Stores all of these trades or none. One that is there already, by its key, is left alone.
    ///
    /// # Errors
    /// If none was stored.
    pub fn insert_legs(&self, ctx: &Ctx, legs: &[Leg]) -> Result<(), StoreError> {
        let mut fails = false;
        for _ in legs {
            fails |= self.counts_as_failing();
        }
        self.reach(ctx, "insert_legs", fails)?;
        for leg in legs {
            let known = |row: &StoredLeg| row.leg.key == leg.key;
            if !self.inner.rows.borrow().legs.iter().any(known) {
                self.put(leg);
            }
        }
        self.tell(ctx);
        Ok(())
    }

    fn put(&self, leg: &Leg) {
        let mut rows = self.inner.rows.borrow_mut();
        let id = rows.legs.len() as u64 + 1;
        rows.legs.push(StoredLeg {
            id,
            leg: leg.clone(),
            status: LegStatus::Pending,
        });
    }

    /// Tells of the trades that were stored. A crash at one of these events ends the task that
    /// stored them, but not the transaction: whoever reaches the store next tells of the rest.
    fn tell(&self, ctx: &Ctx) {
        while let Some(StoredLeg { id, leg, .. }) = self.next_untold() {
            ctx.emit(LegStored {
                leg: id,
                key: leg.key,
                symbol: leg.trade.symbol.as_str().into(),
                side: Name::fixed(leg.trade.action.name()),
                amount_usd: leg.trade.amount_usd,
                batch_index: leg.trade.batch_index.into(),
                due: leg.due,
            });
        }
    }

    fn next_untold(&self) -> Option<StoredLeg> {
        let mut rows = self.inner.rows.borrow_mut();
        let next = rows.legs.get(rows.told).cloned()?;
        rows.told += 1;
        Some(next)
    }

    /// The pending trades that are due, by time and batch.
    ///
    /// # Errors
    /// If it could not be read.
    pub fn due_legs(&self, ctx: &Ctx) -> Result<Vec<StoredLeg>, StoreError> {
        let now = Instant::from(ctx.now());
        if self.next_due().is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        self.reach(ctx, "due_legs", self.inner.config.fetch_fail)?;
        let rows = self.inner.rows.borrow();
        let due = |row: &&StoredLeg| row.status == LegStatus::Pending && row.leg.due <= now;
        let mut due: Vec<StoredLeg> = rows.legs.iter().filter(due).cloned().collect();
        due.sort_by_key(|row| (row.leg.due, row.leg.trade.batch_index));
        Ok(due)
    }

    /// When the next pending trade is due.
    pub fn next_due(&self) -> Option<Instant> {
        let rows = self.inner.rows.borrow();
        let pending = rows
            .legs
            .iter()
            .filter(|row| row.status == LegStatus::Pending);
        pending.map(|row| row.leg.due).min()
    }

    /// Whether there are trades of which nobody noted what became of them.
    pub fn has_legs_under_way(&self) -> bool {
        let rows = self.inner.rows.borrow();
        rows.legs.iter().any(|row| row.status == LegStatus::Sending)
    }

    /// The trades of which nobody noted what became of them.
    ///
    /// # Errors
    /// If it could not be read.
    pub fn legs_under_way(&self, ctx: &Ctx) -> Result<Vec<StoredLeg>, StoreError> {
        self.reach(ctx, "legs_under_way", self.inner.config.fetch_fail)?;
        let rows = self.inner.rows.borrow();
        let sending = |row: &&StoredLeg| row.status == LegStatus::Sending;
        Ok(rows.legs.iter().filter(sending).cloned().collect())
    }

    /// Changes the status of a trade.
    ///
    /// # Errors
    /// If it was not changed.
    pub fn mark_leg(&self, ctx: &Ctx, id: u64, status: LegStatus) -> Result<(), StoreError> {
        self.reach(ctx, "mark_leg", self.inner.config.update_fail)?;
        if let Some(row) = self.inner.rows.borrow_mut().legs.get_mut(id as usize - 1) {
            row.status = status;
        }
        ctx.emit(LegMarked {
            leg: id,
            status: Name::fixed(status.name()),
        });
        Ok(())
    }

    /// Every stored trade, by number.
    pub fn legs(&self) -> Vec<StoredLeg> {
        self.inner.rows.borrow().legs.clone()
    }

    /// Counts an insertion, and says whether it is one that fails.
    fn counts_as_failing(&self) -> bool {
        let mut rows = self.inner.rows.borrow_mut();
        let number = rows.insertions;
        rows.insertions += 1;
        self.inner.config.insert_fail.contains(&number)
    }

    /// Whether the store does what it is asked now.
    fn reach(&self, ctx: &Ctx, operation: &'static str, fails: bool) -> Result<(), StoreError> {
        if !self.exists() {
            return Err(StoreError::Absent);
        }
        self.tell(ctx);
        let now = Instant::from(ctx.now());
        let within = |[from, until]: &[f64; 2]| {
            (Instant::from_secs_f64(*from)..Instant::from_secs_f64(*until)).contains(&now)
        };
        if fails || self.inner.config.down.iter().any(within) {
            ctx.emit(StoreFailed {
                operation: Name::fixed(operation),
            });
            return Err(StoreError::Failed);
        }
        Ok(())
    }
}
