//! Portfolio: whether the balances have drifted from their targets, and the trades that mend it.

use serde_json::json;

use super::AgentError;
use crate::Ctx;
use crate::exchange::Exchange;
use crate::message::Payload;
use crate::rebalance::{
    self, Advice, Allocation, Holdings, PlanAction, RebalanceConfig, UnitPrices,
};

/// The plan of a rebalancing, if one is needed and every asset has a price.
pub(super) fn run(
    ctx: &Ctx,
    exchange: &Exchange,
    config: &RebalanceConfig,
) -> Result<Option<Payload>, AgentError> {
    let price = |symbol| exchange.price_of(ctx, symbol);
    let (Some(btc), Some(xrp)) = (price("BTC/USDT"), price("XRP/USDT")) else {
        return Ok(None);
    };
    let holdings = Holdings {
        btc: exchange.balance("BTC"),
        xrp: exchange.balance("XRP"),
        usdt: exchange.balance("USDT"),
    };
    let failed = |error: &dyn std::fmt::Display| AgentError(error.to_string());
    let allocation = Allocation::new(config, &holdings, &UnitPrices { btc, xrp })
        .map_err(|error| failed(&error))?;
    let plan = rebalance::plan(config, allocation, false, &Advice::NotAsked)
        .map_err(|error| failed(&error))?;
    if plan.action == PlanAction::NoAction {
        return Ok(None);
    }
    let payload = json!({
        "action": "rebalance",
        "confidence": plan.confidence,
        "execution_strategy": plan.execution_strategy,
        "dca_batches": plan.dca_batches,
        "dca_interval_hours": plan.dca_interval_hours,
        "total_trade_value_usd": plan.total_trade_value_usd,
        "trades": plan.trades,
    });
    Ok(Some(Payload::Raw(payload)))
}
