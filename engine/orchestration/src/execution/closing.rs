//! Closing and reducing positions, and what the account is worth.

use super::error::ExecutionError;
use super::exposure::{Exposure, equity};
use super::order::{ExecutionId, Fill};
use super::paper::PaperExecutor;
use super::position::{CloseReason, ClosedPosition, PositionId};
use super::price_source::PriceSource;
use super::settlement;
use crate::amount::Amount;
use crate::risk::AccountUpdate;
use crate::symbol::{DOLLAR, Pair};

/// A position that was closed, in whole or in part.
#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// What was closed.
    pub closed: ClosedPosition,
    /// What was exchanged for it; nothing if the balances had nothing left to exchange, or if closing
    /// does not settle.
    pub fill: Option<Fill>,
}

impl PaperExecutor {
    /// Closes a position at `price`. `None` if it is not open.
    ///
    /// # Errors
    /// See [`PaperExecutor::reduce_position`].
    pub fn close_position(
        &mut self,
        now_us: i64,
        id: PositionId,
        price: Amount,
        reason: CloseReason,
    ) -> Result<Option<Closed>, ExecutionError> {
        let Some(size) = self.positions.get(id).map(|position| position.size) else {
            return Ok(None);
        };
        self.reduce_position(now_us, id, size, price, reason)
    }

    /// Closes `size` of a position at `price` and settles it. `None` if it is not open.
    ///
    /// # Errors
    /// [`ExecutionError::SizeNotPositive`], or a number that does not fit; then nothing has changed.
    pub fn reduce_position(
        &mut self,
        now_us: i64,
        id: PositionId,
        size: Amount,
        price: Amount,
        reason: CloseReason,
    ) -> Result<Option<Closed>, ExecutionError> {
        let Some(position) = self.positions.get(id) else {
            return Ok(None);
        };
        if !size.is_positive() {
            return Err(ExecutionError::SizeNotPositive(size));
        }
        let size = size.min(position.size);
        let pair: Pair = position.symbol.parse()?;
        let rules = self.markets.rules(&position.symbol);
        let side = position.direction.closed_by();
        let settled = settlement::close(&self.portfolio, &rules, &pair, position, size, price)?;
        let mut portfolio = self.portfolio.clone();
        portfolio.apply(&settled.changes, &pair.quote, settled.fee)?;
        let closed = self.positions.close(now_us, id, size, price, reason)?;
        let Some(closed) = closed else {
            return Ok(None);
        };
        self.portfolio = portfolio;
        self.positions.back(id, settled.backing);
        let fill = settled.traded.is_positive().then(|| {
            self.record_fill(Fill {
                execution: ExecutionId(0),
                order: None,
                symbol: closed.position.symbol.clone(),
                side,
                size: settled.traded,
                price,
                fee: settled.fee,
                fee_currency: pair.quote,
                changes: settled.changes,
                holdings: Vec::new(),
                at_us: now_us,
            })
        });
        Ok(Some(Closed { closed, fill }))
    }

    /// Closes every position whose stop or target its last price has reached, at that price.
    pub fn close_due(&mut self, now_us: i64) -> Vec<(PositionId, Result<Closed, ExecutionError>)> {
        let mut closed = Vec::new();
        for due in self.positions.due() {
            let result = self.close_position(now_us, due.position, due.price, due.reason);
            if let Some(result) = result.transpose() {
                closed.push((due.position, result));
            }
        }
        closed
    }

    /// Reduces every position, or `only` these, by `pct` percent of its size at the price of the
    /// moment; 100 closes them. A part below the smallest size of its pair is left open.
    pub fn reduce_all(
        &mut self,
        now_us: i64,
        pct: Amount,
        only: Option<&[PositionId]>,
        reason: CloseReason,
    ) -> Vec<(PositionId, Result<Closed, ExecutionError>)> {
        let open = self.positions.open_positions().map(|p| p.id);
        let ids: Vec<PositionId> = open
            .filter(|id| only.is_none_or(|only| only.contains(id)))
            .collect();
        let mut closed = Vec::new();
        for id in ids {
            let result = self.reduce_by(now_us, id, pct, reason);
            if let Some(result) = result.transpose() {
                closed.push((id, result));
            }
        }
        closed
    }

