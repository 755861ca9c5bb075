//! The scheduled trades of a store: storing them, finding those that are due, noting how far they have come.

use super::tables::{Committed, Which, Write};
use super::{Store, StoreError};
use crate::Ctx;
use crate::domain_event::{LegMarked, LegStored};
use crate::message::{Instant, Name};
use crate::rebalance::Leg;

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
    pub(super) const ALL: [LegStatus; 4] = [
        LegStatus::Pending,
        LegStatus::Sending,
        LegStatus::Executed,
        LegStatus::Failed,
    ];

    /// The name that the store keeps.
    pub const fn name(self) -> &'static str {
        match self {
            LegStatus::Pending => "pending",
            LegStatus::Sending => "sending",
            LegStatus::Executed => "executed",
            LegStatus::Failed => "failed",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<LegStatus> {
        LegStatus::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// A scheduled trade as the store holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLeg {
    /// Its number in the store, counted from 1.
    pub id: u64,
    /// The trade.
    pub leg: Leg,
    /// How far it has come.
    pub status: LegStatus,
}

impl Store {
    /// Stores one trade.
    ///
    /// # Errors
    /// If it was not stored.
    pub fn insert_leg(&self, ctx: &Ctx, leg: &Leg) -> Result<(), StoreError> {
        let fails = self.counts_as_failing();
        let fails = fails || self.row_fails(ctx);
        let committed = self.write(ctx, "insert_leg", fails, Write::Leg(leg))?;
        tell_stored(ctx, std::slice::from_ref(leg), &committed);
        self.acknowledge(ctx, "insert_leg")
    }

    /// Stores all of these trades or none. One that is there already, by its key, is left alone.
    ///
    /// # Errors
    /// If none was stored.
    pub fn insert_legs(&self, ctx: &Ctx, legs: &[Leg]) -> Result<(), StoreError> {
        let mut fails = false;
        for _ in legs {
            fails |= self.counts_as_failing() || self.row_fails(ctx);
        }
        let committed = self.write(ctx, "insert_legs", fails, Write::Legs(legs))?;
        // One transaction: a crash of whoever asks does not stop it midway.
        ctx.elsewhere(|| tell_stored(ctx, legs, &committed));
        self.acknowledge(ctx, "insert_legs")
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
        self.read_legs(ctx, "due_legs", Which::DueAt(now))
    }

    /// When the next pending trade is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.inner.agenda.get().next_due
    }

    /// Whether there are trades of which nobody noted what became of them.
    pub fn has_legs_under_way(&self) -> bool {
        self.inner.agenda.get().under_way
    }

    /// The trades of which nobody noted what became of them.
    ///
    /// # Errors
    /// If it could not be read.
    pub fn legs_under_way(&self, ctx: &Ctx) -> Result<Vec<StoredLeg>, StoreError> {
        self.read_legs(ctx, "legs_under_way", Which::UnderWay)
    }

    fn read_legs(
        &self,
        ctx: &Ctx,
        operation: &'static str,
        which: Which,
    ) -> Result<Vec<StoredLeg>, StoreError> {
        self.reach(ctx, operation, self.inner.config.fetch_fail)?;
        let legs = self.with_tables(ctx, |tables| tables.legs(which));
        legs.map_err(|_| self.tell_failure(ctx, operation))
    }

    /// Changes the status of a trade.
    ///
    /// # Errors
    /// If it was not changed.
    pub fn mark_leg(&self, ctx: &Ctx, id: u64, status: LegStatus) -> Result<(), StoreError> {
        let fails = self.inner.config.update_fail;
        self.write(ctx, "mark_leg", fails, Write::Mark(id, status))?;
        ctx.emit(LegMarked {
            leg: id,
            status: Name::fixed(status.name()),
        });
        self.acknowledge(ctx, "mark_leg")
    }

    /// Every stored trade, by number; none where they cannot be read.
    pub fn legs(&self) -> Vec<StoredLeg> {
        let legs = self.inner.tables.borrow_mut().legs(Which::All);
        legs.unwrap_or_default()
    }

    /// Counts an insertion, and says whether it is one that fails.
    fn counts_as_failing(&self) -> bool {
        let number = self.inner.insertions.get();
        self.inner.insertions.set(number + 1);
        self.inner.config.insert_fail.contains(&number)
    }
}

/// Tells of the trades that are new in the store.
fn tell_stored(ctx: &Ctx, legs: &[Leg], committed: &Committed) {
    for (place, id) in &committed.stored {
        let leg = &legs[*place];
        ctx.emit(LegStored {
            leg: *id,
            key: leg.key.clone(),
            symbol: leg.trade.symbol.as_str().into(),
            side: Name::fixed(leg.trade.action.name()),
            amount_usd: leg.trade.amount_usd,
            batch_index: leg.trade.batch_index.into(),
            due: leg.due,
        });
    }
}
