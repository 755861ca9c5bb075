//! Where two moving averages of a price cross.
//!
//! Constant work per price; no prices are kept.

use super::{IndicatorError, MAX_WINDOW, within};

/// Which way the fast average went through the slow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// From below to above.
    Up,
    /// From above to below.
    Down,
}

/// Two exponential moving averages, and whether the last price made them cross.
///
/// For each price p and a window of n prices, with `a = 2 / (n + 1)`:
/// `average = a × p + (1 - a) × average`, beginning at the first price. They count from the price on
/// that fills the slow window; averages that are equal are on the side on which they were last.
#[derive(Clone, Debug)]
pub struct Cross {
    slow_window: u32,
    /// The weight of a price, and the average, of the fast window and of the slow one.
    fast: (f64, f64),
    slow: (f64, f64),
    seen: u32,
    /// Whether the fast average was last above the slow one; not known before both count.
    above: Option<bool>,
    last: Option<Crossing>,
}

impl Cross {
    /// Averages over windows of so many prices, none of which was seen.
    ///
    /// # Errors
    /// If the fast window has no price, or the slow one is not longer, or above 100,000.
    pub fn new(fast: u32, slow: u32) -> Result<Cross, IndicatorError> {
        within("fast", fast.into(), fast >= 1, "at least 1")?;
        let fits = slow > fast && slow as usize <= MAX_WINDOW;
        within("slow", slow.into(), fits, "more than fast, at most 100,000")?;
        let weight = |window: u32| 2.0 / (f64::from(window) + 1.0);
        Ok(Cross {
            slow_window: slow,
            fast: (weight(fast), 0.0),
            slow: (weight(slow), 0.0),
            seen: 0,
            above: None,
            last: None,
        })
    }

    /// Takes the next price. One of zero or less is not a price and is passed over.
    pub fn push(&mut self, price: f64) {
        if price <= 0.0 {
            return;
        }
        for (weight, average) in [&mut self.fast, &mut self.slow] {
            *average = match self.seen {
                0 => price,
                _ => *weight * price + (1.0 - *weight) * *average,
            };
        }
        self.seen = self.seen.saturating_add(1);
        self.last = None;
        let ((_, fast), (_, slow)) = (self.fast, self.slow);
        if self.seen < self.slow_window || fast == slow {
            return;
        }
        let before = self.above.replace(fast > slow);
        self.last = match before {
            Some(before) if before != (fast > slow) => Some(match before {
                true => Crossing::Down,
                false => Crossing::Up,
            }),
            _ => None,
        };
    }

    /// How the last price made them cross, if it did.
    pub fn crossing(&self) -> Option<Crossing> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossings(fast: u32, slow: u32, prices: &[i64]) -> Vec<Option<Crossing>> {
        let mut cross = Cross::new(fast, slow).unwrap();
        let after = |price: &i64| {
            cross.push(*price as f64);
            cross.crossing()
        };
        prices.iter().map(after).collect()
    }

    /// Fails if a crossing is told before the slow window is full, late, or more than once.
    #[test]
    fn a_crossing_is_told_once_at_the_price_that_makes_it() {
        use Crossing::{Down, Up};
        // A window of one price is the price; with three, a = 1/2: 10, 10, 10, 11, 9.5, 9.75, 10.875.
        let told = crossings(1, 3, &[10, 10, 10, 12, 8, 10, 12]);
        assert_eq!(told, [None, None, None, None, Some(Down), Some(Up), None]);
        // While they are equal, they are where they were.
        let told = crossings(1, 3, &[10, 10, 12, 11, 8, 8]);
        assert_eq!(told, [None, None, None, None, Some(Down), None]);
    }

    #[test]
    fn windows_that_cannot_cross_are_refused() {
        for (fast, slow) in [(0, 5), (5, 5), (6, 5), (1, 100_001)] {
            assert!(Cross::new(fast, slow).is_err(), "{fast} and {slow}");
        }
    }
}
