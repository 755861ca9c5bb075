//! The stored trades, and what is asked of them at every commit: whether there is one of a key, which is due
//! next, and whether any is under way. That takes no longer when there are many.

use std::collections::BTreeSet;

use crate::message::{Instant, Name};
use crate::rebalance::Leg;
use crate::store::tables::Agenda;
use crate::store::{LegStatus, StoredLeg};

/// The stored trades.
#[derive(Clone, Debug, Default)]
pub(super) struct Legs {
    /// By number.
    rows: Vec<StoredLeg>,
    /// The keys, each with the numbers of its trades.
    keys: BTreeSet<(Name, u64)>,
    /// The pending ones in the order in which they are due: time, batch, number.
    pending: BTreeSet<(Instant, u32, u64)>,
    /// The numbers of those that are under way.
    under_way: BTreeSet<u64>,
}

impl Legs {
    /// Stores a trade as pending; its number.
    pub(super) fn put(&mut self, leg: &Leg) -> u64 {
        let id = self.rows.last().map_or(0, |row| row.id) + 1;
        self.rows.push(StoredLeg {
            id,
            leg: leg.clone(),
            status: LegStatus::Pending,
        });
        self.keys.insert((leg.key.clone(), id));
        self.pending.insert((leg.due, leg.trade.batch_index, id));
        id
    }

    /// Whether there is a trade of that key.
    pub(super) fn has(&self, key: &Name) -> bool {
        let from = (key.clone(), 0);
        self.keys
            .range(from..)
            .next()
            .is_some_and(|at| at.0 == *key)
    }

    /// Notes how far a trade has come; how far it had come before. Nothing if there is none of that number.
    pub(super) fn mark(&mut self, id: u64, status: LegStatus) -> Option<LegStatus> {
        let at = self.place(id)?;
        self.set_down(at);
        let before = std::mem::replace(&mut self.rows[at].status, status);
        match status {
            LegStatus::Pending => drop(self.pending.insert(due(&self.rows[at]))),
            LegStatus::Sending => drop(self.under_way.insert(id)),
            LegStatus::Executed | LegStatus::Failed => {}
        }
        Some(before)
    }

    /// Takes a trade out again.
    pub(super) fn remove(&mut self, id: u64) {
        if let Some(at) = self.place(id) {
            self.set_down(at);
            let row = self.rows.remove(at);
            self.keys.remove(&(row.leg.key, id));
        }
    }

    /// All, by number.
    pub(super) fn all(&self) -> &[StoredLeg] {
        &self.rows
    }

    /// The pending ones that are due, by time, batch and number.
    pub(super) fn due_at(&self, now: Instant) -> impl Iterator<Item = &StoredLeg> {
        let due = self.pending.iter().take_while(move |at| at.0 <= now);
        due.filter_map(|at| self.row(at.2))
    }

    /// Those under way, by number.
    pub(super) fn under_way(&self) -> impl Iterator<Item = &StoredLeg> {
        self.under_way.iter().filter_map(|id| self.row(*id))
    }

    /// What is to be done next.
    pub(super) fn agenda(&self) -> Agenda {
        Agenda {
            next_due: self.pending.first().map(|at| at.0),
            under_way: !self.under_way.is_empty(),
        }
    }

    /// A trade is no longer what it was.
    fn set_down(&mut self, at: usize) {
        let row = &self.rows[at];
        self.pending.remove(&due(row));
        self.under_way.remove(&row.id);
    }

    fn row(&self, id: u64) -> Option<&StoredLeg> {
        self.rows.get(self.place(id)?)
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.id).ok()
    }
}

fn due(row: &StoredLeg) -> (Instant, u32, u64) {
    (row.leg.due, row.leg.trade.batch_index, row.id)
}
