//! The content of a message: one of the known shapes, or raw JSON where none fits.
//!
//! Readers use [`Payload::field`], which does not tell the two apart, so that what the
//! simulated code does with an unexpected field is decided in one place, the reader. In the log a
//! payload is a kind number and its fields; raw JSON is kept as its text.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::field::Field;
use super::shape::{Json, Shape, text_of};
use super::shapes::*;
use super::topic::Topic;

/// The kind number of raw JSON.
const RAW: u16 = 0;

macro_rules! payloads {
    ($($kind:literal $topic:ident $Shape:ident,)*) => {
        /// The content of a message.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Payload {
            /// JSON that fits no known shape of its topic.
            Raw(Value),
            $(
                #[doc = concat!("See [`", stringify!($Shape), "`].")]
                $Shape($Shape),
            )*
        }

        $(impl From<$Shape> for Payload {
            fn from(shape: $Shape) -> Payload {
                Payload::$Shape(shape)
            }
        })*

        impl Payload {
            /// The payload that JSON published on `topic` is: the first shape of the topic that it
            /// fits exactly, or else raw.
            pub fn from_json(topic: Topic, json: Value) -> Payload {
                Payload::shaped(topic, &json).unwrap_or(Payload::Raw(json))
            }

            /// The same of JSON that stays where it is.
            pub fn read(topic: Topic, json: &Value) -> Payload {
                Payload::shaped(topic, json).unwrap_or_else(|| Payload::Raw(json.clone()))
            }

            fn shaped(topic: Topic, json: &Value) -> Option<Payload> {
                let object = json.as_object()?;
                $(if topic == Topic::$topic && let Some(shape) = $Shape::read(object) {
                    return Some(Payload::$Shape(shape));
                })*
                None
            }

            /// The JSON that the payload is.
            pub fn to_json(&self) -> Value {
                match self {
                    Payload::Raw(json) => json.clone(),
                    $(Payload::$Shape(shape) => Value::Object(shape.to_object()),)*
                }
            }

            /// The field of that name. Raw JSON that is not an object has none.
            pub fn field(&self, name: &str) -> Field<'_> {
                match self {
                    Payload::Raw(json) => json.get(name).into(),
                    $(Payload::$Shape(shape) => shape.field(name),)*
                }
            }

            /// Writes a field. A shape that cannot hold the value becomes raw JSON, and a
            /// missing `value` removes nothing.
            pub fn set(&mut self, name: &str, value: Field<'_>) {
                let fits = match self {
                    Payload::Raw(_) => false,
                    $(Payload::$Shape(shape) => shape.set(name, value),)*
                };
                if !fits {
                    self.set_raw(name, value);
                }
            }
        }

        impl Serialize for Payload {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut pair = serializer.serialize_tuple(2)?;
                match self {
                    Payload::Raw(json) => {
                        pair.serialize_element(&RAW)?;
                        pair.serialize_element(&text_of(json))?;
                    }
                    $(Payload::$Shape(shape) => {
                        let kind: u16 = $kind;
                        pair.serialize_element(&kind)?;
                        pair.serialize_element(shape)?;
                    })*
                }
                pair.end()
            }
        }

        impl<'de> Visitor<'de> for PayloadVisitor {
            type Value = Payload;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a payload: its kind number and its fields")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Payload, A::Error> {
                let kind: u16 = next(&mut seq)?;
                match kind {
                    RAW => next(&mut seq).map(|Json(json)| Payload::Raw(json)),
                    $($kind => next(&mut seq).map(Payload::$Shape),)*
                    unknown => Err(A::Error::custom(format_args!(
                        "payload kind {unknown} is not known; the log was written by a newer version"
                    ))),
                }
            }
        }
    };
}

payloads! {
    1 TaSignals TechnicalSignal,
    2 RegimeUpdates RegimeUpdate,
    3 SentimentUpdates SentimentUpdate,
    4 TradingSignals TradingSignal,
    5 CoordinatorCommands Command,
    6 RiskAlerts CircuitBreakerAlert,
    7 RiskAlerts TradeRejected,
    8 RiskAlerts CommandRejected,
    9 ExecutionEvents OrderPlaced,
    10 ExecutionEvents OrderError,
    11 ExecutionEvents RebalanceTradeExecuted,
    12 PortfolioUpdates PositionOpened,
    13 PortfolioUpdates PositionClosed,
    14 SystemEvents CoordinatorPaused,
    15 SystemEvents CoordinatorResumed,
    16 SystemEvents TaskError,
    17 SystemEvents LevelChange,
    18 SystemEvents EmergencyAction,
    19 SystemEvents InFlightTasksRecovered,
    20 SystemEvents HandlerRemoved,
    21 RiskAlerts EmergencyUnfinished,
    22 RiskAlerts StoreUnreadable,
    23 RiskAlerts StoreLost,
}

impl Payload {
    /// An object without fields.
    pub fn empty() -> Payload {
        Payload::Raw(Value::Object(serde_json::Map::new()))
    }

    fn set_raw(&mut self, name: &str, value: Field<'_>) {
        let mut json = self.to_json();
        if let (Value::Object(object), Some(value)) = (&mut json, value.to_json()) {
            object.insert(name.to_owned(), value);
        }
        *self = Payload::Raw(json);
    }
}

struct PayloadVisitor;

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        deserializer.deserialize_tuple(2, PayloadVisitor)
    }
}

fn next<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?
        .ok_or_else(|| A::Error::custom("the payload ends before its fields"))
}

#[cfg(test)]
mod tests;
