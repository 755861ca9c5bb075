//! How far from the price of the moment a market order is filled.

use crate::amount::{Amount, AmountError};
use crate::domain_event::Filled;
use crate::execution::PaperConfig;
use crate::invariants::money::prices::Range;

/// The largest slippage, and the part of it that orders suffer.
pub(super) struct Slippage {
    pct: Amount,
    least: Amount,
    most: Amount,
}

impl Slippage {
    pub(super) fn new(config: &PaperConfig) -> Slippage {
        let draws = &config.slippage_draws;
        Slippage {
            pct: config.simulated_slippage_pct,
            least: draws.iter().min().copied().unwrap_or(Amount::new(5, 1)),
            most: draws.iter().max().copied().unwrap_or(Amount::ONE),
        }
    }

    /// Whether a market order was filled where it may be while the market is in `real`.
    pub(super) fn check(&self, real: Range, decimals: u32, fill: &Filled) -> Result<(), String> {
        let buys = fill.side.as_str() == "buy";
        let slipped = |price: Amount, part: Amount| -> Result<Amount, AmountError> {
            let by = price.percent(self.pct)?.times(part)?;
            let slipped = if buys {
                price.plus(by)?
            } else {
                price.minus(by)?
            };
            Ok(slipped.round(decimals))
        };
        let (near, far) = if buys {
            (self.least, self.most)
        } else {
            (self.most, self.least)
        };
        let (Ok(low), Ok(high)) = (slipped(real.low, near), slipped(real.high, far)) else {
            return Ok(());
        };
        if low <= fill.price && fill.price <= high {
            return Ok(());
        }
        Err(format!(
            "expected a market order to be filled from {low} to {high}, found {}",
            fill.price
        ))
    }
}
