//! What happened on the message bus.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::bus::subscriptions::SubscriberKey;
use crate::message::{Message, Name, Payload, Topic};

/// A message entered the bus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The message; it never changes.
    pub message: Rc<Message>,
    /// How many of the oldest messages left the full history for it.
    pub trimmed: u32,
}

/// A handler is called with a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// The number of the message.
    pub message: u64,
    /// Whose handler.
    pub subscriber: Name,
    /// Which of its subscriptions.
    pub label: Option<Name>,
    /// Whether the delivering task holds the lock of the bus.
    pub under_lock: bool,
}

/// A handler raised an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandlerFailed {
    /// The number of the message.
    pub message: u64,
    /// Whose handler.
    pub subscriber: Name,
    /// Which of its subscriptions.
    pub label: Option<Name>,
    /// What it raised.
    pub error: String,
}

/// Somebody subscribed to a topic, and comes last in its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscribed {
    /// To what.
    pub topic: Topic,
    /// Who.
    pub subscriber: Name,
    /// Which of its subscriptions.
    pub label: Option<Name>,
    /// Whose subscriptions ended for it: what the same subscriber had under the same label.
    pub replaced: Vec<SubscriberKey>,
}

/// A subscription ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unsubscribed {
    /// To what.
    pub topic: Topic,
    /// Whose.
    pub subscriber: Name,
    /// Which of its subscriptions.
    pub label: Option<Name>,
    /// The failures that removed it; none if the subscriber asked for it.
    pub failures: Option<u32>,
}

/// Messages were dropped from the history, other than for want of room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryShrunk {
    /// How many.
    pub dropped: u64,
    /// Whether because they had expired; otherwise because somebody asked for it.
    pub expired: bool,
}

/// A message that is remembered was changed where it stands: whoever reads it from here on finds
/// something that nobody published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRewritten {
    /// The number of the message.
    pub message: u64,
    /// What it says now.
    pub payload: Payload,
}
