//! `evidence.fresh`: what is decided by is young enough, and a fill has a price that somebody gave.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan, Time};

use super::prices::{BAR, CRASHED, HOST, InUse, OUTSIDE, Prices, STARTED, TASK_CRASHED, TRADE};
use crate::amount::Amount;
use crate::config::Config;
use crate::coordinator::evidence::TOPICS;
use crate::domain_event::{
    DomainEvent, Evidence, Filled, OrderOutcome, PositionClosed, TradeOrigin, number,
};
use crate::invariants::ages::Ages;
use crate::invariants::exact::Exact;
use crate::invariants::messages::Messages;
use crate::message::{Instant, Name, Span};
use crate::symbol::Markets;

/// How many orders and signals are kept in mind.
const KEPT: usize = 256;

/// The numbers that it holds a run to, the evidence, and the prices.
#[derive(Debug)]
pub(super) struct Fresh {
    windows: Ages,
    /// How long a decision may take after the evidence was read.
    decided_within: Span,
    price_age_ns: u64,
    /// By which part of its price a market order may slip, least and most.
    slip: (f64, f64),
    markets: Markets,
    evidence: Messages,
    cited: BTreeMap<u64, Vec<Evidence>>,
    limits: BTreeMap<Name, Option<Amount>>,
    prices: Prices,
    /// The pair of the position that was closed last.
    closing: Option<Name>,
}

impl Fresh {
    pub(super) fn new(plan: &Plan<Config>) -> Fresh {
        let config = &plan.system;
        let draws = config.paper.slippage_draws.iter().map(|draw| draw.to_f64());
        let (least, most) = draws.fold((0.5f64, 1.0f64), |(least, most), draw| {
            (least.min(draw), most.max(draw))
        });
        let slip = config.paper.simulated_slippage_pct.to_f64() / 100.0;
        let ms = i64::try_from(config.conflicts.max_resolution_time_ms).unwrap_or(i64::MAX / 1_000);
        Fresh {
            windows: Ages::of(&config.evidence_windows),
            decided_within: Span::from_secs_f64(ms as f64 / 1_000.0),
            price_age_ns: u64::try_from(config.prices.max_age_s).unwrap_or(0) * 1_000_000_000,
            slip: (slip * least, slip * most),
            evidence: Messages::of(&TOPICS),
            cited: BTreeMap::new(),
            limits: BTreeMap::new(),
            prices: Prices::new(plan),
            closing: None,
            markets: config.markets.clone(),
        }
    }

    /// Whether each piece of evidence is within its window, and this much more.
    fn ages(&self, cited: &[Evidence], now: Time, more: Span) -> Result<(), String> {
        let windows = self.windows.longest(now);
        let now = Instant::from(now);
        for evidence in cited {
            let Some(message) = self.evidence.get(evidence.message) else {
                continue;
            };
            let (window, bars) = windows.of(message.topic).unwrap_or_default();
            // While it was decided, a bar may have closed.
            if bars.is_some() && more != Span::default() {
                continue;
            }
            let age = message.age(now);
            if age.as_micros() > window.as_micros().saturating_add(more.as_micros()) {
                return Err(format!(
                    "expected {} within their window, found an older one",
                    message.topic
                ));
            }
            if more == Span::default() && message.ttl.is_over(age) {
                return Err(format!(
                    "expected {} alive, found an expired one",
                    message.topic
                ));
            }
        }
        Ok(())
    }

    fn cite(&mut self, signal: u64, cited: &[Evidence], now: Time) -> Result<(), String> {
        self.ages(cited, now, Span::default())?;
        self.cited.insert(signal, cited.to_vec());
        if self.cited.len() > KEPT {
            self.cited.pop_first();
        }
        Ok(())
    }

