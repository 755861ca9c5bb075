//! The character of a market over a window of prices: trending, ranging, choppy, volatile, or about to break out.
//!
//! Constant work per price; a reading looks at the whole window, so no rounding error builds up.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{IndicatorError, MAX_WINDOW, within};

/// Settings of a [`RegimeWindow`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegimeConfig {
    /// Length of the window, in steps from one price to the next; at least 8. Default 60.
    pub window: usize,
    /// The efficiency, between 0 and 1, from which there is a trend. Default 0.4.
    pub trending: f64,
    /// The volatility of the last quarter over that of the window from which a market is volatile; above 1, at most 2. Default 1.5.
    pub volatile: f64,
    /// The same ratio below which a market is quiet enough to break out; between 0 and 1. Default 0.5.
    pub quiet: f64,
    /// The spread below which a market without direction ranges and from which it is choppy; above 0. Default 1.
    pub ranging: f64,
}

impl Default for RegimeConfig {
    fn default() -> Self {
        RegimeConfig {
            window: 60,
            trending: 0.4,
            volatile: 1.5,
            quiet: 0.5,
            ranging: 1.0,
        }
    }
}

/// The character of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// Rises without much detour.
    TrendingBull,
    /// Falls without much detour.
    TrendingBear,
    /// Stays within a narrow band.
    Ranging,
    /// Wanders without direction.
    Choppy,
    /// Moves much more than before, and is not lower than at the start of the window.
    VolatileBull,
    /// Moves much more than before, and is lower than at the start of the window.
    VolatileBear,
    /// Moves much less than before.
    BreakoutPotential,
}

/// A regime and how clear it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegimeReading {
    /// The regime.
    pub regime: Regime,
    /// How clear it is, between 0 and 1.
    pub confidence: f64,
}

/// The last prices of one market.
///
/// Over the n steps of the window, with returns `r = p / previous - 1`:
///
/// - efficiency (Kaufman's ratio): `|last - first| / Σ |step|`; 1 for a straight line, 0 if nothing moves;
/// - volatility: `√(Σ r² / n)`; burst: that of the last quarter of the steps over that of all, 1 if nothing moves;
/// - spread: `(highest - lowest) / first / (volatility × √n)`; a random walk has about 1.6 (Feller's √(8/π)).
#[derive(Clone, Debug)]
pub struct RegimeWindow {
    config: RegimeConfig,
    prices: VecDeque<f64>,
}

impl RegimeWindow {
    /// An empty window.
    ///
    /// # Errors
    /// A setting outside its bounds.
    pub fn new(config: RegimeConfig) -> Result<Self, IndicatorError> {
        let RegimeConfig {
            window,
            trending,
            volatile,
            quiet,
            ranging,
        } = config;
        let window_fits = (8..=MAX_WINDOW).contains(&window);
        within("window", window as f64, window_fits, "8 to 100,000")?;
        within(
            "trending",
            trending,
            trending > 0.0 && trending < 1.0,
            "between 0 and 1",
        )?;
        // With all movement in the last quarter the ratio is 2; a higher bound might never be reached.
        within(
            "volatile",
            volatile,
            volatile > 1.0 && volatile <= 2.0,
            "above 1, at most 2",
        )?;
        within(
            "quiet",
            quiet,
            quiet > 0.0 && quiet < 1.0,
            "between 0 and 1",
        )?;
        within(
            "ranging",
            ranging,
            ranging > 0.0 && ranging.is_finite(),
            "above 0",
        )?;
        Ok(RegimeWindow {
            config,
            prices: VecDeque::new(),
        })
    }

    /// Takes the next price. One of zero or less is not a price and is passed over.
    pub fn push(&mut self, price: f64) {
        if price <= 0.0 {
            return;
        }
        if self.prices.len() > self.config.window {
            self.prices.pop_front();
        }
        self.prices.push_back(price);
    }

    /// The regime now; `None` until the window is full.
    pub fn reading(&self) -> Option<RegimeReading> {
        (self.prices.len() > self.config.window)
            .then(|| classify(&self.config, &Measures::of(&self.prices)))
    }
}

