//! The paper exchange itself: takes orders, fills them, and keeps the account.
//!
//! A trade goes through two steps, between which the caller waits for the fill delay:
//! [`PaperExecutor::prepare`] sizes it, [`PaperExecutor::complete`] meets the market.

use std::collections::{BTreeMap, VecDeque};

use super::error::ExecutionError;
use super::match_order::{Draw, fill_price};
use super::order::{
    ExecutionId, Fill, IntentId, Order, OrderId, OrderKind, OrderStatus, OrderTerms, TradeRequest,
};
use super::outcome::{Outcome, Prepared, Progress};
use super::paper_config::{PaperConfig, PaperStats};
use super::position_book::PositionBook;
use super::price_source::PriceSource;
use super::settlement::SettlementRule;
use crate::amount::Amount;
use crate::defect::{Defect, Defects};
use crate::portfolio::{Change, Portfolio};
use crate::symbol::{Markets, Pair};

/// How many limit orders may rest at once.
const RESTING_CAP: usize = 1_000;

/// The paper exchange and the account it keeps.
#[derive(Clone, Debug)]
pub struct PaperExecutor {
    /// Settings.
    pub config: PaperConfig,
    /// The pairs it knows.
    pub markets: Markets,
    /// Its prices.
    pub prices: PriceSource,
    /// Its positions.
    pub positions: PositionBook,
    pub(super) portfolio: Portfolio,
    pub(super) resting: BTreeMap<OrderId, Order>,
    pub(super) settlement: SettlementRule,
    pub(super) defects: Defects,
    stats: PaperStats,
    orders: VecDeque<Order>,
    fills: VecDeque<Fill>,
    last_order: u64,
    last_execution: u64,
}

impl PaperExecutor {
    /// An exchange with the initial balances and nothing open.
    pub fn new(
        config: PaperConfig,
        markets: Markets,
        prices: PriceSource,
        positions: PositionBook,
        defects: Defects,
    ) -> PaperExecutor {
        PaperExecutor {
            portfolio: Portfolio::new(config.initial_balance.clone()),
            config,
            markets,
            prices,
            positions,
            resting: BTreeMap::new(),
            settlement: SettlementRule::new(defects),
            defects,
            stats: PaperStats::default(),
            orders: VecDeque::new(),
            fills: VecDeque::new(),
            last_order: 0,
            last_execution: 0,
        }
    }

    /// First step: turns dollars into a size. The caller then waits for `fill_delay_ms`.
    ///
    /// # Errors
    /// [`ExecutionError::NoPrice`] where a price is needed and no source has one. Where settlement is
    /// sound also what no position may have: a leverage out of range, or a size that rounds to zero.
    pub fn prepare(
        &mut self,
        now_us: i64,
        request: TradeRequest,
    ) -> Result<Prepared, ExecutionError> {
        let size = self.size_of(now_us, &request)?;
        if self.settlement == SettlementRule::SpotOrMargin {
            PositionBook::admits(size, request.leverage)
                .inspect_err(|_| self.stats.rejected += 1)?;
        }
        let kind = match request.entry_price {
            Some(_) => OrderKind::Limit,
            None => OrderKind::Market,
        };
        let terms = OrderTerms {
            symbol: request.symbol.clone(),
            side: request.side,
            kind,
            size,
            price: request.entry_price,
        };
        Ok(Prepared { request, terms })
    }

    /// The stake divided by the price, rounded to the pair's decimals. A pair that is not quoted in
    /// dollars needs its stake in its own quote currency first.
    fn size_of(&mut self, now_us: i64, request: &TradeRequest) -> Result<Amount, ExecutionError> {
        let price = match request.entry_price {
            Some(price) => price,
            None => self.price(now_us, &request.symbol)?,
        };
        let mut stake = request.size_usd;
        if !self.defects.has(Defect::CrossPairSizing)
            && let Some(symbol) = request.symbol.parse::<Pair>()?.dollar_symbol()
        {
            stake = stake.over(self.price(now_us, &symbol)?)?;
        }
        let decimals = self.markets.rules(&request.symbol).size_decimals;
        Ok(stake.over(price)?.round(decimals))
    }

