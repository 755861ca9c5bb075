//! Arithmetic of amounts for the properties, straight by the library of decimals: a sum that the simulated code gets wrong
//! is not wrong here as well.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::amount::{Amount, AmountError};

/// Up to here every whole number is a float.
const EXACT_DIGITS: u128 = 1 << 53;
/// The powers of ten that are floats.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A result, or that it does not fit.
type Result = std::result::Result<Amount, AmountError>;

/// The arithmetic, under other names than those of the simulated code.
pub(super) trait Exact: Copy {
    /// The sum.
    fn and(self, other: Amount) -> Result;
    /// The difference.
    fn less(self, other: Amount) -> Result;
    /// The product.
    fn by(self, other: Amount) -> Result;
    /// The quotient.
    fn per(self, other: Amount) -> Result;
    /// So many percent of it.
    fn pct(self, pct: Amount) -> Result;
    /// Rounded down to so many places.
    fn down_to(self, decimals: u32) -> Amount;
    /// Rounded to so many places, half to even.
    fn near(self, decimals: u32) -> Amount;
    /// The nearest float.
    fn in_floats(self) -> f64;
    /// With the other sign.
    fn opposite(self) -> Amount;
    /// Whether it is more than nothing.
    fn is_above_zero(self) -> bool;
    /// Whether it is less than nothing.
    fn is_below_zero(self) -> bool;
}

impl Exact for Amount {
    fn and(self, other: Amount) -> Result {
        fits(self.as_decimal().checked_add(other.as_decimal()))
    }

    fn less(self, other: Amount) -> Result {
        fits(self.as_decimal().checked_sub(other.as_decimal()))
    }

    fn by(self, other: Amount) -> Result {
        fits(self.as_decimal().checked_mul(other.as_decimal()))
    }

    fn per(self, other: Amount) -> Result {
        fits(self.as_decimal().checked_div(other.as_decimal()))
    }

    fn pct(self, pct: Amount) -> Result {
        self.by(pct)?.per(Amount::HUNDRED)
    }

    fn down_to(self, decimals: u32) -> Amount {
        let strategy = RoundingStrategy::ToNegativeInfinity;
        let number = self.as_decimal();
        Amount::from_decimal(number.round_dp_with_strategy(decimals, strategy))
    }

    fn near(self, decimals: u32) -> Amount {
        let strategy = RoundingStrategy::MidpointNearestEven;
        let number = self.as_decimal();
        Amount::from_decimal(number.round_dp_with_strategy(decimals, strategy))
    }

    fn in_floats(self) -> f64 {
        let number = self.as_decimal();
        let (digits, scale) = (number.mantissa(), number.scale() as usize);
        // Both are floats as they are, and the quotient of two is the nearest there is (Clinger 1990).
        if digits.unsigned_abs() <= EXACT_DIGITS
            && let Some(ten) = TENS.get(scale)
        {
            return digits as f64 / ten;
        }
        number.to_string().parse().unwrap_or(f64::NAN)
    }

    fn opposite(self) -> Amount {
        Amount::from_decimal(Decimal::ZERO - self.as_decimal())
    }

    fn is_above_zero(self) -> bool {
        !self.as_decimal().is_sign_negative() && !self.as_decimal().is_zero()
    }

    fn is_below_zero(self) -> bool {
        self.as_decimal().is_sign_negative() && !self.as_decimal().is_zero()
    }
}

/// A float as people read it: 0.1 is exactly that.
pub(super) fn exactly(number: f64) -> Option<Amount> {
    let digits = format!("{number}");
    digits.parse().ok().map(Amount::from_decimal)
}

fn fits(result: Option<Decimal>) -> Result {
    let result = result.map(Amount::from_decimal);
    result.ok_or_else(|| AmountError::NotANumber("a result that does not fit".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if one of them is another operation than that of the simulated code.
    #[test]
    fn it_is_the_same_arithmetic() {
        let (a, b) = (Amount::new(-7_125, 3), Amount::new(26, 2));
        assert_eq!(a.and(b), a.plus(b));
        assert_eq!(a.less(b), a.minus(b));
        assert_eq!(a.by(b), a.times(b));
        assert_eq!(a.per(b), a.over(b));
        assert_eq!(a.pct(b), a.percent(b));
        assert_eq!(a.down_to(2), a.floor(2));
        assert_eq!((a.near(2), b.near(1)), (a.round(2), b.round(1)));
        assert_eq!(a.in_floats(), a.to_f64());
        assert_eq!(exactly(-7.125), Some(a));
        assert_eq!(exactly(f64::NAN), None);
        assert_eq!(a.opposite(), a.negated());
        assert!(a.is_below_zero() && !a.is_above_zero() && b.is_above_zero() && !b.is_below_zero());
        let most = Amount::from_decimal(Decimal::MAX);
        assert!(most.and(most).is_err() && a.per(Amount::ZERO).is_err());
    }

    // Fails if a number is not the nearest float, with few digits or many.
    #[test]
    fn a_float_is_the_nearest_there_is() {
        for digits in [
            "0",
            "0.1",
            "-0.3",
            "2.675",
            "0.00001299",
            "45471.20",
            "9007199254740992",
            "9007199254740993",
            "-9007199254740993",
            "0.9007199254740993",
            "0.0000000000000000000000000003",
            "0.1234567890123456789012345678",
            "79228162514264337593543950335",
        ] {
            let amount: Amount = digits.parse().expect("it is an amount");
            let nearest: f64 = digits.parse().expect("it is a number");
            assert_eq!(amount.in_floats(), nearest, "{digits}");
        }
    }
}
