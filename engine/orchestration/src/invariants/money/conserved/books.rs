//! The account as an auditor keeps it: balances, what is reserved, and the open positions.
//!
//! An order that the balances cover at leverage 1 is spot: balances are exchanged. Any other is on margin:
//! its value over its leverage is reserved in the quote currency, and closing gives that back, plus or
//! minus the profit, less the fee. An account cannot owe money: a loss and a fee take what is free.

use std::collections::BTreeMap;

use crate::amount::{Amount, AmountError};
use crate::config::Config;
use crate::domain_event::{Filled, PositionClosed, PositionOpened};
use crate::invariants::exact::Exact;
use crate::message::Name;
use crate::portfolio::Holding;
use crate::symbol::{Markets, Pair, PairRules};

/// The decimals that a margin is rounded to.
const MARGIN_DECIMALS: u32 = 18;

/// The account of a run.
pub(super) struct Books {
    holdings: BTreeMap<Name, Holding>,
    positions: BTreeMap<u64, Position>,
    markets: Markets,
}

/// An open position.
struct Position {
    pair: Pair,
    symbol: Name,
    long: bool,
    size: Amount,
    entry: Amount,
    leverage: Amount,
    /// What backs it; none where balances were exchanged.
    reserved: Option<Amount>,
}

/// An execution that may open a position.
pub(super) struct Opening {
    fill: Filled,
    pair: Pair,
    /// What is reserved for it; none where balances were exchanged.
    reserved: Option<Amount>,
}

/// An execution that closes a position, in whole or in part.
pub(super) struct Closing {
    position: u64,
    traded: Amount,
    /// The most that could be traded.
    covered: Amount,
    price: Amount,
    changed: Vec<Name>,
    /// What is reserved for the rest of it.
    reserved: Option<Amount>,
}

impl Opening {
    pub(super) fn is_margin(&self) -> bool {
        self.reserved.is_some()
    }

    /// The currencies that it changed.
    pub(super) fn changed(&self) -> Vec<Name> {
        changed(&self.pair, self.is_margin())
    }
}

impl Closing {
    /// The currencies that it changed.
    pub(super) fn changed(&self) -> Vec<Name> {
        self.changed.clone()
    }
}

fn changed(pair: &Pair, margin: bool) -> Vec<Name> {
    let quote = Name::from(pair.quote.as_str());
    if margin {
        vec![quote]
    } else {
        vec![pair.base.as_str().into(), quote]
    }
}

impl Books {
    pub(super) fn new(config: &Config) -> Books {
        let begins = |(asset, balance): (&String, &Amount)| {
            let holding = Holding {
                balance: *balance,
                reserved: Amount::ZERO,
            };
            (Name::from(asset.as_str()), holding)
        };
        Books {
            holdings: config.paper.initial_balance.iter().map(begins).collect(),
            positions: BTreeMap::new(),
            markets: config.markets.clone(),
        }
    }

    pub(super) fn holding(&self, asset: &str) -> Holding {
        self.holdings.get(asset).copied().unwrap_or_default()
    }

    /// What of an asset backs nothing.
    fn free(&self, asset: &str) -> Result<Amount, String> {
        let holding = self.holding(asset);
        fits(holding.balance.less(holding.reserved))
    }

    fn book(&mut self, asset: &str, balance: Amount, reserved: Amount) -> Result<(), String> {
        let before = self.holding(asset);
        let after = Holding {
            balance: fits(before.balance.and(balance))?,
            reserved: fits(before.reserved.and(reserved))?,
        };
        self.holdings.insert(Name::from(asset), after);
        Ok(())
    }

    fn exchange(&mut self, pair: &Pair, fill: &Filled) -> Result<(), String> {
        let (base, quote) = exchanged(fill)?;
        self.book(&pair.base, base, Amount::ZERO)?;
        self.book(&pair.quote, quote, Amount::ZERO)
    }

