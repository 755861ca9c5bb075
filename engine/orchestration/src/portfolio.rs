//! Balances, exactly: how much of each asset there is and how much of it is reserved as margin.
//!
//! Every change of a trade is applied whole or not at all. What a trade does to the balances is decided
//! in `execution::settlement`; prices are not known here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, AmountError, sum};

/// What there is of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// All of it. Never below zero.
    pub balance: Amount,
    /// The part of it that backs margin positions. Never above the balance.
    pub reserved: Amount,
}

/// A change of one holding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The asset.
    pub asset: String,
    /// Added to the balance; may be negative.
    pub balance: Amount,
    /// Added to what is reserved; may be negative.
    pub reserved: Amount,
}

impl Change {
    /// A change of the balance alone.
    pub fn of_balance(asset: &str, balance: Amount) -> Change {
        Change {
            asset: asset.to_owned(),
            balance,
            reserved: Amount::ZERO,
        }
    }
}

/// An asset does not suffice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("insufficient balance: {needed} {asset} needed, {available} available")]
pub struct Shortage {
    /// The asset.
    pub asset: String,
    /// What would have been taken from what is available.
    pub needed: Amount,
    /// The balance less what is reserved.
    pub available: Amount,
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PortfolioError {
    /// An asset does not suffice.
    #[error(transparent)]
    Shortage(#[from] Shortage),
    /// A number does not fit.
    #[error(transparent)]
    Arithmetic(#[from] AmountError),
}

/// The holdings of one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Portfolio {
    holdings: BTreeMap<String, Holding>,
    fees: BTreeMap<String, Amount>,
}

impl Portfolio {
    /// A portfolio with `balances` and nothing reserved.
    pub fn new(balances: BTreeMap<String, Amount>) -> Portfolio {
        let holding = |balance| Holding {
            balance,
            reserved: Amount::ZERO,
        };
        Portfolio {
            holdings: balances
                .into_iter()
                .map(|(asset, balance)| (asset, holding(balance)))
                .collect(),
            fees: BTreeMap::new(),
        }
    }

    /// Applies all of `changes` and books `fee` as paid in `fee_asset`, or does nothing. At most one
    /// change per asset; the fee is part of the changes already.
    ///
    /// # Errors
    /// [`PortfolioError::Shortage`] if less than what is reserved would be left.
    pub fn apply(
        &mut self,
        changes: &[Change],
        fee_asset: &str,
        fee: Amount,
    ) -> Result<(), PortfolioError> {
        let mut changed = Vec::with_capacity(changes.len());
        for change in changes {
            changed.push((change.asset.clone(), self.after(change)?));
        }
        let paid = self.fees_in(fee_asset).plus(fee)?;
        self.holdings.extend(changed);
        if !paid.is_zero() {
            self.fees.insert(fee_asset.to_owned(), paid);
        }
        Ok(())
    }

    /// Whether `changes` could be applied.
    pub fn covers(&self, changes: &[Change]) -> bool {
        changes.iter().all(|change| self.after(change).is_ok())
    }

    fn after(&self, change: &Change) -> Result<Holding, PortfolioError> {
        let before = self.holding(&change.asset);
        let after = Holding {
            balance: before.balance.plus(change.balance)?,
            reserved: before.reserved.plus(change.reserved)?,
        };
        if after.reserved > after.balance || after.reserved.is_negative() {
            return Err(Shortage {
                asset: change.asset.clone(),
                needed: change.reserved.minus(change.balance)?,
                available: before.balance.minus(before.reserved)?,
            }
            .into());
        }
        Ok(after)
    }

    /// What there is of `asset`.
    pub fn holding(&self, asset: &str) -> Holding {
        self.holdings.get(asset).copied().unwrap_or_default()
    }

    /// The balance of `asset`, reserved or not.
    pub fn balance(&self, asset: &str) -> Amount {
        self.holding(asset).balance
    }

    /// The balance of `asset` that is not reserved.
    pub fn available(&self, asset: &str) -> Amount {
        let holding = self.holding(asset);
        // A reservation is never above its balance, so this cannot overflow.
        holding.balance.minus(holding.reserved).unwrap_or_default()
    }

    /// Every asset with its holding, by name.
    pub fn holdings(&self) -> impl Iterator<Item = (&str, Holding)> {
        self.holdings
            .iter()
            .map(|(asset, holding)| (asset.as_str(), *holding))
    }

    /// What was paid in fees, in `asset`.
    pub fn fees_in(&self, asset: &str) -> Amount {
        self.fees.get(asset).copied().unwrap_or_default()
    }

    /// All fees as one number, whatever the currency: the figure that the original reports.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn fees_of_all_assets(&self) -> Result<Amount, AmountError> {
        sum(self.fees.values().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portfolio() -> Portfolio {
        Portfolio::new(BTreeMap::from([("USDT".to_owned(), Amount::from_int(100))]))
    }

    #[test]
    fn a_trade_is_applied_whole_or_not_at_all() {
        let mut portfolio = portfolio();
        let changes = [
            Change::of_balance("BTC", Amount::ONE),
            Change::of_balance("USDT", Amount::from_int(-101)),
        ];
        let before = portfolio.clone();
        let error = portfolio.apply(&changes, "USDT", Amount::ONE).unwrap_err();
        assert_eq!(
            error.to_string(),
            "insufficient balance: 101 USDT needed, 100 available"
        );
        assert_eq!(portfolio, before);
    }

    #[test]
    fn the_last_cent_can_be_spent_but_a_reserved_one_cannot() {
        let mut portfolio = portfolio();
        let reserve = Change {
            asset: "USDT".to_owned(),
            balance: Amount::ZERO,
            reserved: Amount::from_int(30),
        };
        portfolio.apply(&[reserve], "USDT", Amount::ZERO).unwrap();
        let spend = |amount: i64| [Change::of_balance("USDT", Amount::from_int(-amount))];
        assert!(portfolio.apply(&spend(71), "USDT", Amount::ZERO).is_err());
        portfolio
            .apply(&spend(70), "USDT", Amount::from_int(2))
            .unwrap();
        assert_eq!(portfolio.available("USDT"), Amount::ZERO);
        assert_eq!(portfolio.fees_in("USDT"), Amount::from_int(2));
    }
}
