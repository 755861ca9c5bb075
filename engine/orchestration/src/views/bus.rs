//! The bus, as people see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain_event::DomainEvent;
use crate::message::{Name, Topic};

/// The bus.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BusView {
    /// Messages by topic.
    pub published: BTreeMap<Topic, u64>,
    /// Calls of handlers.
    pub deliveries: u64,
    /// Errors that handlers raised.
    pub errors: u64,
    /// How many of them they raised before the bus began for the last time.
    pub earlier_errors: u64,
    /// Who is subscribed to what, in order.
    pub subscriptions: BTreeMap<Topic, Vec<Name>>,
    /// Messages in the history.
    pub history: u64,
}

impl BusView {
    /// What was in memory only is gone.
    pub(super) fn begin(&mut self) {
        self.history = 0;
        self.subscriptions.clear();
        self.earlier_errors = self.errors;
    }

    pub(super) fn apply(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::Published(published) => {
                *self.published.entry(published.message.topic).or_default() += 1;
                self.history = (self.history + 1).saturating_sub(published.trimmed.into());
            }
            DomainEvent::Delivered(_) => self.deliveries += 1,
            DomainEvent::HandlerFailed(_) => self.errors += 1,
            DomainEvent::Subscribed(subscribed) => {
                let name = shown(&subscribed.subscriber, subscribed.label.as_ref());
                let names = self.subscriptions.entry(subscribed.topic).or_default();
                for key in &subscribed.replaced {
                    let replaced = shown(&key.subscriber, key.label.as_ref());
                    names.retain(|known| *known != replaced);
                }
                names.push(name);
            }
            DomainEvent::Unsubscribed(ended) => {
                let name = shown(&ended.subscriber, ended.label.as_ref());
                if let Some(names) = self.subscriptions.get_mut(&ended.topic) {
                    names.retain(|known| *known != name);
                }
            }
            DomainEvent::HistoryShrunk(shrunk) => {
                self.history = self.history.saturating_sub(shrunk.dropped);
            }
            _ => {}
        }
    }
}

/// A subscription as people see it: whose it is, and which of theirs.
fn shown(subscriber: &Name, label: Option<&Name>) -> Name {
    match label {
        None => subscriber.clone(),
        Some(label) => Name::from(format!("{subscriber}:{label}")),
    }
}
