//! A decimal as text, digit by digit: what a run writes of prices and sizes is much of what it writes at all.

use rust_decimal::Decimal;

/// Room for a sign, 28 decimal places, a point and a digit before it.
const ROOM: usize = 32;

/// The text of a number.
pub(super) struct Text {
    bytes: [u8; ROOM],
    from: usize,
}

impl Text {
    /// The text of a number whose digits fit into 64 bits, as nearly all do: the same that `Display` gives.
    pub(super) fn of(number: Decimal) -> Option<Text> {
        let mut rest = u64::try_from(number.mantissa().unsigned_abs()).ok()?;
        let scale = number.scale();
        let (mut bytes, mut from, mut placed) = ([b'0'; ROOM], ROOM, 0);
        loop {
            from -= 1;
            // What is left over of a division by ten is a digit.
            bytes[from] = b'0' + (rest % 10) as u8;
            rest /= 10;
            placed += 1;
            if placed == scale {
                from -= 1;
                bytes[from] = b'.';
            } else if placed > scale && rest == 0 {
                break;
            }
        }
        if number.is_sign_negative() {
            from -= 1;
            bytes[from] = b'-';
        }
        Some(Text { bytes, from })
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.from..]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_text_is_the_one_that_is_displayed(
            digits in proptest::num::u64::ANY,
            fewer in 0..64_u32,
            scale in 0..=28_u32,
            negative in proptest::bool::ANY,
        ) {
            for digits in [digits, digits >> fewer, 0, u64::MAX] {
                let mut number = Decimal::from_i128_with_scale(digits.into(), scale);
                number.set_sign_negative(negative);
                let text = Text::of(number).expect("it fits into 64 bits");
                proptest::prop_assert_eq!(text.as_str(), number.to_string());
            }
            let large = Decimal::from_i128_with_scale(i128::from(u64::MAX) + 1, scale);
            proptest::prop_assert!(Text::of(large).is_none());
        }
    }
}
