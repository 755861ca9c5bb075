//! Portfolio: whether the balances have drifted from their targets, and the trades that mend it.
//!
//! A language model may be asked how to carry them out, or which others to make; what cannot be used of what it advises
//! leaves the trades as they were worked out.

use serde_json::Value;

use super::{AgentError, llm};
use crate::Ctx;
use crate::amount::Amount;
use crate::clock::start_us;
use crate::exchange::Exchange;
use crate::message::{Instant, Topic};
use crate::rebalance::{
    self, Advice, Allocation, Holdings, Plan, RebalanceConfig, RebalanceError, UnitPrices,
};

/// The plan of a rebalancing, if every asset has a price.
pub(super) fn run(
    ctx: &Ctx,
    exchange: &Exchange,
    config: &RebalanceConfig,
) -> Result<Option<Plan>, AgentError> {
    let allocation = look(ctx, exchange, config)?;
    let plan = |allocation| rebalance::plan(config, allocation, false, &Advice::NotAsked);
    allocation.map(plan).transpose().map_err(failed)
}

/// The same, with a model asked about it where something is to be done.
pub(super) async fn advised(
    ctx: &Ctx,
    asked: llm::Question<'_>,
    config: &RebalanceConfig,
) -> Result<Option<Plan>, AgentError> {
    let Some(allocation) = look(ctx, asked.exchange, config)? else {
        return Ok(None);
    };
    let Some(mut situation) = rebalance::question(config, &allocation).map_err(failed)? else {
        return Ok(None);
    };
    let now = Instant::from(ctx.now());
    situation["time"] = Value::from(now.to_iso(start_us(ctx)));
    let template = asked.llm.template(Topic::PortfolioUpdates);
    let said = llm::ask(ctx, &asked, &template, situation).await;
    let advice = said.as_deref().map_or(Advice::Failed, Advice::Text);
    let plan = rebalance::plan(config, allocation, false, &advice);
    plan.map(Some).map_err(failed)
}

/// How the account is divided, if every asset has a price.
fn look(
    ctx: &Ctx,
    exchange: &Exchange,
    config: &RebalanceConfig,
) -> Result<Option<Allocation>, AgentError> {
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
    let allocation = Allocation::new(config, &holdings, &UnitPrices { btc, xrp });
    allocation
        .map(Some)
        .map_err(|error| failed(RebalanceError::from(error)))
}

fn failed(error: RebalanceError) -> AgentError {
    AgentError(error.to_string())
}
