//! Asking a type for its keys: what a struct would read is known before there is anything to read.

use std::fmt;

use serde::de::{self, DeserializeOwned, Visitor};
use serde::forward_to_deserialize_any;

/// The keys that a type reads; `None` if it takes any.
pub(super) fn keys_of<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    match T::deserialize(Probe) {
        Err(Answer::Keys(keys)) => Some(keys),
        Err(Answer::Any) => None,
        // Only a type that reads nothing at all comes into being from nothing.
        Ok(_) => Some(&[]),
    }
}

/// A source of nothing but the question.
struct Probe;

/// What the question brought to light.
#[derive(Debug)]
enum Answer {
    Keys(&'static [&'static str]),
    Any,
}

impl<'de> de::Deserializer<'de> for Probe {
    type Error = Answer;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer::Keys(fields))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Answer> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Answer> {
        visitor.visit_unit()
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Answer> {
        Err(Answer::Any)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl de::Error for Answer {
    fn custom<T: fmt::Display>(_: T) -> Answer {
        Answer::Any
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Answer {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its keys are asked for")]
    struct Shop {
        doors: u32,
        #[serde(rename = "open_from")]
        open: Option<String>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its keys are asked for")]
    struct Wrapped(Shop);

    #[test]
    fn a_struct_names_its_keys_and_a_map_takes_any() {
        assert_eq!(keys_of::<Shop>(), Some(&["doors", "open_from"][..]));
        assert_eq!(keys_of::<Wrapped>(), Some(&["doors", "open_from"][..]));
        assert_eq!(keys_of::<BTreeMap<String, u32>>(), None);
        assert_eq!(keys_of::<()>(), Some(&[][..]));
    }
}
