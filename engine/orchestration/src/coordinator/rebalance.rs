//! Carrying out a rebalancing: its immediate trades at once, the others when they are due.
//!
//! Sells come first, and a buy is sent for no more than there is to pay for it.

use std::rc::Rc;

use super::Coordinator;
use super::state::RunState;
use crate::amount::Amount;
use crate::config::TradingMode;
use crate::defect::Defect;
use crate::domain_event::{RebalancePlanned, RebalanceTradeSkipped, TradeOrigin, TradePlanned};
use crate::exchange::Intent;
use crate::execution::Purpose;
use crate::message::{Name, OrNull, Priority, RebalanceTradeExecuted, Topic};
use crate::rebalance::{Leg, Plan, RebalanceTrade, funded_buy, order_immediate, trade_draft};
use crate::risk::validate_proposal;
use crate::symbol::{Pair, Side};

impl Coordinator {
    /// Carries out a plan, while trading is on and somebody executes orders.
    pub async fn rebalance(self: &Rc<Self>, plan: &Plan) {
        if self.state.get() != RunState::Running || !self.serves_rebalancing() {
            return;
        }
        let number = self.exchange.number_plan();
        let trades = self.name_trades(plan, number);
        self.announce_plan(plan, number, &trades);
        let (mut now, later): (Vec<_>, Vec<_>) = trades
            .into_iter()
            .partition(|leg| leg.trade.batch_index == 0);
        if plan.dca_batches > 1 {
            self.plan_legs(number, later);
        }
        order_immediate(&mut now, |leg| leg.trade.action, self.defects);
        for leg in now {
            self.execute_rebalance_trade(&leg, true).await;
        }
    }

    /// The trades of a plan that are to be carried out, each with its name: later ones only if
    /// the plan says that it has several batches.
    fn name_trades(&self, plan: &Plan, number: u64) -> Vec<Leg> {
        let now = self.clock.now(&self.ctx);
        let counts = |trade: &&RebalanceTrade| trade.batch_index == 0 || plan.dca_batches > 1;
        let named = |(place, trade): (usize, &RebalanceTrade)| {
            let at_once = trade.batch_index == 0;
            let kind = if at_once { "rebalance" } else { "plan" };
            Leg {
                key: Name::from(format!("{kind}-{number}-{place}")),
                due: if at_once { now } else { trade.due_after(now) },
                trade: trade.clone(),
            }
        };
        let counting = plan.trades.iter().filter(counts);
        counting.enumerate().map(named).collect()
    }

    fn announce_plan(&self, plan: &Plan, number: u64, trades: &[Leg]) {
        if trades.is_empty() {
            return;
        }
        let planned = |leg: &Leg| TradePlanned {
            key: leg.key.clone(),
            symbol: leg.trade.symbol.as_str().into(),
            side: Name::fixed(leg.trade.action.name()),
            amount_usd: leg.trade.amount_usd,
            batch_index: leg.trade.batch_index.into(),
            due: leg.due,
        };
        self.ctx.emit(RebalancePlanned {
            plan: number,
            batches: plan.dca_batches,
            interval_hours: plan.dca_interval_hours,
            total_usd: plan.total_trade_value_usd,
            trades: trades.iter().map(planned).collect(),
        });
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
        leg: &Leg,
        announced: bool,
    ) -> bool {
        let trade = &leg.trade;
        let symbol = Name::from(trade.symbol.as_str());
        let batch_index = i64::from(trade.batch_index);
        let side = Name::fixed(trade.action.name());
        match self.try_rebalance_trade(trade, leg.key.clone()).await {
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
                    key: leg.key.clone(),
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
        intent: Name,
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
            && let Some(available) = self.dollars_to_pay(&trade.symbol)
        {
            trade.amount_usd = self.fund(&trade, available)?;
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
            name: Some(intent),
            purpose: Purpose::Rebalance,
            origin,
            state: self.state.get(),
        };
        let answered = self.send(&proposal, intent).await;
        let answered = answered.map_err(|error| Name::fixed(error.code()))?;
        self.feed_risk();
        answered.result.map(|_| answered.order)
    }

    /// What there is to pay for a buy with, in dollars: the pair's quote currency as far as it
    /// backs nothing. None where nobody keeps an account, or it has no price.
    fn dollars_to_pay(&self, symbol: &str) -> Option<Amount> {
        let pair: Pair = symbol.parse().ok()?;
        let available = self.exchange.available(&pair.quote)?;
        match pair.dollar_symbol() {
            None => Some(available),
            Some(symbol) => {
                let price = self.exchange.price_of(&self.ctx, &symbol)?;
                available.times(price).ok()
            }
        }
    }

    /// What remains of a buy, given what there is to pay for it.
    fn fund(&self, trade: &RebalanceTrade, available: Amount) -> Result<Amount, Name> {
        let rules = &self.config.portfolio.rebalancing;
        let slippage = self.config.paper.simulated_slippage_pct;
        let fee = self.config.markets.rules(&trade.symbol).fee_pct;
        let cost = fee.plus(slippage).map_err(|_| Name::fixed("overflow"))?;
        let wanted = trade.amount_usd;
        let funded = funded_buy(wanted, available, cost, rules.min_trade_usd, self.defects);
        funded.ok().flatten().ok_or(Name::fixed("unfunded"))
    }
}
