//! `rebalance.needed`: a rebalancing does what the account needs: it drives each asset to a third, from the worth that
//! it has, and a buy is smaller than planned only for want of dollars.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan, Time};
use serde_json::Value;

use super::prices::{Prices, Range};
use crate::agents::AgentKind;
use crate::amount::{Amount, AmountError};
use crate::config::{Config, PriceSet, TradingMode};
use crate::domain_event::{
    DomainEvent, OrderSubmitted, Published, RebalancePlanned, RebalanceTradeSkipped, RiskJudged,
    TradeOrigin, number,
};
use crate::invariants::exact::Exact;
use crate::invariants::{TOLERANCE, announced_plan, near, set_before_start};
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

/// What a plan tells of an asset.
struct Part {
    asset: &'static str,
    /// By what it is traded for dollars; none for dollars themselves.
    symbol: Option<&'static str>,
    /// In dollars, and in percent of the total.
    worth: f64,
    pct: f64,
    /// What is never traded.
    kept: Amount,
    target_pct: Amount,
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
        let told = &plan["current_allocation"];
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let (bags, target) = (&self.rules.hodl_bags, &self.rules.target_allocation);
        let assets = [
            Part {
                asset: "BTC",
                symbol: Some("BTC/USDT"),
                worth: number(&told["btc_value_usd"]),
                pct: number(&told["btc_pct"]),
                kept: bags.btc_amount,
                target_pct: target.btc_pct,
            },
            Part {
                asset: "XRP",
                symbol: Some("XRP/USDT"),
                worth: number(&told["xrp_value_usd"]),
                pct: number(&told["xrp_pct"]),
                kept: bags.xrp_amount,
                target_pct: target.xrp_pct,
            },
            Part {
                asset: DOLLAR,
                symbol: None,
                worth: number(&told["usdt_value_usd"]),
                pct: number(&told["usdt_pct"]),
                kept: bags.usdt_amount,
                target_pct: target.usdt_pct,
            },
        ];
        let total = assets.iter().map(|it| it.worth).sum::<f64>();
        require("the total", near(total, number(&told["total_equity_usd"])))?;
        let mut furthest = 0.0_f64;
        for it in &assets {
            require("a share", near(it.pct, it.worth / total * 100.0))?;
            furthest = furthest.max((it.pct - it.target_pct.in_floats()).abs());
            let free = self.balance(it.asset).0.less(it.kept).unwrap_or_default();
            let free = free.in_floats().max(0.0);
            let price = match it.symbol {
                Some(symbol) => self.prices.of(event.time, symbol),
                None => Some(Range::of(Amount::ONE)),
            };
            require(
                "a worth",
                price.is_some_and(|price| is_worth(free, price, it.worth)),
            )?;
        }
        require(
            "the deviation",
            near(furthest, number(&told["max_deviation_pct"])),
        )?;
        let least = self.rules.rebalancing.threshold_pct.in_floats();
        require("a need", furthest >= least * (1.0 - TOLERANCE))?;
        let trades = plan["trades"].as_array();
        let trades: Vec<&Value> = trades.into_iter().flatten().collect();
        let mut sum = 0.0;
        for it in &assets {
            let Some(symbol) = it.symbol else { continue };
            let missing = total / 3.0 - it.worth;
            let of_symbol = trades.iter().filter(|trade| trade["symbol"] == symbol);
            let side = if missing > 0.0 { "buy" } else { "sell" };
            require("a side", of_symbol.clone().all(|it| it["action"] == side))?;
            let amount: f64 = of_symbol.map(|trade| number(&trade["amount_usd"])).sum();
            let smallest = self.rules.rebalancing.min_trade_usd.in_floats();
            let expected = if missing.abs() < smallest {
                0.0
            } else {
                missing.abs()
            };
            let is_edge = near(missing.abs(), smallest);
            require("an amount", is_edge || near(amount, expected))?;
            sum += amount;
        }
        require(
            "what all trades are worth",
            near(sum, number(&plan["total_trade_value_usd"])),
        )
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

/// Whether so much of an asset is worth this at one of the prices.
fn is_worth(amount: f64, price: Range, worth: f64) -> bool {
    let (low, high) = (
        amount * price.low.in_floats(),
        amount * price.high.in_floats(),
    );
    (low <= worth || near(low, worth)) && (worth <= high || near(high, worth))
}

fn require(what: &str, so: bool) -> Result<(), String> {
    if so {
        return Ok(());
    }
    Err(format!(
        "expected {what} that follows from the account, found another in a plan"
    ))
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain_event::{BalanceChanged, MarketTrade, TradePlanned};
    use crate::invariants::planted::Planted;
    use crate::invariants::trading::plant::{by, judged, published, submitted};
    use crate::message::Topic;

    /// Bitcoin at 100 and XRP at 1 dollar; 10 of the one, 200 of the other, 600 dollars.
    fn account() -> Planted {
        let sections = json!({
            "symbols": ["BTC/USDT"], "market": {"source": "none"},
            "paper": {"initial_balance": {"BTC": "9", "XRP": "200", "USDT": "600"}},
        });
        let config: Config = serde_json::from_value(sections).expect("it is one");
        let trade = |symbol: &'static str, price| MarketTrade {
            symbol: Name::fixed(symbol),
            price: Amount::from_int(price),
            size: Amount::ONE,
            taker_buys: None,
        };
        let priced = Planted::of(Needed::new(&Plan::of("planted", config)))
            .then(trade("BTC/USDT", 100))
            .then(trade("XRP/USDT", 1));
        priced.then(BalanceChanged {
            asset: Name::fixed("BTC"),
            balance: Amount::from_int(10),
            reserved: Amount::ZERO,
        })
    }