/// What a window is judged by.
struct Measures {
    rose: bool,
    efficiency: f64,
    burst: f64,
    spread: f64,
}

impl Measures {
    fn of(prices: &VecDeque<f64>) -> Measures {
        let steps = prices.len() - 1;
        let (first, last) = (prices[0], prices[steps]);
        let (mut highest, mut lowest, mut path) = (first, first, 0.0);
        let (mut squares, mut late_squares) = (0.0, 0.0);
        let late = steps - steps / 4;
        for step in 0..steps {
            let (before, after) = (prices[step], prices[step + 1]);
            let change = after / before - 1.0;
            (highest, lowest) = (after.max(highest), after.min(lowest));
            path += (after - before).abs();
            squares += change * change;
            if step >= late {
                late_squares += change * change;
            }
        }
        let volatility = (squares / steps as f64).sqrt();
        let late_volatility = (late_squares / (steps - late) as f64).sqrt();
        let usual_range = volatility * (steps as f64).sqrt();
        Measures {
            rose: last >= first,
            efficiency: ratio((last - first).abs(), path, 0.0),
            burst: ratio(late_volatility, volatility, 1.0),
            spread: ratio((highest - lowest) / first, usual_range, 0.0),
        }
    }
}

/// The first rule that fits: a burst, a lull, a trend, and otherwise whether the price kept to a band.
fn classify(config: &RegimeConfig, measures: &Measures) -> RegimeReading {
    let by_direction = |bull, bear| if measures.rose { bull } else { bear };
    let (regime, confidence) = if measures.burst >= config.volatile {
        (
            by_direction(Regime::VolatileBull, Regime::VolatileBear),
            1.0 - 1.0 / (2.0 * measures.burst),
        )
    } else if measures.burst < config.quiet {
        (Regime::BreakoutPotential, 1.0 - measures.burst)
    } else if measures.efficiency >= config.trending {
        (
            by_direction(Regime::TrendingBull, Regime::TrendingBear),
            measures.efficiency,
        )
    } else if measures.spread < config.ranging {
        (Regime::Ranging, 1.0 - measures.efficiency)
    } else {
        (Regime::Choppy, 1.0 - measures.efficiency)
    };
    // A straight line can come out a last digit above 1.
    RegimeReading {
        regime,
        confidence: confidence.clamp(0.0, 1.0),
    }
}

