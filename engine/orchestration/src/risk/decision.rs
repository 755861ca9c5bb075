//! What the risk engine answers.

use serde::{Deserialize, Serialize};

use super::proposal::Proposal;

/// The verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskStatus {
    /// As proposed.
    Approved,
    /// With less size or leverage.
    Modified,
    /// Not this trade.
    Rejected,
    /// No trade at all.
    Halted,
}

impl RiskStatus {
    /// The name that people and the log use.
    pub const fn name(self) -> &'static str {
        match self {
            RiskStatus::Approved => "approved",
            RiskStatus::Modified => "modified",
            RiskStatus::Rejected => "rejected",
            RiskStatus::Halted => "halted",
        }
    }
}

/// Why a trade is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rejection {
    /// A breaker has halted trading.
    TradingHalted,
    /// A cooldown is running.
    InCooldown,
    /// There is no stop and one is required.
    StopLossRequired,
    /// The stop is too near.
    StopTooTight,
    /// The stop is too far.
    StopTooWide,
    /// The target pays too little for the risk.
    LowRr,
    /// The confidence is below what regime, losses and strictness ask for.
    ConfidenceTooLow,
    /// All positions together would be too large.
    ExposureLimit,
    /// Positions that move together would be too large.
    CorrelatedExposure,
    /// The margin does not suffice.
    InsufficientMargin,
    /// A loss limit is breached now.
    CircuitBreaker,
}

impl Rejection {
    /// The wire name, such as `STOP_TOO_TIGHT`.
    pub fn code(self) -> &'static str {
        match self {
            Rejection::TradingHalted => "TRADING_HALTED",
            Rejection::InCooldown => "IN_COOLDOWN",
            Rejection::StopLossRequired => "STOP_LOSS_REQUIRED",
            Rejection::StopTooTight => "STOP_TOO_TIGHT",
            Rejection::StopTooWide => "STOP_TOO_WIDE",
            Rejection::LowRr => "LOW_RR",
            Rejection::ConfidenceTooLow => "CONFIDENCE_TOO_LOW",
            Rejection::ExposureLimit => "EXPOSURE_LIMIT",
            Rejection::CorrelatedExposure => "CORRELATED_EXPOSURE",
            Rejection::InsufficientMargin => "INSUFFICIENT_MARGIN",
            Rejection::CircuitBreaker => "CIRCUIT_BREAKER",
        }
    }
}

/// What was noticed without refusing the trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Warning {
    /// Technical and sentiment analysis are not equally sure.
    AgentDisagreement,
    /// The size was above a limit.
    SizeReduced,
    /// The size was halved after losses.
    SizeReducedLosses,
    /// The size was cut because of a volatility spike.
    VolatilitySpike,
    /// The leverage was above its cap.
    LeverageReduced,
    /// Positions that move together are near their limit.
    HighCorrelation,
}

impl Warning {
    /// The wire name, such as `SIZE_REDUCED`.
    pub fn code(self) -> &'static str {
        match self {
            Warning::AgentDisagreement => "AGENT_DISAGREEMENT",
            Warning::SizeReduced => "SIZE_REDUCED",
            Warning::SizeReducedLosses => "SIZE_REDUCED_LOSSES",
            Warning::VolatilitySpike => "VOLATILITY_SPIKE",
            Warning::LeverageReduced => "LEVERAGE_REDUCED",
            Warning::HighCorrelation => "HIGH_CORRELATION",
        }
    }
}

/// A number before and after a reduction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Before.
    pub original: f64,
    /// After.
    pub modified: f64,
}

/// A leverage before and after a reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeverageChange {
    /// Before.
    pub original: i64,
    /// After.
    pub modified: i64,
}

/// The cut after losses in a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossReduction {
    /// Losses in a row.
    pub losses: u32,
    /// The cut in percent.
    pub reduction_pct: f64,
    /// The size before.
    pub original: f64,
    /// The size after.
    pub modified: f64,
}

/// Every reduction that was made, each on top of those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Modifications {
    /// Limits of position size and of risk per trade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_usd: Option<Change>,
    /// Losses in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_loss_reduction: Option<LossReduction>,
    /// A volatility spike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volatility_adjustment: Option<Change>,
    /// The leverage cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leverage: Option<LeverageChange>,
}

/// The answer to one proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The verdict.
    pub status: RiskStatus,
    /// Why it was refused: one entry, or none.
    pub rejections: Vec<Rejection>,
    /// What was noticed, in the order of the checks.
    pub warnings: Vec<Warning>,
    /// What was reduced; kept even when a later check refuses.
    pub modifications: Modifications,
    /// The reduced proposal, if the status is [`RiskStatus::Modified`].
    pub modified: Option<Proposal>,
    /// Final size in percent of equity; 0 if refused.
    pub risk_per_trade_pct: f64,
    /// Total exposure with the final size, in percent; 0 if refused.
    pub portfolio_exposure_pct: f64,
}

impl Decision {
    /// Whether the trade may go ahead, as proposed or reduced.
    pub fn approved(&self) -> bool {
        matches!(self.status, RiskStatus::Approved | RiskStatus::Modified)
    }
}
