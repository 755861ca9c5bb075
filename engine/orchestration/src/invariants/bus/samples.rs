//! Events of the bus for the tests of its properties, all on one topic.

use std::rc::Rc;

use serde_json::json;

use crate::bus::subscriptions::SubscriberKey;
use crate::config::Config;
use crate::domain_event::{Delivered, HandlerFailed, Published, Subscribed, Unsubscribed};
use crate::message::{Draft, Instant, Message, MessageId, Payload, Span, Topic};

/// The configuration of the least scenario.
pub(in crate::invariants) fn config() -> Config {
    let least = json!({"symbols": ["BTC/USDT"], "market": {"source": "none"}});
    serde_json::from_value(least).expect("nothing else is required")
}

pub(in crate::invariants) const TOPIC: Topic = Topic::TaSignals;

pub(in crate::invariants) fn subscribed(subscriber: &str, label: Option<&str>) -> Subscribed {
    Subscribed {
        topic: TOPIC,
        subscriber: subscriber.into(),
        label: label.map(Into::into),
        replaced: Vec::new(),
    }
}

pub(super) fn key(subscriber: &str, label: Option<&str>) -> SubscriberKey {
    SubscriberKey {
        subscriber: subscriber.into(),
        label: label.map(Into::into),
    }
}

pub(super) fn unsubscribed(subscriber: &str, failures: Option<u32>) -> Unsubscribed {
    Unsubscribed {
        topic: TOPIC,
        subscriber: subscriber.into(),
        label: None,
        failures,
    }
}

pub(in crate::invariants) fn delivered(message: u64, subscriber: &str) -> Delivered {
    Delivered {
        message,
        subscriber: subscriber.into(),
        label: None,
        under_lock: false,
    }
}

pub(in crate::invariants) fn failed(message: u64, subscriber: &str) -> HandlerFailed {
    HandlerFailed {
        message,
        subscriber: subscriber.into(),
        label: None,
        error: "it fails".to_owned(),
    }
}

pub(in crate::invariants) fn published(number: u64, source: &str) -> Published {
    let payload = Payload::from_json(TOPIC, json!({}));
    let draft = Draft::new(TOPIC, source.into(), payload);
    let message = draft.stamp(MessageId::number(number), Instant::START);
    Published {
        message: Rc::new(message.expect("it names its source")),
        trimmed: 0,
    }
}

/// A message on a topic that says something about BTC/USDT, published so many seconds after the start.
pub(in crate::invariants) fn said(number: u64, topic: Topic, seconds: i64) -> Published {
    said_of(number, topic, seconds, "BTC/USDT")
}

/// The same about any symbol.
pub(in crate::invariants) fn said_of(
    number: u64,
    topic: Topic,
    seconds: i64,
    symbol: &str,
) -> Published {
    let json = json!({"symbol": symbol, "action": "BUY", "confidence": 0.5});
    let draft = Draft::new(topic, "agent".into(), Payload::from_json(topic, json));
    let at = Instant::START + Span::from_secs(seconds);
    let message: Message = draft
        .stamp(MessageId::number(number), at)
        .expect("it names its source");
    Published {
        message: Rc::new(message),
        trimmed: 0,
    }
}