    /// Books an execution that opens a position or rebalances.
    pub(super) fn open(&mut self, fill: &Filled) -> Result<Opening, String> {
        let pair = pair_of(&fill.symbol)?;
        let value = fits(fill.size.by(fill.price))?;
        let fee = fits(value.pct(self.markets.rules(&fill.symbol).fee_pct))?;
        right_fee(fee, fill)?;
        let (base, quote) = exchanged(fill)?;
        let left = |free: Amount, change| fits(free.and(change));
        let covered = !left(self.free(&pair.base)?, base)?.is_below_zero()
            && !left(self.free(&pair.quote)?, quote)?.is_below_zero();
        let margin = fill.leverage > 1 || !covered;
        if margin != fill.margin {
            let (expected, found) = if margin {
                ("a trade on margin", "an exchange of balances")
            } else {
                ("an exchange of balances", "a trade on margin")
            };
            return Err(format!("expected {expected}, found {found}"));
        }
        let mut reserved = None;
        if margin {
            let backing = fits(value.per(Amount::from_int(fill.leverage)))?.near(MARGIN_DECIMALS);
            self.book(&pair.quote, fee.opposite(), backing)?;
            reserved = Some(backing);
        } else {
            self.exchange(&pair, fill)?;
        }
        Ok(Opening {
            fill: fill.clone(),
            pair,
            reserved,
        })
    }

    /// Takes a position into the books, which must be what its execution made of it.
    pub(super) fn hold(&mut self, by: Opening, opened: &PositionOpened) -> Result<(), String> {
        let Opening {
            fill,
            pair,
            reserved,
        } = by;
        let same = opened.order == fill.order
            && opened.symbol == fill.symbol
            && opened.side == fill.side
            && opened.size == fill.size
            && opened.entry_price == fill.price
            && opened.leverage == fill.leverage
            && opened.reserved == reserved.unwrap_or_default();
        if !same {
            return Err("expected the position that was traded, found another".to_owned());
        }
        let position = Position {
            pair,
            symbol: fill.symbol.clone(),
            long: buys(&fill),
            size: fill.size,
            entry: fill.price,
            leverage: Amount::from_int(fill.leverage),
            reserved,
        };
        self.positions.insert(opened.position, position);
        Ok(())
    }

    /// Books an execution that closes a position, in whole or in part.
    pub(super) fn close(&mut self, fill: &Filled, number: u64) -> Result<Closing, String> {
        let position = self.position(number)?;
        if buys(fill) == position.long || fill.symbol != position.symbol {
            return Err(format!(
                "expected the opposite trade to close a position, found {} {}",
                fill.side, fill.symbol
            ));
        }
        let (pair, margin) = (position.pair.clone(), position.reserved.is_some());
        if margin != fill.margin {
            return Err(
                "expected a position to be closed as it was opened, found another way".into(),
            );
        }
        let rules = self.markets.rules(&fill.symbol);
        let (covered, reserved) = if margin {
            (fill.size, Some(self.close_margin(fill, number, &rules)?))
        } else {
            let covered = self.covered(number, fill.price)?;
            let fee = fits(fits(fill.size.by(fill.price))?.pct(rules.fee_pct))?;
            right_fee(fee, fill)?;
            self.exchange(&pair, fill)?;
            (covered, None)
        };
        Ok(Closing {
            position: number,
            traded: fill.size,
            covered,
            price: fill.price,
            changed: changed(&pair, margin),
            reserved,
        })
    }

    /// Gives margin back; returns what stays reserved for the rest of the position.
    fn close_margin(
        &mut self,
        fill: &Filled,
        number: u64,
        rules: &PairRules,
    ) -> Result<Amount, String> {
        let position = self.position(number)?;
        let reserved = position.reserved.unwrap_or_default();
        let left = fits(position.size.less(fill.size))?;
        let still = if left.is_above_zero() {
            fits(fits(reserved.by(left))?.per(position.size))?.near(MARGIN_DECIMALS)
        } else {
            Amount::ZERO
        };
        let released = fits(reserved.less(still))?;
        let profit = position.profit(fill.size, fill.price)?;
        let quote = position.pair.quote.clone();
        let free = fits(self.free(&quote)?.and(released))?;
        let profit = profit.max(free.opposite());
        let fee = fits(fits(fill.size.by(fill.price))?.pct(rules.fee_pct))?;
        let fee = fee.min(fits(free.and(profit))?);
        right_fee(fee, fill)?;
        self.book(&quote, fits(profit.less(fee))?, released.opposite())?;
        Ok(still)
    }