    /// Second step: the order meets the market.
    pub fn complete(
        &mut self,
        now_us: i64,
        prepared: Prepared,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Outcome {
        let Prepared { request, terms } = prepared;
        let mut outcome = if terms.size.is_positive() {
            let order = self.new_order(now_us, terms, Some(request));
            self.meet_market(now_us, order, draw)
        } else {
            Outcome::failed(ExecutionError::SizeNotPositive(terms.size))
        };
        if outcome.result == Ok(Progress::Resting) && !self.matches_resting() {
            // Nobody will look at it again, and the trade counts as failed.
            outcome.result = Err(ExecutionError::NotFilled);
        }
        match outcome.result {
            Ok(Progress::Filled) => {
                self.stats.placed += 1;
                self.stats.filled += 1;
            }
            Ok(Progress::Resting) => self.stats.placed += 1,
            Err(_) => self.stats.rejected += 1,
        }
        outcome
    }

    /// Sends a bare order that carries out no trade: it opens no position.
    pub fn submit(
        &mut self,
        now_us: i64,
        terms: OrderTerms,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Outcome {
        let order = self.new_order(now_us, terms, None);
        self.meet_market(now_us, order, draw)
    }

    fn new_order(
        &mut self,
        now_us: i64,
        terms: OrderTerms,
        request: Option<TradeRequest>,
    ) -> Order {
        self.last_order += 1;
        Order::new(OrderId(self.last_order), terms, request, now_us)
    }

    fn meet_market(
        &mut self,
        now_us: i64,
        mut order: Order,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Outcome {
        let rules = self.markets.rules(&order.terms.symbol);
        let priced = self
            .price(now_us, &order.terms.symbol)
            .and_then(|market| fill_price(&order.terms, market, &rules, &self.config, draw));
        match priced {
            Ok(Some(price)) => self.fill(now_us, order, price, draw),
            Ok(None) => self.rest(order),
            Err(error) => {
                order.status = OrderStatus::Error;
                self.remember(&order);
                Outcome {
                    order: Some(order),
                    ..Outcome::failed(error)
                }
            }
        }
    }

    /// A limit order whose price is not there yet.
    fn rest(&mut self, mut order: Order) -> Outcome {
        if self.resting.len() >= RESTING_CAP {
            order.status = OrderStatus::Error;
            self.remember(&order);
            return Outcome {
                order: Some(order),
                ..Outcome::failed(ExecutionError::TooManyOrders(RESTING_CAP))
            };
        }
        order.status = OrderStatus::Open;
        self.resting.insert(order.id, order.clone());
        Outcome {
            result: Ok(Progress::Resting),
            order: Some(order),
            fill: None,
            position: None,
        }
    }

    pub(super) fn record_fill(&mut self, mut fill: Fill) -> Fill {
        self.last_execution += 1;
        fill.execution = ExecutionId(self.last_execution);
        let after = |change: &Change| self.portfolio.holding(&change.asset);
        fill.holdings = fill.changes.iter().map(after).collect();
        self.stats.trade_count += 1;
        keep(&mut self.fills, fill.clone(), self.config.max_trade_history);
        fill
    }

    pub(super) fn remember(&mut self, order: &Order) {
        keep(
            &mut self.orders,
            order.clone(),
            self.config.max_trade_history,
        );
    }

    pub(super) fn price(&mut self, now_us: i64, symbol: &str) -> Result<Amount, ExecutionError> {
        let price = self.prices.get(now_us, symbol);
        price.ok_or_else(|| ExecutionError::NoPrice(symbol.to_owned()))
    }

    pub(super) fn count_late_fill(&mut self) {
        self.stats.filled += 1;
    }

    pub(super) fn count_failure(&mut self) {
        self.stats.rejected += 1;
    }

    /// The balances.
    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }

    /// What was counted.
    pub fn stats(&self) -> PaperStats {
        self.stats
    }

    /// The orders that wait for their price, by age.
    pub fn resting_orders(&self) -> impl Iterator<Item = &Order> {
        self.resting.values()
    }

    /// The fills that are still remembered, the oldest first.
    pub fn fills(&self) -> impl Iterator<Item = &Fill> {
        self.fills.iter()
    }

    /// The order that carries out `intent`, if one was ever accepted and is still remembered.
    pub fn find(&self, intent: &IntentId) -> Option<&Order> {
        let carries_out = |order: &&Order| {
            let request = order.request.as_ref();
            request.is_some_and(|request| request.intent == *intent)
        };
        let finished = self.orders.iter().rev();
        self.resting.values().chain(finished).find(carries_out)
    }
}

/// Appends, and drops the oldest beyond `cap`.
fn keep<T>(history: &mut VecDeque<T>, item: T, cap: usize) {
    history.push_back(item);
    while history.len() > cap {
        history.pop_front();
    }
}
