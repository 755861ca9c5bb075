//! `money.notional`: an order is as large as its stake pays for, in the quote currency of its pair, and is
//! proposed and filled at prices that are real.

mod slippage;

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Time};

use slippage::Slippage;

use super::prices::{Prices, Range};
use super::size::size_of;
use super::{DOWN, EXCHANGE};
use crate::amount::Amount;
use crate::config::{Config, PriceSet};
use crate::domain_event::{
    DomainEvent, Filled, OrderAnswered, OrderOutcome, OrderSubmitted, Proposed, RebalancePlanned,
    RiskJudged, number,
};
use crate::invariants::exact::Exact;
use crate::invariants::{has_crashed, set_before_start};
use crate::message::Name;
use crate::symbol::Markets;

/// What is bought is worth what was asked.
pub(super) struct Notional {
    markets: Markets,
    prices: Prices,
    /// Prices that somebody sets by hand whenever the coordinator starts.
    at_start: Vec<PriceSet>,
    /// Whether the exchange was down, and may see a price long after it was given.
    sees_late: bool,
    slippage: Slippage,
    /// What each trade of a rebalancing is to be worth, in dollars, until it is over.
    planned: BTreeMap<Name, Amount>,
    /// What was proposed last: a trade is judged right before it is sent.
    judged: Option<Proposed>,
    /// Orders that may still be filled.
    asked: BTreeMap<Name, Asked>,
}

/// What an order asks for.
struct Asked {
    /// The least and the greatest size that its stake pays for; none if nobody can tell.
    size: Option<Range>,
    limit: Option<Amount>,
}

impl Notional {
    pub(super) fn new(config: &Config) -> Notional {
        Notional {
            markets: config.markets.clone(),
            prices: Prices::new(config.prices.max_age_s),
            at_start: set_before_start(config).cloned().collect(),
            sees_late: false,
            slippage: Slippage::new(&config.paper),
            planned: BTreeMap::new(),
            judged: None,
            asked: BTreeMap::new(),
        }
    }

    fn started(&mut self, now: Time) {
        for set in &self.at_start {
            self.prices.see(now, &set.symbol, set.price);
        }
    }

    fn plan(&mut self, plan: &RebalancePlanned) {
        let trades = plan.trades.iter();
        self.planned
            .extend(trades.map(|trade| (trade.key.clone(), trade.amount_usd.abs())));
    }

    fn judge(&mut self, judged: &RiskJudged) -> Result<(), String> {
        let price = judged.proposal.entry_price;
        if !(price.is_finite() && price > 0.0) {
            return Err(format!(
                "expected a proposal at a price above zero, found {price}"
            ));
        }
        self.judged = Some(judged.proposal.clone());
        Ok(())
    }

    fn submit(&mut self, now: Time, order: &OrderSubmitted) -> Result<(), String> {
        if let Some(amount) = self.planned.get(&order.intent).copied() {
            self.right_stake(&order.order, amount)?;
            self.real_price(now, &order.order)?;
        }
        let asked = Asked {
            size: size_of(order, &self.markets, |symbol| {
                let known = !self.sees_late;
                known.then(|| self.prices.of(now, symbol)).flatten()
            }),
            limit: order.limit,
        };
        self.asked.insert(order.intent.clone(), asked);
        Ok(())
    }

    /// A trade of a rebalancing asks for what was planned; a buy for less, if there is less to pay
    /// for it.
    fn right_stake(&self, order: &Proposed, planned: Amount) -> Result<(), String> {
        let planned = planned.in_floats();
        if order.size_usd > planned {
            return Err(format!(
                "expected a trade over the {planned} dollars that were planned, found one over {}",
                order.size_usd
            ));
        }
        let judged = self.judged.as_ref();
        let asked =
            judged.filter(|judged| (&judged.symbol, &judged.side) == (&order.symbol, &order.side));
        match asked {
            Some(asked) if order.side.as_str() == "sell" && asked.size_usd != planned => {
                Err(format!(
                    "expected a sale over the {planned} dollars that were planned, found one over {}",
                    asked.size_usd
                ))
            }
            _ => Ok(()),
        }
    }

