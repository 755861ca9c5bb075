//! Arithmetic of amounts for the properties, straight by the library of decimals: a sum that the simulated code gets wrong
//! is not wrong here as well.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::amount::{Amount, AmountError};

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
        let digits = self.as_decimal().to_string();
        digits.parse().unwrap_or(f64::NAN)
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
}