    fn plan() -> Value {
        json!({
            "action": "rebalance", "timestamp": "1970-01-01T00:00:00.000000+00:00",
            "current_allocation": {
                "btc_value_usd": 1_000.0, "xrp_value_usd": 200.0, "usdt_value_usd": 600.0, "total_equity_usd": 1_800.0,
                "btc_pct": 1_000.0 / 18.0, "xrp_pct": 200.0 / 18.0, "usdt_pct": 600.0 / 18.0,
                "max_deviation_pct": 1_000.0 / 18.0 - 33.33,
            },
            "total_trade_value_usd": 800.0,
            "trades": [
                {"symbol": "BTC/USDT", "action": "sell", "amount_usd": 400.0},
                {"symbol": "XRP/USDT", "action": "buy", "amount_usd": 200.0},
                {"symbol": "XRP/USDT", "action": "buy", "amount_usd": 200.0},
            ],
        })
    }

    fn announced(plan: Value) -> Published {
        let said = published(1, Topic::PortfolioUpdates, 0, plan);
        by("portfolio_rebalance", said)
    }

    fn holds(log: Planted) -> bool {
        matches!(log.finding(), dacapo_kernel::Finding::NotEvaluable)
    }

    // Fails if a plan may be made of another account, at other prices, or may drive it elsewhere.
    #[test]
    fn a_plan_follows_from_the_account() {
        assert!(holds(account().then(announced(plan()))));
        for (field, wrong) in [
            ("btc_value_usd", json!(900.0)),
            ("usdt_value_usd", json!(500.0)),
            ("xrp_pct", json!(12.0)),
            ("total_equity_usd", json!(1_700.0)),
            ("max_deviation_pct", json!(3.0)),
        ] {
            let mut other = plan();
            other["current_allocation"][field] = wrong;
            account().then(announced(other)).violated();
        }
        for (place, field, wrong) in [
            (0, "action", json!("buy")),
            (0, "amount_usd", json!(300.0)),
            (1, "symbol", json!("BTC/USDT")),
        ] {
            let mut other = plan();
            other["trades"][place][field] = wrong;
            account().then(announced(other)).violated();
        }
        let mut none = plan();
        none["trades"] = json!([]);
        account().then(announced(none)).violated();
        let mut other = plan();
        other["total_trade_value_usd"] = json!(700.0);
        account().then(announced(other.clone())).violated();
        let late = account().at(5.0).then(announced(other));
        assert!(holds(late), "what comes late is judged");
    }

    /// A buy of this many dollars is planned.
    fn planned(dollars: i64) -> Planted {
        let trade = TradePlanned {
            key: Name::fixed("rebalance-1-0"),
            symbol: Name::fixed("BTC/USDT"),
            side: Name::fixed("buy"),
            amount_usd: Amount::from_int(dollars),
            batch_index: 0,
            due: Instant::from_micros(0),
        };
        account().then(RebalancePlanned {
            plan: 1,
            batches: 1,
            interval_hours: 0,
            total_usd: Amount::from_int(dollars),
            trades: vec![trade],
        })
    }

    fn skipped() -> RebalanceTradeSkipped {
        RebalanceTradeSkipped {
            key: Name::fixed("rebalance-1-0"),
            symbol: Name::fixed("BTC/USDT"),
            side: Name::fixed("buy"),
            batch_index: 0,
            reason: Name::fixed("unfunded"),
        }
    }

    // Fails if a buy may be skipped, or made smaller, with dollars there to pay for it.
    #[test]
    fn a_buy_is_smaller_only_for_want_of_dollars() {
        planned(500).then(skipped()).violated();
        planned(5_000).then(skipped()).violated();
        let none = BalanceChanged {
            asset: Name::fixed("USDT"),
            balance: Amount::from_int(600),
            reserved: Amount::from_int(595),
        };
        planned(5_000).then(none).then(skipped()).holds();
        // A sample trade is over 500 dollars.
        let sent = |log: Planted| {
            let judged = log.then(judged(TradeOrigin::Plan, "buy"));
            judged.then(submitted("rebalance-1-0", TradeOrigin::Plan, "buy"))
        };
        sent(planned(500)).holds();
        let poor = BalanceChanged {
            asset: Name::fixed("USDT"),
            balance: Amount::from_int(600),
            reserved: Amount::from_int(595),
        };
        let what = sent(planned(500).then(poor)).violated();
        assert!(what.contains("to be skipped"), "{what}");
        sent(planned(520)).violated();
        sent(planned(5_000)).violated();
    }
}