    fn fill(&mut self, fill: &Filled, now: Time) -> Result<(), String> {
        if !self.prices.are_known() {
            return Ok(());
        }
        let Some(intent) = &fill.intent else {
            // A position is closed at the price that was seen last, however long ago.
            // In a bar, it is closed at a price between the lowest and the highest.
            let bar = self.prices.bar(&fill.symbol, now);
            let in_bar = bar.is_some_and(|bar| (bar.low..=bar.high).contains(&fill.price));
            let mut given = self.prices.in_use(&fill.symbol, now);
            return if in_bar || given.any(|it| it.price == fill.price) {
                Ok(())
            } else {
                Err(
                    "expected a position closed at a price that a source gave, found another"
                        .into(),
                )
            };
        };
        let Some(limit) = self.limits.get(intent) else {
            return Ok(());
        };
        let fresh = |it: &InUse| it.age_ns < self.price_age_ns;
        let mut given = self
            .prices
            .in_use(&fill.symbol, now)
            .filter(fresh)
            .peekable();
        if given.peek().is_none() {
            return Err("expected a fresh price to fill at, found none".into());
        }
        let buys = fill.side == *"buy";
        let fits = match limit {
            Some(limit) => {
                let met = |price: Amount| {
                    if buys {
                        price <= *limit
                    } else {
                        price >= *limit
                    }
                };
                let bar = self.prices.bar(&fill.symbol, now);
                let in_bar = bar.is_some_and(|bar| met(if buys { bar.low } else { bar.high }));
                fill.price == *limit && (in_bar || given.any(|it| met(it.price)))
            }
            None => given.any(|it| self.slips_to(fill, it.in_floats, buys)),
        };
        if fits {
            Ok(())
        } else {
            Err("expected a fill at a price that a source gave, found another".into())
        }
    }

    /// Whether a market order at `market` may fill at the price of `fill`.
    fn slips_to(&self, fill: &Filled, market: f64, buys: bool) -> bool {
        let decimals = self.markets.rules(&fill.symbol).price_decimals;
        let tick = (0..decimals).fold(1.0, |tick, _| tick / 10.0);
        let price = fill.price.in_floats();
        let slack = tick + market * 1e-9;
        let way = if buys { 1.0 } else { -1.0 };
        let (one, other) = (
            market * (1.0 + way * self.slip.0),
            market * (1.0 + way * self.slip.1),
        );
        (one.min(other) - slack..=one.max(other) + slack).contains(&price)
    }

    /// An emergency has to wait for a price that somebody gave lately.
    fn close(&self, closed: &PositionClosed, now: Time) -> Result<(), String> {
        let Some(symbol) = self.closing.as_ref().filter(|_| self.prices.are_known()) else {
            return Ok(());
        };
        let mut given = self.prices.in_use(symbol, now);
        if closed.reason != *"emergency" || given.any(|it| it.age_ns < self.price_age_ns) {
            return Ok(());
        }
        Err("expected a fresh price to close at in an emergency, found none".into())
    }

    fn keep_limit(&mut self, intent: &Name, limit: Option<Amount>) {
        self.limits.insert(intent.clone(), limit);
        if self.limits.len() > KEPT * 8 {
            self.limits.pop_first();
        }
    }
}

/// Whether an order that was answered like this may be filled later.
fn may_fill_yet(outcome: &OrderOutcome) -> bool {
    matches!(outcome, OrderOutcome::Resting | OrderOutcome::Unknown)
}

impl Invariant<DomainEvent> for Fresh {
    fn id(&self) -> &'static str {
        "evidence.fresh"
    }

    fn statement(&self) -> &'static str {
        "evidence and market data are within their age limits at submit; no fill is made at a price \
         that no source gave"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            TRADE,
            BAR,
            OUTSIDE,
            STARTED,
            CRASHED,
            TASK_CRASHED,
            HOST,
            number::Published,
            number::ConsensusBuilt,
            number::ConflictFound,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::Filled,
            number::PositionClosed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConsensusBuilt, number::Filled]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.prices.see(event);
        let now = event.time;
        if let Some(domain) = event.domain() {
            self.windows.see(now, domain);
        }
        match event.domain() {
            Some(DomainEvent::Published(it)) => self.evidence.keep(&it.message),
            Some(DomainEvent::ConsensusBuilt(it)) => self.cite(it.signal, &it.evidence, now)?,
            Some(DomainEvent::ConflictFound(it)) => self.cite(it.signal, &it.evidence, now)?,
            Some(DomainEvent::OrderSubmitted(it)) => {
                self.keep_limit(&it.intent, it.limit);
                if let TradeOrigin::Signal(signal) = it.origin
                    && let Some(cited) = self.cited.remove(&signal)
                {
                    self.ages(&cited, now, self.decided_within)?;
                }
            }
            Some(DomainEvent::OrderAnswered(it)) if !may_fill_yet(&it.outcome) => {
                self.limits.remove(&it.intent);
            }
            Some(DomainEvent::Filled(it)) => {
                self.closing = it.intent.is_none().then(|| it.symbol.clone());
                self.fill(it, now)?;
            }
            Some(DomainEvent::PositionClosed(it)) => self.close(it, now)?,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
