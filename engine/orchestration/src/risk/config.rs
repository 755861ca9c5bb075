//! The limits of the risk engine, with the defaults that are shipped.
//!
//! Only what a rule reads is here; keys that change nothing are left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Every limit of the risk engine. Percentages are of equity unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RiskConfig {
    /// Limits of size, exposure and leverage.
    pub limits: Limits,
    /// What a stop must look like.
    pub stop_loss: StopLossRules,
    /// Where trading stops altogether.
    pub circuit_breakers: CircuitBreakers,
    /// A spike is an average true range above this many times its own average.
    pub volatility_spike_multiplier: f64,
    /// By how much a size is cut during a spike, in percent.
    pub volatility_size_reduction_pct: f64,
    /// How long nothing new is opened, and after what.
    pub cooldowns: Cooldowns,
    /// The highest leverage by market regime; 2 for any other.
    pub regime_leverage_limits: BTreeMap<String, i64>,
}

/// Limits of size, exposure and leverage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The highest leverage in any regime.
    pub max_leverage: i64,
    /// The largest position, in percent of equity.
    pub max_position_pct: f64,
    /// The largest exposure of all positions, in percent of equity.
    pub max_total_exposure_pct: f64,
    /// The most that one trade may lose at its stop, in percent of equity.
    pub max_risk_per_trade_pct: f64,
    /// The largest exposure of positions that move together, in percent of equity.
    pub max_correlated_exposure_pct: f64,
}

/// What a stop must look like. Distances are in percent of the entry price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StopLossRules {
    /// Whether a proposal without a stop is refused.
    pub required: bool,
    /// The nearest stop that is allowed.
    pub min_distance_pct: f64,
    /// The farthest stop that is allowed.
    pub max_distance_pct: f64,
    /// The least reward for the risk taken, where a target is given.
    pub min_risk_reward: f64,
}

/// Where trading stops altogether.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CircuitBreakers {
    /// A day's loss.
    pub daily_loss: PercentThreshold,
    /// A week's loss.
    pub weekly_loss: PercentThreshold,
    /// The fall from the highest equity.
    pub max_drawdown: PercentThreshold,
    /// Losses in a row after which sizes are halved and the leverage is 1.
    pub consecutive_losses: CountThreshold,
}

/// A threshold in percent; reaching it counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PercentThreshold {
    /// In percent, as a positive number.
    pub threshold_pct: f64,
}

/// A threshold of a count; reaching it counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountThreshold {
    /// How many.
    pub threshold_count: u32,
}

/// How long nothing new is opened, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cooldowns {
    /// After a winning close.
    pub post_trade_minutes: i64,
    /// After a loss.
    pub post_loss_minutes: i64,
    /// After the third and fourth loss in a row.
    pub consecutive_loss_3_minutes: i64,
    /// From the fifth loss in a row on.
    pub consecutive_loss_5_minutes: i64,
    /// After the start of a volatility spike.
    pub volatility_spike_minutes: i64,
}

/// How sure a signal must be: shifts the least confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// 0.05 less.
    Relaxed,
    /// As it is. What the coordinator asks for.
    #[default]
    Normal,
    /// 0.05 more.
    Strict,
    /// 0.10 more.
    VeryStrict,
}

impl Strictness {
    /// The strictness of that name; an unknown name changes nothing and counts as normal.
    pub fn from_name(name: &str) -> Strictness {
        match name {
            "relaxed" => Strictness::Relaxed,
            "strict" => Strictness::Strict,
            "very_strict" => Strictness::VeryStrict,
            _ => Strictness::Normal,
        }
    }

    /// What is added to the least confidence.
    pub fn adjustment(self) -> f64 {
        match self {
            Strictness::Relaxed => -0.05,
            Strictness::Normal => 0.0,
            Strictness::Strict => 0.05,
            Strictness::VeryStrict => 0.10,
        }
    }
}

impl Default for RiskConfig {
    fn default() -> RiskConfig {
        let by_regime = [
            ("trending_bull", 5),
            ("trending_bear", 3),
            ("ranging", 2),
            ("volatile_bull", 2),
            ("volatile_bear", 2),
            ("choppy", 1),
            ("breakout_potential", 3),
            ("unknown", 1),
        ];
        RiskConfig {
            limits: Limits::default(),
            stop_loss: StopLossRules::default(),
            circuit_breakers: CircuitBreakers::default(),
            volatility_spike_multiplier: 3.0,
            volatility_size_reduction_pct: 50.0,
            cooldowns: Cooldowns::default(),
            regime_leverage_limits: by_regime
                .map(|(regime, leverage)| (regime.to_owned(), leverage))
                .into(),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_leverage: 5,
            max_position_pct: 20.0,
            max_total_exposure_pct: 80.0,
            max_risk_per_trade_pct: 2.0,
            max_correlated_exposure_pct: 40.0,
        }
    }
}

impl Default for StopLossRules {
    fn default() -> StopLossRules {
        StopLossRules {
            required: true,
            min_distance_pct: 0.5,
            max_distance_pct: 5.0,
            min_risk_reward: 1.5,
        }
    }
}

impl Default for CircuitBreakers {
    fn default() -> CircuitBreakers {
        let percent = |threshold_pct| PercentThreshold { threshold_pct };
        CircuitBreakers {
            daily_loss: percent(5.0),
            weekly_loss: percent(10.0),
            max_drawdown: percent(20.0),
            consecutive_losses: CountThreshold { threshold_count: 5 },
        }
    }
}

impl Default for Cooldowns {
    fn default() -> Cooldowns {
        Cooldowns {
            post_trade_minutes: 5,
            post_loss_minutes: 10,
            consecutive_loss_3_minutes: 30,
            consecutive_loss_5_minutes: 60,
            volatility_spike_minutes: 15,
        }
    }
}
