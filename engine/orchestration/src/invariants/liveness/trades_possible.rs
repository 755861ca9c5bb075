//! A good signal leads somewhere: it is weighed, judged, and ordered, and no one says that there is no
//! money while there is.

use std::collections::VecDeque;
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Time, number as kernel};

use super::account::Account;
use super::up::{Turn, Up};
use super::{BOUND, COORDINATOR, EXCLUDED, is_undisturbed, seconds};
use crate::config::{Config, RiskMode, TradingMode};
use crate::domain_event::{DomainEvent, OutsideAction, Published, RiskJudged, TradeOrigin, number};
use crate::message::Topic;

/// The code of a trade for which there is said to be no money.
const NO_MARGIN: &str = "INSUFFICIENT_MARGIN";

/// How many signals are followed at once.
const REMEMBERED: usize = 1_024;

/// Why a signal is dropped while others wait.
const QUEUE_FULL: &str = "SIGNAL_QUEUE_FULL";

/// How far a signal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is on the bus.
    Published,
    /// The coordinator was called with it.
    Told,
    /// Agreement was weighed.
    Weighed,
    /// A conflict is being resolved.
    Conflicted,
}

/// `live.trades-possible`
pub(super) struct TradesPossible {
    quiet: Option<Time>,
    life: Up,
    /// How long handling one signal may wait for models and the executor.
    patience: Duration,
    signals: VecDeque<(u64, Stage)>,
    /// A proposal that was approved and is no order yet.
    approved: bool,
    /// When the handling of signals last got on.
    moved: Time,
    account: Option<Account>,
    met: bool,
}

impl TradesPossible {
    pub(super) fn new(plan: &Plan<Config>) -> TradesPossible {
        let config = &plan.system;
        let resolution = Duration::from_millis(config.conflicts.max_resolution_time_ms);
        let is_paper = config.trading_mode == TradingMode::Paper;
        let delay = if is_paper {
            Duration::from_millis(config.paper.fill_delay_ms)
        } else {
            seconds(config.live.delay_seconds)
        };
        let fed = is_paper && config.risk_mode == RiskMode::Engine;
        TradesPossible {
            quiet: plan.faults.ends().filter(|_| is_undisturbed(plan)),
            life: Up::default(),
            patience: resolution.saturating_add(delay).saturating_add(BOUND),
            signals: VecDeque::new(),
            approved: false,
            moved: Time::ZERO,
            account: fed.then(|| Account::new(config)),
            met: false,
        }
    }

