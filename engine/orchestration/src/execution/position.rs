//! One position: what it is worth, and when it is to be closed.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::order::OrderId;
use crate::amount::{Amount, AmountError};
use crate::message::Instant;
use crate::symbol::Side;

/// A position, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PositionId(pub u64);

impl fmt::Display for PositionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position-{}", self.0)
    }
}

/// Which way the price must go for a profit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Up: opened by a buy.
    Long,
    /// Down: opened by a sell.
    Short,
}

impl Direction {
    /// The word that messages carry.
    fn name(self) -> &'static str {
        match self {
            Direction::Long => "long",
            Direction::Short => "short",
        }
    }

    /// The direction of a position that a trade of `side` opens.
    pub fn opened_by(side: Side) -> Direction {
        match side {
            Side::Buy => Direction::Long,
            Side::Sell => Direction::Short,
        }
    }

    /// The side of the trade that closes it.
    pub fn closed_by(self) -> Side {
        match self {
            Direction::Long => Side::Sell,
            Direction::Short => Side::Buy,
        }
    }
}

/// Why a position was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The price reached the stop.
    StopLoss,
    /// The price reached the target.
    TakeProfit,
    /// Somebody asked for it.
    Manual,
    /// A circuit breaker closes everything.
    Emergency,
}

impl CloseReason {
    /// The name that messages carry.
    pub const fn name(self) -> &'static str {
        match self {
            CloseReason::StopLoss => "stop_loss",
            CloseReason::TakeProfit => "take_profit",
            CloseReason::Manual => "manual",
            CloseReason::Emergency => "emergency",
        }
    }
}

/// What stands behind a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backing {
    /// Nothing: closing it leaves the balances alone (a defect).
    Unsettled,
    /// Balances that were exchanged, and are exchanged back.
    Spot,
    /// A part of the quote balance, held back until it is closed.
    Margin {
        /// How much, in the quote currency.
        reserved: Amount,
    },
}

/// A stop that follows the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailing {
    /// Whether this position has one.
    pub enabled: bool,
    /// Whether the profit has been large enough once.
    pub activated: bool,
    /// The best price since then, in the quote currency.
    pub best_price: Option<Amount>,
}

/// What is needed to open a position.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPosition {
    /// The order that opened it, if any.
    pub order: Option<OrderId>,
    /// The pair.
    pub symbol: String,
    /// Which way it earns.
    pub direction: Direction,
    /// In units of the base; above zero.
    pub size: Amount,
    /// In the quote currency.
    pub entry_price: Amount,
    /// 1 to 5.
    pub leverage: i64,
    /// Where the loss is taken.
    pub stop_loss: Option<Amount>,
    /// Where the profit is taken.
    pub take_profit: Option<Amount>,
    /// Whether its stop follows the price.
    pub trailing: bool,
    /// What stands behind it.
    pub backing: Backing,
}

/// An open position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Its name.
    pub id: PositionId,
    /// The order that opened it, if any.
    pub order: Option<OrderId>,
    /// The pair.
    pub symbol: String,
    /// Which way it earns.
    pub direction: Direction,
    /// In units of the base.
    pub size: Amount,
    /// In the quote currency.
    pub entry_price: Amount,
    /// 1 to 5. Multiplies profit and loss.
    pub leverage: i64,
    /// Where the loss is taken.
    pub stop_loss: Option<Amount>,
    /// Where the profit is taken.
    pub take_profit: Option<Amount>,
    /// The stop that follows the price.
    pub trailing: Trailing,
    /// What stands behind it.
    pub backing: Backing,
    /// Profit when it was last worked out, in the quote currency: see
    /// [`PositionBook::valued`](super::PositionBook::valued).
    pub unrealized_pnl: Amount,
    /// The same in percent of the entry, leverage included.
    pub unrealized_pnl_pct: Amount,
    /// When it was opened, in microseconds since the run began.
    pub opened_us: i64,
    /// How many prices of its symbol had been shown when its profit was last worked out.
    #[serde(skip)]
    pub(super) prices_seen: u64,
}

/// A position that is no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClosedPosition {
    /// As it was; nothing is unrealised any more.
    pub position: Position,
    /// In the quote currency.
    pub exit_price: Amount,
    /// (exit − entry) × size × leverage, the other way round for a short. In the quote currency.
    pub realized_pnl: Amount,
    /// Why.
    pub reason: CloseReason,
    /// When, in microseconds since the run began.
    pub closed_us: i64,
}

