//! Numbers that only count: one message more, and every later one has another number. Such fields are
//! told apart from those that say something else.
//!
//! A number only counts if over the whole log its values hardly ever go back, as those of one actor may
//! behind another's, and each stands for one of the other log.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::divergence::FieldDifference;

/// In how few events a field is never taken for one that only counts.
const FEW: u64 = 6;

/// What is known of the numbers that differ.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    fields: BTreeMap<(u16, String), Field>,
}

#[derive(Debug, Default)]
struct Field {
    times: u64,
    /// For each number of the first log the one of the second, and the other way round.
    stands_for: [BTreeMap<u64, u64>; 2],
    last: Option<[u64; 2]>,
    /// How often it went back, in either log.
    back: u64,
    /// Whether it was seen to say more than a number.
    says_more: bool,
}

impl Numbering {
    /// Takes note of what differs between two events that go together; in the order of their log.
    pub(super) fn learn(&mut self, kind: u16, fields: &[FieldDifference]) {
        for field in fields {
            let known = self.fields.entry((kind, field.path.clone())).or_default();
            known.times += 1;
            let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_u64);
            let (Some(a), Some(b)) = (number(&field.expected), number(&field.actual)) else {
                known.says_more = true;
                continue;
            };
            let [of_a, of_b] = &mut known.stands_for;
            known.says_more |= of_a.insert(a, b).is_some_and(|other| other != b);
            known.says_more |= of_b.insert(b, a).is_some_and(|other| other != a);
            if let Some([last_a, last_b]) = known.last {
                known.back += u64::from(a < last_a || b < last_b);
            }
            known.last = Some([a, b]);
        }
    }

    /// Whether a field that differs only counts.
    pub(super) fn only_counts(&self, kind: u16, field: &FieldDifference) -> bool {
        self.fields
            .get(&(kind, field.path.clone()))
            .is_some_and(|known| {
                known.times >= FEW && !known.says_more && known.back * 10 <= known.times
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differs(path: &str, a: u64, b: u64) -> FieldDifference {
        FieldDifference {
            path: path.to_owned(),
            expected: Some(json!(a)),
            actual: Some(json!(b)),
        }
    }

    // Fails if a size that differs counts as a number, or the number of a message as a difference.
    #[test]
    fn a_number_that_hardly_ever_goes_back_only_counts() {
        let mut numbering = Numbering::default();
        for n in 0..10 {
            numbering.learn(64, &[differs("id", n, n + 1), differs("size", 100 - n, n)]);
        }
        numbering.learn(64, &[differs("once", 1, 2)]);
        assert!(numbering.only_counts(64, &differs("id", 3, 4)));
        assert!(!numbering.only_counts(65, &differs("id", 3, 4)));
        assert!(!numbering.only_counts(64, &differs("size", 97, 3)));
        assert!(!numbering.only_counts(64, &differs("once", 1, 2)));
    }
}
