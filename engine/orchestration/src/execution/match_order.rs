//! At what price an order meets the market, and how much of it.
//!
//! Whether it can be paid for is decided elsewhere.

use super::error::ExecutionError;
use super::order::{OrderKind, OrderTerms};
use super::paper_config::PaperConfig;
use crate::amount::Amount;
use crate::symbol::{PairRules, Side};

/// Which random number is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// The part of the largest slippage that is suffered: uniform from 0.5 to 1.
    Slippage,
    /// The part of the size that a fault leaves; 1 where there is none.
    Imposed,
    /// Whether a fill is partial: uniform from 0 to 1, partial below 0.2.
    PartialChance,
    /// The filled part of a partial fill: uniform from 0.3 to 0.9.
    PartialFraction,
}

/// Below this, [`Draw::PartialChance`] makes a fill partial.
const PARTIAL_CHANCE: f64 = 0.2;

/// The price at which `terms` fill when the market is at `market`; `None` if they must wait.
pub(super) fn fill_price(
    terms: &OrderTerms,
    market: Amount,
    rules: &PairRules,
    config: &PaperConfig,
    draw: &mut dyn FnMut(Draw) -> f64,
) -> Result<Option<Amount>, ExecutionError> {
    if terms.kind == OrderKind::Limit {
        let limit = terms.price.ok_or(ExecutionError::NoLimitPrice)?;
        let crossed = match terms.side {
            Side::Buy => market <= limit,
            Side::Sell => market >= limit,
        };
        return Ok(crossed.then_some(limit));
    }
    let part = Amount::from_f64(draw(Draw::Slippage))?;
    let slippage = config
        .simulated_slippage_pct
        .over(Amount::HUNDRED)?
        .times(part)?;
    let factor = match terms.side {
        Side::Buy => Amount::ONE.plus(slippage)?,
        Side::Sell => Amount::ONE.minus(slippage)?,
    };
    Ok(Some(market.times(factor)?.round(rules.price_decimals)))
}

/// How much of `size` fills.
pub(super) fn fill_size(
    size: Amount,
    config: &PaperConfig,
    draw: &mut dyn FnMut(Draw) -> f64,
) -> Result<Amount, ExecutionError> {
    let imposed = draw(Draw::Imposed);
    if imposed < 1.0 {
        return Ok(size.times(Amount::from_f64(imposed)?)?);
    }
    if !config.simulate_partial_fills || draw(Draw::PartialChance) >= PARTIAL_CHANCE {
        return Ok(size);
    }
    let fraction = Amount::from_f64(draw(Draw::PartialFraction))?;
    Ok(size.times(fraction)?)
}
