//! The rows of each table: what is saved, as values, and back.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::fault::damaged;
use super::values::{Values, count, optional, text};
use super::{risk, seal};
use crate::coordinator::Statistics;
use crate::coordinator::degradation::FailureCounts;
use crate::coordinator::state::RunState;
use crate::message::{Instant, Name};
use crate::rebalance::{Leg, RebalanceTrade};
use crate::store::intent::Intent;
use crate::store::record::{Record, TaskRow};
use crate::store::tables::TableError;
use crate::store::{LegStatus, StoredLeg};
use crate::symbol::Side;

// The coordinator.

/// The tables of a record.
const RECORD: [&str; 7] = [
    "coordinator",
    "task_runs",
    "degradation",
    "portfolio",
    "pause",
    "risk",
    "breakers",
];

/// Writes a record in place of the one before.
pub(super) fn put_record(
    db: &Connection,
    record: &Record,
    start_us: i64,
) -> Result<(), TableError> {
    for table in RECORD {
        seal::clear(db, table)?;
    }
    let Statistics {
        total_task_runs,
        total_conflicts_detected,
        total_conflicts_resolved,
        total_trades_routed,
    } = record.statistics;
    let coordinator = vec![
        Value::Integer(1),
        text(record.state.name()),
        optional(record.halt.as_deref()),
        Value::Integer(record.closing.into()),
        count(total_task_runs)?,
        count(total_conflicts_detected)?,
        count(total_conflicts_resolved)?,
        count(total_trades_routed)?,
    ];
    seal::add(db, "coordinator", coordinator)?;
    for (place, task) in (0..).zip(&record.tasks) {
        let row = vec![
            Value::Integer(place),
            text(&task.name),
            Value::Integer(task.enabled.into()),
            optional(task.last_run.as_deref()),
            Value::Integer(task.under_way.into()),
            optional(task.started.as_deref()),
        ];
        seal::add(db, "task_runs", row)?;
    }
    if let Some(failures) = record.failures {
        for (kind, failures) in [
            ("llm", failures.llm_failures),
            ("api", failures.api_failures),
        ] {
            let row = vec![text(kind), Value::Integer(failures.into())];
            seal::add(db, "degradation", row)?;
        }
    }
    if let Some(pause) = &record.pause {
        seal::add(db, "pause", vec![Value::Integer(1), text(pause)])?;
    }
    if let Some(memory) = &record.risk {
        risk::put(db, memory, start_us)?;
    }
    for (asset, amount) in &record.portfolio {
        seal::add(
            db,
            "portfolio",
            vec![text(asset), text(&amount.to_string())],
        )?;
    }
    Ok(())
}

/// The record that was written last.
pub(super) fn record(db: &Connection, start_us: i64) -> Result<Option<Record>, TableError> {
    let Some(row) = seal::rows(db, "coordinator", "", &[])?.into_iter().next() else {
        return Ok(None);
    };
    let mut row = Values::of(row);
    row.integer()?;
    let mut record = Record {
        state: RunState::from_name(&row.text()?).ok_or_else(damaged)?,
        halt: row.optional()?.map(Name::from),
        closing: row.integer()? == 1,
        pause: None,
        statistics: Statistics {
            total_task_runs: row.count()?,
            total_conflicts_detected: row.count()?,
            total_conflicts_resolved: row.count()?,
            total_trades_routed: row.count()?,
        },
        tasks: Vec::new(),
        failures: None,
        risk: risk::read(db, start_us)?,
        portfolio: Vec::new(),
    };
    for row in seal::rows(db, "task_runs", "ORDER BY place", &[])? {
        let mut row = Values::of(row);
        row.integer()?;
        record.tasks.push(TaskRow {
            name: row.text()?.into(),
            enabled: row.integer()? == 1,
            last_run: row.optional()?,
            under_way: row.integer()? == 1,
            started: row.optional()?,
        });
    }
    for row in seal::rows(db, "degradation", "", &[])? {
        let mut row = Values::of(row);
        let kind = row.text()?;
        let count = row.number()?;
        let failures = record.failures.get_or_insert(FailureCounts::default());
        match kind.as_str() {
            "llm" => failures.llm_failures = count,
            _ => failures.api_failures = count,
        }
    }
    for row in seal::rows(db, "pause", "", &[])? {
        let mut row = Values::of(row);
        row.integer()?;
        record.pause = Some(row.text()?.into());
    }
    for row in seal::rows(db, "portfolio", "ORDER BY asset", &[])? {
        let mut row = Values::of(row);
        let asset = row.text()?.into();
        record.portfolio.push((asset, row.amount()?));
    }
    Ok(Some(record))
}

// Scheduled trades.

/// A trade as a row. In a file its time is told from 1970 on, in memory from the start of the run.
pub(super) fn leg_row(row: &StoredLeg, copy: i64, start_us: i64) -> Vec<Value> {
    let (leg, trade) = (&row.leg, &row.leg.trade);
    vec![
        Value::Integer(i64::try_from(row.id).unwrap_or(i64::MAX)),
        text(&leg.key),
        Value::Integer(copy),
        Value::Integer(leg.due.as_micros().saturating_add(start_us)),
        text(&trade.symbol),
        text(trade.action.name()),
        text(&trade.amount_usd.to_string()),
        text(&trade.execution_type),
        Value::Integer(trade.priority),
        Value::Integer(trade.batch_index.into()),
        trade.scheduled_offset_s.map_or(Value::Null, Value::Integer),
        text(row.status.name()),
    ]
}

/// The trade of a row, and which copy of its key it is.
pub(super) fn leg(row: Vec<Value>, start_us: i64) -> Result<(StoredLeg, i64), TableError> {
    let mut row = Values::of(row);
    let id = row.count()?;
    let key = row.text()?.into();
    let copy = row.integer()?;
    let due = Instant::from_micros(row.integer()?.saturating_sub(start_us));
    let trade = RebalanceTrade {
        symbol: row.text()?,
        action: Side::from_name(&row.text()?).ok_or_else(damaged)?,
        amount_usd: row.amount()?,
        execution_type: row.text()?,
        priority: row.integer()?,
        batch_index: row.number()?,
        scheduled_offset_s: row.optional_integer()?,
    };
    let status = LegStatus::from_name(&row.text()?).ok_or_else(damaged)?;
    let leg = Leg { key, due, trade };
    Ok((StoredLeg { id, leg, status }, copy))
}

// Intents.

/// An intent as a row.
pub(super) fn intent_row(intent: &Intent, outcome: Option<&str>) -> Vec<Value> {
    vec![
        text(&intent.key),
        text(&intent.symbol),
        text(&intent.origin),
        optional(outcome),
    ]
}

/// The intent of a row, and how its order went.
pub(super) fn intent(row: Vec<Value>) -> Result<(Intent, Option<Name>), TableError> {
    let mut row = Values::of(row);
    let intent = Intent {
        key: row.text()?.into(),
        symbol: row.text()?.into(),
        origin: row.text()?.into(),
    };
    Ok((intent, row.optional()?.map(Name::from)))
}
