//! Orders, what they are to achieve, and their fills: plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, AmountError};
use crate::portfolio::{Change, Holding};
use crate::risk::Proposal;
use crate::symbol::Side;

/// The caller's own name for what it wants done once. It survives a crash, an order id need not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IntentId(pub String);

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An order at the exchange, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderId(pub u64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order-{}", self.0)
    }
}

/// One execution at the exchange, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExecutionId(pub u64);

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "execution-{}", self.0)
    }
}

/// How an order is priced. Everything but a limit order fills at once at the market price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderKind {
    /// At the market price, with slippage.
    Market,
    /// At its own price, once the market is there.
    Limit,
    /// As a market order.
    StopLoss,
    /// As a market order.
    StopLossLimit,
    /// As a market order.
    TakeProfit,
    /// As a market order.
    TakeProfitLimit,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// On its way.
    Pending,
    /// A limit order waits for its price.
    Open,
    /// Done with a part of its size; the rest is dropped.
    PartiallyFilled,
    /// Done.
    Filled,
    /// Taken back while it was open.
    Cancelled,
    /// Refused for want of balance.
    Rejected,
    /// Failed for another reason.
    Error,
}

/// What a trade is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A signal: opens a position, on margin if it must.
    Signal,
    /// A rebalancing: exchanges balances, and where settlement is sound opens no position.
    Rebalance,
}

/// A trade as the coordinator asks for it: sized in dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TradeRequest {
    /// The caller's name for it.
    pub intent: IntentId,
    /// The pair.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// The stake in dollars, before leverage.
    pub size_usd: Amount,
    /// The limit price; `None` for a market order.
    pub entry_price: Option<Amount>,
    /// 1 to 5.
    pub leverage: i64,
    /// Where the position takes its loss.
    pub stop_loss: Option<Amount>,
    /// Where the position takes its profit.
    pub take_profit: Option<Amount>,
    /// What it is for.
    pub purpose: Purpose,
}

impl TradeRequest {
    /// The trade that `proposal` asks for: a limit order at its entry price, or a market order if it
    /// is one or has no entry price.
    ///
    /// # Errors
    /// A float that is no decimal number.
    pub fn from_proposal(
        proposal: &Proposal,
        intent: IntentId,
        purpose: Purpose,
    ) -> Result<TradeRequest, AmountError> {
        let limit = proposal.entry_price > 0.0 && !proposal.market;
        let level = |level: Option<f64>| level.map(Amount::from_f64).transpose();
        Ok(TradeRequest {
            intent,
            symbol: proposal.symbol.clone(),
            side: proposal.side,
            size_usd: Amount::from_f64(proposal.size_usd)?,
            entry_price: level(limit.then_some(proposal.entry_price))?,
            leverage: proposal.leverage,
            stop_loss: level(proposal.stop_loss)?,
            take_profit: level(proposal.take_profit)?,
            purpose,
        })
    }
}

/// What an order is to do, sized in units of the base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderTerms {
    /// The pair.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// How it is priced.
    pub kind: OrderKind,
    /// In units of the base.
    pub size: Amount,
    /// In the quote currency; limit orders only.
    pub price: Option<Amount>,
}

/// An order and how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its name at the exchange.
    pub id: OrderId,
    /// The trade it carries out; none for a bare order.
    pub request: Option<TradeRequest>,
    /// What it is to do.
    pub terms: OrderTerms,
    /// How far it has come.
    pub status: OrderStatus,
    /// In units of the base.
    pub filled_size: Amount,
    /// In the quote currency.
    pub filled_price: Option<Amount>,
    /// In the fee currency.
    pub fee: Amount,
    /// Empty while nothing was charged.
    pub fee_currency: String,
    /// When it was placed, in microseconds since the run began.
    pub placed_us: i64,
}

impl Order {
    pub(super) fn new(
        id: OrderId,
        terms: OrderTerms,
        request: Option<TradeRequest>,
        placed_us: i64,
    ) -> Order {
        Order {
            id,
            request,
            terms,
            status: OrderStatus::Pending,
            filled_size: Amount::ZERO,
            filled_price: None,
            fee: Amount::ZERO,
            fee_currency: String::new(),
            placed_us,
        }
    }

    /// Leverage of the trade it carries out; 1 for a bare order.
    pub fn leverage(&self) -> i64 {
        self.request.as_ref().map_or(1, |request| request.leverage)
    }

    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        self.request
            .as_ref()
            .map_or(Purpose::Signal, |request| request.purpose)
    }
}

/// One execution: what was exchanged, to the last digit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    /// Its own name, so that a repetition is recognised.
    pub execution: ExecutionId,
    /// The order that it fills; none when a position was closed.
    pub order: Option<OrderId>,
    /// The pair.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// In units of the base.
    pub size: Amount,
    /// In the quote currency.
    pub price: Amount,
    /// What was charged, in the fee currency. Part of `changes` already.
    pub fee: Amount,
    /// The quote currency.
    pub fee_currency: String,
    /// What it did to the balances.
    pub changes: Vec<Change>,
    /// What there is of each changed asset right afterwards, in the same order.
    pub holdings: Vec<Holding>,
    /// When, in microseconds since the run began.
    pub at_us: i64,
}
