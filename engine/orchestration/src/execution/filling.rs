//! What happens when an order has found its price: it is paid for, and its position is opened.

use super::error::ExecutionError;
use super::match_order::{Draw, fill_size};
use super::order::{ExecutionId, Fill, Order, OrderStatus, Purpose};
use super::outcome::{Outcome, Progress};
use super::paper::PaperExecutor;
use super::position::{Backing, Direction, NewPosition, Position};
use super::settlement::{self, PricedTrade};
use crate::amount::Amount;
use crate::symbol::Pair;

impl PaperExecutor {
    /// Fills `order` at `price`: pays for it, then opens its position.
    pub(super) fn fill(
        &mut self,
        now_us: i64,
        mut order: Order,
        price: Amount,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Outcome {
        let paid = self.pay(now_us, &mut order, price, draw);
        if matches!(paid, Err(ExecutionError::InsufficientBalance(_))) {
            order.status = OrderStatus::Rejected;
            self.count_failure();
        }
        self.remember(&order);
        let (fill, backing) = match paid {
            Ok(paid) => paid,
            Err(error) => {
                return Outcome {
                    order: Some(order),
                    ..Outcome::failed(error)
                };
            }
        };
        let (result, position) = match self.open_position(now_us, &order, &fill, backing) {
            Ok(position) => (Ok(Progress::Filled), position),
            Err(error) => (Err(error), None),
        };
        Outcome {
            result,
            order: Some(order),
            fill: Some(fill),
            position,
        }
    }

    fn pay(
        &mut self,
        now_us: i64,
        order: &mut Order,
        price: Amount,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Result<(Fill, Backing), ExecutionError> {
        let size = fill_size(order.terms.size, &self.config, draw)?;
        let value = size.times(price)?;
        let fee = value.percent(self.markets.rules(&order.terms.symbol).fee_pct)?;
        // The order shows what it met in the market even if it cannot be paid for.
        order.filled_size = size;
        order.filled_price = Some(price);
        order.fee = fee;
        order.status = if size == order.terms.size {
            OrderStatus::Filled
        } else {
            OrderStatus::PartiallyFilled
        };

        let pair: Pair = order.terms.symbol.parse()?;
        order.fee_currency.clone_from(&pair.quote);
        let trade = PricedTrade {
            pair: &pair,
            side: order.terms.side,
            size,
            value,
            fee,
        };
        let (leverage, purpose) = (order.leverage(), order.purpose());
        let settled =
            settlement::open(self.settlement, &self.portfolio, &trade, leverage, purpose)?;
        self.portfolio.apply(&settled.changes, &pair.quote, fee)?;
        let fill = self.record_fill(Fill {
            execution: ExecutionId(0),
            order: Some(order.id),
            symbol: order.terms.symbol.clone(),
            side: order.terms.side,
            size,
            price,
            fee,
            fee_currency: pair.quote,
            changes: settled.changes,
            holdings: Vec::new(),
            at_us: now_us,
        });
        Ok((fill, settled.backing))
    }

    /// The position of a filled trade. A bare order has none, and neither has a rebalancing where
    /// settlement is sound.
    fn open_position(
        &mut self,
        now_us: i64,
        order: &Order,
        fill: &Fill,
        backing: Backing,
    ) -> Result<Option<Position>, ExecutionError> {
        let Some(request) = &order.request else {
            return Ok(None);
        };
        if request.purpose == Purpose::Rebalance && backing != Backing::Unsettled {
            return Ok(None);
        }
        let new = NewPosition {
            order: Some(order.id),
            symbol: fill.symbol.clone(),
            direction: Direction::opened_by(fill.side),
            size: fill.size,
            entry_price: fill.price,
            leverage: request.leverage,
            stop_loss: request.stop_loss,
            take_profit: request.take_profit,
            trailing: self.positions.trails(),
            backing,
        };
        Ok(Some(self.positions.open(now_us, new)?.clone()))
    }
}
