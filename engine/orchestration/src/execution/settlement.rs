//! What a trade and the closing of a position do to the balances.
//!
//! Sound: an order that the balances cover at leverage 1 is spot, and balances are exchanged. Any other is
//! margin: value / leverage is reserved in the quote currency, and closing gives it back, plus or minus
//! the profit, less the fee. The defect exchanges balances whatever the leverage, and never settles a close.

use super::error::ExecutionError;
use super::order::Purpose;
use super::position::{Backing, Direction, Position};
use crate::amount::{Amount, AmountError};
use crate::defect::{Defect, Defects};
use crate::portfolio::{Change, Portfolio};
use crate::symbol::{Pair, PairRules, Side};

/// How many decimals a margin has. A third of a value has no end: with as many as fit, the sum of two
/// margins would be rounded, giving one of them back would leave less than the other, and that could
/// never be closed. With these the sum of all of them is exact up to ten digits before the point.
const MARGIN_DECIMALS: u32 = 18;

/// Which rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SettlementRule {
    /// Orders exchange balances, leverage or not; closing a position does nothing to them.
    BalancesOnly,
    /// Spot where the balances cover it, else margin; closing settles either.
    SpotOrMargin,
}

impl SettlementRule {
    pub(super) fn new(defects: Defects) -> SettlementRule {
        if defects.has(Defect::CloseDoesNotSettle) {
            SettlementRule::BalancesOnly
        } else {
            SettlementRule::SpotOrMargin
        }
    }
}

/// A trade that has found its price.
pub(super) struct PricedTrade<'a> {
    pub(super) pair: &'a Pair,
    pub(super) side: Side,
    /// In units of the base.
    pub(super) size: Amount,
    /// size × price, in the quote currency.
    pub(super) value: Amount,
    /// In the quote currency.
    pub(super) fee: Amount,
}

/// What a trade does to the balances.
pub(super) struct Settlement {
    pub(super) changes: Vec<Change>,
    pub(super) backing: Backing,
}

/// Settles the trade that opens a position or rebalances.
pub(super) fn open(
    rule: SettlementRule,
    portfolio: &Portfolio,
    trade: &PricedTrade<'_>,
    leverage: i64,
    purpose: Purpose,
) -> Result<Settlement, ExecutionError> {
    let exchanged = exchange(trade)?;
    let spot = match rule {
        SettlementRule::BalancesOnly => {
            return Ok(Settlement {
                changes: exchanged,
                backing: Backing::Unsettled,
            });
        }
        SettlementRule::SpotOrMargin => {
            purpose == Purpose::Rebalance || leverage == 1 && portfolio.covers(&exchanged)
        }
    };
    if spot {
        return Ok(Settlement {
            changes: exchanged,
            backing: Backing::Spot,
        });
    }
    let reserved = trade
        .value
        .over(Amount::from_int(leverage))?
        .round(MARGIN_DECIMALS);
    Ok(Settlement {
        changes: vec![Change {
            asset: trade.pair.quote.clone(),
            balance: trade.fee.negated(),
            reserved,
        }],
        backing: Backing::Margin { reserved },
    })
}

/// The balances of a spot trade; the fee is paid in the quote currency.
fn exchange(trade: &PricedTrade<'_>) -> Result<Vec<Change>, AmountError> {
    let (base, quote) = match trade.side {
        Side::Buy => (trade.size, trade.value.plus(trade.fee)?.negated()),
        Side::Sell => (trade.size.negated(), trade.value.minus(trade.fee)?),
    };
    Ok(vec![
        Change::of_balance(&trade.pair.base, base),
        Change::of_balance(&trade.pair.quote, quote),
    ])
}

/// What closing a position does to the balances.
pub(super) struct Closing {
    pub(super) changes: Vec<Change>,
    /// What was traded, in units of the base: less than asked where spot balances do not cover more.
    pub(super) traded: Amount,
    /// In the quote currency.
    pub(super) fee: Amount,
    /// What stands behind the part that stays open.
    pub(super) backing: Backing,
}

/// Settles the closing of `size` of `position` at `price`.
pub(super) fn close(
    portfolio: &Portfolio,
    rules: &PairRules,
    pair: &Pair,
    position: &Position,
    size: Amount,
    price: Amount,
) -> Result<Closing, ExecutionError> {
    match position.backing {
        Backing::Unsettled => Ok(Closing {
            changes: Vec::new(),
            traded: Amount::ZERO,
            fee: Amount::ZERO,
            backing: Backing::Unsettled,
        }),
        Backing::Spot => close_spot(portfolio, rules, pair, position, size, price),
        Backing::Margin { reserved } => {
            close_margin(portfolio, rules, pair, position, size, price, reserved)
        }
    }
}

/// Exchanges back as much as the balances cover. What another trade has taken meanwhile is gone
/// already: a spot position owes nothing.
fn close_spot(
    portfolio: &Portfolio,
    rules: &PairRules,
    pair: &Pair,
    position: &Position,
    size: Amount,
    price: Amount,
) -> Result<Closing, ExecutionError> {
    let covered = match position.direction {
        Direction::Long => portfolio.available(&pair.base),
        Direction::Short => {
            let unit_cost = price.plus(price.percent(rules.fee_pct)?)?;
            let affordable = portfolio.available(&pair.quote).over(unit_cost)?;
            affordable.floor(rules.size_decimals)
        }
    };
    let traded = size.min(covered);
    let value = traded.times(price)?;
    let fee = value.percent(rules.fee_pct)?;
    let trade = PricedTrade {
        pair,
        side: position.direction.closed_by(),
        size: traded,
        value,
        fee,
    };
    Ok(Closing {
        changes: exchange(&trade)?,
        traded,
        fee,
        backing: Backing::Spot,
    })
}

/// Gives the margin back, plus or minus the profit, less the fee. A loss takes what is not reserved for
/// other positions and no more: the account cannot owe money.
fn close_margin(
    portfolio: &Portfolio,
    rules: &PairRules,
    pair: &Pair,
    position: &Position,
    size: Amount,
    price: Amount,
    reserved: Amount,
) -> Result<Closing, ExecutionError> {
    let left = position.size.minus(size)?;
    let still_reserved = if left.is_positive() {
        let part = reserved.times(left)?.over(position.size)?;
        part.round(MARGIN_DECIMALS)
    } else {
        Amount::ZERO
    };
    let released = reserved.minus(still_reserved)?;
    let free = portfolio.available(&pair.quote).plus(released)?;
    let profit = position.pnl_on(size, price)?.max(free.negated());
    let fee = size.times(price)?.percent(rules.fee_pct)?;
    let fee = fee.min(free.plus(profit)?);
    Ok(Closing {
        changes: vec![Change {
            asset: pair.quote.clone(),
            balance: profit.minus(fee)?,
            reserved: released.negated(),
        }],
        traded: size,
        fee,
        backing: Backing::Margin {
            reserved: still_reserved,
        },
    })
}
