//! Agents that follow a script: for each symbol, outputs and errors over time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentError, Output};
use crate::Ctx;
use crate::amount::{Amount, sum};
use crate::message::{Json, Name, Payload, Topic};
use crate::rebalance::{Plan, PlanAction, RebalanceTrade};
use crate::symbol::Side;

/// What a scripted agent does from some time on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineEntry {
    /// The symbol it is for; every symbol that has no entries of its own if left out.
    #[serde(default)]
    pub symbol: Option<Name>,
    /// From when on, in seconds since the start of the run.
    #[serde(default)]
    pub from_seconds: f64,
    /// How long the agent takes, in seconds.
    #[serde(default)]
    pub delay_seconds: f64,
    /// What it says, as a table or as JSON in a text; it says it of the symbol that it was asked
    /// about, unless it names one.
    #[serde(default)]
    pub output: Option<Json>,
    /// What it raises instead.
    #[serde(default)]
    pub error: Option<String>,
}

/// What a scripted portfolio agent plans from some time on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanEntry {
    /// From when on, in seconds since the start of the run.
    #[serde(default)]
    pub from_seconds: f64,
    /// Whether anything is to be done.
    pub action: PlanAction,
    /// Into how many batches the trades are divided.
    #[serde(default = "one")]
    pub dca_batches: u32,
    /// Hours between two batches.
    #[serde(default)]
    pub dca_interval_hours: i64,
    /// The trades, in this order.
    #[serde(default)]
    pub trades: Vec<PlannedTrade>,
}

/// One trade of a scripted plan. It is due after as many intervals as its batch says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedTrade {
    /// The pair.
    pub symbol: String,
    /// `buy` or `sell`.
    pub action: Side,
    /// In dollars.
    pub amount_usd: Amount,
    /// Which batch it belongs to, counted from 0.
    #[serde(default)]
    pub batch_index: u32,
}

fn one() -> u32 {
    1
}

/// Does what the last entry says whose time has come; nothing if there is none.
pub(super) async fn run(
    ctx: &Ctx,
    topic: Topic,
    symbol: &Name,
    timeline: &[TimelineEntry],
) -> Result<Option<Output>, AgentError> {
    let now = ctx.now().as_secs_f64();
    let own = |entry: &&TimelineEntry| entry.symbol.as_ref() == Some(symbol);
    let any = |entry: &&TimelineEntry| entry.symbol.is_none();
    let due = |entry: &&TimelineEntry| entry.from_seconds <= now;
    let has_own = timeline.iter().any(|entry| own(&entry));
    let entry = timeline
        .iter()
        .filter(|entry| if has_own { own(entry) } else { any(entry) })
        .rfind(due);
    let Some(entry) = entry else { return Ok(None) };
    if entry.delay_seconds > 0.0 {
        ctx.sleep(Duration::from_secs_f64(entry.delay_seconds))
            .await;
    }
    match (&entry.output, &entry.error) {
        (_, Some(error)) => Err(AgentError(error.clone())),
        (Some(output), None) => {
            let payload = Payload::from_json(topic, about(&output.0, symbol));
            Ok(Some(payload.into()))
        }
        (None, None) => Ok(None),
    }
}

fn about(output: &Value, symbol: &Name) -> Value {
    let mut output = output.clone();
    if let Value::Object(fields) = &mut output {
        fields
            .entry("symbol")
            .or_insert_with(|| symbol.as_str().into());
    }
    output
}

/// The plan of the last entry whose time has come.
pub(super) fn plan(ctx: &Ctx, entries: &[PlanEntry]) -> Result<Option<Plan>, AgentError> {
    let now = ctx.now().as_secs_f64();
    let Some(entry) = entries.iter().rfind(|entry| entry.from_seconds <= now) else {
        return Ok(None);
    };
    let trade = |planned: &PlannedTrade| RebalanceTrade {
        symbol: planned.symbol.clone(),
        action: planned.action,
        amount_usd: planned.amount_usd,
        execution_type: "limit".to_owned(),
        priority: 1,
        batch_index: planned.batch_index,
        scheduled_offset_s: Some(
            i64::from(planned.batch_index).saturating_mul(entry.dca_interval_hours * 3_600),
        ),
    };
    let total = sum(entry.trades.iter().map(|trade| trade.amount_usd));
    Ok(Some(Plan {
        action: entry.action,
        confidence: 0.8,
        execution_strategy: "immediate".to_owned(),
        dca_batches: entry.dca_batches,
        dca_interval_hours: entry.dca_interval_hours,
        total_trade_value_usd: total.map_err(|error| AgentError(error.to_string()))?,
        used_fallback_strategy: false,
        allocation: None,
        trades: entry.trades.iter().map(trade).collect(),
    }))
}
