//! A good signal leads somewhere: it is weighed, judged, and ordered, and no one says that there is no
//! money while there is.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Time, number as kernel};

use super::up::{Turn, Up};
use super::{BOUND, COORDINATOR, EXCLUDED, is_undisturbed, seconds};
use crate::amount::Amount;
use crate::config::{Config, OutsideEvent, RiskMode, TradingMode};
use crate::domain_event::{DomainEvent, OutsideAction, Published, RiskJudged, number};
use crate::message::{Name, Topic};
use crate::symbol::DOLLAR;

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

/// What there is to trade with, where that is for the risk engine to know.
#[derive(Debug)]
struct Account {
    balances: BTreeMap<Name, Amount>,
    /// When each asset was last priced in dollars.
    priced: BTreeMap<Name, Time>,
    max_age: Duration,
    /// Whether a part of the balance may stand behind a position.
    reserved: bool,
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
        let waits = self
            .signals
            .iter()
            .any(|(_, stage)| *stage != Stage::Published);
        let late = self
            .moved
            .max(quiet)
            .since(Time::ZERO)
            .saturating_add(self.patience)
            < now.since(Time::ZERO);
        if !late {
            return Ok(());
        }
        if self.approved {
            return Err("expected an approved trade to become an order, found none".to_owned());
        }
        if waits {
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
        // What calls itself a rebalancing cannot be told from one when it is judged.
        let is_signal = message.topic == Topic::TradingSignals
            && (action.is("BUY") || action.is("SELL"))
            && !message.payload.field("regime").is("rebalance");
        if is_signal {
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

    /// The signal that is being handled was judged.
    fn judge(&mut self, judged: &RiskJudged, now: Time) -> Result<(), String> {
        let regime = judged.proposal.regime.as_ref();
        let approved = matches!(judged.status.as_str(), "approved" | "modified");
        if regime.is_none_or(|regime| regime.as_str() != "rebalance") {
            let handled = |(_, stage): &(u64, Stage)| *stage == Stage::Weighed;
            if let Some(at) = self.signals.iter().position(handled) {
                self.signals.remove(at);
                self.moved = now;
                self.approved = approved;
            }
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

impl Account {
    fn new(config: &Config) -> Account {
        let name = |(asset, amount): (&String, &Amount)| (Name::from(asset.as_str()), *amount);
        let mut account = Account {
            balances: config.paper.initial_balance.iter().map(name).collect(),
            priced: BTreeMap::new(),
            max_age: Duration::from_secs(config.prices.max_age_s.max(0).unsigned_abs()),
            reserved: false,
        };
        let before = |event: &&OutsideEvent| event.at_seconds < 0.0;
        let set = config.events.iter().filter(before);
        for set in set.filter_map(|event| event.set_price.as_ref()) {
            account.price(&set.symbol, set.price, Time::ZERO);
        }
        account
    }

    fn price(&mut self, symbol: &Name, price: Amount, now: Time) {
        if price.is_positive()
            && let Some((base, quote)) = symbol.as_str().split_once('/')
            && quote.eq_ignore_ascii_case(DOLLAR)
        {
            let known = self
                .priced
                .iter_mut()
                .find(|(asset, _)| asset.as_str() == base);
            match known {
                Some((_, at)) => *at = now,
                None => drop(self.priced.insert(Name::from(base), now)),
            }
        }
    }

    /// A trade was refused for want of money. That is wrong if the account can be valued and the
    /// money is there.
    fn cannot_pay(&self, judged: &RiskJudged, now: Time) -> Result<(), String> {
        let is_fresh = |asset: &Name| {
            let at = self.priced.get(asset);
            at.is_some_and(|at| now.since(*at) < self.max_age)
        };
        // What was ever held may still have to be priced, for a position.
        let mut held = self.balances.keys();
        let valued = held.all(|asset| asset.as_str() == DOLLAR || is_fresh(asset));
        let there = self
            .balances
            .get(DOLLAR)
            .map_or(0.0, |amount| amount.to_f64());
        let needed = judged.proposal.size_usd / judged.proposal.leverage.max(1) as f64;
        // A cent either way is no finding.
        if self.reserved || !valued || needed + 0.01 >= there {
            return Ok(());
        }
        Err("expected a trade that the account can pay for to pass, \
             found it refused for want of margin"
            .to_owned())
    }
}

impl Invariant<DomainEvent> for TradesPossible {
    fn id(&self) -> &'static str {
        "live.trades-possible"
    }

    fn statement(&self) -> &'static str {
        "with a funded portfolio, agreement and no fault, a valid signal becomes an order"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::MarketTrade,
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
                self.approved &= it
                    .order
                    .regime
                    .as_ref()
                    .is_some_and(|it| it.as_str() == "rebalance");
                self.moved = now;
            }
            Some(DomainEvent::ModelAsked(_) | DomainEvent::OrderAnswered(_)) => self.moved = now,
            Some(DomainEvent::Filled(fill)) => {
                if let Some(account) = &mut self.account {
                    account.reserved |= fill.margin;
                }
            }
            Some(DomainEvent::BalanceChanged(changed)) => {
                if let Some(account) = &mut self.account {
                    account
                        .balances
                        .insert(changed.asset.clone(), changed.balance);
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
        self.met && self.quiet.is_some()
    }
}
