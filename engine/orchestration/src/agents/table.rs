//! Agents whose outputs were worked out before: a table of them, each with the instant from which it could be known.
//!
//! A row reaches the agent at that instant and never before, because it is an input that arrives then: the
//! rows of the future are nowhere that simulated code could look. What the agent says is the newest row for
//! its symbol, unless that is too old.

mod read;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_kernel::Inbox;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentError, DecisionConfig, MarketView, Output};
use crate::amount::Amount;
use crate::domain_event::{DomainEvent, TableRow};
use crate::message::{Instant, Json, Name, Payload, Span, Topic};
use crate::{Ctx, Orchestration};

pub(crate) use read::{Speaker, rows};

/// A table of outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// The CSV file, relative to the scenario.
    pub file: String,
    /// How old a row may be when it is said, in seconds.
    pub max_age_seconds: f64,
    /// The symbol of all rows, where the file has no column for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Name>,
    /// The zone of times that have none; UTC if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The form of the times, where it is not recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
    /// Names of columns that differ.
    #[serde(default)]
    pub columns: TableColumns,
}

/// How the columns are named that every table has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableColumns {
    /// From when on a row can be known; `knowable_at` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowable_at: Option<String>,
    /// The symbol; `symbol` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
}

/// The rows that have arrived: of each agent and symbol the newest.
#[derive(Debug, Default)]
pub struct Tables {
    newest: BTreeMap<(Name, Name), (Instant, Value)>,
}

/// The tables of a run. They outlive a crash of the coordinator's host, as the files do.
pub type SharedTables = Rc<RefCell<Tables>>;

impl Tables {
    fn arrive(&mut self, row: TableRow) {
        let TableRow {
            agent,
            symbol,
            knowable_at,
            output,
            ..
        } = row;
        self.newest.insert((agent, symbol), (knowable_at, output.0));
    }

    /// The newest row of an agent for a symbol, if it is not older than this.
    fn newest(&self, agent: &Name, symbol: &Name, now: Instant, max_age: Span) -> Option<&Value> {
        let (knowable_at, output) = self.newest.get(&(agent.clone(), symbol.clone()))?;
        (now - *knowable_at <= max_age).then_some(output)
    }
}

/// Keeps the rows as they arrive.
pub(crate) async fn follow(ctx: Ctx, rows: Inbox<Orchestration>, tables: SharedTables) {
    loop {
        if let DomainEvent::TableRow(row) = rows.recv(&ctx).await.1 {
            tables.borrow_mut().arrive(row);
        }
    }
}

/// Who is asked, and what about.
pub(super) struct Question<'a> {
    pub(super) agent: &'a Name,
    pub(super) topic: Topic,
    pub(super) symbol: &'a Name,
    pub(super) decision: &'a DecisionConfig,
    pub(super) market: &'a MarketView,
}

/// Says the newest row for a symbol; nothing if there is none that is young enough.
pub(super) fn run(
    ctx: &Ctx,
    config: &TableConfig,
    tables: &Tables,
    asked: &Question<'_>,
) -> Result<Option<Output>, AgentError> {
    let max_age = Span::from_secs_f64(config.max_age_seconds);
    let now = Instant::from(ctx.now());
    let Some(row) = tables.newest(asked.agent, asked.symbol, now, max_age) else {
        return Ok(None);
    };
    let price = asked.market.price(asked.symbol);
    let output = completed(row.clone(), asked.topic, price, asked.decision);
    Ok(output.map(|output| Payload::from_json(asked.topic, output).into()))
}

/// An output with what it leaves out of a trade; nothing if it needs a price and there is none.
pub(super) fn completed(
    mut output: Value,
    topic: Topic,
    price: Option<Amount>,
    decision: &DecisionConfig,
) -> Option<Value> {
    if topic == Topic::TradingSignals && !is_hold(&output) {
        complete(&mut output, price?.to_f64(), decision);
    }
    Some(output)
}

fn is_hold(output: &Value) -> bool {
    output.get("action").and_then(Value::as_str) == Some("HOLD")
}

/// What a row leaves out of a trade is what the rules would say: the last price, and their stop, target and stake.
fn complete(output: &mut Value, price: f64, decision: &DecisionConfig) {
    let Value::Object(fields) = output else {
        return;
    };
    let sells = fields.get("action").and_then(Value::as_str) == Some("SELL");
    let way = if sells { -1.0 } else { 1.0 };
    let entry = fields.get("entry_price").and_then(Value::as_f64);
    let entry = entry.unwrap_or(price);
    let level = |pct: f64| entry * (1.0 + way * pct / 100.0);
    for (name, value) in [
        ("entry_price", entry.into()),
        ("stop_loss", level(-decision.stop_pct).into()),
        ("take_profit", level(decision.target_pct).into()),
        ("size_usd", decision.size_usd.into()),
        ("leverage", Value::from(1)),
    ] {
        fields.entry(name).or_insert(value);
    }
}

/// One row as it goes into the log.
pub(crate) fn arrival(agent: &Name, row: read::Known) -> TableRow {
    TableRow {
        agent: agent.clone(),
        symbol: row.symbol,
        knowable_at: row.knowable_at,
        line: row.line,
        output: Json(row.output),
    }
}

#[cfg(test)]
mod tests;
