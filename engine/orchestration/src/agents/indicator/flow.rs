//! The mood of a market, read from who comes to trade: a simple stand-in for sentiment.
//!
//! Looks at trades whose taker is known, and at their sizes; not at prices, and not at any text.

use std::collections::VecDeque;

use dacapo_market::Side;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{IndicatorError, MAX_WINDOW, within};
use crate::amount::nearest_f64;

/// Settings of a [`Flow`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlowConfig {
    /// Length of the window, in trades; at least 1. Default 200.
    pub window: usize,
    /// The imbalance, between 0 and 1, from which the mood leans. Default 0.2.
    pub leaning: f64,
    /// The imbalance from which it leans strongly; more than `leaning`, below 1. Default 0.6.
    pub strong: f64,
}

impl Default for FlowConfig {
    fn default() -> Self {
        FlowConfig {
            window: 200,
            leaning: 0.2,
            strong: 0.6,
        }
    }
}

/// The mood of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Nearly everybody sells.
    VeryBearish,
    /// More is sold than bought.
    Bearish,
    /// About as much is bought as sold.
    Neutral,
    /// More is bought than sold.
    Bullish,
    /// Nearly everybody buys.
    VeryBullish,
}

/// A mood and how clear it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MoodReading {
    /// The mood.
    pub mood: Mood,
    /// How clear it is, between 0 and 1.
    pub confidence: f64,
}

/// The last trades of one market: `imbalance = (bought - sold) / (bought + sold)`, in base currency, by taker.
#[derive(Clone, Debug)]
pub struct Flow {
    config: FlowConfig,
    /// Sizes, negative where the taker sold.
    trades: VecDeque<f64>,
}

impl Flow {
    /// A flow that has seen no trade.
    ///
    /// # Errors
    /// A setting outside its bounds.
    pub fn new(config: FlowConfig) -> Result<Self, IndicatorError> {
        let FlowConfig {
            window,
            leaning,
            strong,
        } = config;
        within(
            "window",
            window as f64,
            (1..=MAX_WINDOW).contains(&window),
            "1 to 100,000",
        )?;
        within(
            "leaning",
            leaning,
            leaning > 0.0 && leaning < 1.0,
            "between 0 and 1",
        )?;
        within(
            "strong",
            strong,
            strong > leaning && strong < 1.0,
            "more than leaning, below 1",
        )?;
        Ok(Flow {
            config,
            trades: VecDeque::new(),
        })
    }

    /// Takes the next trade. One of size zero or less, or whose taker is unknown, is passed over.
    pub fn push(&mut self, side: Option<Side>, size: Decimal) {
        let Some(side) = side.filter(|_| size > Decimal::ZERO) else {
            return;
        };
        if self.trades.len() == self.config.window {
            self.trades.pop_front();
        }
        self.trades.push_back(match side {
            Side::Buy => nearest_f64(size),
            Side::Sell => -nearest_f64(size),
        });
    }

    /// The mood now; `None` until the window is full.
    /// Confidence is the imbalance where the mood leans, and what is missing from it where it does not.
    pub fn reading(&self) -> Option<MoodReading> {
        if self.trades.len() < self.config.window {
            return None;
        }
        let (mut net, mut total) = (0.0, 0.0);
        for size in &self.trades {
            net += size;
            total += size.abs();
        }
        Some(self.mood(net / total))
    }

    fn mood(&self, imbalance: f64) -> MoodReading {
        let strength = imbalance.abs();
        let rising = imbalance > 0.0;
        let mood = match (
            strength >= self.config.leaning,
            strength >= self.config.strong,
            rising,
        ) {
            (false, _, _) => Mood::Neutral,
            (true, false, true) => Mood::Bullish,
            (true, false, false) => Mood::Bearish,
            (true, true, true) => Mood::VeryBullish,
            (true, true, false) => Mood::VeryBearish,
        };
        let confidence = if mood == Mood::Neutral {
            1.0 - strength
        } else {
            strength
        };
        MoodReading { mood, confidence }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Positive sizes are bought, negative ones sold.
    fn after(window: usize, sizes: impl IntoIterator<Item = i64>) -> Option<MoodReading> {
        let mut flow = Flow::new(FlowConfig {
            window,
            ..FlowConfig::default()
        })
        .unwrap();
        for size in sizes {
            let side = if size < 0 { Side::Sell } else { Side::Buy };
            flow.push(Some(side), Decimal::from(size.abs()));
        }
        flow.reading()
    }

    #[test]
    fn says_nothing_before_the_window_is_full() {
        assert_eq!(after(3, [1, 1]), None);
        assert!(after(3, [1, 1, 1]).is_some());
    }

    #[test]
    fn each_mood_begins_where_the_settings_say() {
        for (bought, sold, mood) in [
            (80, 20, Mood::VeryBullish),
            (79, 21, Mood::Bullish),
            (60, 40, Mood::Bullish),
            (59, 41, Mood::Neutral),
            (41, 59, Mood::Neutral),
            (40, 60, Mood::Bearish),
            (21, 79, Mood::Bearish),
            (20, 80, Mood::VeryBearish),
        ] {
            assert_eq!(
                after(2, [bought, -sold]).unwrap().mood,
                mood,
                "{bought} {sold}"
            );
        }
        assert_eq!(after(2, [70, -30]).unwrap().confidence, 0.4);
        assert_eq!(after(2, [55, -45]).unwrap().confidence, 0.9);
    }

    #[test]
    fn only_the_window_counts() {
        assert_eq!(after(2, [-1_000, 60, -40]), after(2, [60, -40]));
    }

    #[test]
    fn trades_that_say_nothing_are_passed_over() {
        let mut flow = Flow::new(FlowConfig {
            window: 1,
            ..FlowConfig::default()
        })
        .unwrap();
        flow.push(None, Decimal::ONE);
        flow.push(Some(Side::Buy), Decimal::ZERO);
        assert_eq!(flow.reading(), None);
    }

    #[test]
    fn refuses_settings_that_mean_nothing() {
        let base = FlowConfig::default;
        for (config, field) in [
            (
                FlowConfig {
                    window: 0,
                    ..base()
                },
                "window",
            ),
            (
                FlowConfig {
                    leaning: 0.0,
                    ..base()
                },
                "leaning",
            ),
            (
                FlowConfig {
                    strong: 0.2,
                    ..base()
                },
                "strong",
            ),
            (
                FlowConfig {
                    strong: f64::NAN,
                    ..base()
                },
                "strong",
            ),
        ] {
            assert_eq!(Flow::new(config).unwrap_err().field, field);
        }
    }

    proptest! {
        #[test]
        fn buying_and_selling_are_mirror_images(sizes in prop::collection::vec(prop_oneof![1i64..1_000, -1_000i64..-1], 5..20)) {
            let mirrored = |mood| match mood {
                Mood::VeryBearish => Mood::VeryBullish,
                Mood::Bearish => Mood::Bullish,
                Mood::Neutral => Mood::Neutral,
                Mood::Bullish => Mood::Bearish,
                Mood::VeryBullish => Mood::VeryBearish,
            };
            let one = after(5, sizes.iter().copied()).unwrap();
            let other = after(5, sizes.iter().map(|size| -size)).unwrap();
            prop_assert_eq!((mirrored(one.mood), one.confidence), (other.mood, other.confidence));
            prop_assert!((0.0..=1.0).contains(&one.confidence));
        }
    }
}
