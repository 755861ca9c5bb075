//! What the account is worth and what of it is at risk, as far as events tell: bounds, since a price may
//! reach the exchange a moment later than the log, and a position that lost its backing ends silently.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, KernelEvent, Plan, Time};

use super::prices::{InUse, Prices};
use crate::config::Config;
use crate::domain_event::{
    DomainEvent, Filled, OrderAnswered, OrderOutcome, OrderSubmitted, PositionOpened, TradeOrigin,
};
use crate::message::Name;
use crate::symbol::{DOLLAR, Markets};

/// A least and a greatest value.
pub(super) type Range = (f64, f64);

/// What is known of the account at an instant.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// In dollars.
    pub(super) equity: Range,
    /// In percent of it.
    pub(super) exposure_pct: Range,
    /// That of each symbol, in percent of it.
    pub(super) of: Vec<(Name, Range)>,
}

/// A part of a position.
#[derive(Clone, Debug)]
struct Lot {
    /// The order that opened it, and which position it became, once that is told.
    order: Name,
    position: Option<u64>,
    symbol: Name,
    buys: bool,
    size: f64,
    price: f64,
    leverage: f64,
    margin: bool,
}

/// An order that may open a position.
#[derive(Clone, Debug)]
struct Open {
    symbol: Name,
    leverage: f64,
    opens: bool,
    /// What it is worth in dollars while it rests, and by how much rounding may change that.
    worth: f64,
    slack: f64,
    /// Whether its pair is quoted in dollars.
    in_dollars: bool,
    rests: bool,
}

/// Balances, positions and resting orders.
#[derive(Debug)]
pub(super) struct Account {
    markets: Markets,
    /// How old a price may be, in nanoseconds; none where no price is young enough.
    max_age_ns: Option<u64>,
    prices: Prices,
    balances: Vec<(Name, f64)>,
    lots: Vec<Lot>,
    orders: BTreeMap<Name, Open>,
    /// Orders of which nobody knows the outcome.
    unknown: Vec<Name>,
    /// Something happened that the log does not tell to the end.
    lost: bool,
}

impl Account {
    pub(super) fn new(plan: &Plan<Config>) -> Account {
        let initial = plan.system.paper.initial_balance.iter();
        let max_age_s = u64::try_from(plan.system.prices.max_age_s).ok();
        Account {
            balances: initial
                .map(|(asset, amount)| (Name::from(asset.as_str()), amount.to_f64()))
                .collect(),
            markets: plan.system.markets.clone(),
            max_age_ns: max_age_s.map(|seconds| seconds * 1_000_000_000),
            prices: Prices::new(plan),
            lots: Vec::new(),
            orders: BTreeMap::new(),
            unknown: Vec::new(),
            lost: false,
        }
    }

    /// Takes one event into account.
    pub(super) fn see(&mut self, event: &Event<DomainEvent>) {
        if self.lost {
            // Nothing is said of it any more; lots that nobody takes away would only become more and more.
            return;
        }
        self.prices.see(event);
        match event.kernel() {
            // Cut off right after an event, it may not have said all that it did.
            Some(KernelEvent::HostCrashed(crash)) => self.lost |= crash.abrupt,
            Some(KernelEvent::TaskCrashed(_)) => self.lost = true,
            _ => {}
        }
        match event.domain() {
            Some(DomainEvent::BalanceChanged(it)) => {
                let balance = it.balance.to_f64();
                match self
                    .balances
                    .iter_mut()
                    .find(|(asset, _)| *asset == it.asset)
                {
                    Some((_, known)) => *known = balance,
                    None => self.balances.push((it.asset.clone(), balance)),
                }
            }
            Some(DomainEvent::OrderSubmitted(it)) => self.submit(it),
            Some(DomainEvent::OrderAnswered(it)) => self.answer(it),
            Some(DomainEvent::Filled(it)) => match it.intent.clone() {
                Some(intent) => self.fill(it, &intent),
                None => self.close(it),
            },
            Some(DomainEvent::PositionOpened(it)) => self.open(it),
            _ => {}
        }
    }

