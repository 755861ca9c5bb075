//! The stored trades, and what is asked of them at every commit: whether there is one of a key, and which are
//! still to be done. That takes no longer when many have been done.

use std::collections::BTreeSet;

use crate::message::Name;
use crate::rebalance::Leg;
use crate::store::{LegStatus, StoredLeg};

/// The stored trades.
#[derive(Clone, Debug, Default)]
pub(super) struct Legs {
    /// By number.
    rows: Vec<StoredLeg>,
    /// The keys, each with the numbers of its trades.
    keys: BTreeSet<(Name, u64)>,
    /// The numbers of those that are pending or under way.
    open: BTreeSet<u64>,
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
        self.open.insert(id);
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
        match status {
            LegStatus::Pending | LegStatus::Sending => self.open.insert(id),
            LegStatus::Executed | LegStatus::Failed => self.open.remove(&id),
        };
        Some(std::mem::replace(&mut self.rows[at].status, status))
    }

    /// Takes a trade out again.
    pub(super) fn remove(&mut self, id: u64) {
        if let Some(at) = self.place(id) {
            let row = self.rows.remove(at);
            self.keys.remove(&(row.leg.key, id));
            self.open.remove(&id);
        }
    }

    /// All, by number.
    pub(super) fn all(&self) -> &[StoredLeg] {
        &self.rows
    }

    /// Those that are pending or under way, by number.
    pub(super) fn open(&self) -> impl Iterator<Item = &StoredLeg> {
        self.open
            .iter()
            .filter_map(|id| self.rows.get(self.place(*id)?))
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.id).ok()
    }
}
