//! How large an order is that a stake in dollars pays for.

use super::prices::Range;
use crate::amount::{Amount, AmountError};
use crate::domain_event::OrderSubmitted;
use crate::invariants::exact::{Exact, exactly};
use crate::symbol::{Markets, Pair};

/// The least and the greatest size that an order comes to at the prices that are known; none if nobody can
/// tell. The stake is turned into the quote currency, divided by the price, and rounded to the decimals of
/// the pair.
pub(super) fn size_of(
    order: &OrderSubmitted,
    markets: &Markets,
    price_of: impl Fn(&str) -> Option<Range>,
) -> Option<Range> {
    let symbol = order.order.symbol.as_str();
    let pair: Pair = symbol.parse().ok()?;
    let price = match order.limit {
        Some(limit) => Range::of(limit),
        None => price_of(symbol)?,
    };
    let dollars = match pair.dollar_symbol() {
        Some(symbol) => Some(price_of(&symbol)?),
        None => None,
    };
    let stake = exactly(order.order.size_usd)?;
    let decimals = markets.rules(symbol).size_decimals;
    let size = |price: Amount, dollar: Option<Amount>| -> Result<Amount, AmountError> {
        let stake = match dollar {
            Some(dollar) => stake.per(dollar)?,
            None => stake,
        };
        Ok(stake.per(price)?.near(decimals))
    };
    Some(Range {
        low: size(price.high, dollars.map(|range| range.high)).ok()?,
        high: size(price.low, dollars.map(|range| range.low)).ok()?,
    })
}
