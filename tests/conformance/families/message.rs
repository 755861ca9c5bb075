//! Validation at publish time, and messages as JSON.

use std::rc::Rc;

use dacapo_orchestration::Ctx;
use dacapo_orchestration::bus::Bus;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::message::codec::{self, DecodeError, Epoch};
use dacapo_orchestration::message::{
    Draft, InvalidMessage, MessageId, Payload, Priority, Topic, Ttl,
};
use serde_json::{Value, json};

use crate::encoding::{T0_US, instant};
use crate::stage;

/// Where every case begins.
const EPOCH: Epoch = Epoch::from_micros(T0_US);

/// A draft from a recorded publish; the fields are those of the original's message.
pub(super) fn draft(input: &Value) -> Draft {
    let topic = input["topic"].as_str().and_then(Topic::from_name);
    let payload = input["payload"].clone();
    Draft {
        topic,
        source: input["source"].as_str().expect("a source").into(),
        payload: match topic {
            Some(topic) => Payload::from_json(topic, payload),
            None => Payload::Raw(payload),
        },
        priority: input["priority"]
            .as_str()
            .and_then(Priority::from_name)
            .unwrap_or(Priority::Normal),
        ttl: Ttl::from_secs(input["ttl_seconds"].as_f64().expect("a number")),
        correlation_id: None,
    }
}

/// `message_validation`: what a bus without subscribers makes of a publish.
pub(super) fn validation(input: &Value, defects: Defects) -> Value {
    let config = stage::config(json!({}));
    let (draft, bus_config) = (draft(input), config.message_bus.clone());
    let play = move |ctx: Ctx| async move {
        let bus = Bus::new(&ctx, &bus_config, Rc::default(), defects);
        let published = bus.publish(&ctx, draft).await;
        let stats = bus.statistics();
        let history_size = stats.history_size;
        match published {
            Ok(delivered) => {
                json!({"ok": true, "delivered": delivered, "history_size": history_size})
            }
            Err(error) => json!({
                "ok": false,
                "error": code(&error),
                "history_size": history_size,
                "total_published": stats.total_published,
            }),
        }
    };
    stage::play(&config, defects, play).returned
}

fn code(error: &InvalidMessage) -> &'static str {
    match error {
        InvalidMessage::NoTopic => "no_topic",
        InvalidMessage::NoSource => "no_source",
        InvalidMessage::BadTtl { .. } => "bad_ttl",
    }
}

/// `message_codec`.
pub(super) fn codec(input: &Value, _: Defects) -> Value {
    let now = instant(&input["now"]);
    let fresh = MessageId::given("<generated>");
    match codec::decode(&input["dict"], now, EPOCH, fresh) {
        Ok(decoded) => {
            json!({"message": codec::encode(&decoded.message, decoded.zone, EPOCH)})
        }
        Err(DecodeError::MissingField { field }) => {
            json!({"error": "missing_field", "field": field})
        }
        Err(DecodeError::InvalidValue { .. }) => json!({"error": "invalid_value"}),
    }
}
