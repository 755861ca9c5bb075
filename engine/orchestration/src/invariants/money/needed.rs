//! `rebalance.needed`: a rebalancing does what the account needs: it drives each asset to a third, from the worth that
//! it has, and a buy is smaller than planned only for want of dollars.

mod announced;

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan, Time};

use self::announced::Part;
use super::prices::{Prices, Range};
use crate::agents::AgentKind;
use crate::amount::{Amount, AmountError};
use crate::config::{Config, PriceSet, TradingMode};
use crate::domain_event::{
    DomainEvent, OrderSubmitted, Published, RebalancePlanned, RebalanceTradeSkipped, RiskJudged,
    TradeOrigin, number,
};
use crate::invariants::exact::Exact;
use crate::invariants::{announced_plan, near, set_before_start};
use crate::message::{Instant, Name};
use crate::rebalance::RebalanceConfig;
use crate::symbol::{DOLLAR, Markets, Pair};

/// The account, what its assets cost, and what is planned.
pub(super) struct Needed {
    /// The rules, and whether an account is kept that they look at.
    rules: RebalanceConfig,
    plans: bool,
    start_us: i64,
    pays: bool,
    slippage_pct: Amount,
    markets: Markets,
    prices: Prices,
    at_start: Vec<PriceSet>,
    /// Each balance, and what of it backs nothing.
    balances: BTreeMap<Name, (Amount, Amount)>,
    planned: BTreeMap<Name, Amount>,
    /// The size of the trade that was judged last, and the dollars that there were then.
    judged: Option<(f64, Amount)>,
}

impl Needed {
    pub(super) fn new(plan: &Plan<Config>) -> Needed {
        let config = &plan.system;
        let keeps_account = config.trading_mode == TradingMode::Paper;
        let by_rules = matches!(config.agents.portfolio_rebalance, AgentKind::Rules);
        let balances = config.paper.initial_balance.iter();
        Needed {
            rules: config.portfolio.clone(),
            start_us: plan.start_unix_ns / 1_000,
            plans: keeps_account && by_rules && config.portfolio.assumed.is_none(),
            pays: keeps_account,
            slippage_pct: config.paper.simulated_slippage_pct,
            markets: config.markets.clone(),
            prices: Prices::new(config.prices.max_age_s),
            at_start: set_before_start(config).cloned().collect(),
            balances: balances
                .map(|(asset, balance)| (Name::from(asset.as_str()), (*balance, *balance)))
                .collect(),
            planned: BTreeMap::new(),
            judged: None,
        }
    }

    fn balance(&self, asset: &str) -> (Amount, Amount) {
        self.balances.get(asset).copied().unwrap_or_default()
    }

    /// A plan is made of what there is.
    fn announce(&self, event: &Event<DomainEvent>, said: &Published) -> Result<(), String> {
        let Some(plan) = announced_plan(&said.message).filter(|_| self.plans) else {
            return Ok(());
        };
        if plan["action"] != "rebalance" {
            return Ok(());
        }
        // One that comes late over the wire was made of what there was before.
        if plan["timestamp"] != Instant::from(event.time).to_iso(self.start_us) {
            return Ok(());
        }
        announced::check(plan, &self.rules, |part| self.is_worth(part, event.time))
    }

    /// Whether an asset may be worth what is told of it.
    fn is_worth(&self, part: &Part, now: Time) -> bool {
        let free = self
            .balance(part.asset)
            .0
            .less(part.kept)
            .unwrap_or_default();
        let free = free.in_floats().max(0.0);
        let price = match part.symbol {
            Some(symbol) => self.prices.of(now, symbol),
            None => Some(Range::of(Amount::ONE)),
        };
        price.is_some_and(|price| {
            let (low, high) = (free * price.low.in_floats(), free * price.high.in_floats());
            (low <= part.worth || near(low, part.worth))
                && (part.worth <= high || near(high, part.worth))
        })
    }

    /// What pays for a buy of so much, if there is so much: all of it, or as much as there is.
    fn funded(&self, symbol: &str, wanted: Amount, dollars: Amount) -> Result<Amount, AmountError> {
        let cost = self.markets.rules(symbol).fee_pct.and(self.slippage_pct)?;
        let unit = Amount::ONE.and(Amount::ONE.pct(cost)?)?;
        if wanted.by(unit)? <= dollars {
            return Ok(wanted);
        }
        Ok(dollars.per(unit)?.down_to(2))
    }

