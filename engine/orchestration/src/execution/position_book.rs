//! The open positions, the prices they are judged by, and what became of the closed ones.
//!
//! Balances are not touched here: what a closed position pays is settled by the exchange.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::error::ExecutionError;
use super::position::{
    Backing, CloseReason, ClosedPosition, Direction, NewPosition, Position, PositionId, Trailing,
};
use super::quoted::Quoted;
use crate::amount::{Amount, AmountError};
use crate::by_name::ByName;
use crate::symbol::is_symbol;

/// The leverage that a position may have.
const LEVERAGE: std::ops::RangeInclusive<i64> = 1..=5;
/// How many closed positions are remembered.
const CLOSED_CAP: usize = 1_000;

/// When and how stops follow the price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrailingRules {
    /// Whether any stop does.
    pub enabled: bool,
    /// The profit from which on it does, in percent.
    pub activation_pct: Amount,
    /// How far behind the best price it stays, in percent of that price.
    pub trail_distance_pct: Amount,
}

impl Default for TrailingRules {
    fn default() -> TrailingRules {
        TrailingRules {
            enabled: false,
            activation_pct: Amount::ONE,
            trail_distance_pct: Amount::new(15, 1),
        }
    }
}

/// A position that is to be closed, and at what price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The position.
    pub position: PositionId,
    /// Why.
    pub reason: CloseReason,
    /// The price that was seen.
    pub price: Amount,
}

/// All positions of an account.
#[derive(Clone, Debug, Default)]
pub struct PositionBook {
    trailing: TrailingRules,
    /// What is known of each symbol, by its name as positions and prices have it.
    quoted: ByName<Quoted>,
    open: BTreeMap<PositionId, Position>,
    closed: VecDeque<ClosedPosition>,
    closed_total: u64,
    realized_pnl: Amount,
    last_id: u64,
}

impl PositionBook {
    /// A book without positions.
    pub fn new(trailing: TrailingRules) -> PositionBook {
        PositionBook {
            trailing,
            ..PositionBook::default()
        }
    }

    /// Whether a position of this size and leverage may be opened.
    ///
    /// # Errors
    /// [`ExecutionError::LeverageLimit`] outside 1 to 5, [`ExecutionError::SizeNotPositive`].
    pub fn admits(size: Amount, leverage: i64) -> Result<(), ExecutionError> {
        if !LEVERAGE.contains(&leverage) {
            return Err(ExecutionError::LeverageLimit(leverage));
        }
        if !size.is_positive() {
            return Err(ExecutionError::SizeNotPositive(size));
        }
        Ok(())
    }

    /// Opens a position.
    ///
    /// # Errors
    /// As [`PositionBook::admits`].
    pub fn open(&mut self, now_us: i64, new: NewPosition) -> Result<&Position, ExecutionError> {
        PositionBook::admits(new.size, new.leverage)?;
        self.last_id += 1;
        let id = PositionId(self.last_id);
        let mut position = Position {
            id,
            order: new.order,
            symbol: new.symbol,
            direction: new.direction,
            size: new.size,
            entry_price: new.entry_price,
            leverage: new.leverage,
            stop_loss: new.stop_loss,
            take_profit: new.take_profit,
            trailing: Trailing {
                enabled: new.trailing,
                ..Trailing::default()
            },
            backing: new.backing,
            unrealized_pnl: Amount::ZERO,
            unrealized_pnl_pct: Amount::ZERO,
            opened_us: now_us,
            prices_seen: 0,
        };
        let quoted = self
            .quoted
            .or_insert_with(&position.symbol, Quoted::default);
        position.prices_seen = quoted.shown;
        quoted.add(&position);
        Ok(self.open.entry(id).or_insert(position))
    }

    /// Takes over a price. What the positions of its symbol earn at it is worked out when somebody asks.
    ///
    /// # Errors
    /// [`AmountError`] if a profit does not fit; then the price is not taken over.
    pub fn set_price(&mut self, symbol: &str, price: Amount) -> Result<(), AmountError> {
        let quoted = self.quoted.or_insert_with(symbol, Quoted::default);
        if quoted.is_wild_at(price) {
            for position in self.open.values().filter(|p| p.symbol == symbol) {
                position.pnl_on(position.size, price)?;
                position.pnl_pct(price)?;
            }
        }
        quoted.price = Some(price);
        quoted.shown += 1;
        Ok(())
    }

