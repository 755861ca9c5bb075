//! Portfolio: whether the balances have drifted from their targets, and the trades that mend it.

use super::AgentError;
use crate::Ctx;
use crate::amount::Amount;
use crate::exchange::Exchange;
use crate::rebalance::{self, Advice, Allocation, Holdings, Plan, RebalanceConfig, UnitPrices};

/// The plan of a rebalancing, if every asset has a price.
pub(super) fn run(
    ctx: &Ctx,
    exchange: &Exchange,
    config: &RebalanceConfig,
) -> Result<Option<Plan>, AgentError> {
    let price = |symbol: &str| match &config.assumed {
        Some(assumed) => assumed.prices.get(symbol).copied(),
        None => exchange.price_of(ctx, symbol),
    };
    let balance = |asset: &str| -> Amount {
        match &config.assumed {
            Some(assumed) => assumed.balances.get(asset).copied().unwrap_or_default(),
            None => exchange.balance(asset).unwrap_or_default(),
        }
    };
    let (Some(btc), Some(xrp)) = (price("BTC/USDT"), price("XRP/USDT")) else {
        return Ok(None);
    };
    let holdings = Holdings {
        btc: balance("BTC"),
        xrp: balance("XRP"),
        usdt: balance("USDT"),
    };
    let failed = |error: &dyn std::fmt::Display| AgentError(error.to_string());
    let allocation = Allocation::new(config, &holdings, &UnitPrices { btc, xrp })
        .map_err(|error| failed(&error))?;
    rebalance::plan(config, allocation, false, &Advice::NotAsked)
        .map(Some)
        .map_err(|error| failed(&error))
}
