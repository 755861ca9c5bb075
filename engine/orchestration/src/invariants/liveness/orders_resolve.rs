//! No order is left in the air: each is answered, a resting one at the price it waits for, and one that
//! a crash made uncertain is asked for before it is sent again.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Time, number as kernel};

use super::up::{Turn, Up};
use super::{BOUND, EXCLUDED, is_late, is_undisturbed, seconds};
use crate::amount::Amount;
use crate::config::{Config, TradingMode};
use crate::domain_event::{
    DomainEvent, OrderAnswered, OrderOutcome, OrderSubmitted, OutsideAction, number,
};
use crate::invariants::exact::Exact;
use crate::message::Name;

/// The code of a limit order that was given up although its price may still come.
const NOT_FILLED: &str = "not_filled";

/// A price beyond this may be refused, since a profit at it fits no decimal.
const LARGEST: f64 = 1e15;

/// An order that has no answer.
#[derive(Debug)]
struct Sent {
    since: Time,
    symbol: Name,
    buys: bool,
    limit: Option<Amount>,
}

/// An order that waits for its price.
#[derive(Debug)]
struct Resting {
    intent: Name,
    symbol: Name,
    buys: bool,
    limit: Amount,
    /// When the market came to its price.
    reached: Option<Time>,
}

/// `live.orders-resolve`
pub(super) struct OrdersResolve {
    quiet: Option<Time>,
    life: Up,
    is_paper: bool,
    /// Whether nobody follows the market for the exchange.
    exchange_is_down: bool,
    /// How long the executor takes.
    delay: Duration,
    sent: BTreeMap<Name, Sent>,
    resting: Vec<Resting>,
    /// Stored legs that are not done with: the intent of each, and whether it was sent since the
    /// exchange was last asked for it.
    legs: BTreeMap<u64, (Name, bool)>,
}

impl OrdersResolve {
    pub(super) fn new(plan: &Plan<Config>) -> OrdersResolve {
        let config = &plan.system;
        let is_paper = config.trading_mode == TradingMode::Paper;
        let delay = if is_paper {
            Duration::from_millis(config.paper.fill_delay_ms)
        } else {
            seconds(config.live.delay_seconds)
        };
        OrdersResolve {
            quiet: plan.faults.ends().filter(|_| is_undisturbed(plan)),
            life: Up::default(),
            is_paper,
            exchange_is_down: false,
            delay,
            sent: BTreeMap::new(),
            resting: Vec::new(),
            legs: BTreeMap::new(),
        }
    }

    fn pass(&self, now: Time) -> Result<(), String> {
        let late = |since: Time, span: Duration| is_late(since, self.quiet, span, now);
        if self
            .sent
            .values()
            .any(|sent| late(sent.since, self.delay.saturating_add(BOUND)))
        {
            return Err("expected an order to be answered, found it without an answer".to_owned());
        }
        let missed = |it: &Resting| it.reached.is_some_and(|at| late(at, BOUND));
        if self.resting.iter().any(missed) {
            return Err(
                "expected a resting order to be matched at its price, found it resting".to_owned(),
            );
        }
        Ok(())
    }

    fn submit(&mut self, submitted: &OrderSubmitted, now: Time) -> Result<(), String> {
        let intent = &submitted.intent;
        let leg = self.legs.values_mut().find(|(key, _)| key == intent);
        let again = match leg {
            Some((_, was_sent)) => std::mem::replace(was_sent, true),
            None => self.sent.contains_key(intent),
        };
        if again {
            return Err(
                "expected an order of unknown outcome to be asked for, found it sent again"
                    .to_owned(),
            );
        }
        let sent = Sent {
            since: now,
            symbol: submitted.order.symbol.clone(),
            buys: submitted.order.side.as_str() == "buy",
            limit: submitted.limit,
        };
        self.sent.insert(intent.clone(), sent);
        Ok(())
    }

