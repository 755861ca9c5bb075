//! Dividing large trades into batches that are due one after the other.

use super::RebalanceTrade;
use super::config::RebalanceRules;
use crate::amount::{Amount, AmountError};

const HOUR_S: i64 = 3_600;

/// Trades in batches; one batch means that nothing was divided.
pub(super) struct Staged {
    pub(super) trades: Vec<RebalanceTrade>,
    pub(super) batches: u32,
    pub(super) interval_hours: i64,
}

/// Divides `trades`, which are worth `total` dollars, where the rules ask for it.
pub(super) fn stage(
    trades: Vec<RebalanceTrade>,
    total: Amount,
    rules: &RebalanceRules,
) -> Result<Staged, AmountError> {
    let batches = if rules.dca.enabled && total >= rules.dca.threshold_usd {
        count(&trades, rules)?
    } else {
        1
    };
    if batches <= 1 {
        return Ok(Staged {
            trades,
            batches: 1,
            interval_hours: 0,
        });
    }
    let mut staged = Vec::new();
    for trade in &trades {
        divide(trade, batches, rules, &mut staged)?;
    }
    Ok(Staged {
        trades: staged,
        batches,
        interval_hours: rules.dca.interval_hours,
    })
}

/// As many batches as configured, but so few that a batch of any trade is not below the smallest trade.
fn count(trades: &[RebalanceTrade], rules: &RebalanceRules) -> Result<u32, AmountError> {
    let mut batches = rules.dca.batches;
    for trade in trades {
        while batches > 1 && part(trade, batches)? < rules.min_trade_usd {
            batches -= 1;
        }
    }
    Ok(batches)
}

/// One of so many equal parts, in whole cents.
fn part(trade: &RebalanceTrade, batches: u32) -> Result<Amount, AmountError> {
    let part = trade.amount_usd.over(Amount::from_int(batches.into()))?;
    Ok(part.floor(2))
}

/// Equal parts, floored to cents; the first gets the remainder. Parts below the smallest trade are
/// dropped.
fn divide(
    trade: &RebalanceTrade,
    batches: u32,
    rules: &RebalanceRules,
    staged: &mut Vec<RebalanceTrade>,
) -> Result<(), AmountError> {
    let part = part(trade, batches)?;
    let others = part.times(Amount::from_int(i64::from(batches) - 1))?;
    let first = trade.amount_usd.minus(others)?;
    for batch_index in 0..batches {
        let amount_usd = if batch_index == 0 { first } else { part };
        if amount_usd < rules.min_trade_usd {
            continue;
        }
        let offset_h = i64::from(batch_index) * rules.dca.interval_hours;
        staged.push(RebalanceTrade {
            amount_usd,
            batch_index,
            scheduled_offset_s: Some(offset_h * HOUR_S),
            ..trade.clone()
        });
    }
    Ok(())
}
