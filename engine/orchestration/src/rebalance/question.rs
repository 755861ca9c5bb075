//! What a model is asked that advises on a rebalancing.

use serde_json::{Value, json};

use super::{Allocation, RebalanceConfig, RebalanceError, RebalanceTrade};
use crate::amount::Amount;
use crate::symbol::DOLLAR;

/// How the account is divided, and the trades that were worked out, not divided into batches yet. None while nothing is
/// to be done.
///
/// # Errors
/// [`RebalanceError`] for numbers that do not fit.
pub fn question(
    config: &RebalanceConfig,
    allocation: &Allocation,
) -> Result<Option<Value>, RebalanceError> {
    let rules = &config.rebalancing;
    if !allocation.is_off(rules) {
        return Ok(None);
    }
    let target = &config.target_allocation;
    // The names are values: a mask hides them, and a model that reads a key would know what it is.
    let asset = |name: &str, value: Amount, share: Amount, target: Amount| {
        json!({
            "asset": name,
            "value_usd": value.to_f64(),
            "share_pct": share.to_f64(),
            "target_pct": target.to_f64(),
        })
    };
    let it = allocation;
    let trades = it.trades(rules)?;
    Ok(Some(json!({
        "total_equity_usd": it.total_equity_usd.to_f64(),
        "max_deviation_pct": it.max_deviation_pct.to_f64(),
        "assets": [
            asset("BTC", it.btc_value_usd, it.btc_pct, target.btc_pct),
            asset("XRP", it.xrp_value_usd, it.xrp_pct, target.xrp_pct),
            asset(DOLLAR, it.usdt_value_usd, it.usdt_pct, target.usdt_pct),
        ],
        "execution_strategy": rules.execution_type,
        "trades": trades.iter().map(trade).collect::<Vec<Value>>(),
    })))
}

fn trade(trade: &RebalanceTrade) -> Value {
    json!({
        "symbol": trade.symbol,
        "action": trade.action,
        "amount_usd": trade.amount_usd.to_f64(),
    })
}
