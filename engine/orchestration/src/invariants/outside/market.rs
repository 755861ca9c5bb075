//! `market.as-written`: invented prices come when the scenario says and move no further than it lets them, and a bar is one
//! that a market can have made.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, FaultInjected, Invariant, KernelEvent, Plan, Time, number as kernel};
use dacapo_market::{Jump, MarketConfig, WalkConfig};
use rust_decimal::Decimal;

use crate::amount::Amount;
use crate::config::Config;
use crate::domain_event::{DomainEvent, MarketBar, MarketTrade, number};
use crate::invariants::end_of;
use crate::invariants::exact::Exact;
use crate::message::Name;

/// How the names of what goes wrong on the way from the market begin.
const DOORS: &str = "market.";
/// What keeps prices back.
const SILENT: [&str; 2] = ["market.gap", "market.stale"];
const NANOS_PER_MS: u64 = 1_000_000;
/// How many standard deviations one step may have.
const DEVIATIONS: f64 = 6.0;
/// No price is above so many ticks, nor below one.
const MOST_TICKS: f64 = 1e12;

/// The last trade of a market.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Time,
    /// Before anything befell it; none where it was no price.
    price: Option<f64>,
    /// Whether anything did.
    is_befallen: bool,
}

/// How a scenario has a market walk.
#[derive(Debug)]
struct Walk {
    symbol: String,
    start: f64,
    tick: f64,
    tick_size: Decimal,
    trade_size: Decimal,
    /// By how much a price may change in one step, as parts of it.
    least: f64,
    most: f64,
    /// When it jumps, and to how many times its price; the earliest first.
    jumps: Vec<(u64, f64)>,
}

impl Walk {
    fn of(config: &WalkConfig, jumps: &[Jump]) -> Walk {
        let part = |bp: Decimal| in_floats(bp) / 10_000.0;
        let (drift, wide) = (
            part(config.drift_bp),
            DEVIATIONS * part(config.volatility_bp),
        );
        let own = jumps.iter().filter(|it| it.symbol == config.symbol);
        let jump = |it: &Jump| {
            let at = it.at_ms.saturating_mul(NANOS_PER_MS);
            (at, 1.0 + in_floats(it.percent) / 100.0)
        };
        let mut jumps: Vec<(u64, f64)> = own.map(jump).collect();
        jumps.sort_by_key(|(at, _)| *at);
        Walk {
            symbol: config.symbol.clone(),
            start: in_floats(config.start_price),
            tick: in_floats(config.tick_size),
            tick_size: config.tick_size,
            trade_size: config.trade_size,
            least: (1.0 + drift - wide).max(0.0),
            most: 1.0 + drift + wide,
            jumps,
        }
    }

    /// Whether a price may have come so far in so many steps, the last of them just now.
    fn may_move(&self, (from, to): (f64, f64), steps: u64, span: Span) -> bool {
        let is_within = |at: u64| span.after.is_none_or(|after| at > after) && at <= span.until;
        let mut jumps = self
            .jumps
            .iter()
            .filter(|(at, _)| is_within(*at))
            .peekable();
        let bounds = |price: f64| price.clamp(self.tick, MOST_TICKS * self.tick);
        let (mut least, mut most) = (from, from);
        let mut jumped = 1.0_f64;
        for before_the_last in (0..=steps).rev() {
            // Nothing steps at the start, and what jumps does so before the step of its instant.
            let at = span.until.saturating_sub(before_the_last * span.interval);
            while let Some((_, times)) = jumps.next_if(|(jump, _)| *jump <= at) {
                (least, most) = (bounds(least * times), bounds(most * times));
                jumped *= times.max(1.0);
            }
            if before_the_last < steps {
                (least, most) = (bounds(least * self.least), bounds(most * self.most));
            }
        }
        // Both ends are rounded to a tick, and so is the lowest price.
        let slack = self.tick * (1.0 + jumped);
        (least - slack..=most + slack).contains(&to)
    }
}

/// From the last price to this one, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// None before the first price.
    after: Option<u64>,
    until: u64,
    /// How long a step takes.
    interval: u64,
}

fn in_floats(decimal: Decimal) -> f64 {
    Amount::from_decimal(decimal).in_floats()
}

/// The market that a scenario invents, as far as it has come.
#[derive(Debug)]
pub(super) struct AsWritten {
    /// None where prices are not invented.
    walks: Vec<Walk>,
    /// How long after each other its prices come, in nanoseconds.
    interval: u64,
    /// From then on nothing goes wrong any more.
    quiet_from: Option<Time>,
    last: BTreeMap<Name, Last>,
    /// Until when prices may be kept back.
    silent_until: Time,
    /// What befalls the price that comes next.
    befalling: Vec<FaultInjected>,
}

impl AsWritten {
    pub(super) fn new(plan: &Plan<Config>) -> AsWritten {
        let (mut walks, mut interval) = (Vec::new(), 1);
        if let MarketConfig::Generated(generated) = &plan.system.market {
            let jumps = &generated.jumps;
            walks.extend(generated.symbols.iter().map(|it| Walk::of(it, jumps)));
            interval = u64::from(generated.interval_ms) * NANOS_PER_MS;
        }
        AsWritten {
            walks,
            interval,
            quiet_from: plan.faults.quiet_from,
            last: BTreeMap::new(),
            silent_until: Time::ZERO,
            befalling: Vec::new(),
        }
    }

