//! The settings of a rebalancing, with the defaults that are shipped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, AmountError, sum};

/// How far the targets may be off 100 % together.
const TARGET_TOLERANCE_PCT: (i64, u32) = (1, 1);

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RebalanceError {
    /// The target shares do not add up.
    #[error("the target allocation must add up to 100 %, give or take 0.1, found {0}")]
    TargetAllocationSum(Amount),
    /// A number does not fit.
    #[error(transparent)]
    Arithmetic(#[from] AmountError),
}

/// Every setting of a rebalancing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RebalanceConfig {
    /// What the account should look like.
    pub target_allocation: TargetAllocation,
    /// When and how to trade.
    pub rebalancing: RebalanceRules,
    /// What is never touched.
    pub hodl_bags: HodlBags,
    /// What is taken for the account, where it is not to be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed: Option<Assumed>,
}

/// An account and prices that are taken for the real ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assumed {
    /// By asset, in its own units.
    pub balances: BTreeMap<String, Amount>,
    /// By pair, in its quote currency.
    pub prices: BTreeMap<String, Amount>,
}

impl RebalanceConfig {
    /// Whether the targets add up.
    ///
    /// # Errors
    /// [`RebalanceError::TargetAllocationSum`].
    pub fn check(&self) -> Result<(), RebalanceError> {
        let target = &self.target_allocation;
        let total = sum([target.btc_pct, target.xrp_pct, target.usdt_pct])?;
        let (unscaled, scale) = TARGET_TOLERANCE_PCT;
        if total.minus(Amount::HUNDRED)?.abs() > Amount::new(unscaled, scale) {
            return Err(RebalanceError::TargetAllocationSum(total));
        }
        Ok(())
    }
}

/// The share that each asset should have, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetAllocation {
    /// Bitcoin.
    pub btc_pct: Amount,
    /// XRP.
    pub xrp_pct: Amount,
    /// Dollars.
    pub usdt_pct: Amount,
}

impl Default for TargetAllocation {
    fn default() -> TargetAllocation {
        TargetAllocation {
            btc_pct: Amount::new(3333, 2),
            xrp_pct: Amount::new(3333, 2),
            usdt_pct: Amount::new(3334, 2),
        }
    }
}

/// When and how to trade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RebalanceRules {
    /// The deviation from which on anything is done, in percentage points.
    pub threshold_pct: Amount,
    /// The smallest trade, in dollars.
    pub min_trade_usd: Amount,
    /// `limit` or `market`.
    pub execution_type: String,
    /// When trades are divided into batches.
    pub dca: DcaRules,
}

impl Default for RebalanceRules {
    fn default() -> RebalanceRules {
        RebalanceRules {
            threshold_pct: Amount::from_int(5),
            min_trade_usd: Amount::from_int(10),
            execution_type: "limit".to_owned(),
            dca: DcaRules::default(),
        }
    }
}

/// When trades are divided into batches, and how.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DcaRules {
    /// Whether they ever are.
    pub enabled: bool,
    /// The sum of all trades from which on they are, in dollars.
    pub threshold_usd: Amount,
    /// Into how many batches at most.
    pub batches: u32,
    /// Hours between two batches.
    pub interval_hours: i64,
}

impl Default for DcaRules {
    fn default() -> DcaRules {
        DcaRules {
            enabled: true,
            threshold_usd: Amount::from_int(500),
            batches: 6,
            interval_hours: 4,
        }
    }
}

/// What is kept for good and does not count, in units of each asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HodlBags {
    /// Bitcoin.
    pub btc_amount: Amount,
    /// XRP.
    pub xrp_amount: Amount,
    /// Dollars.
    pub usdt_amount: Amount,
}
