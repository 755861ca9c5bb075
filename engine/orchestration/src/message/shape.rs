//! How a payload struct maps to the fields of a JSON object, and the macro that defines one.
//!
//! A JSON object fits a shape when it says exactly what the struct can say: no field more, none
//! less, and each of the very type (1 is not 1.0). So turning it back gives the same object.
//! Which shapes there are is listed in [`shapes`](super::shapes).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::Name;
use super::field::Field;
use super::topic::Topic;
use super::vocabulary::{
    Action, CommandVerb, DegradationLevel, LevelEvent, Regime, SentimentBias, TechnicalBias,
};

/// A type that a field of a shape can have.
pub(super) trait FieldValue: Sized {
    /// The field as a reader sees it.
    fn field(&self) -> Field<'_>;

    /// The value that a field says exactly, if it does.
    fn read(field: Field<'_>) -> Option<Self>;
}

/// A payload whose fields are known.
pub(super) trait Shape: Sized {
    /// The field of that name.
    fn field(&self, name: &str) -> Field<'_>;

    /// Writes a field, if it exists and can hold the value.
    fn set(&mut self, name: &str, value: Field<'_>) -> bool;

    /// The struct that says exactly what the object says, if there is one.
    fn read(object: &Map<String, Value>) -> Option<Self>;

    /// The object that says what the struct says.
    fn to_object(&self) -> Map<String, Value>;
}

/// A field that is always there and may be null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrNull<T>(pub Option<T>);

/// A JSON value inside a payload or a setting. The log holds its text; people write a table, or
/// JSON as text where TOML cannot say it.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub Value);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A text is read as JSON, so one that is meant as a text is written as its JSON.
        if serializer.is_human_readable() && !self.0.is_string() {
            self.0.serialize(serializer)
        } else {
            serializer.serialize_str(&text_of(&self.0))
        }
    }
}

/// JSON as text. (Quicker than its `Display`, which goes by way of a formatter.)
pub(crate) fn text_of(json: &Value) -> String {
    serde_json::to_string(json).expect("a JSON value has text keys and finite numbers")
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        let text = if deserializer.is_human_readable() {
            match Value::deserialize(deserializer)? {
                Value::String(text) => text,
                value => return Ok(Json(value)),
            }
        } else {
            String::deserialize(deserializer)?
        };
        serde_json::from_str(&text)
            .map(Json)
            .map_err(serde::de::Error::custom)
    }
}

impl FieldValue for Json {
    fn field(&self) -> Field<'_> {
        Field::from(&self.0)
    }

    fn read(field: Field<'_>) -> Option<Json> {
        match field {
            Field::Json(value) => Some(Json(value.clone())),
            _ => None,
        }
    }
}

impl FieldValue for Name {
    fn field(&self) -> Field<'_> {
        Field::Text(self)
    }

    fn read(field: Field<'_>) -> Option<Name> {
        field.text().map(Name::from)
    }
}

impl FieldValue for f64 {
    fn field(&self) -> Field<'_> {
        Field::Float(*self)
    }

    fn read(field: Field<'_>) -> Option<f64> {
        match field {
            Field::Float(number) => Some(number),
            _ => None,
        }
    }
}

impl FieldValue for i64 {
    fn field(&self) -> Field<'_> {
        Field::Int(*self)
    }

    fn read(field: Field<'_>) -> Option<i64> {
        match field {
            Field::Int(number) => Some(number),
            _ => None,
        }
    }
}

impl FieldValue for Vec<Name> {
    fn field(&self) -> Field<'_> {
        Field::Names(self)
    }

    fn read(field: Field<'_>) -> Option<Vec<Name>> {
        match field {
            Field::Names(names) => Some(names.to_vec()),
            Field::Json(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(Name::from))
                .collect(),
            _ => None,
        }
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    fn field(&self) -> Field<'_> {
        self.as_ref().map_or(Field::Missing, T::field)
    }

    fn read(field: Field<'_>) -> Option<Option<T>> {
        match field {
            Field::Missing => Some(None),
            present => T::read(present).map(Some),
        }
    }
}

impl<T: FieldValue> FieldValue for OrNull<T> {
    fn field(&self) -> Field<'_> {
        self.0.as_ref().map_or(Field::Null, T::field)
    }

    fn read(field: Field<'_>) -> Option<OrNull<T>> {
        match field {
            Field::Null => Some(OrNull(None)),
            present => T::read(present).map(|value| OrNull(Some(value))),
        }
    }
}

macro_rules! words {
    ($($Word:ty,)*) => {
        $(impl FieldValue for $Word {
            fn field(&self) -> Field<'_> {
                Field::Text(self.name())
            }

            fn read(field: Field<'_>) -> Option<Self> {
                field.text().and_then(<$Word>::from_name)
            }
        })*
    };
}

words! {
    Action, CommandVerb, DegradationLevel, LevelEvent, Regime, SentimentBias, TechnicalBias, Topic,
}

/// Defines a payload struct: documented fields, or a fixed `tag: "value"` first where several
/// shapes share a topic.
macro_rules! shape {
    (
        $(#[$meta:meta])*
        pub struct $Shape:ident {
            $(@ $tag:literal: $tag_value:literal,)?
            $($(#[$field_meta:meta])* $field:ident: $Type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $Shape {
            $($(#[$field_meta])* pub $field: $Type,)*
        }

        impl $crate::message::shape::Shape for $Shape {
            fn field(&self, name: &str) -> Field<'_> {
                match name {
                    $($tag => Field::Text($tag_value),)?
                    $(stringify!($field) => FieldValue::field(&self.$field),)*
                    _ => Field::Missing,
                }
            }

            fn set(&mut self, name: &str, value: Field<'_>) -> bool {
                match name {
                    $(stringify!($field) => {
                        let read = FieldValue::read(value);
                        read.map(|value| self.$field = value).is_some()
                    })*
                    _ => {
                        let _ = value;
                        false
                    }
                }
            }

            fn read(object: &Map<String, Value>) -> Option<$Shape> {
                let known = |key: &str| {
                    $(key == $tag ||)? $(key == stringify!($field) ||)* false
                };
                $(if object.get($tag)? != $tag_value {
                    return None;
                })?
                if !object.keys().all(|key| known(key)) {
                    return None;
                }
                Some($Shape {
                    $($field: FieldValue::read(object.get(stringify!($field)).into())?,)*
                })
            }

            fn to_object(&self) -> Map<String, Value> {
                let mut object = Map::new();
                $(object.insert($tag.to_owned(), $tag_value.into());)?
                $(if let Some(value) = FieldValue::field(&self.$field).to_json() {
                    object.insert(stringify!($field).to_owned(), value);
                })*
                object
            }
        }
    };
}

pub(crate) use shape;
