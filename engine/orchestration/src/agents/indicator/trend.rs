//! The direction of a price: a fast against a slow moving average, measured by how much the price usually moves.
//!
//! Constant work per price; no prices are kept.

use serde::{Deserialize, Serialize};

use super::{IndicatorError, MAX_WINDOW, within};

/// Settings of a [`Trend`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrendConfig {
    /// Length of the fast average, in prices; at least 1. Default 12.
    pub fast: usize,
    /// Length of the slow average, in prices; longer than the fast one. Default 26.
    pub slow: usize,
    /// The strength, between 0 and 1, from which there is a direction. Default 0.5: the averages are then as
    /// far apart as the price usually moves in one step.
    pub threshold: f64,
}

impl Default for TrendConfig {
    fn default() -> Self {
        TrendConfig {
            fast: 12,
            slow: 26,
            threshold: 0.5,
        }
    }
}

/// Where technical analysis leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// The price rises.
    Long,
    /// The price falls.
    Short,
    /// Neither, clearly.
    Neutral,
}

/// A direction and how clear it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrendReading {
    /// The direction.
    pub bias: Bias,
    /// How clear it is, between 0 and 1.
    pub confidence: f64,
}

/// Two exponential moving averages of a price, and an exponentially weighted variance of its returns.
///
/// For each price p, with `a = 2 / (length + 1)`, the usual weight of an average of that length:
///
/// - average: `average += a × (p - average)`, beginning at the first price;
/// - variance of the return `r = p / previous - 1` about zero: `variance += a × (r² - variance)`, with the slow length;
/// - `spread = (fast - slow) / slow`, `strength = |spread| / (|spread| + √variance)`, which is 0 if nothing moves.
#[derive(Clone, Debug)]
pub struct Trend {
    config: TrendConfig,
    seen: usize,
    previous: f64,
    fast: f64,
    slow: f64,
    variance: f64,
}

impl Trend {
    /// A trend that has seen no price.
    ///
    /// # Errors
    /// A setting outside its bounds.
    pub fn new(config: TrendConfig) -> Result<Self, IndicatorError> {
        within("fast", config.fast as f64, config.fast >= 1, "at least 1")?;
        let slow_fits = (config.fast + 1..=MAX_WINDOW).contains(&config.slow);
        within(
            "slow",
            config.slow as f64,
            slow_fits,
            "more than fast, at most 100,000",
        )?;
        let threshold_fits = config.threshold > 0.0 && config.threshold < 1.0;
        within(
            "threshold",
            config.threshold,
            threshold_fits,
            "between 0 and 1",
        )?;
        Ok(Trend {
            config,
            seen: 0,
            previous: 0.0,
            fast: 0.0,
            slow: 0.0,
            variance: 0.0,
        })
    }

    /// Takes the next price. One of zero or less is not a price and is passed over.
    pub fn push(&mut self, price: f64) {
        if price <= 0.0 {
            return;
        }
        if self.seen == 0 {
            (self.fast, self.slow) = (price, price);
        } else {
            let step = price / self.previous - 1.0;
            self.fast += weight(self.config.fast) * (price - self.fast);
            self.slow += weight(self.config.slow) * (price - self.slow);
            self.variance += weight(self.config.slow) * (step * step - self.variance);
        }
        self.previous = price;
        self.seen = self.seen.saturating_add(1);
    }

    /// The direction now; `None` until as many prices have come as the slow average is long.
    /// Confidence is the strength of a direction, and what is missing from it where there is none.
    pub fn reading(&self) -> Option<TrendReading> {
        if self.seen < self.config.slow {
            return None;
        }
        let spread = (self.fast - self.slow) / self.slow;
        let whole = spread.abs() + self.variance.sqrt();
        let strength = if whole > 0.0 {
            spread.abs() / whole
        } else {
            0.0
        };
        Some(if strength < self.config.threshold {
            TrendReading {
                bias: Bias::Neutral,
                confidence: 1.0 - strength,
            }
        } else if spread > 0.0 {
            TrendReading {
                bias: Bias::Long,
                confidence: strength,
            }
        } else {
            TrendReading {
                bias: Bias::Short,
                confidence: strength,
            }
        })
    }
}