    /// A position with its profit at the last price that it was shown.
    pub fn valued(&self, position: &Position) -> Position {
        let mut valued = position.clone();
        if let Some(quoted) = self.quoted.get(&position.symbol)
            && quoted.shown > position.prices_seen
            && let Some(price) = quoted.price
            && let Ok(profit) = position.pnl_on(position.size, price)
            && let Ok(percent) = position.pnl_pct(price)
        {
            valued.unrealized_pnl = profit;
            valued.unrealized_pnl_pct = percent;
        }
        valued
    }

    /// The positions whose stop or target the price has reached, by age.
    pub fn due(&self) -> Vec<Trigger> {
        let mut due = Vec::new();
        for quoted in self.quoted.values() {
            let Some(price) = quoted.price else { continue };
            due.extend(quoted.reached(price, price).filter_map(|position| {
                Some(Trigger {
                    position,
                    reason: self.open.get(&position)?.due_at(price)?,
                    price,
                })
            }));
        }
        due.sort_by_key(|due| due.position);
        due.dedup_by_key(|due| due.position);
        due
    }

    /// Whether the price of any position has reached its stop or target.
    pub fn is_any_due(&self) -> bool {
        self.quoted.values().any(|quoted| {
            let price = quoted.price;
            price.is_some_and(|price| quoted.is_any_reached(price, price))
        })
    }

    /// The open positions of the symbol that is `upper` in upper case whose stop or target a price from `low`
    /// to `high` reaches, by age.
    pub(super) fn reached(&self, upper: &str, low: Amount, high: Amount) -> Vec<PositionId> {
        let mut reached: Vec<PositionId> = Vec::new();
        for (symbol, quoted) in self.quoted.iter() {
            if quoted.is_any_reached(low, high) && is_symbol(symbol, upper) {
                reached.extend(quoted.reached(low, high));
            }
        }
        reached.sort_unstable();
        reached.dedup();
        reached
    }

    /// Whether stops follow the price at all.
    pub fn trails(&self) -> bool {
        self.trailing.enabled
    }

    /// Lets the stops follow the price. A stop is only ever tightened.
    ///
    /// # Errors
    /// [`AmountError`] if a stop does not fit.
    pub fn trail(&mut self) -> Result<(), AmountError> {
        if !self.trailing.enabled {
            return Ok(());
        }
        for position in self.open.values_mut() {
            let Some(quoted) = self.quoted.get_mut(&position.symbol) else {
                continue;
            };
            if let Some(price) = quoted.price {
                let Some(stop) = trail(position, price, &self.trailing)? else {
                    continue;
                };
                quoted.remove(position);
                position.stop_loss = Some(stop);
                quoted.add(position);
            }
        }
        Ok(())
    }

    /// Closes `size` of a position at `price`; what is left stays open under its name. `None` if there
    /// is no such position.
    ///
    /// # Errors
    /// [`AmountError`] if the profit does not fit.
    pub fn close(
        &mut self,
        now_us: i64,
        id: PositionId,
        size: Amount,
        price: Amount,
        reason: CloseReason,
    ) -> Result<Option<ClosedPosition>, AmountError> {
        let Some(position) = self.open.get(&id) else {
            return Ok(None);
        };
        let realized_pnl = position.pnl_on(size, price)?;
        let realized_total = self.realized_pnl.plus(realized_pnl)?;
        let mut ended = position.clone();
        ended.size = size;
        ended.unrealized_pnl = Amount::ZERO;
        ended.unrealized_pnl_pct = Amount::ZERO;
        let left = position.size.minus(size)?;
        let stays = left.is_positive().then(|| -> Result<_, AmountError> {
            let mut stays = self.valued(position);
            stays.unrealized_pnl = position.pnl_on(left, price)?;
            stays.size = left;
            Ok(stays)
        });
        let stays = stays.transpose()?;
        let quoted = self
            .quoted
            .or_insert_with(&position.symbol, Quoted::default);
        quoted.remove(position);
        if let Some(mut stays) = stays {
            stays.prices_seen = quoted.shown;
            quoted.add(&stays);
            self.open.insert(id, stays);
        } else {
            self.open.remove(&id);
        }
        self.realized_pnl = realized_total;
        let closed = ClosedPosition {
            position: ended,
            exit_price: price,
            realized_pnl,
            reason,
            closed_us: now_us,
        };
        self.remember(closed.clone());
        Ok(Some(closed))
    }