    fn strike(&mut self, fault: &FaultInjected, now: Time) {
        if SILENT.contains(&fault.door.as_str()) {
            let end = end_of(fault, now, self.quiet_from);
            self.silent_until = self.silent_until.max(end);
        }
        self.befalling.push(fault.clone());
    }

    /// What is left of a price, in parts of it.
    fn left(&self) -> Option<f64> {
        let crash = self.befalling.iter().find(|it| it.door == *"market.crash");
        let percent = crash.map_or(0, |it| it.value.min(99));
        let is_price = self
            .befalling
            .iter()
            .all(|it| it.door != *"market.bad-price");
        is_price.then_some(1.0 - percent as f64 / 100.0)
    }

    /// How many steps after the last a trade comes, and how many did not come in between.
    fn come(&self, symbol: &Name, last: Option<Time>, now: Time) -> Result<(u64, u64), String> {
        let (now, interval) = (now.as_nanos(), self.interval);
        let steps = now.saturating_sub(last.map_or(0, Time::as_nanos)) / interval;
        if !now.is_multiple_of(interval) || steps == 0 && last.is_some() {
            return Err(format!(
                "expected one trade of {symbol} each interval, found another"
            ));
        }
        // What did not come was kept back until then at least.
        let missing = steps - u64::from(last.is_some());
        let before = Time::from_nanos(now.saturating_sub(interval));
        if missing > 0 && before >= self.silent_until && !self.is_kept_back() {
            return Err(format!(
                "expected each trade of {symbol} to come, found one missing"
            ));
        }
        Ok((steps, missing))
    }

    fn trade(&mut self, trade: &MarketTrade, now: Time) -> Result<(), String> {
        if self.walks.is_empty() {
            return Ok(());
        }
        let symbol = &trade.symbol;
        let Some(walk) = self.walks.iter().find(|it| *symbol == *it.symbol) else {
            return Err(format!("expected no trades of {symbol}, found one"));
        };
        let last = self.last.get(symbol).copied();
        let (steps, missing) = self.come(symbol, last.map(|it| it.at), now)?;
        if trade.size.as_decimal() != walk.trade_size {
            return Err(format!(
                "expected trades of {} {symbol}, found one of {}",
                walk.trade_size, trade.size
            ));
        }
        let found = trade.price.in_floats();
        let price = self.left().map(|left| found / left);
        match price {
            None if found > 0.0 => return Err("expected no price, found one".to_owned()),
            None => {}
            Some(price) => {
                let from = last.map_or(Some(walk.start), |last| last.price);
                let span = Span {
                    after: last.map(|it| it.at.as_nanos()),
                    until: now.as_nanos(),
                    interval: self.interval,
                };
                if from.is_some_and(|from| !walk.may_move((from, price), steps, span)) {
                    return Err(format!(
                        "expected {symbol} to move no further than the scenario lets it, found a leap"
                    ));
                }
            }
        }
        let is_befallen = !self.befalling.is_empty();
        if let (Some(last), false, 0) = (last, is_befallen, missing)
            && let (Some(from), false) = (last.price, last.is_befallen)
            && trade.taker_buys != Some(found >= from)
        {
            return Err(
                "expected a fall to be sold and a rise to be bought, found otherwise".into(),
            );
        }
        let is_on_grid = (trade.price.as_decimal() % walk.tick_size).is_zero();
        if !is_befallen && !is_on_grid {
            return Err(format!(
                "expected prices in steps of {}, found one between",
                walk.tick_size
            ));
        }
        let last = Last {
            at: now,
            price,
            is_befallen,
        };
        self.last.insert(symbol.clone(), last);
        Ok(())
    }

    /// Whether something was kept back right before.
    fn is_kept_back(&self) -> bool {
        let mut befalling = self.befalling.iter();
        befalling.any(|it| SILENT.contains(&it.door.as_str()))
    }

    fn bar(&self, bar: &MarketBar) -> Result<(), String> {
        let (low, high) = (bar.low.as_decimal(), bar.high.as_decimal());
        let (open, close) = (bar.open.as_decimal(), bar.close.as_decimal());
        if self.left().is_none() {
            return match close.is_zero() || close.is_sign_negative() {
                true => Ok(()),
                false => Err("expected no price, found one".to_owned()),
            };
        }
        let holds = |price| low <= price && price <= high;
        let is_one = bar.low.is_above_zero() && holds(open) && holds(close);
        if is_one && !bar.volume.is_below_zero() {
            return Ok(());
        }
        Err("expected a bar that a market can have made, found another".to_owned())
    }
}

impl Invariant<DomainEvent> for AsWritten {
    fn id(&self) -> &'static str {
        "market.as-written"
    }

    fn statement(&self) -> &'static str {
        "invented prices come when the scenario says and move no further than it lets them; a bar is one that a \
         market can have made"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::FaultInjected,
            number::MarketTrade,
            number::MarketBar,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::MarketTrade, number::MarketBar]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match (event.kernel(), event.domain()) {
            (Some(KernelEvent::FaultInjected(it)), _) if it.door.starts_with(DOORS) => {
                self.strike(it, event.time);
            }
            (_, Some(DomainEvent::MarketTrade(it))) => {
                self.trade(it, event.time)?;
                self.befalling.clear();
            }
            (_, Some(DomainEvent::MarketBar(it))) => {
                self.bar(it)?;
                self.befalling.clear();
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
