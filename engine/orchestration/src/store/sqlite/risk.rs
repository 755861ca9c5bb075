//! What risk must remember, as rows.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::fault::damaged;
use super::seal;
use super::values::{Values, count, optional, text};
use crate::amount::Amount;
use crate::risk::{Breaker, Periods, RiskMemory};
use crate::store::tables::TableError;

/// Writes it where there is none. In a file the end of a cooldown is told from 1970 on, in memory from the
/// start of the run.
pub(super) fn put(db: &Connection, memory: &RiskMemory, start_us: i64) -> Result<(), TableError> {
    let RiskMemory {
        closings,
        periods,
        peak_equity,
        consecutive_losses,
        consecutive_wins,
        trades_today,
        breakers,
        cooldown_until,
        cooldown_reason,
        volatility_spike,
        last_daily_reset,
        last_weekly_reset,
    } = memory;
    let instant = |at: Option<i64>| at.map_or(Value::Null, Value::Integer);
    let amount = |amount: Option<Amount>| optional(amount.map(|it| it.to_string()).as_deref());
    let row = vec![
        Value::Integer(1),
        count(*closings)?,
        text(&peak_equity.to_string()),
        Value::Integer((*consecutive_losses).into()),
        Value::Integer((*consecutive_wins).into()),
        Value::Integer((*trades_today).into()),
        instant(cooldown_until.map(|until| until.saturating_add(start_us))),
        text(cooldown_reason),
        Value::Integer((*volatility_spike).into()),
        instant(*last_daily_reset),
        instant(*last_weekly_reset),
        Value::Integer(periods.day),
        amount(periods.day_start),
        Value::Integer(periods.week),
        amount(periods.week_start),
    ];
    seal::add(db, "risk", row)?;
    for breaker in breakers {
        seal::add(db, "breakers", vec![text(breaker.name())])?;
    }
    Ok(())
}

/// What was written last, if anything was.
pub(super) fn read(db: &Connection, start_us: i64) -> Result<Option<RiskMemory>, TableError> {
    let Some(row) = seal::rows(db, "risk", "", &[])?.into_iter().next() else {
        return Ok(None);
    };
    let mut row = Values::of(row);
    row.integer()?;
    let mut memory = RiskMemory {
        closings: row.count()?,
        peak_equity: row.amount()?,
        consecutive_losses: row.number()?,
        consecutive_wins: row.number()?,
        trades_today: row.number()?,
        cooldown_until: row
            .optional_integer()?
            .map(|us| us.saturating_sub(start_us)),
        cooldown_reason: row.text()?,
        volatility_spike: row.integer()? == 1,
        last_daily_reset: row.optional_integer()?,
        last_weekly_reset: row.optional_integer()?,
        periods: Periods {
            day: row.integer()?,
            day_start: row.optional_amount()?,
            week: row.integer()?,
            week_start: row.optional_amount()?,
        },
        breakers: Vec::new(),
    };
    for row in seal::rows(db, "breakers", "", &[])? {
        let name = Values::of(row).text()?;
        memory
            .breakers
            .push(Breaker::from_name(&name).ok_or_else(damaged)?);
    }
    // In the order in which they are looked at.
    memory.breakers.sort();
    Ok(Some(memory))
}
