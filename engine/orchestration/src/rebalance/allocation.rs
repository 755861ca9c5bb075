//! What the account consists of, how far that is from the targets, and the trades that mend it.

use serde::{Deserialize, Serialize};

use super::RebalanceTrade;
use super::config::{HodlBags, RebalanceConfig, RebalanceRules};
use crate::amount::{Amount, AmountError, sum};
use crate::symbol::Side;

/// Balances, in units of each asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Holdings {
    /// Bitcoin.
    pub btc: Amount,
    /// XRP.
    pub xrp: Amount,
    /// Dollars.
    pub usdt: Amount,
}

impl Holdings {
    /// What may be traded: the balances less what is kept for good, never below zero.
    fn without(&self, bags: &HodlBags) -> Result<Holdings, AmountError> {
        let rest = |held: Amount, kept: Amount| Ok(held.minus(kept)?.max(Amount::ZERO));
        Ok(Holdings {
            btc: rest(self.btc, bags.btc_amount)?,
            xrp: rest(self.xrp, bags.xrp_amount)?,
            usdt: rest(self.usdt, bags.usdt_amount)?,
        })
    }
}

/// What one unit of an asset costs, in dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitPrices {
    /// BTC/USDT.
    pub btc: Amount,
    /// XRP/USDT.
    pub xrp: Amount,
}

/// What the account consists of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// Everything, in dollars.
    pub total_equity_usd: Amount,
    /// In dollars.
    pub btc_value_usd: Amount,
    /// In dollars.
    pub xrp_value_usd: Amount,
    /// In dollars.
    pub usdt_value_usd: Amount,
    /// Share in percent.
    pub btc_pct: Amount,
    /// Share in percent.
    pub xrp_pct: Amount,
    /// Share in percent.
    pub usdt_pct: Amount,
    /// The largest distance of a share from its target, in percentage points.
    pub max_deviation_pct: Amount,
}

impl Allocation {
    /// Values `holdings`, less what is kept for good, at `prices`. An empty account is taken to be
    /// exactly on target.
    ///
    /// # Errors
    /// [`AmountError::Overflow`].
    pub fn new(
        config: &RebalanceConfig,
        holdings: &Holdings,
        prices: &UnitPrices,
    ) -> Result<Allocation, AmountError> {
        let free = holdings.without(&config.hodl_bags)?;
        let target = &config.target_allocation;
        let targets = [target.btc_pct, target.xrp_pct, target.usdt_pct];
        let values = [
            free.btc.times(prices.btc)?,
            free.xrp.times(prices.xrp)?,
            free.usdt,
        ];
        let total = sum(values)?;
        let mut shares = targets;
        if total.is_positive() {
            for (share, value) in shares.iter_mut().zip(values) {
                *share = value.over(total)?.times(Amount::HUNDRED)?;
            }
        }
        let mut max_deviation_pct = Amount::ZERO;
        for (share, target) in shares.into_iter().zip(targets) {
            max_deviation_pct = max_deviation_pct.max(share.minus(target)?.abs());
        }
        let ([btc_value_usd, xrp_value_usd, usdt_value_usd], [btc_pct, xrp_pct, usdt_pct]) =
            (values, shares);
        Ok(Allocation {
            total_equity_usd: total,
            btc_value_usd,
            xrp_value_usd,
            usdt_value_usd,
            btc_pct,
            xrp_pct,
            usdt_pct,
            max_deviation_pct,
        })
    }

    /// Whether it has drifted so far that something is to be done.
    pub(super) fn is_off(&self, rules: &RebalanceRules) -> bool {
        self.max_deviation_pct >= rules.threshold_pct
    }

    /// The trades that drive BTC and XRP to a third of the total each, sells first.
    pub(super) fn trades(
        &self,
        rules: &RebalanceRules,
    ) -> Result<Vec<RebalanceTrade>, AmountError> {
        let third = self.total_equity_usd.over(Amount::from_int(3))?;
        let assets = [
            ("BTC/USDT", self.btc_value_usd),
            ("XRP/USDT", self.xrp_value_usd),
        ];
        let mut trades = Vec::new();
        for (symbol, value) in assets {
            let missing = third.minus(value)?;
            if missing.is_zero() || missing.abs() < rules.min_trade_usd {
                continue;
            }
            let (action, priority) = if missing.is_positive() {
                (Side::Buy, 2)
            } else {
                (Side::Sell, 1)
            };
            trades.push(RebalanceTrade {
                symbol: symbol.to_owned(),
                action,
                amount_usd: missing.abs(),
                execution_type: rules.execution_type.clone(),
                priority,
                batch_index: 0,
                scheduled_offset_s: None,
            });
        }
        trades.sort_by_key(|trade| trade.priority);
        Ok(trades)
    }
}
