//! What survives a crash, as people see it.

use std::collections::BTreeMap;

use dacapo_kernel::Time;
use serde::{Deserialize, Serialize};

use super::entry;
use crate::domain_event::DomainEvent;
use crate::message::Name;

/// What survives a crash.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreView {
    /// How often the state of the coordinator was saved.
    pub saves: u64,
    /// When it last was.
    pub last_save_ns: Option<Time>,
    /// Scheduled trades by status.
    pub legs: BTreeMap<Name, u64>,
    /// The status of each scheduled trade that is not finished, by number.
    pub open_legs: BTreeMap<u64, Name>,
    /// What failed, by operation.
    pub failures: BTreeMap<Name, u64>,
}

impl StoreView {
    pub(super) fn apply(&mut self, time: Time, event: &DomainEvent) {
        match event {
            DomainEvent::StateSaved(_) => {
                self.saves += 1;
                self.last_save_ns = Some(time);
            }
            DomainEvent::LegStored(stored) => self.mark(stored.leg, &Name::fixed("pending")),
            DomainEvent::LegMarked(marked) => self.mark(marked.leg, &marked.status),
            DomainEvent::StoreFailed(failed) => {
                *entry(&mut self.failures, &failed.operation) += 1;
            }
            _ => {}
        }
    }

    fn mark(&mut self, leg: u64, status: &Name) {
        if let Some(before) = self.open_legs.remove(&leg) {
            let count = entry(&mut self.legs, &before);
            *count = count.saturating_sub(1);
        }
        *entry(&mut self.legs, status) += 1;
        if matches!(status.as_str(), "pending" | "sending") {
            self.open_legs.insert(leg, status.clone());
        }
    }
}
