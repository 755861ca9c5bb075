//! What goes wrong at the store, as doors of the plan of faults: it is down, slow or full, fails in the
//! middle, leaves a commit unknown, comes back corrupt, older than it was, or not at all.

use std::cell::Cell;
use std::time::Duration;

use dacapo_kernel::{FaultKind, Time};

use super::tables::{Loss, TableError};
use super::{PUT_BACK, Store, StoreError};
use crate::Ctx;

/// The kinds of trouble. What a restart finds is asked for once, so what can strike there strikes often.
pub(crate) const KINDS: &[FaultKind] = &[
    FaultKind::door(
        "store.down",
        "nothing works",
        "for how long, in seconds",
        1,
        3_600,
        100,
    ),
    FaultKind::door(
        "store.slow",
        "whoever looks into it waits",
        "for how long, in milliseconds",
        1,
        30_000,
        100,
    ),
    FaultKind::door(
        "store.busy",
        "one operation fails because another holds the lock",
        "",
        0,
        0,
        200,
    ),
    FaultKind::door(
        "store.full",
        "nothing can be written",
        "for how long, in seconds",
        1,
        3_600,
        100,
    ),
    FaultKind::door("store.io-error", "one operation fails", "", 0, 0, 200),
    FaultKind::door(
        "store.read-only",
        "nothing can be written",
        "for how long, in seconds",
        1,
        3_600,
        50,
    ),
    FaultKind::door(
        "store.row",
        "one row of many cannot be inserted",
        "",
        0,
        0,
        150,
    ),
    FaultKind::door(
        "store.unknown-commit",
        "a write is done, and reported as failed",
        "",
        0,
        0,
        150,
    ),
    FaultKind::door(
        "store.corrupt",
        "what a restart finds of the store is garbage",
        "",
        0,
        0,
        400,
    ),
    FaultKind::door(
        "store.stale",
        "a restart finds the store as it was some commits ago",
        "how many commits",
        1,
        16,
        400,
    ),
    FaultKind::door(
        "store.gone",
        "a restart finds no store, although there was one",
        "",
        0,
        0,
        400,
    ),
];

/// The writes, which a store that is full or read-only does not do.
const WRITES: [&str; 6] = [
    "save_state",
    "insert_leg",
    "insert_legs",
    "mark_leg",
    "record_intent",
    "settle_intent",
];

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
        if !WRITES.contains(&operation) {
            return false;
        }
        for door in ["store.full", "store.read-only"] {
            begin(door, &self.unwritable_until);
        }
        now < self.unwritable_until.get()
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
            return Err(self.tell_failure(ctx, operation));
        }
        Ok(())
    }

    /// What a restart finds is not always what was written.
    pub(super) fn decay(&self, ctx: &Ctx) -> Result<Option<Loss>, TableError> {
        if let Some(commits) = ctx.fault("store.stale") {
            self.with_tables_at(PUT_BACK, ctx, |tables| tables.roll_back(commits))?;
        }
        // What never existed cannot get lost.
        if !self.inner.used.get() {
            return Ok(None);
        }
        let lost = [("store.corrupt", Loss::Corrupt), ("store.gone", Loss::Gone)];
        let lost = lost.into_iter().find(|(door, _)| ctx.buggify(door));
        Ok(lost.map(|(_, loss)| loss))
    }
}
