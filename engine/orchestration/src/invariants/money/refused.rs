//! `order.refused`: an exchange refuses an order for a reason that is there.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Time};

use super::prices::{Prices, Range};
use super::size::size_of;
use super::{DOWN, EXCHANGE};
use crate::amount::{Amount, AmountError};
use crate::config::{Config, TradingMode};
use crate::domain_event::{
    BalanceChanged, DomainEvent, OrderAnswered, OrderOutcome, OrderSubmitted, TradeOrigin, number,
};
use crate::invariants::exact::Exact;
use crate::invariants::has_crashed;
use crate::message::Name;
use crate::symbol::{Markets, Pair};

/// By how much more than it needs there must be for a trade to be surely paid for, in percent: fees and
/// slippage, and prices that move on the way.
const SURELY_PCT: i64 = 110;

/// As many orders may wait for their price at once.
const RESTING_MOST: u64 = 1_000;

/// The highest leverage of a position.
const LEVERAGE_MOST: i64 = 5;

/// An order is refused for want of balance or size only where that is wanting, and for what it is or for how many
/// there are only if it is so.
pub(super) struct Refused {
    /// Whether balances are told; a live exchange keeps them to itself.
    on_paper: bool,
    markets: Markets,
    prices: Prices,
    /// What is free of each asset.
    free: BTreeMap<Name, Amount>,
    /// Whether the exchange was down, and may see a price long after it was given.
    sees_late: bool,
    /// How many orders were ever sent.
    sent: u64,
    orders: BTreeMap<Name, Box<OrderSubmitted>>,
}

impl Refused {
    pub(super) fn new(config: &Config) -> Refused {
        let balances = config.paper.initial_balance.iter();
        Refused {
            on_paper: config.trading_mode == TradingMode::Paper,
            markets: config.markets.clone(),
            prices: Prices::new(config.prices.max_age_s),
            free: balances
                .map(|(asset, balance)| (Name::from(asset.as_str()), *balance))
                .collect(),
            sees_late: false,
            sent: 0,
            orders: BTreeMap::new(),
        }
    }

    fn told(&mut self, told: &BalanceChanged) {
        let free = told.balance.minus(told.reserved).unwrap_or_default();
        self.free.insert(told.asset.clone(), free);
    }

    fn answer(&mut self, now: Time, answered: &OrderAnswered) -> Result<(), String> {
        // What nobody answered at once was decided before, on other balances.
        let order = self.orders.remove(&answered.intent);
        let (Some(order), OrderOutcome::Refused(code)) = (order, &answered.outcome) else {
            return Ok(());
        };
        if self.sees_late || !self.on_paper {
            return Ok(());
        }
        let wanting = match code.as_str() {
            "too_many_orders" if self.sent <= RESTING_MOST => {
                Err("expected no refusal for more orders than were ever sent")
            }
            "leverage_limit" if (1..=LEVERAGE_MOST).contains(&order.order.leverage) => {
                Err("expected no refusal of a leverage that a position can have")
            }
            "no_limit_price" if order.limit.is_some() => {
                Err("expected no refusal for want of a limit that is there")
            }
            "malformed_symbol" if order.order.symbol.parse::<Pair>().is_ok() => {
                Err("expected no refusal of a symbol that has two sides")
            }
            _ => self.wanting(now, &order, code),
        };
        wanting.map_err(|what| format!("{what}, found one"))
    }

    /// Whether it is the size or the balance that is wanting, where the refusal says so.
    fn wanting(&self, now: Time, order: &OrderSubmitted, code: &Name) -> Result<(), &'static str> {
        let size = size_of(order, &self.markets, |symbol| self.prices.of(now, symbol));
        let Some(size) = size else {
            return Ok(());
        };
        match code.as_str() {
            "size_not_positive" if size.low.is_above_zero() => {
                Err("expected no refusal of a size that is above nothing")
            }
            "insufficient_balance" if self.is_covered(now, order, size) == Ok(true) => {
                Err("expected no refusal for want of what is there")
            }
            _ => Ok(()),
        }
    }

    /// Whether the balances pay for an order, however the market moves on its way.
    fn is_covered(
        &self,
        now: Time,
        order: &OrderSubmitted,
        size: Range,
    ) -> Result<bool, AmountError> {
        let symbol = order.order.symbol.as_str();
        let Ok(pair) = symbol.parse::<Pair>() else {
            return Ok(false);
        };
        let Some(price) = self.prices.of(now, symbol) else {
            return Ok(false);
        };
        let free = |asset: &str| self.free.get(asset).copied().unwrap_or_default();
        let surely = Amount::from_int(SURELY_PCT);
        let price = order
            .limit
            .map_or(price.high, |limit| limit.max(price.high));
        let value = size.high.times(price)?.percent(surely)?;
        let in_quote = free(&pair.quote) >= value;
        if order.order.side == *"buy" {
            return Ok(in_quote);
        }
        // What is not sold is borrowed, except in a rebalancing.
        let by_signal = matches!(order.origin, TradeOrigin::Signal(_));
        let in_base = free(&pair.base) >= size.high.percent(surely)?;
        Ok(if by_signal {
            in_quote && in_base
        } else {
            in_base
        })
    }
}

