//! Carrying out a rebalancing: its immediate trades at once, its later legs when they are due.
//!
//! Sells come first, and a buy is sent for no more than there is to pay for it. The legs wait in
//! memory; keeping them through a crash is not here yet.

use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::Time;

use super::Coordinator;
use super::schedule::look_at_or_after;
use super::state::RunState;
use crate::amount::Amount;
use crate::defect::Defect;
use crate::domain_event::{LegsPlanned, RebalanceTradeSkipped};
use crate::execution::Purpose;
use crate::message::{Field, Name, OrNull, Payload, Priority, RebalanceTradeExecuted, Topic};
use crate::rebalance::{RebalanceTrade, funded_buy, order_due, order_immediate, trade_draft};
use crate::risk::validate_proposal;
use crate::symbol::{DOLLAR, Side};

/// A trade of a rebalancing that waits for its time.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    due: Time,
    trade: RebalanceTrade,
}

impl Coordinator {
    /// Carries out the plan that the portfolio agent published, while trading is on.
    pub(super) async fn rebalance(self: &Rc<Self>, plan: &Payload) {
        let on_paper = self.defects.has(Defect::RebalanceNeedsLiveExecutor);
        if self.state.get() != RunState::Running || on_paper {
            return;
        }
        let mut trades = trades_of(plan);
        let staged = matches!(plan.field("dca_batches"), Field::Int(batches) if batches > 1);
        if staged {
            let later = trades
                .extract_if(.., |trade| trade.batch_index > 0)
                .collect();
            self.plan_legs(later);
        }
        order_immediate(&mut trades, |trade| trade.action, self.defects);
        for trade in trades {
            self.execute_rebalance_trade(trade, true).await;
        }
    }

    fn plan_legs(&self, trades: Vec<RebalanceTrade>) {
        let now = self.ctx.now();
        let leg = |trade: RebalanceTrade| {
            let secs = trade.scheduled_offset_s.unwrap_or(0).unsigned_abs();
            Leg {
                due: now + Duration::from_secs(secs),
                trade,
            }
        };
        let count = trades.len() as u64;
        self.legs.borrow_mut().extend(trades.into_iter().map(leg));
        self.ctx.emit(LegsPlanned { count });
    }

    /// Carries out the legs that are due. While PAUSED they wait, unless `dca-while-paused`.
    pub(super) async fn run_due_legs(self: &Rc<Self>) {
        if !self.legs_may_run() {
            return;
        }
        let now = self.ctx.now();
        let mut due: Vec<Leg> = self
            .legs
            .borrow_mut()
            .extract_if(.., |leg| leg.due <= now)
            .collect();
        order_due(
            &mut due,
            |leg| (leg.due, leg.trade.batch_index),
            |leg| leg.trade.action,
            self.defects,
        );
        for leg in due {
            self.execute_rebalance_trade(leg.trade, false).await;
        }
    }

    /// The look at which the next leg runs.
    pub(super) fn next_leg_look(&self, ended: Time) -> Option<Time> {
        if !self.legs_may_run() {
            return None;
        }
        let due = self.legs.borrow().iter().map(|leg| leg.due).min()?;
        Some(look_at_or_after(ended, due))
    }

    fn legs_may_run(&self) -> bool {
        match self.state.get() {
            RunState::Running => true,
            RunState::Paused => self.defects.has(Defect::DcaWhilePaused),
            RunState::Halted => false,
        }
    }

    /// Sends one trade as a market order; whatever speaks against it, the others go on.
    async fn execute_rebalance_trade(self: &Rc<Self>, trade: RebalanceTrade, announced: bool) {
        let symbol = Name::from(trade.symbol.as_str());
        let batch_index = i64::from(trade.batch_index);
        let side = Name::fixed(trade.action.name());
        match self.try_rebalance_trade(trade).await {
            Ok(order) if announced => {
                let order_id = OrNull(order);
                let executed = RebalanceTradeExecuted {
                    order_id,
                    symbol,
                    side,
                    batch_index,
                };
                self.publish(Topic::ExecutionEvents, executed, Priority::Normal)
                    .await;
            }
            Ok(_) => {}
            Err(reason) => {
                self.ctx.emit(RebalanceTradeSkipped {
                    symbol,
                    side,
                    batch_index,
                    reason,
                });
            }
        }
    }

    /// The number of the order, or why there is none.
    async fn try_rebalance_trade(
        self: &Rc<Self>,
        mut trade: RebalanceTrade,
    ) -> Result<Option<Name>, Name> {
        if trade.action == Side::Buy {
            let available = self.exchange.balance(DOLLAR);
            trade.amount_usd = self.fund(trade.amount_usd, available)?;
        }
        let price = self.exchange.price_of(&self.ctx, &trade.symbol);
        let draft = trade_draft(&trade, price, self.defects);
        let draft = draft.map_err(|error| Name::fixed(error.code()))?;
        let proposal =
            validate_proposal(&draft, self.defects).map_err(|_| Name::fixed("invalid_proposal"))?;
        let proposal = self
            .judge(proposal)
            .map_err(|codes| codes.into_iter().next().unwrap_or(Name::fixed("rejected")))?;
        let state = self.state.get();
        let report = self
            .exchange
            .execute(&self.ctx, &proposal, Purpose::Rebalance, state)
            .await;
        let report = report.map_err(|error| Name::fixed(error.code()))?;
        self.feed_risk();
        report.result.map(|_| report.order)
    }

    /// What remains of a buy, given what there is to pay for it.
    fn fund(&self, wanted: Amount, available: Amount) -> Result<Amount, Name> {
        let rules = &self.config.portfolio.rebalancing;
        let slippage = self.config.paper.simulated_slippage_pct;
        let fee = self.config.markets.other.fee_pct;
        let cost = fee.plus(slippage).map_err(|_| Name::fixed("overflow"))?;
        let funded = funded_buy(wanted, available, cost, rules.min_trade_usd, self.defects);
        funded.ok().flatten().ok_or(Name::fixed("unfunded"))
    }
}

/// The trades that a published plan lists; what is no trade is left out.
fn trades_of(plan: &Payload) -> Vec<RebalanceTrade> {
    let Field::Json(serde_json::Value::Array(trades)) = plan.field("trades") else {
        return Vec::new();
    };
    trades
        .iter()
        .filter_map(|trade| serde_json::from_value(trade.clone()).ok())
        .collect()
}