    fn reduce_by(
        &mut self,
        now_us: i64,
        id: PositionId,
        pct: Amount,
        reason: CloseReason,
    ) -> Result<Option<Closed>, ExecutionError> {
        let Some(position) = self.positions.get(id) else {
            return Ok(None);
        };
        let (symbol, whole) = (position.symbol.clone(), position.size);
        let part = if pct >= Amount::HUNDRED {
            whole
        } else {
            let decimals = self.markets.rules(&symbol).size_decimals;
            whole.percent(pct)?.floor(decimals)
        };
        if !part.is_positive() {
            return Ok(None);
        }
        let price = self.price(now_us, &symbol)?;
        self.reduce_position(now_us, id, part, price, reason)
    }

    /// What the account is worth, in dollars.
    ///
    /// # Errors
    /// [`ExecutionError::NoPrice`] if an asset that is held has no fresh price.
    pub fn equity(&mut self, now_us: i64) -> Result<Amount, ExecutionError> {
        let mut rates = DollarRates::new(&mut self.prices, now_us);
        equity(&self.portfolio, &self.positions, |asset| rates.of(asset))
    }

    /// What is at risk, in percent of `equity`.
    ///
    /// # Errors
    /// [`ExecutionError::NoPrice`] if a quote currency has no fresh price.
    pub fn exposure(&mut self, now_us: i64, equity: Amount) -> Result<Exposure, ExecutionError> {
        let mut rates = DollarRates::new(&mut self.prices, now_us);
        let (book, resting) = (&self.positions, self.resting.values());
        Exposure::new(book, resting, equity, self.defects, |asset| rates.of(asset))
    }

    /// The figures that the risk engine is fed with, and what is at risk. `day_start` and
    /// `week_start` are the equity at the last daily and weekly reset; there was none before the
    /// first.
    ///
    /// # Errors
    /// As [`PaperExecutor::equity`].
    pub fn account(
        &mut self,
        now_us: i64,
        day_start: Option<Amount>,
        week_start: Option<Amount>,
    ) -> Result<(AccountUpdate, Exposure), ExecutionError> {
        let mut rates = DollarRates::new(&mut self.prices, now_us);
        let mut dollars = |asset: &str| rates.of(asset);
        let (book, resting) = (&self.positions, self.resting.values());
        let equity = equity(&self.portfolio, book, &mut dollars)?;
        let exposure = Exposure::new(book, resting, equity, self.defects, dollars)?;
        let open_positions = book.open_count();
        let account = AccountUpdate {
            equity,
            daily_pnl: equity.minus(day_start.unwrap_or(equity))?,
            weekly_pnl: equity.minus(week_start.unwrap_or(equity))?,
            open_positions: u32::try_from(open_positions).unwrap_or(u32::MAX),
            total_exposure_pct: exposure.total_pct,
            available_margin: self.portfolio.available(DOLLAR),
        };
        Ok((account, exposure))
    }
}

/// The prices of assets in dollars at one moment. Each is looked up once, however many positions
/// and orders are counted in it.
struct DollarRates<'a> {
    prices: &'a mut PriceSource,
    now_us: i64,
    known: Vec<(String, Option<Amount>)>,
}

impl<'a> DollarRates<'a> {
    fn new(prices: &'a mut PriceSource, now_us: i64) -> DollarRates<'a> {
        DollarRates {
            prices,
            now_us,
            known: Vec::new(),
        }
    }

    /// The price of one unit of `asset`, if a source has one.
    fn of(&mut self, asset: &str) -> Option<Amount> {
        if asset == DOLLAR {
            return Some(Amount::ONE);
        }
        if let Some((_, rate)) = self.known.iter().find(|(known, _)| known == asset) {
            return *rate;
        }
        let symbol = [asset, "/", DOLLAR].concat();
        let rate = self.prices.get(self.now_us, &symbol);
        self.known.push((asset.to_owned(), rate));
        rate
    }
}
