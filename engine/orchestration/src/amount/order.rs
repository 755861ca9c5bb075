//! Amounts in the order of their values.
//!
//! What a price does is found by comparing it, and a run compares far more often than it reckons.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::Amount;

impl Ord for Amount {
    /// Prices nearly always have the same number of decimals; then their digits alone are compared.
    #[inline]
    fn cmp(&self, other: &Amount) -> Ordering {
        if self.0.scale() == other.0.scale() {
            self.0.mantissa().cmp(&other.0.mantissa())
        } else {
            at_other_scales(self.0, other.0)
        }
    }
}

impl PartialOrd for Amount {
    #[inline]
    fn partial_cmp(&self, other: &Amount) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Digits of 64 bits whose decimals differ by few are brought to the same decimals by one multiplication.
fn at_other_scales(a: Decimal, b: Decimal) -> Ordering {
    let places = a.scale().abs_diff(b.scale()) as usize;
    let small = |amount: Decimal| i64::try_from(amount.mantissa()).ok();
    let (Some(left), Some(right), Some(power)) = (small(a), small(b), WHOLE_POWERS.get(places))
    else {
        return a.cmp(&b);
    };
    let (left, right, power) = (i128::from(left), i128::from(right), i128::from(*power));
    if a.scale() < b.scale() {
        (left * power).cmp(&right)
    } else {
        left.cmp(&(right * power))
    }
}

/// Powers of ten that have 64 bits.
const WHOLE_POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn amounts_are_ordered_as_decimals_are(
            a in -(1_i128 << 90)..1_i128 << 90,
            b in -(1_i128 << 90)..1_i128 << 90,
            near in -2_i128..=2,
            scales in (0..=28_u32, 0..=28_u32),
        ) {
            for (a, b) in [(a, b), (a, a + near), (near, 0), (0, near), (a >> 70, b >> 70)] {
                for scales in [scales, (scales.0, scales.0)] {
                    let decimal = Decimal::from_i128_with_scale(a, scales.0);
                    let other = Decimal::from_i128_with_scale(b, scales.1);
                    prop_assert_eq!(Amount(decimal).cmp(&Amount(other)), decimal.cmp(&other));
                    prop_assert_eq!(Amount(-decimal).cmp(&Amount(other)), (-decimal).cmp(&other));
                    prop_assert_eq!(Amount(decimal).is_positive(), decimal > Decimal::ZERO);
                    prop_assert_eq!(Amount(-decimal).is_negative(), -decimal < Decimal::ZERO);
                }
            }
        }
    }
}