impl Position {
    /// (price − entry) × size × leverage, the other way round for a short; on `size` of it.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn pnl_on(&self, size: Amount, price: Amount) -> Result<Amount, AmountError> {
        let leverage = Amount::from_int(self.leverage);
        self.gain(price)?.times(size)?.times(leverage)
    }

    /// gain / entry × 100 × leverage.
    pub(super) fn pnl_pct(&self, price: Amount) -> Result<Amount, AmountError> {
        let leverage = Amount::from_int(self.leverage);
        let share = self.gain(price)?.over(self.entry_price)?;
        share.times(Amount::HUNDRED)?.times(leverage)
    }

    /// How far `price` is from the entry in the direction that earns.
    fn gain(&self, price: Amount) -> Result<Amount, AmountError> {
        match self.direction {
            Direction::Long => price.minus(self.entry_price),
            Direction::Short => self.entry_price.minus(price),
        }
    }

    /// Why it is to be closed at `price`, if it is: the stop counts before the target.
    pub(super) fn due_at(&self, price: Amount) -> Option<CloseReason> {
        let (stopped, reached) = match self.direction {
            Direction::Long => (
                self.stop_loss.is_some_and(|stop| price <= stop),
                self.take_profit.is_some_and(|target| price >= target),
            ),
            Direction::Short => (
                self.stop_loss.is_some_and(|stop| price >= stop),
                self.take_profit.is_some_and(|target| price <= target),
            ),
        };
        if stopped {
            Some(CloseReason::StopLoss)
        } else if reached {
            Some(CloseReason::TakeProfit)
        } else {
            None
        }
    }

    /// The position as messages show it. `t0_us` is the wall clock at the start of the run.
    pub fn payload(&self, t0_us: i64) -> Value {
        let (highest, lowest) = match self.direction {
            Direction::Long => (self.trailing.best_price, None),
            Direction::Short => (None, self.trailing.best_price),
        };
        let amount = |amount: Amount| Value::String(amount.text());
        let maybe = |level: Option<Amount>| level.map_or(Value::Null, amount);
        let text = |text: &str| Value::String(text.to_owned());
        // In the order of their names, so that they are put together at once; a message for each position
        // that comes and goes is much of what a trade costs.
        let fields = [
            ("closed_at", Value::Null),
            ("entry_price", amount(self.entry_price)),
            ("exit_price", Value::Null),
            ("external_id", Value::Null),
            ("fee_currency", text("")),
            ("id", Value::String(self.id.to_string())),
            ("leverage", Value::from(self.leverage)),
            ("notes", text("")),
            (
                "opened_at",
                Value::String(Instant::from_micros(self.opened_us).to_iso(t0_us)),
            ),
            (
                "order_id",
                self.order
                    .map_or(Value::Null, |order| Value::String(order.to_string())),
            ),
            ("realized_pnl", amount(Amount::ZERO)),
            ("side", text(self.direction.name())),
            ("size", amount(self.size)),
            ("status", text("open")),
            ("stop_loss", maybe(self.stop_loss)),
            ("stop_loss_order_id", Value::Null),
            ("symbol", text(&self.symbol)),
            ("tags", Value::Array(Vec::new())),
            ("take_profit", maybe(self.take_profit)),
            ("take_profit_order_id", Value::Null),
            ("total_fees", amount(Amount::ZERO)),
            (
                "trailing_stop_activated",
                Value::Bool(self.trailing.activated),
            ),
            ("trailing_stop_distance_pct", amount(Amount::new(15, 1))),
            ("trailing_stop_enabled", Value::Bool(self.trailing.enabled)),
            ("trailing_stop_highest_price", maybe(highest)),
            ("trailing_stop_lowest_price", maybe(lowest)),
            ("unrealized_pnl", amount(self.unrealized_pnl)),
            ("unrealized_pnl_pct", amount(self.unrealized_pnl_pct)),
        ];
        let fields = fields.into_iter();
        Value::Object(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }
}

impl ClosedPosition {
    /// Whether it earned anything.
    pub fn won(&self) -> bool {
        self.realized_pnl.is_positive()
    }

    /// The position as messages show it. `t0_us` is the wall clock at the start of the run.
    pub fn payload(&self, t0_us: i64) -> Value {
        let mut payload = self.position.payload(t0_us);
        payload["status"] = json!("closed");
        payload["closed_at"] = json!(Instant::from_micros(self.closed_us).to_iso(t0_us));
        payload["exit_price"] = json!(self.exit_price);
        payload["realized_pnl"] = json!(self.realized_pnl);
        payload
    }
}
