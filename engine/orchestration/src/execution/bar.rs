//! What a closed bar does: positions leave at their stops and targets, resting orders are filled.
//!
//! Which way the price took inside of a bar is not known. What is taken is what is worse for the account:
//! the open comes first, then the stop, then the target; an order that is filled inside of the bar may meet
//! its stop in it, and never its target.

use super::error::ExecutionError;
use super::match_order::Draw;
use super::order::OrderId;
use super::outcome::Outcome;
use super::paper::PaperExecutor;
use super::position::{CloseReason, Direction, Position, PositionId};
use super::{Closed, Order};
use crate::amount::{Amount, AmountError};
use crate::domain_event::MarketBar;
use crate::symbol::{Markets, Side, in_upper_case, is_symbol};

/// What a bar did.
#[derive(Debug, Default)]
pub struct BarOutcome {
    /// Positions that were closed, or why they could not be, before any order was filled.
    pub closed: Vec<(PositionId, Result<Closed, ExecutionError>)>,
    /// Positions whose stop and target were both touched.
    pub doubtful: Vec<PositionId>,
    /// Resting orders that were filled or failed.
    pub filled: Vec<Outcome>,
    /// Positions that these orders opened and the same bar closed again.
    pub closed_again: Vec<(PositionId, Result<Closed, ExecutionError>)>,
}

/// Where a position leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exit {
    price: Amount,
    reason: CloseReason,
    is_doubtful: bool,
}

impl PaperExecutor {
    /// Takes a closed bar into account; its close is the price from then on.
    ///
    /// # Errors
    /// [`AmountError`] if a profit at its close does not fit.
    pub fn push_bar(
        &mut self,
        now_us: i64,
        bar: &MarketBar,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Result<BarOutcome, AmountError> {
        let symbol = in_upper_case(&bar.symbol);
        let mut outcome = BarOutcome::default();
        // A level may have more decimals than prices have; what is paid is a price of this bar.
        let quoted = |markets: &Markets, level: Amount| {
            let decimals = markets.rules(&bar.symbol).price_decimals;
            level.round(decimals).max(bar.low).min(bar.high)
        };
        // Whatever the bar touches lies between these.
        let low = bar.low.min(bar.open);
        let high = bar.high.max(bar.open);
        let touched = self.positions.reached(&symbol, low, high);
        for (id, exit) in self.exits(&touched, |position| exit(position, bar)) {
            if exit.is_doubtful {
                outcome.doubtful.push(id);
            }
            let price = quoted(&self.markets, exit.price);
            let closed = self.close_position(now_us, id, price, exit.reason);
            outcome
                .closed
                .extend(closed.transpose().map(|closed| (id, closed)));
        }
        if !self.resting.is_empty() && self.matches_resting() {
            outcome.filled = self.fill_reached(now_us, &symbol, bar, draw);
        }
        let opened: Vec<PositionId> = outcome
            .filled
            .iter()
            .filter_map(|filled| Some(filled.position.as_ref()?.id))
            .collect();
        let again = self.exits(&opened, |position| stopped(position, bar));
        for (id, exit) in again {
            let price = quoted(&self.markets, exit.price);
            let closed = self.close_position(now_us, id, price, exit.reason);
            outcome
                .closed_again
                .extend(closed.transpose().map(|closed| (id, closed)));
        }
        if self.prices.update(&symbol, bar.close, now_us) {
            self.positions.set_price(&symbol, bar.close)?;
            self.positions.trail()?;
        }
        Ok(outcome)
    }

    fn exits(
        &self,
        positions: &[PositionId],
        leaves: impl Fn(&Position) -> Option<Exit>,
    ) -> Vec<(PositionId, Exit)> {
        if positions.is_empty() {
            return Vec::new();
        }
        let leaving = positions.iter().filter_map(|id| {
            let position = self.positions.get(*id)?;
            Some((*id, leaves(position)?))
        });
        leaving.collect()
    }

    /// Fills the resting orders whose limit the bar has touched.
    fn fill_reached(
        &mut self,
        now_us: i64,
        symbol: &str,
        bar: &MarketBar,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Vec<Outcome> {
        let of_symbol = |order: &&Order| is_symbol(&order.terms.symbol, symbol);
        let waiting: Vec<(OrderId, Side)> = self
            .resting_orders()
            .filter(of_symbol)
            .map(|order| (order.id, order.terms.side))
            .collect();
        let mut filled = Vec::new();
        for (id, side) in waiting {
            // What a buyer waits for is a low price, what a seller waits for is a high one.
            let market = match side {
                Side::Buy => bar.low,
                Side::Sell => bar.high,
            };
            filled.extend(self.try_resting(now_us, id, market, draw));
        }
        filled
    }
}

/// Where a position that was open before the bar leaves in it.
fn exit(position: &Position, bar: &MarketBar) -> Option<Exit> {
    if let Some(reason) = position.due_at(bar.open) {
        return Some(Exit {
            price: bar.open,
            reason,
            is_doubtful: false,
        });
    }
    let reached = target(position, bar);
    match stopped(position, bar) {
        Some(stop) => Some(Exit {
            is_doubtful: reached.is_some(),
            ..stop
        }),
        None => reached,
    }
}

/// The stop, if the bar touches it; beyond it at the open, the open.
fn stopped(position: &Position, bar: &MarketBar) -> Option<Exit> {
    let stop = position.stop_loss?;
    let is_touched = match position.direction {
        Direction::Long => bar.low <= stop,
        Direction::Short => bar.high >= stop,
    };
    let price = match position.direction {
        Direction::Long => stop.min(bar.open),
        Direction::Short => stop.max(bar.open),
    };
    is_touched.then_some(Exit {
        price,
        reason: CloseReason::StopLoss,
        is_doubtful: false,
    })
}

/// The target, if the bar touches it.
fn target(position: &Position, bar: &MarketBar) -> Option<Exit> {
    let target = position.take_profit?;
    let is_touched = match position.direction {
        Direction::Long => bar.high >= target,
        Direction::Short => bar.low <= target,
    };
    is_touched.then_some(Exit {
        price: target,
        reason: CloseReason::TakeProfit,
        is_doubtful: false,
    })
}

#[cfg(test)]
mod tests;