fn ratio(part: f64, whole: f64, if_nothing: f64) -> f64 {
    if whole > 0.0 {
        part / whole
    } else {
        if_nothing
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(prices: impl IntoIterator<Item = i64>) -> RegimeWindow {
        let mut window = RegimeWindow::new(RegimeConfig {
            window: 16,
            ..RegimeConfig::default()
        })
        .unwrap();
        prices
            .into_iter()
            .for_each(|price| window.push(price as f64));
        window
    }

    fn regime(prices: impl IntoIterator<Item = i64>) -> Regime {
        window(prices).reading().unwrap().regime
    }

    /// Sixteen steps, or seventeen prices.
    fn path(price: impl Fn(i64) -> i64) -> impl Iterator<Item = i64> {
        (0..17).map(price)
    }

    #[test]
    fn says_nothing_before_the_window_is_full() {
        assert_eq!(window([100; 16]).reading(), None);
        assert!(window([100; 17]).reading().is_some());
    }

    #[test]
    fn knows_each_regime() {
        let zigzag = |step: i64| if step % 2 == 0 { 10_000 } else { 10_050 };
        let wander = [0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0, -1, -2, -1, 0, 1, 2];
        assert_eq!(regime(path(|step| 10_000 + step)), Regime::TrendingBull);
        assert_eq!(regime(path(|step| 10_000 - step)), Regime::TrendingBear);
        assert_eq!(regime(path(zigzag)), Regime::Ranging);
        assert_eq!(
            regime(wander.map(|step| 10_000 + step * 10)),
            Regime::Choppy
        );
        let late = |step: i64| (step - 12).max(0) * 100;
        assert_eq!(
            regime(path(|step| 10_000 + late(step))),
            Regime::VolatileBull
        );
        assert_eq!(
            regime(path(|step| 10_000 - late(step))),
            Regime::VolatileBear
        );
        assert_eq!(
            regime(path(|step| 10_000 + 10 * step.min(12))),
            Regime::BreakoutPotential
        );
        assert_eq!(regime([10_000; 17]), Regime::Ranging);
    }

    #[test]
    fn measures_are_what_the_formulas_say() {
        let prices = VecDeque::from([100.0, 110.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0, 108.9]);
        let measures = Measures::of(&prices);
        let close = |actual: f64, expected: f64| {
            assert!((actual - expected).abs() < 1e-12, "{actual} {expected}")
        };
        close(measures.efficiency, 8.9 / 30.9);
        // Returns 0.1, -0.1, five times 0, 0.1 over eight steps; the last quarter is the last two.
        close(
            measures.burst,
            (0.01_f64 / 2.0).sqrt() / (0.03_f64 / 8.0).sqrt(),
        );
        close(measures.spread, 0.11 / 0.03_f64.sqrt());
        assert!(measures.rose);
    }

    #[test]
    fn confidence_is_how_far_the_rule_is_met() {
        let confidence = |efficiency, burst| {
            let measures = Measures {
                rose: true,
                efficiency,
                burst,
                spread: 1.0,
            };
            classify(&RegimeConfig::default(), &measures).confidence
        };
        assert_eq!(confidence(0.0, 2.0), 0.75);
        assert_eq!(confidence(0.0, 0.25), 0.75);
        assert_eq!(confidence(0.5, 1.0), 0.5);
        assert_eq!(confidence(0.25, 1.0), 0.75);
        assert_eq!(confidence(1.0 + f64::EPSILON, 1.0), 1.0);
    }

    #[test]
    fn what_is_not_a_price_changes_nothing() {
        let mut interrupted = window(path(|step| 10_000 + step));
        let reading = interrupted.reading();
        interrupted.push(0.0);
        interrupted.push(-1.0);
        assert_eq!(interrupted.reading(), reading);
    }

    #[test]
    fn forgets_what_has_left_the_window() {
        let long_ago = [1, 1_000_000, 5, 77];
        let recent: Vec<i64> = path(|step| 10_000 + step).collect();
        let with_past = long_ago.into_iter().chain(recent.iter().copied());
        assert_eq!(window(with_past).reading(), window(recent).reading());
    }

    #[test]
    fn refuses_settings_that_mean_nothing() {
        let base = RegimeConfig::default;
        for (config, field) in [
            (
                RegimeConfig {
                    window: 7,
                    ..base()
                },
                "window",
            ),
            (
                RegimeConfig {
                    window: MAX_WINDOW + 1,
                    ..base()
                },
                "window",
            ),
            (
                RegimeConfig {
                    trending: 0.0,
                    ..base()
                },
                "trending",
            ),
            (
                RegimeConfig {
                    volatile: 1.0,
                    ..base()
                },
                "volatile",
            ),
            (
                RegimeConfig {
                    volatile: 2.1,
                    ..base()
                },
                "volatile",
            ),
            (
                RegimeConfig {
                    quiet: 1.0,
                    ..base()
                },
                "quiet",
            ),
            (
                RegimeConfig {
                    ranging: f64::INFINITY,
                    ..base()
                },
                "ranging",
            ),
        ] {
            assert_eq!(RegimeWindow::new(config).unwrap_err().field, field);
        }
    }

    proptest! {
        #[test]
        fn any_prices_give_a_confidence_between_0_and_1(prices in prop::collection::vec(1i64..=i64::MAX, 17..40)) {
            let reading = window(prices).reading().unwrap();
            prop_assert!((0.0..=1.0).contains(&reading.confidence), "{reading:?}");
        }
    }
}