fn weight(length: usize) -> f64 {
    2.0 / (length as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(config: TrendConfig, prices: impl IntoIterator<Item = i64>) -> Option<TrendReading> {
        let mut trend = Trend::new(config).unwrap();
        prices
            .into_iter()
            .for_each(|price| trend.push(price as f64));
        trend.reading()
    }

    #[test]
    fn says_nothing_before_the_slow_average_is_full() {
        assert_eq!(after(TrendConfig::default(), [100; 25]), None);
        assert!(after(TrendConfig::default(), [100; 26]).is_some());
    }

    #[test]
    fn follows_a_steady_move_and_not_a_still_price() {
        let bias = |prices: Vec<i64>| after(TrendConfig::default(), prices).unwrap().bias;
        assert_eq!(bias((1_000..1_050).collect()), Bias::Long);
        assert_eq!(bias((950..1_000).rev().collect()), Bias::Short);
        assert_eq!(
            bias((0..50).map(|step| 1_000 + step % 2).collect()),
            Bias::Neutral
        );
        let still = after(TrendConfig::default(), [100; 30]).unwrap();
        assert_eq!(
            still,
            TrendReading {
                bias: Bias::Neutral,
                confidence: 1.0
            }
        );
    }

    #[test]
    fn is_what_the_formula_says() {
        // Weights 1 and 2/3: fast 130; slow 100 + 2/3 × 30 = 120; variance 2/3 × 0.3² = 0.06.
        let config = TrendConfig {
            fast: 1,
            slow: 2,
            threshold: 0.25,
        };
        let reading = after(config, [100, 130]).unwrap();
        let spread: f64 = 10.0 / 120.0;
        let strength = spread / (spread + 0.06_f64.sqrt());
        assert_eq!(reading.bias, Bias::Long);
        assert!((reading.confidence - strength).abs() < 1e-12, "{reading:?}");
    }

    #[test]
    fn what_is_not_a_price_changes_nothing() {
        let config = || TrendConfig {
            fast: 1,
            slow: 3,
            threshold: 0.5,
        };
        assert_eq!(
            after(config(), [100, 0, 101, -5, 102]),
            after(config(), [100, 101, 102])
        );
    }

    #[test]
    fn refuses_settings_that_mean_nothing() {
        for (config, field) in [
            (
                TrendConfig {
                    fast: 0,
                    ..TrendConfig::default()
                },
                "fast",
            ),
            (
                TrendConfig {
                    fast: 26,
                    ..TrendConfig::default()
                },
                "slow",
            ),
            (
                TrendConfig {
                    slow: MAX_WINDOW + 1,
                    ..TrendConfig::default()
                },
                "slow",
            ),
            (
                TrendConfig {
                    threshold: f64::NAN,
                    ..TrendConfig::default()
                },
                "threshold",
            ),
            (
                TrendConfig {
                    threshold: 1.0,
                    ..TrendConfig::default()
                },
                "threshold",
            ),
        ] {
            assert_eq!(Trend::new(config).unwrap_err().field, field);
        }
    }

    proptest! {
        #[test]
        fn does_not_depend_on_the_unit_of_the_price(steps in prop::collection::vec(-50i64..100, 26..80)) {
            let prices: Vec<i64> = steps.iter().scan(1_000_000, |price, step| { *price += step; Some(*price) }).collect();
            let one = after(TrendConfig::default(), prices.iter().copied()).unwrap();
            // A power of two changes no digit of a binary fraction.
            let scaled = after(TrendConfig::default(), prices.iter().map(|price| price * 1_024)).unwrap();
            prop_assert_eq!(one, scaled);
            prop_assert!((0.0..=1.0).contains(&one.confidence));
        }

        #[test]
        fn a_price_that_only_rises_is_never_short(steps in prop::collection::vec(0i64..100, 26..80)) {
            let prices = steps.iter().scan(1_000_000, |price, step| { *price += step; Some(*price) });
            prop_assert_ne!(after(TrendConfig::default(), prices).unwrap().bias, Bias::Short);
        }
    }
}