    fn submit(&mut self, submitted: &OrderSubmitted) {
        let order = &submitted.order;
        let leverage = order.leverage as f64;
        let limit = submitted.limit.map_or(0.0, |limit| limit.to_f64());
        let rules = self.markets.rules(&order.symbol);
        let unit = (0..rules.size_decimals).fold(1.0, |unit, _| unit / 10.0);
        let open = Open {
            symbol: order.symbol.clone(),
            leverage,
            opens: matches!(submitted.origin, TradeOrigin::Signal(_)),
            worth: order.size_usd * leverage,
            slack: unit * limit * leverage,
            in_dollars: quote_of(&order.symbol) == Some(DOLLAR),
            rests: false,
        };
        self.orders.insert(submitted.intent.clone(), open);
    }

    fn answer(&mut self, answered: &OrderAnswered) {
        self.unknown.retain(|intent| *intent != answered.intent);
        match answered.outcome {
            OrderOutcome::Unknown => self.unknown.push(answered.intent.clone()),
            OrderOutcome::Resting => {
                if let Some(order) = self.orders.get_mut(&answered.intent) {
                    order.rests = true;
                }
            }
            OrderOutcome::Filled
            | OrderOutcome::Refused(_)
            | OrderOutcome::Raised(_)
            | OrderOutcome::Cancelled => {
                self.orders.remove(&answered.intent);
            }
        }
    }

    fn fill(&mut self, fill: &Filled, intent: &Name) {
        let Some(order) = self.orders.get_mut(intent) else {
            return;
        };
        order.rests = false;
        if order.opens {
            self.lots.push(Lot {
                order: fill.order.clone(),
                position: None,
                symbol: fill.symbol.clone(),
                buys: fill.side == *"buy",
                size: fill.size.to_f64(),
                price: fill.price.to_f64(),
                leverage: order.leverage,
                margin: fill.margin,
            });
        }
    }

    fn open(&mut self, opened: &PositionOpened) {
        let of_order = |lot: &&mut Lot| lot.position.is_none() && lot.order == opened.order;
        if let Some(lot) = self.lots.iter_mut().rfind(of_order) {
            lot.position = Some(opened.position);
        }
    }