    fn judge(&mut self, judged: &RiskJudged) {
        let is_planned = !matches!(judged.origin, TradeOrigin::Signal(_));
        let dollars = self.balance(DOLLAR).1;
        self.judged = is_planned.then_some((judged.proposal.size_usd, dollars));
    }

    fn submit(&mut self, order: &OrderSubmitted) -> Result<(), String> {
        let planned = self.planned.get(&order.intent).copied();
        let Some((planned, (size, dollars))) = planned.zip(self.judged.take()) else {
            return Ok(());
        };
        if !self.is_bought_for_dollars(&order.order.symbol) || order.order.side != *"buy" {
            return Ok(());
        }
        let least = self.rules.rebalancing.min_trade_usd;
        match self.funded(&order.order.symbol, planned, dollars) {
            Ok(funded) if funded < planned && funded < least => Err(format!(
                "expected a buy over the {funded} dollars that are there for it to be skipped, found it sent"
            )),
            Ok(funded) if !near(funded.in_floats(), size) => Err(format!(
                "expected a buy over the {funded} dollars that are there for it, found one over {size}"
            )),
            _ => Ok(()),
        }
    }

    fn skip(&self, skipped: &RebalanceTradeSkipped, now: Time) -> Result<(), String> {
        if skipped.reason == *"no_price" && self.is_priced(&skipped.symbol, now) {
            return Err(format!(
                "expected a trade in {} at the price that it has, found it skipped",
                skipped.symbol
            ));
        }
        let planned = self.planned.get(&skipped.key).copied();
        let Some(planned) = planned.filter(|_| skipped.reason == *"unfunded") else {
            return Ok(());
        };
        if !self.is_bought_for_dollars(&skipped.symbol) {
            return Ok(());
        }
        let least = self.rules.rebalancing.min_trade_usd;
        match self.funded(&skipped.symbol, planned, self.balance(DOLLAR).1) {
            Ok(funded) if funded.is_above_zero() && funded >= least => Err(format!(
                "expected a buy over the {funded} dollars that are there for it, found it skipped"
            )),
            _ => Ok(()),
        }
    }

    /// Whether a pair surely has a price, and what it is paid with one in dollars.
    fn is_priced(&self, symbol: &str, now: Time) -> bool {
        let Ok(pair) = symbol.parse::<Pair>() else {
            return false;
        };
        let is_fresh = |symbol: &str| self.prices.is_fresh(now, symbol);
        is_fresh(symbol) && pair.dollar_symbol().is_none_or(|symbol| is_fresh(&symbol))
    }

    /// Whether what pays for the pair can be told without a price.
    fn is_bought_for_dollars(&self, symbol: &str) -> bool {
        let quote = symbol.split_once('/').map(|(_, quote)| quote);
        self.pays && quote == Some(DOLLAR)
    }

    fn plan(&mut self, plan: &RebalancePlanned) {
        let trades = plan.trades.iter();
        self.planned
            .extend(trades.map(|trade| (trade.key.clone(), trade.amount_usd.abs())));
    }
}

impl Invariant<DomainEvent> for Needed {
    fn id(&self) -> &'static str {
        "rebalance.needed"
    }

    fn statement(&self) -> &'static str {
        "a rebalancing drives each asset to a third of what the account is worth, and its buys are smaller than \
         planned only for want of dollars"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::MarketTrade,
            number::MarketBar,
            number::OutsideActed,
            number::BalanceChanged,
            number::Published,
            number::RebalancePlanned,
            number::RebalanceTradeSkipped,
            number::RiskJudged,
            number::OrderSubmitted,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RebalancePlanned]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.prices.note(event);
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                for set in &self.at_start {
                    self.prices.see(event.time, &set.symbol, set.price);
                }
                Ok(())
            }
            Some(DomainEvent::BalanceChanged(it)) => {
                let free = it.balance.less(it.reserved).unwrap_or_default();
                self.balances.insert(it.asset.clone(), (it.balance, free));
                Ok(())
            }
            Some(DomainEvent::RebalancePlanned(it)) => {
                self.plan(it);
                Ok(())
            }
            Some(DomainEvent::RiskJudged(it)) => {
                self.judge(it);
                Ok(())
            }
            Some(DomainEvent::Published(it)) => self.announce(event, it),
            Some(DomainEvent::RebalanceTradeSkipped(it)) => self.skip(it, event.time),
            Some(DomainEvent::OrderSubmitted(it)) => self.submit(it),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
