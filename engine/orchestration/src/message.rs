//! What travels on the bus: messages, their topics, priorities and payloads.
//!
//! A [`Draft`] is what somebody wants to publish; it becomes a [`Message`] when it gets an id and a
//! time. Storing and delivering messages is the business of the bus.

pub(crate) mod closed_set;
pub mod codec;
mod field;
mod instant;
mod payload;
mod shape;
mod shapes;
mod topic;
mod vocabulary;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use dacapo_kernel::Name;
pub use field::{Field, Raised};
pub use instant::{Instant, Span, Ttl};
pub use payload::Payload;
pub(crate) use shape::text_of;
pub use shape::{Json, OrNull};
pub use shapes::*;
pub use topic::{Priority, Topic};
pub use vocabulary::*;

/// A message on the bus. Its content never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Which message of the run it is.
    pub id: MessageId,
    /// When it was created.
    pub timestamp: Instant,
    /// What it is about.
    pub topic: Topic,
    /// Who published it.
    pub source: Name,
    /// How urgent it is; delivery does not care.
    pub priority: Priority,
    /// What it says.
    pub payload: Payload,
    /// What ties it to other messages, if anything does.
    pub correlation_id: Option<Name>,
    /// How long it lives.
    pub ttl: Ttl,
}

impl Message {
    /// How old it is; negative if its timestamp lies in the future.
    pub fn age(&self, now: Instant) -> Span {
        now - self.timestamp
    }

    /// Whether it is strictly older than its time to live.
    pub fn is_expired(&self, now: Instant) -> bool {
        self.ttl.is_over(self.age(now))
    }

    /// Whether it may be published.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks: an empty source, then a time to live that is not above zero.
    pub fn validate(&self) -> Result<(), InvalidMessage> {
        validate(Some(self.topic), &self.source, self.ttl).map(|_| ())
    }
}

/// The id of a message: a number that the bus gave, or a text that came with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageId {
    number: u64,
    given: Option<Name>,
}

impl MessageId {
    /// The id of the message with this number.
    pub const fn number(number: u64) -> MessageId {
        MessageId {
            number,
            given: None,
        }
    }

    /// The number; 0 for an id that came with a message and is none.
    pub const fn as_number(&self) -> u64 {
        self.number
    }

    /// An id that came with a message. The text of a number is that number.
    pub fn given(text: &str) -> MessageId {
        let digits = text.strip_prefix("msg-").unwrap_or_default();
        let id = MessageId::number(digits.parse().unwrap_or(0));
        if id.to_string() == text {
            return id;
        }
        MessageId {
            number: 0,
            given: Some(text.into()),
        }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.given {
            Some(text) => f.write_str(text),
            None => write!(f, "msg-{}", self.number),
        }
    }
}

/// What somebody wants to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What it is about. Without a topic it is refused.
    pub topic: Option<Topic>,
    /// Who publishes it.
    pub source: Name,
    /// What it says.
    pub payload: Payload,
    /// How urgent it is.
    pub priority: Priority,
    /// How long it lives.
    pub ttl: Ttl,
    /// What ties it to other messages.
    pub correlation_id: Option<Name>,
}

impl Draft {
    /// A draft with normal priority, a life of 300 seconds and no correlation.
    pub fn new(topic: Topic, source: Name, payload: impl Into<Payload>) -> Draft {
        Draft {
            topic: Some(topic),
            source,
            payload: payload.into(),
            priority: Priority::Normal,
            ttl: Ttl::default(),
            correlation_id: None,
        }
    }

    /// The same with another priority.
    pub fn priority(self, priority: Priority) -> Draft {
        Draft { priority, ..self }
    }

    /// The same with another time to live.
    pub fn ttl(self, ttl: Ttl) -> Draft {
        Draft { ttl, ..self }
    }

    /// Turns it into a message.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks: no topic, an empty source, a time to live that is not above
    /// zero.
    pub fn stamp(self, id: MessageId, now: Instant) -> Result<Message, InvalidMessage> {
        let topic = validate(self.topic, &self.source, self.ttl)?;
        Ok(Message {
            id,
            timestamp: now,
            topic,
            source: self.source,
            priority: self.priority,
            payload: self.payload,
            correlation_id: self.correlation_id,
            ttl: self.ttl,
        })
    }
}

/// Why a message may not be published.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum InvalidMessage {
    /// It has no topic.
    #[error("message without a topic: name one of the ten topics")]
    NoTopic,
    /// Its source is the empty text.
    #[error("message without a source: say who publishes it")]
    NoSource,
    /// It would never be alive.
    #[error("time to live of {secs} s: it must be above 0")]
    BadTtl {
        /// The time to live in seconds.
        secs: f64,
    },
}

fn validate(topic: Option<Topic>, source: &str, ttl: Ttl) -> Result<Topic, InvalidMessage> {
    let topic = topic.ok_or(InvalidMessage::NoTopic)?;
    if source.is_empty() {
        return Err(InvalidMessage::NoSource);
    }
    if ttl.as_secs() <= 0.0 {
        return Err(InvalidMessage::BadTtl {
            secs: ttl.as_secs(),
        });
    }
    Ok(topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_number_is_the_number() {
        for id in [MessageId::number(0), MessageId::number(17)] {
            assert_eq!(MessageId::given(&id.to_string()), id);
        }
        for text in ["abc", "", "msg-", "msg-007", "msg--1"] {
            assert_eq!(MessageId::given(text).to_string(), text);
        }
    }
}
