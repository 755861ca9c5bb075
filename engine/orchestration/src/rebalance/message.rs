//! A plan as the message that announces it.

use serde_json::{Value, json};

use super::{Allocation, Plan, PlanAction, RebalanceTrade};
use crate::amount::Amount;
use crate::message::Instant;

/// The payload that announces a plan made at `now`; `wall` writes an instant as text.
pub fn message(plan: &Plan, now: Instant, id: &str, wall: impl Fn(Instant) -> String) -> Value {
    let trades: Vec<Value> = plan
        .trades
        .iter()
        .map(|trade| announced(trade, now, &wall))
        .collect();
    let action = match plan.action {
        PlanAction::Rebalance => "rebalance",
        PlanAction::NoAction => "no_action",
    };
    let mut message = json!({
        "agent_name": "portfolio_rebalance",
        "timestamp": wall(now),
        "symbol": "PORTFOLIO",
        "confidence": plan.confidence,
        "output_id": id,
        "action": action,
        "current_allocation": plan.allocation.as_ref().map(shares),
        "execution_strategy": plan.execution_strategy,
        "dca_batches": plan.dca_batches,
        "dca_interval_hours": plan.dca_interval_hours,
        "total_trade_value_usd": plan.total_trade_value_usd.to_f64(),
        "used_fallback_strategy": plan.used_fallback_strategy,
    });
    // What stands inside the macro is copied.
    message["trades"] = trades.into();
    message
}

fn announced(trade: &RebalanceTrade, now: Instant, wall: impl Fn(Instant) -> String) -> Value {
    let scheduled = trade.scheduled_offset_s.map(|_| wall(trade.due_after(now)));
    json!({
        "symbol": trade.symbol,
        "action": trade.action,
        "amount_usd": trade.amount_usd.to_f64(),
        "execution_type": trade.execution_type,
        "priority": trade.priority,
        "batch_index": trade.batch_index,
        "scheduled_time": scheduled,
    })
}

fn shares(allocation: &Allocation) -> Value {
    let number = |amount: Amount| amount.to_f64();
    json!({
        "total_equity_usd": number(allocation.total_equity_usd),
        "btc_value_usd": number(allocation.btc_value_usd),
        "xrp_value_usd": number(allocation.xrp_value_usd),
        "usdt_value_usd": number(allocation.usdt_value_usd),
        "btc_pct": number(allocation.btc_pct),
        "xrp_pct": number(allocation.xrp_pct),
        "usdt_pct": number(allocation.usdt_pct),
        "max_deviation_pct": number(allocation.max_deviation_pct),
    })
}
