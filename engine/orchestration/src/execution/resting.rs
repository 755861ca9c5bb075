//! What a new price does: it is taken over, and limit orders that waited for it are filled.

use super::match_order::{Draw, fill_price};
use super::order::{Order, OrderId, OrderStatus};
use super::outcome::Outcome;
use super::paper::PaperExecutor;
use crate::amount::{Amount, AmountError};
use crate::defect::Defect;
use crate::symbol::{in_upper_case, is_symbol};

impl PaperExecutor {
    /// Takes over a price that a market quoted at `quoted_us`, and fills the orders that it reaches.
    /// A price that the source refuses changes nothing.
    ///
    /// # Errors
    /// [`AmountError`] if a profit at this price does not fit.
    pub fn push_price(
        &mut self,
        now_us: i64,
        symbol: &str,
        price: Amount,
        quoted_us: i64,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Result<Vec<Outcome>, AmountError> {
        if !self.prices.update(symbol, price, quoted_us) {
            return Ok(Vec::new());
        }
        self.price_changed(now_us, symbol, price, draw)
    }

    /// Sets a price by hand, and fills the orders that it reaches.
    ///
    /// # Errors
    /// [`AmountError`] if a profit at this price does not fit.
    pub fn set_price(
        &mut self,
        now_us: i64,
        symbol: &str,
        price: Amount,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Result<Vec<Outcome>, AmountError> {
        if !price.is_positive() {
            return Ok(Vec::new());
        }
        self.prices.set(now_us, symbol, price);
        self.price_changed(now_us, symbol, price, draw)
    }

    fn price_changed(
        &mut self,
        now_us: i64,
        symbol: &str,
        market: Amount,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Result<Vec<Outcome>, AmountError> {
        let symbol = in_upper_case(symbol);
        self.positions.set_price(&symbol, market)?;
        if self.resting.is_empty() || !self.matches_resting() {
            return Ok(Vec::new());
        }
        let of_symbol = |order: &&Order| is_symbol(&order.terms.symbol, &symbol);
        let waiting: Vec<OrderId> = self
            .resting_orders()
            .filter(of_symbol)
            .map(|o| o.id)
            .collect();
        let outcomes = waiting
            .into_iter()
            .filter_map(|id| self.try_resting(now_us, id, market, draw));
        Ok(outcomes.collect())
    }

    /// Whether resting orders are matched on every price.
    pub(super) fn matches_resting(&self) -> bool {
        !self.defects.has(Defect::RestingOrdersForgotten)
    }

    pub(super) fn try_resting(
        &mut self,
        now_us: i64,
        id: OrderId,
        market: Amount,
        draw: &mut dyn FnMut(Draw) -> f64,
    ) -> Option<Outcome> {
        let order = self.resting.get(&id)?;
        let rules = self.markets.rules(&order.terms.symbol);
        let price = fill_price(&order.terms, market, &rules, &self.config, draw).ok()??;
        let order = self.resting.remove(&id)?;
        let is_trade = order.request.is_some();
        let outcome = self.fill(now_us, order, price, draw);
        if is_trade {
            match outcome.result {
                Ok(_) => self.count_late_fill(),
                Err(_) => self.count_failure(),
            }
        }
        Some(outcome)
    }

    /// Takes a resting order back. `None` if it does not rest (any more).
    pub fn cancel(&mut self, id: OrderId) -> Option<Order> {
        let mut order = self.resting.remove(&id)?;
        order.status = OrderStatus::Cancelled;
        self.remember(&order);
        Some(order)
    }
}
