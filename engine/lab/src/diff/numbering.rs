//! Numbers that only count: one message more, and every later one has another number. Such fields are
//! told apart from those that say something else.
//!
//! A number only counts if over the whole log its values rise, but for those that are a little out of
//! order, and each stands for one of the other log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::divergence::FieldDifference;

/// In how few events a field is never taken for one that only counts.
const FEW: usize = 6;
/// What part of its whole range a number may go back without that being noticed.
const LITTLE: u64 = 20;

/// What is known of the numbers that differ.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    fields: BTreeMap<(u16, String), Field>,
}

#[derive(Debug, Default)]
struct Field {
    /// Its numbers in the first log and in the second, in the order of the first.
    numbers: Vec<[u64; 2]>,
    /// For each number of the first log the one of the second, and the other way round.
    stands_for: [BTreeMap<u64, u64>; 2],
    /// Whether it was seen to say more than a number.
    says_more: bool,
}

impl Field {
    fn learn(&mut self, field: &FieldDifference) {
        let (Some((name_a, a)), Some((name_b, b))) = (
            number(field.expected.as_ref()),
            number(field.actual.as_ref()),
        ) else {
            self.says_more = true;
            return;
        };
        self.says_more |= name_a != name_b;
        let [of_a, of_b] = &mut self.stands_for;
        self.says_more |= of_a.insert(a, b).is_some_and(|other| other != b);
        self.says_more |= of_b.insert(b, a).is_some_and(|other| other != a);
        self.numbers.push([a, b]);
    }

    fn only_counts(&self) -> bool {
        self.numbers.len() >= FEW
            && !self.says_more
            && [0, 1].into_iter().all(|log| self.rises(log))
    }

    /// Whether the numbers of one log rise, but for those that are a little out of order.
    fn rises(&self, log: usize) -> bool {
        let numbers = || self.numbers.iter().map(|pair| pair[log]);
        let (least, most) = (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
        let little = (most - least) / LITTLE;
        let (mut highest, mut back) = (0, 0);
        for number in numbers() {
            back += usize::from(number.saturating_add(little) < highest);
            highest = highest.max(number);
        }
        back * 10 <= self.numbers.len()
    }
}

/// A number, or a name that ends in one, such as `order-17`: the name, and the number.
fn number(value: Option<&Value>) -> Option<(&str, u64)> {
    match value? {
        Value::Number(number) => Some(("", number.as_u64()?)),
        Value::String(text) => {
            let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
            Some((name, text.get(name.len()..)?.parse().ok()?))
        }
        _ => None,
    }
}

impl Numbering {
    /// Takes note of what differs between two events that go together; in the order of their log.
    pub(super) fn learn(&mut self, kind: u16, fields: &[FieldDifference]) {
        for field in fields {
            let known = self.fields.entry((kind, field.path.clone())).or_default();
            known.learn(field);
        }
    }

    /// The fields that only count.
    pub(super) fn only_counting(self) -> BTreeSet<(u16, String)> {
        let counting = self
            .fields
            .into_iter()
            .filter(|(_, field)| field.only_counts());
        counting.map(|(place, _)| place).collect()
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
            let named = FieldDifference {
                path: "name".to_owned(),
                expected: Some(json!(format!("order-{n}"))),
                actual: Some(json!(format!("order-{}", n + 2))),
            };
            let fields = [differs("id", n, n + 1), differs("size", 100 - n, n), named];
            numbering.learn(64, &fields);
        }
        numbering.learn(64, &[differs("once", 1, 2)]);
        let counting = numbering.only_counting();
        assert_eq!(
            counting.into_iter().collect::<Vec<_>>(),
            ["id", "name"].map(|name| (64, name.to_owned()))
        );
    }
}
