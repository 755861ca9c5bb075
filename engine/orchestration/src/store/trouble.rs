//! What goes wrong at the store, as doors of the plan of faults: it is down, slow or full, fails in the
//! middle, leaves a commit unknown, comes back corrupt or older than it was.

use std::cell::Cell;
use std::time::Duration;

use dacapo_kernel::{FaultKind, Time};
use serde_json::Value;

use super::{LegStatus, Rows, Store, StoreError};
use crate::Ctx;
use crate::domain_event::StoreFailed;
use crate::faults::door;
use crate::message::Name;

/// The kinds of trouble.
pub(crate) const KINDS: &[FaultKind] = &[
    door(
        "store.down",
        "nothing works",
        "for how long, in seconds",
        1,
        3_600,
        100,
    ),
    door(
        "store.slow",
        "whoever looks into it waits",
        "for how long, in milliseconds",
        1,
        30_000,
        100,
    ),
    door(
        "store.busy",
        "one operation fails because another holds the lock",
        "",
        0,
        0,
        200,
    ),
    door(
        "store.full",
        "nothing can be written",
        "for how long, in seconds",
        1,
        3_600,
        100,
    ),
    door("store.io-error", "one operation fails", "", 0, 0, 200),
    door(
        "store.read-only",
        "nothing can be written",
        "for how long, in seconds",
        1,
        3_600,
        50,
    ),
    door(
        "store.row",
        "one row of many cannot be inserted",
        "",
        0,
        0,
        150,
    ),
    door(
        "store.unknown-commit",
        "a write is done, and reported as failed",
        "",
        0,
        0,
        150,
    ),
    door(
        "store.corrupt",
        "what a restart reads of the coordinator is garbage",
        "",
        0,
        0,
        50,
    ),
    door(
        "store.stale",
        "a restart finds the store as it was some commits ago",
        "how many commits",
        1,
        16,
        50,
    ),
];

/// How many commits can be taken back.
const UNDO_MOST: usize = 16;

/// How one commit is taken back.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    /// The state was this.
    State(Option<Value>),
    /// This trade was not there.
    Leg(u64),
    /// This trade had this status.
    Status(u64, LegStatus),
}

/// Until when the store does not do what it should.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    down_until: Cell<Time>,
    unwritable_until: Cell<Time>,
}

impl Trouble {
    /// Whether an operation fails now.
    pub(super) fn strikes(&self, ctx: &Ctx, operation: &str) -> bool {
        let now = ctx.now();
        let begin = |door: &'static str, until: &Cell<Time>| {
            if let Some(end) = ctx.lasting_fault(door) {
                until.set(until.get().max(end));
            }
        };
        begin("store.down", &self.down_until);
        if now < self.down_until.get() {
            return true;
        }
        if ctx.buggify("store.busy") || ctx.buggify("store.io-error") {
            return true;
        }
        let writes = matches!(
            operation,
            "save_state" | "insert_leg" | "insert_legs" | "mark_leg"
        );
        if !writes {
            return false;
        }
        for door in ["store.full", "store.read-only"] {
            begin(door, &self.unwritable_until);
        }
        now < self.unwritable_until.get()
    }
}

impl Rows {
    /// Notes how to take back what was just done.
    pub(super) fn commit(&mut self, undo: Undo) {
        if self.undo.len() == UNDO_MOST {
            self.undo.remove(0);
        }
        self.undo.push(undo);
    }

    fn roll_back(&mut self, commits: u64) {
        for _ in 0..commits {
            match self.undo.pop() {
                None => return,
                Some(Undo::State(before)) => self.state = before,
                Some(Undo::Leg(id)) => self.legs.retain(|row| row.id != id),
                Some(Undo::Status(id, before)) => {
                    if let Some(row) = self.legs.iter_mut().find(|row| row.id == id) {
                        row.status = before;
                    }
                }
            }
        }
    }
}

impl Store {
    /// Waits for as long as the store is slow.
    pub async fn wait_for(&self, ctx: &Ctx) {
        if self.exists()
            && let Some(millis) = ctx.fault("store.slow")
        {
            ctx.sleep(Duration::from_millis(millis)).await;
        }
    }

    pub(super) fn row_fails(&self, ctx: &Ctx) -> bool {
        self.exists() && ctx.buggify("store.row")
    }

    /// The answer to a write that was done: it may be lost.
    pub(super) fn acknowledge(&self, ctx: &Ctx, operation: &'static str) -> Result<(), StoreError> {
        if ctx.buggify("store.unknown-commit") {
            ctx.emit(StoreFailed {
                operation: Name::fixed(operation),
            });
            return Err(StoreError::Failed);
        }
        Ok(())
    }

    /// What a restart finds is not always what was written.
    pub(super) fn decay(&self, ctx: &Ctx) {
        if let Some(commits) = ctx.fault("store.stale") {
            self.inner.rows.borrow_mut().roll_back(commits);
        }
        if self.inner.rows.borrow().state.is_some() && ctx.buggify("store.corrupt") {
            let garbage = Value::from("SQLite format 3, or what is left of it");
            self.inner.rows.borrow_mut().state = Some(garbage);
        }
    }
}
