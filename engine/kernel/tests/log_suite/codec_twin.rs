//! A second, independent implementation reads and writes the bodies byte for byte alike: the way
//! out, should the first one be given up. A struct's bytes are those of its fields in order, so
//! tuples stand for the structs here.

use dacapo_kernel::codec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use wincode::config::{Configuration, deserialize_exact, serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbers {
    small: u8,
    flag: bool,
    kind: u16,
    actor: u32,
    nanos: u64,
    change: i64,
    delta: i32,
    confidence: f64,
}
type NumbersTwin = (u8, bool, u16, u32, u64, i64, i32, f64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Texts {
    topic: String,
    raw: Vec<u8>,
    levels: Vec<i64>,
    reason: Option<String>,
    cause: Option<u64>,
}
type TextsTwin = (String, Vec<u8>, Vec<i64>, Option<String>, Option<u64>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nested {
    key: [u8; 4],
    first: Numbers,
    rest: Vec<Texts>,
    other: Option<Numbers>,
    pair: (u64, String),
}
type NestedTwin = (
    [u8; 4],
    NumbersTwin,
    Vec<TextsTwin>,
    Option<NumbersTwin>,
    (u64, String),
);

impl Numbers {
    fn twin(&self) -> NumbersTwin {
        let Numbers {
            small,
            flag,
            kind,
            actor,
            nanos,
            change,
            delta,
            confidence,
        } = *self;
        (small, flag, kind, actor, nanos, change, delta, confidence)
    }
}

impl Texts {
    fn twin(&self) -> TextsTwin {
        let Texts {
            topic,
            raw,
            levels,
            reason,
            cause,
        } = self.clone();
        (topic, raw, levels, reason, cause)
    }
}

impl Nested {
    fn twin(&self) -> NestedTwin {
        let rest = self.rest.iter().map(Texts::twin).collect();
        let other = self.other.as_ref().map(Numbers::twin);
        (self.key, self.first.twin(), rest, other, self.pair.clone())
    }
}

/// Near the widths at which the encoding of integers changes, and anywhere.
fn any_u64() -> impl Strategy<Value = u64> {
    const EDGES: [u64; 6] = [250, 251, 252, 1 << 16, 1 << 32, u64::MAX];
    let near =
        (prop::sample::select(&EDGES[..]), 0_u64..3).prop_map(|(edge, by)| edge.wrapping_sub(by));
    prop_oneof![0_u64..300, near, any::<u64>()]
}

fn any_i64() -> impl Strategy<Value = i64> {
    any_u64().prop_map(|value| value as i64)
}

prop_compose! {
    fn any_numbers()(
        small: u8, flag: bool, kind: u16, nanos in any_u64(), actor in any_u64(),
        change in any_i64(), delta in any_i64(), bits in any::<f64>(),
    ) -> Numbers {
        Numbers { small, flag, kind, actor: actor as u32, nanos, change, delta: delta as i32, confidence: bits }
    }
}

prop_compose! {
    fn any_texts()(
        topic in ".{0,20}", raw in prop::collection::vec(any::<u8>(), 0..300),
        levels in prop::collection::vec(any_i64(), 0..8), reason in prop::option::of(".{0,9}"),
        cause in prop::option::of(any_u64()),
    ) -> Texts {
        Texts { topic, raw, levels, reason, cause }
    }
}

prop_compose! {
    fn any_nested()(
        key: [u8; 4], first in any_numbers(), rest in prop::collection::vec(any_texts(), 0..4),
        other in prop::option::of(any_numbers()), number in any_u64(), name in ".{0,9}",
    ) -> Nested {
        Nested { key, first, rest, other, pair: (number, name) }
    }
}

macro_rules! agree {
    ($value:expr, $ours:ty, $twin:ty) => {{
        let config = Configuration::default().with_varint_encoding();
        let mut bytes = Vec::new();
        codec::encode(&$value, &mut bytes).unwrap();
        let theirs = serialize::<$twin, _>(&$value.twin(), config).unwrap();
        prop_assert_eq!(&bytes, &theirs);
        let read: $twin = deserialize_exact(&bytes, config).unwrap();
        prop_assert_eq!(read, $value.twin());
        let read: $ours = codec::decode(&theirs).unwrap();
        prop_assert_eq!(read, $value);
    }};
}

proptest! {
    #[test]
    fn numbers_agree(value in any_numbers()) {
        agree!(value, Numbers, NumbersTwin);
    }

    #[test]
    fn texts_agree(value in any_texts()) {
        agree!(value, Texts, TextsTwin);
    }

    #[test]
    fn nested_values_agree(value in any_nested()) {
        agree!(value, Nested, NestedTwin);
    }
}