    /// How much of a spot position can be exchanged back.
    fn covered(&self, number: u64, price: Amount) -> Result<Amount, String> {
        let position = self.position(number)?;
        if position.long {
            return self.free(&position.pair.base);
        }
        let rules = self.markets.rules(&position.symbol);
        let unit_cost = fits(price.and(fits(price.pct(rules.fee_pct))?))?;
        let affordable = fits(self.free(&position.pair.quote)?.per(unit_cost))?;
        Ok(affordable.down_to(rules.size_decimals))
    }

    /// A position was closed; whatever could be exchanged for it must have been.
    pub(super) fn settle(
        &mut self,
        by: Option<Closing>,
        closed: &PositionClosed,
    ) -> Result<(), String> {
        let number = closed.position;
        let position = self.position(number)?;
        let profit = position.profit(closed.size, closed.price)?;
        if profit != closed.profit {
            return Err(format!(
                "expected a profit of {profit}, found {}",
                closed.profit
            ));
        }
        let mut reserved = position.reserved;
        match by {
            None if reserved.is_some() => {
                return Err("expected closing to give the margin back, found no execution".into());
            }
            None => {
                let due = closed.size.min(self.covered(number, closed.price)?);
                if due.is_above_zero() {
                    return Err(format!(
                        "expected closing to exchange {due} back, found no execution"
                    ));
                }
            }
            Some(closing) => {
                let due = closed.size.min(closing.covered);
                if (closing.position, closing.traded, closing.price) != (number, due, closed.price)
                {
                    return Err(format!(
                        "expected {due} at {} to be traded for position {number}, found {} at {} \
                         for position {}",
                        closed.price, closing.traded, closing.price, closing.position
                    ));
                }
                reserved = closing.reserved;
            }
        }
        self.shrink(number, closed.size, reserved)
    }

    fn shrink(&mut self, number: u64, by: Amount, reserved: Option<Amount>) -> Result<(), String> {
        if let Some(position) = self.positions.get_mut(&number) {
            position.size = fits(position.size.less(by))?;
            position.reserved = reserved;
            if !position.size.is_above_zero() {
                self.positions.remove(&number);
            }
        }
        Ok(())
    }

    fn position(&self, number: u64) -> Result<&Position, String> {
        let position = self.positions.get(&number);
        position.ok_or_else(|| "expected an open position to be closed, found none".to_owned())
    }
}

impl Position {
    fn profit(&self, size: Amount, price: Amount) -> Result<Amount, String> {
        let gain = if self.long {
            price.less(self.entry)
        } else {
            self.entry.less(price)
        };
        fits(fits(fits(gain)?.by(size))?.by(self.leverage))
    }
}

fn buys(fill: &Filled) -> bool {
    fill.side.as_str() == "buy"
}

/// What an exchange of balances adds to the base and to the quote currency.
fn exchanged(fill: &Filled) -> Result<(Amount, Amount), String> {
    let value = fits(fill.size.by(fill.price))?;
    Ok(if buys(fill) {
        (fill.size, fits(value.and(fill.fee))?.opposite())
    } else {
        (fill.size.opposite(), fits(value.less(fill.fee))?)
    })
}

fn right_fee(fee: Amount, fill: &Filled) -> Result<(), String> {
    if fee == fill.fee {
        return Ok(());
    }
    Err(format!("expected a fee of {fee}, found {}", fill.fee))
}

fn pair_of(symbol: &str) -> Result<Pair, String> {
    let pair = symbol.split_once('/').map(|(base, quote)| Pair {
        base: base.to_owned(),
        quote: quote.to_owned(),
    });
    pair.ok_or_else(|| format!("expected a pair to be traded, found {symbol}"))
}

/// An exchange that traded has found that every number fits.
fn fits(amount: Result<Amount, AmountError>) -> Result<Amount, String> {
    amount.map_err(|error| format!("expected amounts that fit, found {error}"))
}