    fn remember(&mut self, closed: ClosedPosition) {
        self.closed_total += 1;
        self.closed.push_back(closed);
        if self.closed.len() > CLOSED_CAP {
            self.closed.pop_front();
        }
    }

    /// The open position of that name.
    pub fn get(&self, id: PositionId) -> Option<&Position> {
        self.open.get(&id)
    }

    /// What stands behind a position from now on.
    pub(super) fn back(&mut self, id: PositionId, backing: Backing) {
        if let Some(position) = self.open.get_mut(&id) {
            position.backing = backing;
        }
    }

    /// The open positions, by age; see [`PositionBook::valued`] for what they earn.
    pub fn open_positions(&self) -> impl Iterator<Item = &Position> {
        self.open.values()
    }

    /// How many positions are open.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// The closed positions that are still remembered, the oldest first.
    pub fn closed_positions(&self) -> impl ExactSizeIterator<Item = &ClosedPosition> {
        self.closed.iter()
    }

    /// How many positions were ever closed, in whole or in part.
    pub fn closed_total(&self) -> u64 {
        self.closed_total
    }

    /// The profit of everything that was ever closed, whatever its currency.
    pub fn realized_pnl(&self) -> Amount {
        self.realized_pnl
    }

    /// size × last price × leverage of `position`, in its quote currency; the entry price where no
    /// price was seen.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn value(&self, position: &Position) -> Result<Amount, AmountError> {
        let price = self.price_of(position).unwrap_or(position.entry_price);
        let value = position.size.times(price)?;
        value.times(Amount::from_int(position.leverage))
    }

    /// What `position` would earn at its last price, in its quote currency. One that was opened by that
    /// very price has not been shown it.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn unrealized(&self, position: &Position) -> Result<Amount, AmountError> {
        match self.price_of(position) {
            Some(price) => position.pnl_on(position.size, price),
            None => Ok(Amount::ZERO),
        }
    }

    fn price_of(&self, position: &Position) -> Option<Amount> {
        self.quoted.get(&position.symbol)?.price
    }

    /// The value of all open positions, whatever its currency.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn total_value(&self) -> Result<Amount, AmountError> {
        self.open
            .values()
            .try_fold(Amount::ZERO, |total, p| total.plus(self.value(p)?))
    }
}

/// Waits for the profit that activates the stop; from then on each new best price pulls it along: to where, if that is
/// tighter than it is.
fn trail(
    position: &mut Position,
    price: Amount,
    rules: &TrailingRules,
) -> Result<Option<Amount>, AmountError> {
    if !position.trailing.enabled {
        return Ok(None);
    }
    let Some(best) = position.trailing.best_price else {
        if position.pnl_pct(price)? >= rules.activation_pct {
            position.trailing.activated = true;
            position.trailing.best_price = Some(price);
        }
        return Ok(None);
    };
    let distance = price.percent(rules.trail_distance_pct)?;
    let (better, stop) = match position.direction {
        Direction::Long => (price > best, price.minus(distance)?),
        Direction::Short => (price < best, price.plus(distance)?),
    };
    if !better {
        return Ok(None);
    }
    position.trailing.best_price = Some(price);
    let tighter = position
        .stop_loss
        .is_none_or(|old| match position.direction {
            Direction::Long => stop > old,
            Direction::Short => stop < old,
        });
    Ok(tighter.then_some(stop))
}
