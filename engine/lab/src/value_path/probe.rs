//! Walks through what a value says of itself to one place, and makes a value of that place alone.

use std::fmt;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Value;

/// A serializer that looks for the place with these names.
pub(super) struct Probe<'p>(pub(super) &'p [String]);

type Found = Result<Option<Value>, Unsayable>;

/// A value cannot be said as JSON; it is then no place.
#[derive(Debug)]
pub(super) struct Unsayable;

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON cannot say")
    }
}

impl std::error::Error for Unsayable {}

impl Error for Unsayable {
    fn custom<T: fmt::Display>(_: T) -> Unsayable {
        Unsayable
    }
}

/// What is at a path below a value.
fn below<T: Serialize + ?Sized>(path: &[String], value: &T) -> Found {
    if path.is_empty() {
        return serde_json::to_value(value).map(Some).map_err(|_| Unsayable);
    }
    value.serialize(Probe(path))
}

macro_rules! no_parts {
    ($($name:ident($type:ty),)*) => {
        $(fn $name(self, value: $type) -> Found {
            match self.0 {
                [] => Ok(serde_json::to_value(value).ok()),
                _ => Ok(None),
            }
        })*
    };
}

impl<'p> Serializer for Probe<'p> {
    type Ok = Option<Value>;
    type Error = Unsayable;
    type SerializeSeq = Items<'p>;
    type SerializeTuple = Items<'p>;
    type SerializeTupleStruct = Items<'p>;
    type SerializeTupleVariant = Items<'p>;
    type SerializeMap = Fields<'p>;
    type SerializeStruct = Fields<'p>;
    type SerializeStructVariant = Fields<'p>;

    no_parts! {
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_bytes(&[u8]),
    }

    fn serialize_str(self, text: &str) -> Found {
        if self.0.is_empty() {
            return Ok(Some(text.into()));
        }
        // Most texts are no JSON, which the first letter tells.
        match text.trim_start().starts_with(['{', '[']) {
            true => match serde_json::from_str::<Value>(text) {
                Ok(inner) => inner.serialize(self),
                Err(_) => Ok(None),
            },
            false => Ok(None),
        }
    }

    fn serialize_none(self) -> Found {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Found {
        below(self.0, value)
    }

    fn serialize_unit(self) -> Found {
        Ok(self.0.is_empty().then_some(Value::Null))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Found {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Found {
        Ok(self.0.is_empty().then(|| variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Found {
        below(self.0, value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Found {
        match self.0.split_first() {
            Some((name, rest)) if name == variant => below(rest, value),
            _ => below(self.0, value),
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'p>, Unsayable> {
        Ok(Items::of(self.0, None))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items<'p>, Unsayable> {
        Ok(Items::of(self.0, Some(length)))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<Items<'p>, Unsayable> {
        Ok(Items::of(self.0, Some(length)))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'p>, Unsayable> {
        Ok(Items::of(within(self.0, variant), None))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'p>, Unsayable> {
        Ok(Fields::of(self.0))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'p>, Unsayable> {
        Ok(Fields::of(self.0))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields<'p>, Unsayable> {
        Ok(Fields::of(within(self.0, variant)))
    }
}

/// The path within a variant, which it may name.
fn within<'p>(path: &'p [String], variant: &str) -> &'p [String] {
    match path.split_first() {
        Some((name, rest)) if name == variant => rest,
        _ => path,
    }
}

/// Looks for one of several items.
pub(super) struct Items<'p> {
    path: &'p [String],
    wanted: Option<usize>,
    at: usize,
    /// Whether it is a number and what that numbers, which a path may pass over.
    is_pair: bool,
    found: Option<Value>,
}

impl<'p> Items<'p> {
    fn of(path: &'p [String], length: Option<usize>) -> Items<'p> {
        let wanted = path.first().and_then(|name| name.parse().ok());
        Items {
            path,
            is_pair: length == Some(2) && wanted.is_none(),
            wanted,
            at: 0,
            found: None,
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
        if self.wanted == Some(self.at) {
            self.found = below(self.path.get(1..).unwrap_or_default(), value)?;
        } else if self.is_pair && self.at == 1 {
            self.found = below(self.path, value)?;
        }
        self.at += 1;
        Ok(())
    }
}

/// Looks for one of several fields.
pub(super) struct Fields<'p> {
    path: &'p [String],
    /// The key of the value that comes next.
    key: Key,
    fields: usize,
    found: Option<Value>,
    /// What a field with the name of a variant holds: if it is the only one, a path may pass over it.
    passed: Option<Value>,
}

/// What the key of a map is to a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Wanted,
    Variant,
    Other,
}

impl<'p> Fields<'p> {
    fn of(path: &'p [String]) -> Fields<'p> {
        Fields {
            path,
            key: Key::Other,
            fields: 0,
            found: None,
            passed: None,
        }
    }

    fn key_of(&self, name: &str) -> Key {
        let mut letters = name.chars();
        match self.path.first() {
            Some(wanted) if wanted == name => Key::Wanted,
            _ if self.fields == 0
                && letters.next().is_some_and(char::is_uppercase)
                && letters.all(char::is_alphanumeric) =>
            {
                Key::Variant
            }
            _ => Key::Other,
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: Key, value: &T) -> Result<(), Unsayable> {
        self.fields += 1;
        match key {
            Key::Wanted => self.found = below(self.path.get(1..).unwrap_or_default(), value)?,
            Key::Variant => self.passed = below(self.path, value)?,
            Key::Other => {}
        }
        Ok(())
    }

    fn found(self) -> Option<Value> {
        let passed = self.passed.filter(|_| self.fields == 1);
        self.found.or(passed)
    }
}

macro_rules! items {
    ($($trait:ident $method:ident,)*) => {
        $(impl $trait for Items<'_> {
            type Ok = Option<Value>;
            type Error = Unsayable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
                self.item(value)
            }

            fn end(self) -> Found {
                Ok(self.found)
            }
        })*
    };
}

items! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! fields {
    ($($trait:ident,)*) => {
        $(impl $trait for Fields<'_> {
            type Ok = Option<Value>;
            type Error = Unsayable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unsayable> {
                let key = self.key_of(name);
                self.field(key, value)
            }

            fn end(self) -> Found {
                Ok(self.found())
            }
        })*
    };
}

fields! {
    SerializeStruct,
    SerializeStructVariant,
}

impl SerializeMap for Fields<'_> {
    type Ok = Option<Value>;
    type Error = Unsayable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unsayable> {
        self.key = match serde_json::to_value(key) {
            Ok(Value::String(name)) => self.key_of(&name),
            Ok(other) => self.key_of(&other.to_string()),
            Err(_) => Key::Other,
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
        let key = self.key;
        self.field(key, value)
    }

    fn end(self) -> Found {
        Ok(self.found())
    }
}
