//! Exact decimals from text: what is written is what is meant, digit for digit.
//!
//! Leaves out exponents, thousands separators, a leading plus and rounding of any kind: a number
//! that does not fit is an error, because a price that was quietly rounded is a wrong price.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{self, Deserializer, Visitor};
use thiserror::Error;

/// The longest number that is read, in characters; 28 digits, a sign and a point fit easily.
const MAX_NUMBER_BYTES: usize = 40;

/// Why a text is not an exact decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NumberProblem {
    /// Something other than an optional minus, digits and one point between digits.
    #[error("expected a plain decimal such as 87232.01, without exponent or separators")]
    NotPlain,
    /// More digits than can be held exactly.
    #[error("has more digits than the 28 that are held exactly")]
    TooLong,
}

/// Reads a plain decimal without any rounding.
pub(super) fn exact(text: &str) -> Result<Decimal, NumberProblem> {
    if text.len() > MAX_NUMBER_BYTES {
        return Err(NumberProblem::TooLong);
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(NumberProblem::NotPlain);
    }
    Decimal::from_str_exact(text).map_err(|_| NumberProblem::TooLong)
}

/// For serde's `deserialize_with`: a decimal given as text or as a whole number, never as a binary float.
pub(super) fn from_config<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    struct Exact;

    impl Visitor<'_> for Exact {
        type Value = Decimal;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a decimal in quotes such as \"0.01\", or a whole number")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
            exact(text).map_err(|problem| E::custom(format!("{text:?}: {problem}")))
        }

        fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Decimal, E> {
            Ok(Decimal::from(whole))
        }

        fn visit_u64<E: de::Error>(self, whole: u64) -> Result<Decimal, E> {
            Ok(Decimal::from(whole))
        }
    }

    deserializer.deserialize_any(Exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_every_digit() {
        for text in [
            "0",
            "-0.5",
            "87232.01",
            "0.00008",
            "7922816251426433759354395033.5",
        ] {
            assert_eq!(exact(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_not_plain() {
        for text in [
            "", "-", ".", "1.", ".5", "+1", "1e5", "1_000", "1,0", "NaN", "--1", "1.2.3", " 1", "٣",
        ] {
            assert_eq!(exact(text), Err(NumberProblem::NotPlain), "{text:?}");
        }
    }

    #[test]
    fn refuses_to_round() {
        let just_fits = format!("0.{}", "1".repeat(28));
        assert_eq!(exact(&just_fits).unwrap().to_string(), just_fits);
        assert_eq!(
            exact(&format!("0.{}", "1".repeat(29))),
            Err(NumberProblem::TooLong)
        );
        assert_eq!(exact(&"9".repeat(30)), Err(NumberProblem::TooLong));
        assert_eq!(exact(&"0".repeat(MAX_NUMBER_BYTES)), Ok(Decimal::ZERO));
        assert_eq!(
            exact(&"0".repeat(MAX_NUMBER_BYTES + 1)),
            Err(NumberProblem::TooLong)
        );
    }

    proptest! {
        #[test]
        fn reads_back_what_is_written(mantissa in any::<i64>(), scale in 0u32..=18) {
            let number = Decimal::new(mantissa, scale);
            let read = exact(&number.to_string()).unwrap();
            prop_assert_eq!((read.mantissa(), read.scale()), (number.mantissa(), number.scale()));
        }
    }
}
