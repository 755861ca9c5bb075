//! The language models, as people see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry;
use crate::domain_event::{DomainEvent, ModelReply};
use crate::message::Name;

/// The language models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelView {
    /// How often each was asked.
    pub asked: BTreeMap<Name, u64>,
    /// How often any replied.
    pub replied: u64,
    /// How often any failed.
    pub failed: u64,
    /// How often a reply was that of an earlier recording, by why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reused: BTreeMap<String, u64>,
}

impl ModelView {
    pub(super) fn apply(&mut self, event: &DomainEvent) {
        if let DomainEvent::ModelAnswered(answered) = event
            && let ModelReply::Live(live) = &answered.reply
            && let Some(why) = &live.reused
        {
            *self.reused.entry(why.clone()).or_default() += 1;
        }
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
