//! What the account is worth, and how much of it is at risk.

use std::collections::BTreeMap;

use super::error::ExecutionError;
use super::order::Order;
use super::position::Backing;
use super::position_book::PositionBook;
use crate::amount::{Amount, AmountError};
use crate::defect::{Defect, Defects};
use crate::portfolio::Portfolio;
use crate::symbol::{DOLLAR, sides};

/// The account's worth in dollars: balances at the latest prices plus the unrealised profit of margin
/// positions. `dollars` gives the price of one unit of an asset.
///
/// # Errors
/// [`ExecutionError::NoPrice`] if an asset that is held has no price.
pub fn equity(
    portfolio: &Portfolio,
    book: &PositionBook,
    mut dollars: impl FnMut(&str) -> Option<Amount>,
) -> Result<Amount, ExecutionError> {
    let mut price = |asset: &str| {
        let no_price = || ExecutionError::NoPrice(format!("{asset}/{DOLLAR}"));
        dollars(asset).ok_or_else(no_price)
    };
    let mut total = Amount::ZERO;
    for (asset, holding) in portfolio.holdings() {
        if !holding.balance.is_zero() {
            total = total.plus(holding.balance.times(price(asset)?)?)?;
        }
    }
    for position in book.open_positions() {
        if matches!(position.backing, Backing::Margin { .. }) {
            let (_, quote) = sides(&position.symbol)?;
            total = total.plus(book.unrealized(position)?.times(price(quote)?)?)?;
        }
    }
    Ok(total)
}

/// How much of the account is at risk, in percent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposure {
    /// All positions and resting orders, leverage included.
    pub total_pct: f64,
    /// The same by symbol.
    pub by_symbol: BTreeMap<String, f64>,
}

impl Exposure {
    /// The exposure of the open positions and resting orders, as shares of `equity` (in dollars).
    ///
    /// The defect gives shares of the positions' total instead: the only position has 100 %.
    ///
    /// # Errors
    /// [`ExecutionError::NoPrice`] if a quote currency has no price in dollars.
    pub fn new<'a>(
        book: &'a PositionBook,
        resting: impl Iterator<Item = &'a Order>,
        equity: Amount,
        defects: Defects,
        mut dollars: impl FnMut(&str) -> Option<Amount>,
    ) -> Result<Exposure, ExecutionError> {
        if defects.has(Defect::ExposureOfExposure) {
            return Ok(shares_of_total(book)?);
        }
        let mut exposure = Exposure::default();
        if !equity.is_positive() {
            return Ok(exposure);
        }
        // Of the same value in the same currency is the same share: stakes are often alike.
        let mut last: Option<(&'a str, Amount, f64)> = None;
        let mut add = |symbol: &'a str, value: Amount| {
            let known = last.filter(|last| last.0 == symbol && last.1.is_same(value));
            let share_pct = match known {
                Some((_, _, share_pct)) => share_pct,
                None => {
                    let (_, quote) = sides(symbol)?;
                    let price = dollars(quote);
                    let price = price
                        .ok_or_else(|| ExecutionError::NoPrice(format!("{quote}/{DOLLAR}")))?;
                    let share = value.times(price)?.over(equity)?;
                    share.times(Amount::HUNDRED)?.to_f64()
                }
            };
            last = Some((symbol, value, share_pct));
            match exposure.by_symbol.get_mut(symbol) {
                Some(share) => *share += share_pct,
                None => drop(exposure.by_symbol.insert(symbol.to_owned(), share_pct)),
            }
            exposure.total_pct += share_pct;
            Ok::<(), ExecutionError>(())
        };
        for position in book.open_positions() {
            add(&position.symbol, book.value(position)?)?;
        }
        for order in resting {
            let price = order.terms.price.unwrap_or_default();
            let value = order.terms.size.times(price)?;
            let leverage = Amount::from_int(order.leverage());
            add(&order.terms.symbol, value.times(leverage)?)?;
        }
        Ok(exposure)
    }
}

fn shares_of_total(book: &PositionBook) -> Result<Exposure, AmountError> {
    let total = book.total_value()?.to_f64();
    let mut exposure = Exposure::default();
    if total > 0.0 {
        for position in book.open_positions() {
            let share = exposure
                .by_symbol
                .entry(position.symbol.clone())
                .or_default();
            *share += book.value(position)?.to_f64() / total * 100.0;
        }
    }
    Ok(exposure)
}