    fn answer(&mut self, answered: &OrderAnswered) -> Result<(), String> {
        // Whoever got no answer asks for it.
        if answered.outcome == OrderOutcome::Unknown {
            return Ok(());
        }
        let intent = &answered.intent;
        self.resting.retain(|it| it.intent != *intent);
        let Some(sent) = self.sent.remove(intent) else {
            return Ok(());
        };
        match (&answered.outcome, sent.limit) {
            (OrderOutcome::Resting, Some(limit)) => self.resting.push(Resting {
                intent: intent.clone(),
                symbol: sent.symbol,
                buys: sent.buys,
                limit,
                reached: None,
            }),
            (OrderOutcome::Refused(code), Some(_))
                if self.is_paper && code.as_str() == NOT_FILLED =>
            {
                return Err(
                    "expected a limit order to wait for its price, found it given up".to_owned(),
                );
            }
            _ => {}
        }
        Ok(())
    }

    /// The market is at a price.
    fn price(&mut self, symbol: &Name, price: Amount, now: Time) {
        let is_usable = price.is_above_zero() && price.to_f64() < LARGEST;
        if !is_usable || self.exchange_is_down {
            return;
        }
        for it in &mut self.resting {
            let crossed = if it.buys {
                price <= it.limit
            } else {
                price >= it.limit
            };
            if crossed && it.symbol.as_str().eq_ignore_ascii_case(symbol.as_str()) {
                it.reached.get_or_insert(now);
            }
        }
    }

    fn mark(&mut self, leg: u64, status: &str) {
        match status {
            "executed" | "failed" => drop(self.legs.remove(&leg)),
            // The exchange was asked, and has never heard of it.
            "pending" => {
                if let Some((_, was_sent)) = self.legs.get_mut(&leg) {
                    *was_sent = false;
                }
            }
            _ => {}
        }
    }
}

impl Invariant<DomainEvent> for OrdersResolve {
    fn id(&self) -> &'static str {
        "live.orders-resolve"
    }

    fn statement(&self) -> &'static str {
        "an order of unknown outcome is resolved by asking; a resting order is matched on every price"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            kernel::HostRestarted,
            number::Started,
            number::MarketTrade,
            number::MarketBar,
            number::OutsideActed,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::LegStored,
            number::LegMarked,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OrderSubmitted]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        if self.life.note(event) != Turn::Nothing {
            // Whoever waited for an answer is gone; what rests at the exchange is not.
            self.sent.clear();
        }
        match event.kernel() {
            Some(KernelEvent::HostCrashed(it)) if !self.life.is_its(it.host) => {
                self.exchange_is_down = true;
                self.resting.iter_mut().for_each(|it| it.reached = None);
            }
            Some(KernelEvent::HostRestarted(it)) if !self.life.is_its(it.host) => {
                self.exchange_is_down = false;
            }
            _ => {}
        }
        match event.domain() {
            Some(DomainEvent::MarketTrade(trade)) if !self.resting.is_empty() => {
                self.price(&trade.symbol, trade.price, event.time);
            }
            Some(DomainEvent::MarketBar(bar)) if !self.resting.is_empty() => {
                for price in [bar.low, bar.high, bar.close] {
                    self.price(&bar.symbol, price, event.time);
                }
            }
            Some(DomainEvent::OutsideActed(acted)) => {
                if let OutsideAction::SetPrice(set) = &acted.action
                    && self.life.is_up()
                {
                    self.price(&set.symbol, set.price, event.time);
                }
            }
            Some(DomainEvent::OrderSubmitted(it)) => return self.submit(it, event.time),
            Some(DomainEvent::OrderAnswered(it)) => return self.answer(it),
            Some(DomainEvent::LegStored(stored)) => {
                self.legs.insert(stored.leg, (stored.key.clone(), false));
            }
            Some(DomainEvent::LegMarked(it)) => self.mark(it.leg, it.status.as_str()),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }

    fn evaluable(&self) -> bool {
        self.quiet.is_some()
    }
}

#[cfg(test)]
mod tests;
