//! What the bus remembers, and what it answers when asked.

use std::rc::Rc;

use dacapo_orchestration::bus::history::{Criteria, History, Listing};
use dacapo_orchestration::bus::subscriptions::{SubscriptionLimits, Subscriptions};
use dacapo_orchestration::defect::{Defect, Defects};
use dacapo_orchestration::message::{Field, Instant, Message, MessageId, Name, Span, Topic};
use serde_json::{Value, json};

use super::message::draft;
use crate::encoding::instant;

/// `bus_queries`, `bus_ttl_cleanup` and `bus_history_trim`. A message is known by the place of its publish among all.
pub(super) fn remember(input: &Value, defects: Defects) -> Value {
    let cap = input["max_history_size"].as_u64().expect("a size");
    let mut history = History::new(cap as usize);
    let subscriptions: Subscriptions<()> =
        Subscriptions::new(SubscriptionLimits::default(), defects);
    let mut published = 0;
    let operations = input["ops"].as_array().expect("a list").iter();
    let results = operations.map(|operation| {
        let now = instant(&operation["t"]);
        match operation["op"].as_str().expect("a name") {
            "publish" => {
                let id = MessageId::number(published);
                published += 1;
                let message = draft(operation).stamp(id, instant(&operation["timestamp"]));
                history.push(Rc::new(message.expect("it is valid")));
                json!({"delivered": 0})
            }
            "get_latest" => latest(&history, operation, now, defects),
            "get_history" => {
                let listing = Listing {
                    topic: topic(operation),
                    source: operation["source"].as_str().map(Name::from),
                    since: operation["since"].as_f64().map(Instant::from_secs_f64),
                    limit: operation["limit"].as_i64().expect("a number").max(0) as usize,
                };
                json!({"messages": indices(&history.list(&listing, now))})
            }
            "cleanup" => {
                let removed = history.clean_up(now);
                json!({"removed": removed, "history": indices(&history.all())})
            }
            "clear" => json!({"removed": history.clear(topic(operation))}),
            "dump" => json!({"history": indices(&history.all())}),
            "stats" => json!({"stats": {
                "total_published": published,
                "total_delivered": 0,
                "delivery_errors": 0,
                "history_size": history.len(),
                "subscriber_count": subscriptions.count(None),
                "topics_active": subscriptions.topics_active(),
            }}),
            other => panic!("unknown operation {other}"),
        }
    });
    json!({"results": results.collect::<Vec<_>>()})
}

fn latest(history: &History, operation: &Value, now: Instant, defects: Defects) -> Value {
    let filter = &operation["filter"];
    if !filter.is_null() && defects.has(Defect::NoSymbolFilter) {
        // The original has no such parameter; where nobody filters, it is not used.
        return json!({"unsupported": "filter"});
    }
    let criteria = Criteria {
        source: operation["source"].as_str().map(Name::from),
        max_age: operation["max_age_seconds"]
            .as_f64()
            .map(Span::from_secs_f64),
    };
    let topic = topic(operation).expect("a topic");
    let found = history.latest(topic, &criteria, now, |message| {
        let Some(key) = filter["key"].as_str() else {
            return true;
        };
        message
            .payload
            .field(key)
            .equals(Field::from(&filter["equals"]))
    });
    json!({"message": found.map(|message| index(message))})
}

fn topic(operation: &Value) -> Option<Topic> {
    let name = operation["topic"].as_str()?;
    Some(Topic::from_name(name).expect("a known topic"))
}

fn indices(messages: &[Rc<Message>]) -> Vec<u64> {
    messages.iter().map(|message| index(message)).collect()
}

fn index(message: &Message) -> u64 {
    let text = message.id.to_string();
    text.trim_start_matches("msg-").parse().expect("a number")
}
