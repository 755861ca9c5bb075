//! What goes wrong on the way from the market, as doors of the plan of faults: prices stop, stand still
//! for one pair, are none at all, or fall off a cliff.

use std::collections::BTreeMap;

use dacapo_kernel::{FaultKind, Odds, Time};
use rust_decimal::Decimal;

use super::{Tick, TickKind};
use crate::faults::door;

/// The kinds of trouble.
pub(crate) const FAULTS: &[FaultKind] = &[
    door(
        "market.gap",
        "nothing comes from the market",
        "for how long, in seconds",
        1,
        1_800,
        50,
    ),
    door(
        "market.stale",
        "nothing comes of one pair",
        "for how long, in seconds",
        1,
        1_800,
        100,
    ),
    door(
        "market.bad-price",
        "a price that is none",
        "which: 0 zero, 1 below zero",
        0,
        1,
        100,
    ),
    door(
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
pub(crate) struct Trouble {
    gap_until: Time,
    stale_until: BTreeMap<String, Time>,
}

impl Trouble {
    /// What is left of a tick.
    pub(crate) fn befall(&mut self, mut tick: Tick, odds: &mut Odds<'_>) -> Option<Tick> {
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
        if let TickKind::Trade { price, .. } = &mut tick.kind {
            if let Some(percent) = odds.fault("market.crash") {
                let left = Decimal::from(100 - percent.min(99)) / Decimal::ONE_HUNDRED;
                *price = price.checked_mul(left).unwrap_or(*price);
            }
            match odds.fault("market.bad-price") {
                Some(0) => *price = Decimal::ZERO,
                Some(_) => *price = -*price,
                None => {}
            }
        }
        Some(tick)
    }
}
