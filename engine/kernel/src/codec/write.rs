//! Writes what `bincode` 2 writes in its `standard()` configuration, without asking for room,
//! limit and errors at every number.
//!
//! Integers take one byte up to 250, else a marker and 2, 4, 8 or 16 bytes, little endian;
//! signed ones are zigzagged first; `u8` and `i8` are one byte; floats are their bits; lengths
//! and variants are integers. Reading is left to `bincode`: it is where bytes are not trusted.

use std::fmt;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Why a value cannot be written.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A sequence or a map does not know its length.
    NoLength,
    /// The value itself said why.
    Custom(Box<str>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoLength => f.write_str("a sequence does not know its length"),
            Refusal::Custom(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Refusal {}

impl ser::Error for Refusal {
    fn custom<T: fmt::Display>(what: T) -> Refusal {
        Refusal::Custom(what.to_string().into())
    }
}

/// Appends to a vector.
pub(super) struct Bytes<'a>(pub(super) &'a mut Vec<u8>);

/// The largest integer that is its own byte.
const ONE_BYTE: u8 = 250;

impl Bytes<'_> {
    #[inline]
    fn unsigned(&mut self, value: u64) {
        if value <= u64::from(ONE_BYTE) {
            self.0.push(value as u8);
        } else {
            self.marked(value);
        }
    }

    #[inline]
    fn marked(&mut self, value: u64) {
        // One copy of a fixed length instead of one of every length; the rest is cut off.
        let (marker, len) = match value {
            0..=0xFFFF => (251, 3),
            0x1_0000..=0xFFFF_FFFF => (252, 5),
            _ => (253, 9),
        };
        let mut bytes = [marker; 9];
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        let end = self.0.len() + len;
        self.0.extend_from_slice(&bytes);
        self.0.truncate(end);
    }

    #[inline]
    fn signed(&mut self, value: i64) {
        self.unsigned((value.wrapping_shl(1) ^ (value >> 63)) as u64);
    }

    fn wide(&mut self, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.unsigned(value),
            Err(_) => {
                self.0.push(254);
                self.0.extend_from_slice(&value.to_le_bytes());
            }
        }
    }

    #[inline]
    fn text(&mut self, bytes: &[u8]) {
        self.unsigned(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

type Done = Result<(), Refusal>;

impl Serializer for &mut Bytes<'_> {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    #[inline]
    fn serialize_bool(self, value: bool) -> Done {
        self.0.push(u8::from(value));
        Ok(())
    }

    #[inline]
    fn serialize_i8(self, value: i8) -> Done {
        self.0.push(value as u8);
        Ok(())
    }

    #[inline]
    fn serialize_i16(self, value: i16) -> Done {
        self.signed(i64::from(value));
        Ok(())
    }

    #[inline]
    fn serialize_i32(self, value: i32) -> Done {
        self.signed(i64::from(value));
        Ok(())
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Done {
        self.signed(value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Done {
        // Nearly all fit, and shifting a whole register is quicker than two.
        match i64::try_from(value) {
            Ok(small) => self.signed(small),
            Err(_) => self.wide((value.wrapping_shl(1) ^ (value >> 127)) as u128),
        }
        Ok(())
    }

    #[inline]
    fn serialize_u8(self, value: u8) -> Done {
        self.0.push(value);
        Ok(())
    }

    #[inline]
    fn serialize_u16(self, value: u16) -> Done {
        self.unsigned(u64::from(value));
        Ok(())
    }

    #[inline]
    fn serialize_u32(self, value: u32) -> Done {
        self.unsigned(u64::from(value));
        Ok(())
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Done {
        self.unsigned(value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Done {
        self.wide(value);
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Done {
        self.0.extend_from_slice(&value.to_bits().to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Done {
        self.0.extend_from_slice(&value.to_bits().to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Done {
        let mut bytes = [0; 4];
        self.0
            .extend_from_slice(value.encode_utf8(&mut bytes).as_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Done {
        self.text(value.as_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.text(value);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Done {
        self.0.push(0);
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.0.push(1);
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Done {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Done {
        self.unsigned(u64::from(index));
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Done {
        self.unsigned(u64::from(index));
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Refusal> {
        self.unsigned(len.ok_or(Refusal::NoLength)? as u64);
        Ok(self)
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Self, Refusal> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Refusal> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Refusal> {
        self.unsigned(u64::from(index));
        Ok(self)
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self, Refusal> {
        self.serialize_seq(len)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Refusal> {
        Ok(self)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self, Refusal> {
        self.serialize_tuple_variant(name, index, variant, len)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The parts of a compound value follow each other, whatever it is made of.
macro_rules! parts {
    ($($Compound:ident :: $part:ident $(($name:ident))?),* $(,)?) => {
        $(impl $Compound for &mut Bytes<'_> {
            type Ok = ();
            type Error = Refusal;

            #[inline]
            fn $part<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Done {
                $(let _ = $name;)?
                value.serialize(&mut **self)
            }

            #[inline]
            fn end(self) -> Done {
                Ok(())
            }
        })*
    };
}

parts! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
    SerializeStruct::serialize_field(key),
    SerializeStructVariant::serialize_field(key),
}

impl SerializeMap for &mut Bytes<'_> {
    type Ok = ();
    type Error = Refusal;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        key.serialize(&mut **self)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut **self)
    }

    #[inline]
    fn end(self) -> Done {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Unit,
        Newtype(i32),
        Tuple(u8, i8),
        Struct { a: char, b: Option<u16> },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        unsigned: (u8, u16, u32, u64, u128),
        signed: (i8, i16, i32, i64, i128),
        floats: (f32, f64),
        text: String,
        letter: char,
        yes: bool,
        unit: ((), Unit),
        shapes: Vec<Shape>,
        map: BTreeMap<String, Option<i64>>,
        fixed: [u32; 3],
    }

    fn ours<T: Serialize>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.serialize(&mut Bytes(&mut bytes)).unwrap();
        bytes
    }

    fn theirs<T: Serialize>(value: &T) -> Vec<u8> {
        bincode::serde::encode_to_vec(value, super::super::CONFIG).unwrap()
    }

    /// Integers around every border between two lengths.
    fn number() -> impl Strategy<Value = u128> {
        let near = |border: u128| (0u128..4).prop_map(move |off| border.wrapping_add(off) - 2);
        prop_oneof![
            any::<u128>(),
            any::<u64>().prop_map(u128::from),
            near(1 << 7),
            near(250),
            near(1 << 15),
            near(1 << 16),
            near(1 << 32),
            near(1 << 63),
            near(1 << 64),
        ]
    }

    fn shape() -> impl Strategy<Value = Shape> {
        prop_oneof![
            Just(Shape::Unit),
            any::<i32>().prop_map(Shape::Newtype),
            any::<(u8, i8)>().prop_map(|(a, b)| Shape::Tuple(a, b)),
            any::<(char, Option<u16>)>().prop_map(|(a, b)| Shape::Struct { a, b }),
        ]
    }

    prop_compose! {
        fn everything()(
            number in number(),
            floats in any::<(f32, f64)>(),
            text in ".{0,300}",
            letter in any::<char>(),
            yes in any::<bool>(),
            shapes in prop::collection::vec(shape(), 0..4),
            map in prop::collection::btree_map(".{0,3}", any::<Option<i64>>(), 0..4),
        ) -> Everything {
            Everything {
                unsigned: (number as u8, number as u16, number as u32, number as u64, number),
                signed: (
                    number as i8, number as i16, number as i32, number as i64, number as i128,
                ),
                floats,
                text,
                letter,
                yes,
                unit: ((), Unit),
                shapes,
                map,
                fixed: [number as u32, 250, 251],
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_is_written_as_bincode_writes_it(value in everything()) {
            prop_assert_eq!(ours(&value), theirs(&value));
        }
    }

    #[test]
    fn a_sequence_of_unknown_length_is_refused_and_says_why() {
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_seq(None)?.end()
            }
        }
        let refused = Endless.serialize(&mut Bytes(&mut Vec::new()));
        assert!(refused.unwrap_err().to_string().contains("length"));
    }
}
