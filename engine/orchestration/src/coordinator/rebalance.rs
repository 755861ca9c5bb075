//! Carrying out a rebalancing: its immediate trades at once, the others when they are due.
//!
//! Sells come first, and a buy is sent for no more than there is to pay for it.

use std::rc::Rc;

use super::Coordinator;
use super::state::RunState;
use crate::amount::Amount;
use crate::config::TradingMode;
use crate::defect::Defect;
use crate::domain_event::{RebalanceTradeSkipped, TradeOrigin};
use crate::exchange::Intent;
use crate::execution::Purpose;
use crate::message::{Name, OrNull, Priority, RebalanceTradeExecuted, Topic};
use crate::rebalance::{Plan, RebalanceTrade, funded_buy, order_immediate, trade_draft};
use crate::risk::validate_proposal;
use crate::symbol::{DOLLAR, Side};

impl Coordinator {
    /// Carries out a plan, while trading is on and somebody executes orders.
    pub async fn rebalance(self: &Rc<Self>, plan: &Plan) {
        if self.state.get() != RunState::Running || !self.serves_rebalancing() {
            return;
        }
        let (mut trades, later): (Vec<_>, Vec<_>) = plan
            .trades
            .iter()
            .cloned()
            .partition(|trade| trade.batch_index == 0);
        if plan.dca_batches > 1 {
            self.plan_legs(later);
        }
        order_immediate(&mut trades, |trade| trade.action, self.defects);
        for trade in trades {
            self.execute_rebalance_trade(&trade, None, true).await;
        }
    }

    /// Whether trading is still on, now that a model or the trades before this one took their time. With
    /// `state-not-rechecked` nobody looks again. Legs are looked at one by one where they are sent.
    pub(super) fn may_send(&self, origin: TradeOrigin) -> bool {
        origin == TradeOrigin::Leg
            || self.state.get() == RunState::Running
            || self.defects.has(Defect::StateNotRechecked)
    }

    fn serves_rebalancing(&self) -> bool {
        let on_paper = self.exchange.mode() == TradingMode::Paper;
        let needs_live = self.defects.has(Defect::RebalanceNeedsLiveExecutor);
        self.exchange.is_there() && !(on_paper && needs_live)
    }

    /// Sends one trade as a market order; whatever speaks against it, the others go on.
    /// Returns whether it was carried out.
    pub(super) async fn execute_rebalance_trade(
        self: &Rc<Self>,
        trade: &RebalanceTrade,
        intent: Option<Name>,
        announced: bool,
    ) -> bool {
        let symbol = Name::from(trade.symbol.as_str());
        let batch_index = i64::from(trade.batch_index);
        let side = Name::fixed(trade.action.name());
        match self.try_rebalance_trade(trade, intent).await {
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
                true
            }
            Ok(_) => true,
            Err(reason) => {
                self.ctx.emit(RebalanceTradeSkipped {
                    symbol,
                    side,
                    batch_index,
                    reason,
                });
                false
            }
        }
    }

    /// The number of the order, or why there is none.
    async fn try_rebalance_trade(
        self: &Rc<Self>,
        trade: &RebalanceTrade,
        intent: Option<Name>,
    ) -> Result<Option<Name>, Name> {
        let origin = if trade.batch_index == 0 {
            TradeOrigin::Plan
        } else {
            TradeOrigin::Leg
        };
        if !self.may_send(origin) {
            return Err(Name::fixed("not_running"));
        }
        let mut trade = trade.clone();
        if trade.action == Side::Buy
            && let Some(available) = self.exchange.balance(DOLLAR)
        {
            trade.amount_usd = self.fund(trade.amount_usd, available)?;
        }
        let price = self.exchange.price_of(&self.ctx, &trade.symbol);
        let draft = trade_draft(&trade, price, self.defects);
        let draft = draft.map_err(|error| Name::fixed(error.code()))?;
        let proposal =
            validate_proposal(&draft, self.defects).map_err(|_| Name::fixed("invalid_proposal"))?;
        let proposal = self
            .judge(proposal, origin)
            .map_err(|codes| codes.into_iter().next().unwrap_or(Name::fixed("rejected")))?;
        let intent = Intent {
            name: intent,
            purpose: Purpose::Rebalance,
            origin,
            state: self.state.get(),
        };
        let answered = self.exchange.execute(&self.ctx, &proposal, intent).await;
        let answered = answered.map_err(|error| Name::fixed(error.code()))?;
        self.feed_risk();
        answered.result.map(|_| answered.order)
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
