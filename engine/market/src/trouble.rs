//! What goes wrong on the way from the market, as doors of the plan of faults: prices stop, stand still
//! for one pair, are none at all, or fall off a cliff.

use std::collections::BTreeMap;

use dacapo_kernel::{FaultKind, Odds, Time};
use rust_decimal::Decimal;

use super::{Tick, TickKind};

/// The kinds of trouble.
pub const FAULTS: &[FaultKind] = &[
    FaultKind::door(
        "market.gap",
        "nothing comes from the market",
        "for how long, in seconds",
        1,
        1_800,
        50,
    ),
    FaultKind::door(
        "market.stale",
        "nothing comes of one pair",
        "for how long, in seconds",
        1,
        1_800,
        100,
    ),
    FaultKind::door(
        "market.bad-price",
        "a price that is none",
        "which: 0 zero, 1 below zero",
        0,
        1,
        100,
    ),
    FaultKind::door(
        "market.crash",
        "a price far below the last",
        "by how much, in percent",
        5,
        95,
        50,
    ),
];

/// Until when nothing comes.
#[derive(Debug, Default)]
pub struct Trouble {
    gap_until: Time,
    stale_until: BTreeMap<String, Time>,
}

impl Trouble {
    /// What is left of a tick.
    pub fn befall(&mut self, mut tick: Tick, odds: &mut Odds<'_>) -> Option<Tick> {
        let now = Time::from_nanos(tick.time_ns);
        if let Some(end) = odds.lasting_fault("market.gap", now) {
            self.gap_until = self.gap_until.max(end);
        }
        if let Some(end) = odds.lasting_fault("market.stale", now) {
            self.stale_until.insert(tick.symbol.to_string(), end);
        }
        let stale = self.stale_until.get(&*tick.symbol);
        if now < self.gap_until || stale.is_some_and(|until| now < *until) {
            return None;
        }
        match &mut tick.kind {
            TickKind::Trade { price, .. } => {
                if let Some(left) = crash(odds) {
                    *price = price.checked_mul(left).unwrap_or(*price);
                }
                if let Some(factor) = bad_price(odds) {
                    *price *= factor;
                }
            }
            TickKind::Bar(bar) => {
                // The fall comes at the end of the bar, so that its first price is what was there before.
                if let Some(left) = crash(odds) {
                    bar.close = bar.close.checked_mul(left).unwrap_or(bar.close);
                    bar.low = bar.low.min(bar.close);
                }
                if let Some(factor) = bad_price(odds) {
                    for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
                        *price *= factor;
                    }
                }
            }
            TickKind::Quote { .. } => {}
        }
        Some(tick)
    }
}

/// What a crash leaves of a price, if there is one.
fn crash(odds: &mut Odds<'_>) -> Option<Decimal> {
    let percent = odds.fault("market.crash")?;
    Some(Decimal::from(100 - percent.min(99)) / Decimal::ONE_HUNDRED)
}

/// What makes a price none, if anything does.
fn bad_price(odds: &mut Odds<'_>) -> Option<Decimal> {
    let which = odds.fault("market.bad-price")?;
    Some(if which == 0 {
        Decimal::ZERO
    } else {
        Decimal::NEGATIVE_ONE
    })
}
