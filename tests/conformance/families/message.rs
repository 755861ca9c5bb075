//! Validation at publish time, and messages as JSON.

use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::message::codec::{self, DecodeError, Epoch};
use dacapo_orchestration::message::{
    Draft, Instant, InvalidMessage, MessageId, Payload, Priority, Topic, Ttl,
};
use serde_json::{Value, json};

use crate::encoding::{T0_US, instant};

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

/// `message_validation`.
pub(super) fn validation(input: &Value, _: Defects) -> Value {
    match draft(input).stamp(MessageId::number(0), Instant::START) {
        Ok(message) => {
            assert_eq!(message.validate(), Ok(()));
            json!({"ok": true, "delivered": 0, "history_size": 1})
        }
        Err(error) => {
            let code = match error {
                InvalidMessage::NoTopic => "no_topic",
                InvalidMessage::NoSource => "no_source",
                InvalidMessage::BadTtl { .. } => "bad_ttl",
            };
            json!({"ok": false, "error": code, "history_size": 0, "total_published": 0})
        }
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
