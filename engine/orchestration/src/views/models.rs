//! The language models, as people see them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::entry;
use crate::domain_event::DomainEvent;
use crate::message::Name;

/// The language models.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelView {
    /// How often each was asked.
    pub asked: BTreeMap<Name, u64>,
    /// How often any replied.
    pub replied: u64,
    /// How often any failed.
    pub failed: u64,
}

impl ModelView {
    pub(super) fn apply(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::ModelAsked(asked) => *entry(&mut self.asked, &asked.model) += 1,
            DomainEvent::ModelAnswered(answered) if answered.reply.said().is_ok() => {
                self.replied += 1;
            }
            DomainEvent::ModelAnswered(_) => self.failed += 1,
            _ => {}
        }
    }
}