    fn real_price(&self, now: Time, order: &Proposed) -> Result<(), String> {
        if self.sees_late {
            return Ok(());
        }
        let found = order.entry_price;
        match self.prices.of(now, &order.symbol) {
            None => Err(format!(
                "expected no trade without a price, found one at {found}"
            )),
            Some(real) if (real.low.in_floats()..=real.high.in_floats()).contains(&found) => Ok(()),
            Some(real) => Err(format!(
                "expected a trade at a price from {} to {}, found {found}",
                real.low, real.high
            )),
        }
    }

    fn fill(&self, now: Time, fill: &Filled) -> Result<(), String> {
        let asked = fill.intent.as_ref();
        let Some(asked) = asked.and_then(|intent| self.asked.get(intent)) else {
            return Ok(());
        };
        let found = fill.ordered;
        if let Some(size) = asked.size
            && !(size.low <= found && found <= size.high)
        {
            return Err(format!(
                "expected an order of {} to {} {}, found {found}",
                size.low, size.high, fill.symbol
            ));
        }
        let Some(limit) = asked.limit else {
            return self.fill_at_market(now, fill);
        };
        let worse = match fill.side.as_str() {
            "buy" => fill.price > limit,
            _ => fill.price < limit,
        };
        if worse {
            return Err(format!(
                "expected a fill no worse than the limit of {limit}, found {}",
                fill.price
            ));
        }
        Ok(())
    }

    /// A market order pays the price of the moment and its slippage.
    fn fill_at_market(&self, now: Time, fill: &Filled) -> Result<(), String> {
        if self.sees_late {
            return Ok(());
        }
        let decimals = self.markets.rules(&fill.symbol).price_decimals;
        match self.prices.of(now, &fill.symbol) {
            Some(real) => self.slippage.check(real, decimals, fill),
            None => Err("expected no fill without a price, found one".to_owned()),
        }
    }

    fn answer(&mut self, answered: &OrderAnswered) {
        let goes_on = [OrderOutcome::Resting, OrderOutcome::Unknown];
        if !goes_on.contains(&answered.outcome) {
            self.asked.remove(&answered.intent);
            self.planned.remove(&answered.intent);
        }
    }
}

