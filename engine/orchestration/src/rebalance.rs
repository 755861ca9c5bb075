//! Rebalancing as arithmetic: what should be traded, in how many batches and in which order.
//!
//! Nothing is sent or stored here. A model's advice is read as text; asking for it is the caller's.

mod advice;
mod allocation;
mod batches;
mod config;
mod leg;
mod message;
mod proposal;
mod question;
mod sequence;

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, sum};
use crate::message::{Instant, Span};
use crate::symbol::Side;

pub use advice::Advice;
pub(crate) use advice::{Advised, read as read_advice};
pub use allocation::{Allocation, Holdings, UnitPrices};
pub use config::{
    Assumed, DcaRules, HodlBags, RebalanceConfig, RebalanceError, RebalanceRules, TargetAllocation,
};
pub use leg::Leg;
pub use message::message;
pub use proposal::trade_draft;
pub use question::question;
pub use sequence::{funded_buy, order_due, order_immediate};

/// Whether anything is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanAction {
    /// Trade, unless the list is empty.
    Rebalance,
    /// Leave everything as it is.
    NoAction,
}

/// One trade of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RebalanceTrade {
    /// The pair.
    pub symbol: String,
    /// Buy or sell.
    pub action: Side,
    /// In dollars.
    pub amount_usd: Amount,
    /// `limit` or `market`, or what a model said.
    pub execution_type: String,
    /// The lower the earlier, among the trades that were calculated here.
    pub priority: i64,
    /// 0 is traded at once.
    pub batch_index: u32,
    /// How long after the plan it is due, in seconds; `None` where nothing is staged.
    pub scheduled_offset_s: Option<i64>,
}

impl RebalanceTrade {
    /// When it is due if its plan was made at `now`.
    pub fn due_after(&self, now: Instant) -> Instant {
        now + Span::from_secs(self.scheduled_offset_s.unwrap_or(0))
    }
}

/// What a rebalancing came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Whether anything is to be done.
    pub action: PlanAction,
    /// 0.8 for a rebalancing, 1 for leaving things as they are.
    pub confidence: f64,
    /// How the trades are to be carried out: `limit`, `market`, `dca_24h`, or what a model said.
    pub execution_strategy: String,
    /// Into how many batches each trade is divided.
    pub dca_batches: u32,
    /// Hours between two batches; 0 where nothing is staged.
    pub dca_interval_hours: i64,
    /// The sum of the trades before they are divided, in dollars.
    pub total_trade_value_usd: Amount,
    /// Whether a model was asked in vain.
    pub used_fallback_strategy: bool,
    /// What the account looks like now, where it was looked at.
    pub allocation: Option<Allocation>,
    /// Trade by trade, the batches of each in their order.
    pub trades: Vec<RebalanceTrade>,
}

/// Plans the rebalancing of `allocation`.
///
/// Nothing is done while the largest deviation from the targets is below the threshold, unless it is
/// forced. Otherwise BTC and XRP are each driven to a third of the total, whatever the targets, by trades
/// of at least the smallest amount, sells before buys; then a model's advice may replace the trades, and
/// a large sum is divided into batches.
///
/// # Errors
/// [`RebalanceError`] for targets that do not add up, or numbers that do not fit.
pub fn plan(
    config: &RebalanceConfig,
    allocation: Allocation,
    force: bool,
    advice: &Advice<'_>,
) -> Result<Plan, RebalanceError> {
    config.check()?;
    let rules = &config.rebalancing;
    if !force && !allocation.is_off(rules) {
        return Ok(no_action(allocation));
    }
    let mut draft = advice::Draft {
        strategy: rules.execution_type.clone(),
        trades: allocation.trades(rules)?,
        used_fallback: false,
    };
    draft.follow(advice);
    let total = sum(draft.trades.iter().map(|trade| trade.amount_usd))?;
    let staged = batches::stage(draft.trades, total, rules)?;
    Ok(Plan {
        action: PlanAction::Rebalance,
        confidence: 0.8,
        execution_strategy: if staged.batches > 1 {
            "dca_24h".to_owned()
        } else {
            draft.strategy
        },
        dca_batches: staged.batches,
        dca_interval_hours: staged.interval_hours,
        total_trade_value_usd: total,
        used_fallback_strategy: draft.used_fallback,
        allocation: Some(allocation),
        trades: staged.trades,
    })
}

fn no_action(allocation: Allocation) -> Plan {
    Plan {
        action: PlanAction::NoAction,
        confidence: 1.0,
        execution_strategy: "immediate".to_owned(),
        dca_batches: 1,
        dca_interval_hours: 0,
        total_trade_value_usd: Amount::ZERO,
        used_fallback_strategy: false,
        allocation: Some(allocation),
        trades: Vec::new(),
    }
}
