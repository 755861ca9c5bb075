//! Deserialising a tree so that every mistake keeps its place and its kind.
//!
//! Keys that nobody asked for are mistakes here, also where a type would ignore them.

use serde::de::{self, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::tree::{Key, Node, Table, Value};
use super::wrong::{Reason, Wrong};

/// Reads a value from a tree.
///
/// # Errors
/// The first mistake, with its place.
pub(super) fn from_node<'de, T: de::Deserialize<'de>>(node: &'de Node) -> Result<T, Wrong> {
    T::deserialize(node).map_err(|wrong| wrong.in_node(node))
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Text(text) | Value::Date(text) => visitor.visit_borrowed_str(text),
            Value::Integer(number) => integer(*number, visitor),
            Value::Float(number) if number.is_finite() => visitor.visit_f64(*number),
            Value::Float(number) => Err(Wrong::new(Reason::Unfit {
                expected: "a finite number".to_owned(),
                found: number.to_string().to_lowercase(),
            })),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Array(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Table(table) => visitor.visit_map(Entries::of(table, &[])),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor
            .visit_some(self)
            .map_err(|wrong| wrong.in_node(self))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Table(table) => visitor.visit_map(Entries::of(table, fields)),
            // A struct is a table; written as an array, nobody could say which value is which.
            Value::Array(_) => Err(Wrong::new(Reason::Unfit {
                expected: "a table".to_owned(),
                found: "an array".to_owned(),
            })),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Text(text) => visitor.visit_enum(de::value::BorrowedStrDeserializer::new(text)),
            Value::Table(table) if table.entries.len() == 1 => {
                let (key, node) = &table.entries[0];
                visitor.visit_enum(Choice { key, node })
            }
            _ => Err(Wrong::new(Reason::NoWord {
                found: self.described(),
                known: variants,
            })),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Table(table) => match table.entries.first() {
                None => visitor.visit_unit(),
                Some((key, _)) => Err(unknown(key, &[])),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Wrong> {
        Err(Wrong::new(Reason::Ignored))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf seq tuple tuple_struct map identifier
    }
}

fn integer<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value, Wrong> {
    if let Ok(number) = i64::try_from(number) {
        visitor.visit_i64(number)
    } else if let Ok(number) = u64::try_from(number) {
        visitor.visit_u64(number)
    } else {
        let found = format!("the number {number}");
        Err(de::Error::invalid_value(
            Unexpected::Other(&found),
            &"a number of at most 64 bits",
        ))
    }
}

fn unknown(key: &Key, known: &'static [&'static str]) -> Wrong {
    Wrong::new(Reason::UnknownKey {
        key: key.text.clone(),
        known,
    })
    .at(key.span)
}

/// The entries of a table, one after the other.
struct Entries<'de> {
    entries: std::slice::Iter<'de, (Key, Node)>,
    value: Option<(&'de Key, &'de Node)>,
    known: &'static [&'static str],
}

impl<'de> Entries<'de> {
    fn of(table: &'de Table, known: &'static [&'static str]) -> Entries<'de> {
        Entries {
            entries: table.entries.iter(),
            value: None,
            known,
        }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Wrong;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((key, node)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some((key, node));
        seed.deserialize(de::value::BorrowedStrDeserializer::new(&key.text))
            .map(Some)
            .map_err(|wrong: Wrong| wrong.at(key.span))
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (key, node) = self
            .value
            .take()
            .expect("a visitor asks for a value after its key");
        seed.deserialize(node).map_err(|wrong| {
            if wrong.is_ignored() {
                unknown(key, self.known)
            } else {
                wrong.in_node(node).under(&key.text)
            }
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// The items of an array, one after the other.
struct Items<'de> {
    items: &'de [Node],
    next: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some(node) = self.items.get(self.next) else {
            return Ok(None);
        };
        let number = self.next;
        self.next += 1;
        seed.deserialize(node)
            .map(Some)
            .map_err(|wrong| wrong.in_node(node).under(&number.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

/// A variant with something in it: a table of one key.
struct Choice<'de> {
    key: &'de Key,
    node: &'de Node,
}

impl<'de> de::EnumAccess<'de> for Choice<'de> {
    type Error = Wrong;
    type Variant = Choice<'de>;

    fn variant_seed<V: de::DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Choice<'de>), Wrong> {
        let variant = seed
            .deserialize(de::value::BorrowedStrDeserializer::new(&self.key.text))
            .map_err(|wrong: Wrong| wrong.at(self.key.span))?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Choice<'de> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        <() as de::Deserialize>::deserialize(self.node)
            .map_err(|wrong| wrong.in_node(self.node).under(&self.key.text))
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(self.node)
            .map_err(|wrong| wrong.in_node(self.node).under(&self.key.text))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Wrong> {
        de::Deserializer::deserialize_tuple(self.node, len, visitor)
            .map_err(|wrong| wrong.in_node(self.node).under(&self.key.text))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        de::Deserializer::deserialize_struct(self.node, "", fields, visitor)
            .map_err(|wrong| wrong.in_node(self.node).under(&self.key.text))
    }
}