impl Invariant<DomainEvent> for Refused {
    fn id(&self) -> &'static str {
        "order.refused"
    }

    fn statement(&self) -> &'static str {
        "an order is refused for want of balance or size, or for another reason, only where that is so"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            DOWN,
            number::MarketTrade,
            number::MarketBar,
            number::OutsideActed,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::BalanceChanged,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OrderAnswered]]
    }

    /// An order that takes its time on the way meets other balances and prices.
    fn excludes(&self) -> &'static [&'static str] {
        &["exchange.slow"]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.prices.note(event);
        match event.domain() {
            Some(DomainEvent::OrderSubmitted(it)) => {
                self.sent += 1;
                self.orders.insert(it.intent.clone(), it.clone());
            }
            Some(DomainEvent::OrderAnswered(it)) => return self.answer(now, it),
            Some(DomainEvent::BalanceChanged(it)) => self.told(it),
            _ => {
                self.sees_late |= has_crashed(event, EXCHANGE);
            }
        }
        Ok(())
    }

    fn evaluable(&self) -> bool {
        self.on_paper
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain_event::MarketTrade;
    use crate::invariants::money::planted::{answered, config, order};
    use crate::invariants::planted::Planted;

    /// BTC at 50 dollars, so many dollars and BTC, and an order over 100 dollars that is refused.
    fn refused(dollars: i64, btc: i64, side: &str, code: &str) -> Planted {
        let mut config = config();
        let balances = [("USDT", dollars), ("BTC", btc)];
        config.paper.initial_balance = balances
            .map(|(asset, units)| (asset.to_owned(), Amount::from_int(units)))
            .into();
        Planted::of(Refused::new(&config))
            .then(MarketTrade {
                symbol: "BTC/USDT".into(),
                price: Amount::from_int(50),
                size: Amount::ONE,
                taker_buys: None,
            })
            .then(order("intent-1", side))
            .then(answered("intent-1", OrderOutcome::Refused(code.into())))
    }

    #[test]
    fn a_refusal_for_what_is_not_wanting_is_found() {
        for (dollars, btc, side, code) in [
            (120, 0, "buy", "insufficient_balance"),
            (120, 3, "sell", "insufficient_balance"),
            (0, 0, "buy", "size_not_positive"),
            (120, 0, "buy", "too_many_orders"),
            (120, 0, "buy", "leverage_limit"),
            (120, 0, "buy", "malformed_symbol"),
        ] {
            let what = refused(dollars, btc, side, code).violated();
            assert!(what.starts_with("expected no refusal"), "{what}");
        }
    }

    #[test]
    fn a_refusal_for_what_an_order_is_is_fine() {
        refused(120, 0, "buy", "no_limit_price").holds();
        let limited = OrderSubmitted {
            limit: Some(Amount::from_int(50)),
            ..order("intent-2", "buy")
        };
        let mut bold = order("intent-2", "buy");
        bold.order.leverage = 6;
        let mut odd = order("intent-2", "buy");
        odd.order.symbol = "BTC".into();
        let after = |order: OrderSubmitted, code: &str| {
            let first = refused(120, 0, "buy", "executor_down").then(order);
            first.then(answered("intent-2", OrderOutcome::Refused(code.into())))
        };
        after(bold, "leverage_limit").holds();
        after(odd, "malformed_symbol").holds();
        let what = after(limited, "no_limit_price").violated();
        assert!(what.contains("a limit that is there"), "{what}");
    }

    #[test]
    fn a_refusal_for_want_of_balance_is_fine() {
        refused(99, 0, "buy", "insufficient_balance").holds();
        refused(99, 1, "sell", "insufficient_balance").holds();
        refused(1_000, 0, "buy", "executor_down").holds();
        let spent = || {
            refused(120, 0, "buy", "executor_down").then(BalanceChanged {
                asset: "USDT".into(),
                balance: Amount::from_int(120),
                reserved: Amount::from_int(60),
            })
        };
        let again = || spent().then(order("intent-2", "buy"));
        let code = || OrderOutcome::Refused("insufficient_balance".into());
        again().then(answered("intent-2", code())).holds();
        let lost = refused(120, 0, "buy", "executor_down").then(order("intent-2", "buy"));
        lost.then(answered("intent-2", OrderOutcome::Unknown))
            .then(answered("intent-2", code()))
            .holds();
    }
}