    fn pass(&self, now: Time) -> Result<(), String> {
        let Some(quiet) = self.quiet else {
            return Ok(());
        };
        let late = self
            .moved
            .max(quiet)
            .since(Time::ZERO)
            .saturating_add(self.patience)
            < now.since(Time::ZERO);
        if !late {
            return Ok(());
        }
        let waits = || {
            let mut stages = self.signals.iter().map(|(_, stage)| stage);
            stages.any(|stage| *stage != Stage::Published)
        };
        if self.approved {
            return Err("expected an approved trade to become an order, found none".to_owned());
        }
        if waits() {
            return Err(
                "expected a signal to be weighed and judged, or dropped for a reason, \
                 found it forgotten"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn publish(&mut self, published: &Published) {
        let message = &published.message;
        let action = message.payload.field("action");
        if message.topic == Topic::TradingSignals && (action.is("BUY") || action.is("SELL")) {
            if self.signals.len() >= REMEMBERED {
                self.signals.pop_front();
            }
            let number = message.id.as_number();
            self.signals.push_back((number, Stage::Published));
        }
    }

    fn advance(&mut self, signal: u64, to: Option<Stage>, now: Time) {
        self.moved = now;
        let Some(at) = self.signals.iter().position(|(known, _)| *known == signal) else {
            return;
        };
        match to {
            Some(stage) => self.signals[at].1 = stage,
            None => drop(self.signals.remove(at)),
        }
    }

    /// A proposal was judged.
    fn judge(&mut self, judged: &RiskJudged, now: Time) -> Result<(), String> {
        if let TradeOrigin::Signal(signal) = judged.origin {
            self.advance(signal, None, now);
            self.approved = matches!(judged.status.as_str(), "approved" | "modified");
        }
        self.met = true;
        let refused = judged
            .rejections
            .iter()
            .any(|code| code.as_str() == NO_MARGIN);
        match &self.account {
            Some(account) if refused && self.is_quiet(now) => account.cannot_pay(judged, now),
            _ => Ok(()),
        }
    }

    fn is_quiet(&self, now: Time) -> bool {
        self.quiet.is_some_and(|quiet| quiet <= now)
    }

    fn forget(&mut self, now: Time) {
        self.signals.clear();
        self.approved = false;
        self.moved = now;
    }
}

impl Invariant<DomainEvent> for TradesPossible {
    fn id(&self) -> &'static str {
        "live.trades-possible"
    }

    fn statement(&self) -> &'static str {
        "with a funded portfolio, agreement and no fault, a valid signal becomes an order"
    }

    fn applies(&self) -> bool {
        self.quiet.is_some()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::MarketTrade,
            number::MarketBar,
            number::OutsideActed,
            number::Published,
            number::Delivered,
            number::ModelAsked,
            number::ConsensusBuilt,
            number::ConflictFound,
            number::ConflictResolved,
            number::SignalDropped,
            number::RiskJudged,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::Filled,
            number::BalanceChanged,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[
            number::ConsensusBuilt,
            number::RiskJudged,
            number::SignalDropped,
        ]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.pass(now)?;
        if self.life.note(event) != Turn::Nothing {
            self.forget(now);
        }
        if let Some(KernelEvent::HostCrashed(crashed)) = event.kernel()
            && !self.life.is_its(crashed.host)
        {
            // Nobody follows the market for the exchange.
            self.account = None;
        }
        match event.domain() {
            Some(DomainEvent::MarketTrade(trade)) => {
                if let Some(account) = &mut self.account {
                    account.price(&trade.symbol, trade.price, now);
                }
            }
            Some(DomainEvent::MarketBar(bar)) => {
                if let Some(account) = &mut self.account {
                    account.price(&bar.symbol, bar.close, now);
                }
            }
            Some(DomainEvent::OutsideActed(acted)) => {
                if let (OutsideAction::SetPrice(set), Some(account)) =
                    (&acted.action, &mut self.account)
                {
                    account.price(&set.symbol, set.price, now);
                }
            }
            Some(DomainEvent::Published(published)) => self.publish(published),
            Some(DomainEvent::Delivered(it)) if it.subscriber.as_str() == COORDINATOR => {
                let known = |(signal, _): &(u64, Stage)| *signal == it.message;
                if self.signals.iter().any(known) {
                    // What waits longer waits behind this one.
                    let first = !self
                        .signals
                        .iter()
                        .any(|(_, stage)| *stage != Stage::Published);
                    let moved = self.moved;
                    self.advance(it.message, Some(Stage::Told), now);
                    if !first {
                        self.moved = moved;
                    }
                }
            }
            Some(DomainEvent::ConsensusBuilt(it)) => {
                self.met = true;
                self.advance(it.signal, Some(Stage::Weighed), now);
            }
            Some(DomainEvent::ConflictFound(it)) => {
                self.advance(it.signal, Some(Stage::Conflicted), now);
            }
            Some(DomainEvent::ConflictResolved(it)) => {
                let goes_on = matches!(it.action.as_str(), "proceed" | "modify");
                self.advance(it.signal, goes_on.then_some(Stage::Weighed), now);
            }
            Some(DomainEvent::SignalDropped(it)) => {
                let moved = self.moved;
                self.advance(it.signal, None, now);
                if it.reason.as_str() == QUEUE_FULL {
                    self.moved = moved;
                } else {
                    self.approved = false;
                }
            }
            Some(DomainEvent::RiskJudged(judged)) => return self.judge(judged, now),
            Some(DomainEvent::OrderSubmitted(it)) => {
                self.approved &= !matches!(it.origin, TradeOrigin::Signal(_));
                self.moved = now;
            }
            Some(DomainEvent::ModelAsked(_) | DomainEvent::OrderAnswered(_)) => self.moved = now,
            Some(DomainEvent::Filled(fill)) => {
                if let Some(account) = self.account.as_mut().filter(|_| fill.margin) {
                    account.reserve();
                }
            }
            Some(DomainEvent::BalanceChanged(changed)) => {
                if let Some(account) = &mut self.account {
                    account.hold(changed);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }

    fn evaluable(&self) -> bool {
        self.met
    }
}

#[cfg(test)]
mod tests;