    /// If more than one position may be meant, nothing is known any more.
    fn close(&mut self, fill: &Filled) {
        let (size, buys) = (fill.size.to_f64(), fill.side == *"buy");
        let meant = |lot: &Lot| {
            lot.symbol == fill.symbol
                && lot.buys != buys
                && lot.margin == fill.margin
                && (fill.position.is_none() || lot.position == fill.position)
        };
        let candidates: Vec<usize> = (0..self.lots.len())
            .filter(|at| meant(&self.lots[*at]))
            .collect();
        let exact: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|at| near(self.lots[*at].size, size))
            .collect();
        let at = match (exact.as_slice(), candidates.as_slice()) {
            ([at], _) | ([], [at]) => *at,
            _ => {
                self.lost = true;
                return;
            }
        };
        if near(self.lots[at].size, size) {
            self.lots.remove(at);
        } else {
            self.lots[at].size = (self.lots[at].size - size).max(0.0);
        }
    }

    /// What is known now; none where too little is.
    pub(super) fn bounds(&self, now: Time) -> Option<Bounds> {
        if self.lost || !self.unknown.is_empty() || !self.prices.are_known() {
            return None;
        }
        let max_age = self.max_age_ns.unwrap_or(0);
        let equity = self.equity(now, max_age)?;
        if equity.0 <= 0.0 {
            return None;
        }
        let (mut least, mut most) = (0.0, 0.0);
        let mut of: Vec<(Name, Range)> = Vec::new();
        let mut add = |symbol: &Name, worth: Range| {
            least += worth.0;
            most += worth.1;
            let share = (worth.0 / equity.1 * 100.0, worth.1 / equity.0 * 100.0);
            match of.iter_mut().find(|(known, _)| known == symbol) {
                Some((_, of_symbol)) => {
                    of_symbol.0 += share.0;
                    of_symbol.1 += share.1;
                }
                None => of.push((symbol.clone(), share)),
            }
        };
        for lot in &self.lots {
            let price = self.price(&lot.symbol, now)?;
            let dollars = self.dollars(quote_of(&lot.symbol)?, now, max_age)?;
            let units = lot.size * lot.leverage;
            // One without margin may have lost its backing, and ended without a trade.
            let surely = if lot.margin { units } else { 0.0 };
            let worth = (surely * price.0 * dollars.0, units * price.1 * dollars.1);
            add(&lot.symbol, worth);
        }
        for order in self.orders.values() {
            if order.rests {
                if !order.in_dollars {
                    return None;
                }
                let least = (order.worth - order.slack).max(0.0);
                add(&order.symbol, (least, order.worth + order.slack));
            }
        }
        Some(Bounds {
            equity,
            exposure_pct: (least / equity.1 * 100.0, most / equity.0 * 100.0),
            of,
        })
    }

    /// What the account may be worth by prices of any age; anything, where too little is known, and none
    /// where a price is missing.
    pub(super) fn worth(&self, now: Time) -> Option<Range> {
        if self.lost || !self.prices.are_known() {
            return Some((0.0, f64::INFINITY));
        }
        self.equity(now, u64::MAX)
    }

    /// By prices that are younger than `max_age`, in nanoseconds.
    fn equity(&self, now: Time, max_age: u64) -> Option<Range> {
        let (mut least, mut most) = (0.0, 0.0);
        for (asset, balance) in &self.balances {
            if *balance != 0.0 {
                let dollars = self.dollars(asset, now, max_age)?;
                least += balance * dollars.0;
                most += balance * dollars.1;
            }
        }
        for lot in self.lots.iter().filter(|lot| lot.margin) {
            let price = self.price(&lot.symbol, now)?;
            let dollars = self.dollars(quote_of(&lot.symbol)?, now, max_age)?;
            let way = if lot.buys { 1.0 } else { -1.0 };
            let profit = |price: f64, dollars: f64| {
                (price - lot.price) * way * lot.size * lot.leverage * dollars
            };
            let all = [
                profit(price.0, dollars.0),
                profit(price.0, dollars.1),
                profit(price.1, dollars.0),
                profit(price.1, dollars.1),
            ];
            least += all.into_iter().fold(f64::INFINITY, f64::min);
            most += all.into_iter().fold(f64::NEG_INFINITY, f64::max);
        }
        Some((least, most))
    }

    /// The price of one unit in dollars; none if a source may have nothing fresh to say.
    fn dollars(&self, asset: &str, now: Time, max_age: u64) -> Option<Range> {
        if asset == DOLLAR {
            return Some((1.0, 1.0));
        }
        let mut is_fresh = true;
        let given = self.prices.in_dollars(asset, now);
        let given = range(given.inspect(|it| is_fresh &= it.age_ns < max_age));
        given.filter(|_| is_fresh)
    }

    fn price(&self, symbol: &str, now: Time) -> Option<Range> {
        range(self.prices.in_use(symbol, now))
    }
}

/// The least and the greatest of some prices, if there are any.
fn range(given: impl Iterator<Item = InUse>) -> Option<Range> {
    let prices = given.map(|it| it.in_floats);
    prices.fold(None, |range, price| {
        let (least, most) = range.unwrap_or((price, price));
        Some((f64::min(least, price), f64::max(most, price)))
    })
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

fn quote_of(symbol: &str) -> Option<&str> {
    Some(symbol.split_once('/')?.1)
}
