//! `Amount`: the one number type of money, prices and sizes.
//!
//! A checked decimal with at most 28 decimal places, compared by value (`1.0` equals `1.00`).
//! Nothing here knows of currencies or pairs; what a number counts is said where it is stored.

mod order;
mod text;

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use text::Text;

/// A decimal number with at most 28 decimal places and about 28 significant digits.
///
/// Arithmetic is checked: what does not fit is an [`AmountError`], never a wrong number. A result
/// with more decimal places than fit is rounded half to even at the last one.
///
/// In a format that people read it is text (`"0.01"`); numbers are accepted as well, a float
/// through its shortest round-trip text. In a binary format it is the unscaled integer and the scale.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Amount(Decimal);

/// Why a number could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AmountError {
    /// The result needs more digits than a decimal has.
    #[error("{left} {operation} {right} needs more than 28 digits; use smaller numbers")]
    Overflow {
        /// The left operand.
        left: Amount,
        /// What was done: `+`, `-`, `*` or `/`.
        operation: &'static str,
        /// The right operand.
        right: Amount,
    },
    /// A division by zero.
    #[error("{0} was to be divided by zero; check the divisor first")]
    DivisionByZero(Amount),
    /// NaN or an infinity where a number was expected.
    #[error("expected a finite number, found {0}")]
    NotFinite(f64),
    /// Text that is no decimal number, or one too large.
    #[error("expected a decimal number below 7.9e28, found {0:?}")]
    NotANumber(String),
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(Decimal::ZERO);
    /// One.
    pub const ONE: Amount = Amount(Decimal::ONE);
    /// One hundred, by which a percentage is divided.
    pub const HUNDRED: Amount = Amount(Decimal::ONE_HUNDRED);

    /// `unscaled` / 10^`scale`: `Amount::new(45, 1)` is 4.5.
    ///
    /// # Panics
    /// If `scale` is above 28, which no constant in a program should be.
    pub fn new(unscaled: i64, scale: u32) -> Amount {
        Amount(Decimal::new(unscaled, scale))
    }

    /// The same number, as the market data has it.
    pub fn from_decimal(value: Decimal) -> Amount {
        Amount(value)
    }

    /// The same number, as the indicators take it.
    pub fn as_decimal(self) -> Decimal {
        self.0
    }

    /// A whole number.
    pub fn from_int(value: i64) -> Amount {
        Amount(Decimal::from(value))
    }

    /// The float through its shortest round-trip text: `0.1` becomes exactly 0.1.
    ///
    /// # Errors
    /// [`AmountError::NotFinite`] for NaN and infinities, [`AmountError::NotANumber`] beyond the range.
    pub fn from_f64(value: f64) -> Result<Amount, AmountError> {
        if !value.is_finite() {
            return Err(AmountError::NotFinite(value));
        }
        // What is a whole number needs no text; beyond 2^53 not every float that is one is meant.
        if value.abs() < EXACT && value == (value as i64) as f64 && value != 0.0 {
            return Ok(Amount::from_int(value as i64));
        }
        format!("{value}").parse()
    }

    /// As text: what is displayed.
    pub fn text(self) -> String {
        match Text::of(self.0) {
            Some(text) => text.as_str().to_owned(),
            None => self.0.to_string(),
        }
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        nearest_f64(self.0)
    }

    /// `self + other`.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn plus(self, other: Amount) -> Result<Amount, AmountError> {
        self.checked("+", other, Decimal::checked_add)
    }

    /// `self - other`.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn minus(self, other: Amount) -> Result<Amount, AmountError> {
        self.checked("-", other, Decimal::checked_sub)
    }

    /// `self * other`.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn times(self, other: Amount) -> Result<Amount, AmountError> {
        self.checked("*", other, Decimal::checked_mul)
    }

    /// `self / other`.
    ///
    /// # Errors
    /// [`AmountError::DivisionByZero`], [`AmountError::Overflow`].
    pub fn over(self, other: Amount) -> Result<Amount, AmountError> {
        if other.is_zero() {
            return Err(AmountError::DivisionByZero(self));
        }
        self.checked("/", other, Decimal::checked_div)
    }

    /// `self` × `pct` / 100.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn percent(self, pct: Amount) -> Result<Amount, AmountError> {
        self.times(pct)?.over(Amount::HUNDRED)
    }

    /// Rounded to `decimals` places, half to even.
    pub fn round(self, decimals: u32) -> Amount {
        self.rounded(decimals, RoundingStrategy::MidpointNearestEven)
    }

    /// Rounded to `decimals` places, towards minus infinity.
    pub fn floor(self, decimals: u32) -> Amount {
        self.rounded(decimals, RoundingStrategy::ToNegativeInfinity)
    }

    /// Without its sign.
    pub fn abs(self) -> Amount {
        Amount(self.0.abs())
    }

    /// With the other sign. Zero stays zero.
    pub fn negated(self) -> Amount {
        if self.is_zero() {
            self
        } else {
            Amount(-self.0)
        }
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is above zero.
    #[inline]
    pub fn is_positive(self) -> bool {
        !self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Whether it is below zero.
    #[inline]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Whether it is the same number with as many decimal places, so that everything worked out from it is the
    /// same to the last digit.
    pub fn is_same(self, other: Amount) -> bool {
        self.0.scale() == other.0.scale() && self.0 == other.0
    }

    fn rounded(self, decimals: u32, strategy: RoundingStrategy) -> Amount {
        Amount(self.0.round_dp_with_strategy(decimals, strategy))
    }

    fn checked(
        self,
        operation: &'static str,
        other: Amount,
        apply: impl FnOnce(Decimal, Decimal) -> Option<Decimal>,
    ) -> Result<Amount, AmountError> {
        apply(self.0, other.0)
            .map(Amount)
            .ok_or(AmountError::Overflow {
                left: self,
                operation,
                right: other,
            })
    }
}

/// The sum of `amounts`.
///
/// # Errors
/// [`AmountError::Overflow`].
pub fn sum(amounts: impl IntoIterator<Item = Amount>) -> Result<Amount, AmountError> {
    amounts.into_iter().try_fold(Amount::ZERO, Amount::plus)
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Plain (`0.01`) or scientific (`1e-2`) text; decimal places beyond the 28th are rounded off.
    fn from_str(text: &str) -> Result<Amount, AmountError> {
        Decimal::from_str(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map(Amount)
            .map_err(|_| AmountError::NotANumber(text.to_owned()))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            match Text::of(self.0) {
                Some(text) => serializer.serialize_str(text.as_str()),
                None => serializer.collect_str(&self.0),
            }
        } else {
            (self.0.mantissa(), self.0.scale()).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_any(TextOrNumber);
        }
        let (mantissa, scale) = <(i128, u32)>::deserialize(deserializer)?;
        Decimal::try_from_i128_with_scale(mantissa, scale)
            .map(Amount)
            .map_err(de::Error::custom)
    }
}

struct TextOrNumber;

impl Visitor<'_> for TextOrNumber {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number, as text or as a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Amount, E> {
        Amount::from_f64(value).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
        Ok(Amount::from_int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Amount, E> {
        Ok(Amount(Decimal::from(value)))
    }
}

/// Below it, every whole number is a float of its own: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Powers of ten that a float holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The float that is nearest to a decimal, the same on every platform.
///
/// Where the digits and the power of ten are exact floats, their quotient is rounded once and
/// correctly; elsewhere the quotient is worked out in integers first.
pub fn nearest_f64(number: Decimal) -> f64 {
    let digits = number.mantissa();
    let few = i64::try_from(digits)
        .ok()
        .filter(|few| few.unsigned_abs() < 1 << 53);
    match (EXACT_POWERS.get(number.scale() as usize), few) {
        (Some(power), Some(few)) => few as f64 / power,
        _ => {
            let quotient = nearest_quotient(digits.unsigned_abs(), number.scale());
            if digits < 0 { -quotient } else { quotient }
        }
    }
}

/// The float nearest to `digits / 10^scale`, for the digits (96 bits) and scales (to 28) of a decimal.
///
/// Long division in two steps gives at least 64 significant bits of the quotient, and the last of
/// them stands for whatever is left; so the conversion to a float, which rounds to 53 and to the
/// even one of two, rounds as the quotient itself would be.
fn nearest_quotient(digits: u128, scale: u32) -> f64 {
    if digits == 0 {
        return 0.0;
    }
    let divisor = 10_u128.pow(scale);
    let shift = digits.leading_zeros();
    let dividend = digits << shift;
    // Whatever is left of the first step has as many bits to spare as its divisor.
    let step = divisor.leading_zeros().min(64);
    let (high, left) = (dividend / divisor, dividend % divisor);
    let (low, left) = ((left << step) / divisor, (left << step) % divisor);
    let room = high.leading_zeros();
    // Without room for the second step the first has given enough.
    let quotient = if room >= step {
        high << step | low | u128::from(left != 0)
    } else {
        high | u128::from(low | left != 0)
    };
    let shift = shift + if room >= step { step } else { 0 };
    quotient as f64 / f64::from_bits((1023 + u64::from(shift)) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn equality_and_order_look_at_the_value() {
        assert_eq!(amount("1.0"), amount("1.000"));
        assert!(amount("-0.5") < Amount::ZERO);
        assert!(amount("3.3826E-7") < amount("0.000001"));
    }

    #[test]
    fn halves_round_to_the_even_neighbour() {
        assert_eq!(amount("0.125").round(2), amount("0.12"));
        assert_eq!(amount("0.135").round(2), amount("0.14"));
        assert_eq!(amount("166.5").round(0), amount("166"));
        assert_eq!(amount("-0.011").floor(2), amount("-0.02"));
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_both_sides() {
        let large = amount("70000000000000000000000000000");
        let error = large.times(large).unwrap_err();
        assert!(matches!(
            error,
            AmountError::Overflow { operation: "*", .. }
        ));
        assert_eq!(
            Amount::ONE.over(Amount::ZERO),
            Err(AmountError::DivisionByZero(Amount::ONE))
        );
        assert!(Amount::from_f64(f64::NAN).is_err());
        assert!(Amount::from_f64(1e30).is_err());
        assert!("twelve".parse::<Amount>().is_err());
    }

    #[test]
    fn a_tiny_float_becomes_zero_and_not_an_error() {
        assert_eq!(Amount::from_f64(1e-300), Ok(Amount::ZERO));
    }

    #[test]
    fn people_read_text_and_may_write_numbers() {
        assert_eq!(
            serde_json::to_string(&amount("45033.750")).unwrap(),
            "\"45033.750\""
        );
        for text in ["\"0.26\"", "0.26", "2.6e-1"] {
            assert_eq!(
                serde_json::from_str::<Amount>(text).unwrap(),
                amount("0.26")
            );
        }
        assert!(serde_json::from_str::<Amount>("true").is_err());
    }

    proptest! {
        #[test]
        fn a_float_survives_the_way_there_and_back(value in -1e12..1e12_f64) {
            // Below 1e-11 a float may need more than 28 decimal places.
            prop_assume!(value == 0.0 || value.abs() > 1e-11);
            prop_assert_eq!(Amount::from_f64(value).unwrap().to_f64(), value);
        }

        #[test]
        fn a_difference_undoes_a_sum(a in any::<i64>(), b in any::<i64>(), scale in 0..9_u32) {
            let (a, b) = (Amount::new(a, scale), Amount::new(b, 4));
            prop_assert_eq!(a.plus(b).unwrap().minus(b).unwrap(), a);
        }
    }

    proptest::proptest! {
        #[test]
        fn the_quick_way_to_a_float_is_the_exact_one(
            digits in proptest::num::i64::ANY,
            long in -(1_i128 << 96) + 1..1_i128 << 96,
            scale in 0u32..=28,
        ) {
            for digits in [digits.into(), long, long >> 20, long >> 40] {
                let number = Decimal::from_i128_with_scale(digits, scale);
                let exact: f64 = number.to_string().parse().unwrap();
                proptest::prop_assert_eq!(nearest_f64(number).to_bits(), exact.to_bits());
            }
            let small = Decimal::from_i128_with_scale((digits >> 12).into(), scale);
            let exact: f64 = small.to_string().parse().unwrap();
            proptest::prop_assert_eq!(nearest_f64(small).to_bits(), exact.to_bits());
        }
    }
}
