//! Orders and what came of them, as people see them.

use std::collections::BTreeMap;

use dacapo_kernel::Time;
use serde::{Deserialize, Serialize};

use super::{entry, keep};
use crate::amount::Amount;
use crate::domain_event::{DomainEvent, OrderOutcome};
use crate::message::Name;

/// Orders and what came of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TradingView {
    /// Proposals that the risk engine let pass, reduced or not.
    pub approved: u64,
    /// Proposals that it refused, by its first reason.
    pub rejected: BTreeMap<Name, u64>,
    /// Orders that were sent.
    pub submitted: u64,
    /// Orders that were filled.
    pub filled: u64,
    /// Orders that rest.
    pub resting: u64,
    /// Orders that were taken back.
    pub cancelled: u64,
    /// Orders that were refused, by reason.
    pub refused: BTreeMap<Name, u64>,
    /// Trades of rebalancings that were put off until later.
    pub legs_planned: u64,
    /// Trades of rebalancings that were not carried out, by reason.
    pub rebalance_skipped: BTreeMap<Name, u64>,
    /// How often one bar touched both the stop and the target of a position.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub doubtful_bars: u64,
    /// Every execution.
    pub fills: Vec<FillView>,
    /// Balances by currency, as far as any execution changed them.
    pub balances: BTreeMap<Name, Amount>,
}

/// One execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FillView {
    /// When.
    pub time_ns: Time,
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// In the base currency.
    pub size: Amount,
    /// In the quote currency.
    pub price: Amount,
    /// In the quote currency.
    pub fee: Amount,
}

impl TradingView {
    pub(super) fn apply(&mut self, time: Time, event: &DomainEvent) {
        match event {
            DomainEvent::RiskJudged(judged) => match judged.rejections.first() {
                None => self.approved += 1,
                Some(reason) => *entry(&mut self.rejected, reason) += 1,
            },
            DomainEvent::OrderSubmitted(_) => self.submitted += 1,
            DomainEvent::OrderAnswered(answered) => match &answered.outcome {
                OrderOutcome::Filled => self.filled += 1,
                OrderOutcome::Resting => self.resting += 1,
                OrderOutcome::Unknown => {}
                OrderOutcome::Cancelled => self.cancelled += 1,
                OrderOutcome::Refused(reason) | OrderOutcome::Raised(reason) => {
                    *entry(&mut self.refused, reason) += 1;
                }
            },
            DomainEvent::Filled(fill) => keep(
                &mut self.fills,
                FillView {
                    time_ns: time,
                    symbol: fill.symbol.clone(),
                    side: fill.side.clone(),
                    size: fill.size,
                    price: fill.price,
                    fee: fill.fee,
                },
            ),
            DomainEvent::BarDoubtful(_) => self.doubtful_bars += 1,
            DomainEvent::LegsPlanned(planned) => self.legs_planned += planned.count,
            DomainEvent::RebalanceTradeSkipped(skipped) => {
                *entry(&mut self.rebalance_skipped, &skipped.reason) += 1;
            }
            DomainEvent::BalanceChanged(changed) => {
                self.balances.insert(changed.asset.clone(), changed.balance);
            }
            _ => {}
        }
    }
}