impl Invariant<DomainEvent> for Notional {
    fn id(&self) -> &'static str {
        "money.notional"
    }

    fn statement(&self) -> &'static str {
        "what is bought is worth what was asked, in the quote currency of its pair"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            DOWN,
            number::Started,
            number::MarketTrade,
            number::MarketBar,
            number::OutsideActed,
            number::RebalancePlanned,
            number::RiskJudged,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::Filled,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OrderSubmitted]]
    }

    /// An order that takes its time on the way is sized when it arrives, and the price has moved.
    fn excludes(&self) -> &'static [&'static str] {
        &["exchange.slow"]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.prices.note(event);
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.started(now),
            Some(DomainEvent::RebalancePlanned(plan)) => self.plan(plan),
            Some(DomainEvent::RiskJudged(judged)) => return self.judge(judged),
            Some(DomainEvent::OrderSubmitted(order)) => return self.submit(now, order),
            Some(DomainEvent::Filled(fill)) => return self.fill(now, fill),
            Some(DomainEvent::OrderAnswered(answered)) => self.answer(answered),
            _ => {
                self.sees_late |= has_crashed(event, EXCHANGE);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain_event::MarketTrade;
    use crate::invariants::money::planted::{config, leg, order, plan, proposed};
    use crate::invariants::planted::Planted;

    fn trade(symbol: &str, price: Amount) -> MarketTrade {
        MarketTrade {
            symbol: symbol.into(),
            price,
            size: Amount::ONE,
            taker_buys: None,
        }
    }

    fn log() -> Planted {
        let log = Planted::of(Notional::new(&config()));
        log.then(trade("BTC/USDT", Amount::from_int(50)))
    }

    fn fill(symbol: &str, ordered: Amount, price: Amount) -> Filled {
        Filled {
            execution: 1,
            order: "order-1".into(),
            intent: Some("intent-1".into()),
            position: None,
            ordered,
            leverage: 1,
            symbol: symbol.into(),
            side: "buy".into(),
            size: ordered,
            price,
            fee: Amount::ZERO,
            margin: false,
        }
    }

    fn judged(proposal: Proposed) -> RiskJudged {
        RiskJudged {
            origin: crate::domain_event::TradeOrigin::Plan,
            basis: None,
            proposal,
            status: "approved".into(),
            rejections: Vec::new(),
            warnings: Vec::new(),
            size_usd: None,
            leverage: None,
        }
    }

    /// 50 dollars and what a market order suffers.
    fn market() -> Amount {
        Amount::new(5_004, 2)
    }

    #[test]
    fn a_market_order_slips_as_far_as_it_may() {
        let filled_at = |cents: i64| {
            let sent = log().then(order("intent-1", "buy"));
            sent.then(fill("BTC/USDT", Amount::from_int(2), Amount::new(cents, 2)))
        };
        filled_at(5_003).holds();
        filled_at(5_005).holds();
        for wrong in [5_000, 5_006, 4_995] {
            let what = filled_at(wrong).violated();
            assert!(what.contains("from 50.02 to 50.05"), "{what}");
        }
    }

    #[test]
    fn a_stake_of_a_hundred_pays_for_two_at_fifty() {
        let sent = || log().then(order("intent-1", "buy"));
        sent()
            .then(fill("BTC/USDT", Amount::from_int(2), market()))
            .holds();
        let more = sent().then(fill("BTC/USDT", Amount::from_int(3), market()));
        assert!(more.violated().contains("an order of 2"));
        let less = sent().then(fill("BTC/USDT", Amount::ONE, market()));
        assert!(less.violated().contains("an order of 2"));
    }

    #[test]
    fn a_stake_is_turned_into_the_quote_currency_first() {
        let sent = || {
            let mut order = order("intent-1", "buy");
            order.order.symbol = "XRP/BTC".into();
            log().then(trade("XRP/BTC", Amount::new(1, 2))).then(order)
        };
        let slipped = Amount::new(100_075, 7);
        // 100 dollars are 2 BTC, which buy 200 XRP.
        sent()
            .then(fill("XRP/BTC", Amount::from_int(200), slipped))
            .holds();
        let in_dollars = sent().then(fill("XRP/BTC", Amount::from_int(10_000), slipped));
        assert!(in_dollars.violated().contains("an order of 200"));
    }

    #[test]
    fn a_limit_is_kept() {
        let sent = || {
            let mut order = order("intent-1", "buy");
            order.limit = Some(Amount::from_int(25));
            log().then(order)
        };
        sent()
            .then(fill("BTC/USDT", Amount::from_int(4), Amount::from_int(25)))
            .holds();
        let dear = sent().then(fill("BTC/USDT", Amount::from_int(4), Amount::from_int(26)));
        assert!(dear.violated().contains("no worse than the limit"));
    }

    #[test]
    fn a_proposal_has_a_price_and_a_rebalancing_a_real_one() {
        let unpriced = Proposed {
            entry_price: 0.0,
            ..proposed("buy")
        };
        assert!(
            log()
                .then(judged(unpriced))
                .violated()
                .contains("above zero")
        );
        let planned = || log().then(plan(vec![leg("rebalance-1-0", "buy", 0, 0)]));
        planned().then(order("rebalance-1-0", "buy")).holds();
        let at = |price| {
            let mut order = order("rebalance-1-0", "buy");
            order.order.entry_price = price;
            order
        };
        assert!(
            planned()
                .then(at(60.0))
                .violated()
                .contains("from 50 to 50")
        );
        let mut other = plan(vec![leg("rebalance-1-0", "buy", 0, 0)]);
        other.trades[0].symbol = "XRP/USDT".into();
        let mut order = at(50.0);
        order.order.symbol = "XRP/USDT".into();
        let unknown = log().then(other).then(order).violated();
        assert!(unknown.contains("without a price"), "{unknown}");
    }

    #[test]
    fn a_trade_of_a_rebalancing_is_over_what_was_planned() {
        let planned = |side| log().then(plan(vec![leg("rebalance-1-0", side, 0, 0)]));
        let over = |side, size_usd| {
            let mut order = order("rebalance-1-0", side);
            order.order.size_usd = size_usd;
            order
        };
        assert!(
            planned("buy")
                .then(over("buy", 101.0))
                .violated()
                .contains("over the 100")
        );
        let buy = over("buy", 40.0);
        planned("buy")
            .then(judged(buy.order.clone()))
            .then(buy)
            .holds();
        let sell = over("sell", 40.0);
        let small = planned("sell").then(judged(sell.order.clone())).then(sell);
        assert!(small.violated().contains("expected a sale"));
    }
}
