//! What a rebalancing decided is carried out: its trades at once, the others when they are due.
//!
//! A trade is done with when it is filled or refused for what speaks against it; that a trade of the
//! coordinator's own making is malformed speaks against the coordinator.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::{
    ActorId, CRASH_TASK, Event, Invariant, KernelEvent, Plan, Time, number as kernel,
};

use super::idle::{Idle, Overdue, Stretch};
use super::plan_announced::{PlanAnnounced, time};
use super::up::Turn;
use crate::config::{Config, StoreKind, TaskKind, TradingMode};
use crate::domain_event::{
    DomainEvent, OrderAnswered, OrderOutcome, OrderSubmitted, Published, RebalanceTradeSkipped,
    TradeOrigin, number,
};
use crate::message::Name;

/// The longest pause between two attempts to store what could not be stored.
const RETRY: Duration = Duration::from_secs(60);

/// Why a well-formed market order is never refused.
const OF_FORM: [&str; 5] = [
    "invalid_proposal",
    "STOP_LOSS_REQUIRED",
    "STOP_TOO_TIGHT",
    "STOP_TOO_WIDE",
    "LOW_RR",
];

/// What is left of a plan to be begun.
#[derive(Debug)]
struct Announced {
    at_once: u64,
    to_plan: u64,
    overdue: Overdue,
}

/// A leg that is not done with.
#[derive(Debug)]
struct Leg {
    due: Time,
    overdue: Overdue,
}

/// `live.legs-finish`
pub(super) struct LegsFinish {
    idle: Idle,
    start_us: i64,
    has_executor: bool,
    has_store: bool,
    agent: Option<ActorId>,
    well_formed: bool,
    announced: Vec<Announced>,
    /// By their number in the store.
    stored: BTreeMap<u64, Leg>,
    /// None of those is due before it.
    earliest: Time,
    /// Those that there is no store for, by the time at which they are due.
    in_memory: Vec<Leg>,
    /// Legs that were planned, less those that were stored.
    unstored: i64,
    storing: Leg,
    /// Orders of rebalancings that have no answer, and whether each is a leg.
    sent: Vec<(Name, bool)>,
    met: bool,
}

impl LegsFinish {
    pub(super) fn new(plan: &Plan<Config>) -> LegsFinish {
        let config = &plan.system;
        let agent = TaskKind::PortfolioRebalance.agent();
        let others = &config.schedules.others;
        // Another task under the agent's name could announce what is no plan.
        let is_its_own = !others.iter().any(|other| other.name.as_str() == agent);
        LegsFinish {
            idle: Idle::new(plan),
            start_us: plan.start_unix_ns / 1_000,
            has_executor: is_its_own
                && (config.trading_mode == TradingMode::Paper || config.live.connected),
            has_store: config.store.kind != StoreKind::None,
            agent: None,
            well_formed: true,
            announced: Vec::new(),
            stored: BTreeMap::new(),
            earliest: Time::MAX,
            in_memory: Vec::new(),
            unstored: 0,
            storing: Leg::due(Time::ZERO),
            sent: Vec::new(),
            met: false,
        }
    }

    fn pass(&mut self, now: Time) -> Result<(), String> {
        let Some(stretch) = self.idle.pass(now) else {
            return Ok(());
        };
        let announced = |it: &mut Announced| it.overdue.wait(stretch, Time::ZERO);
        let late = |leg: &mut Leg| leg.is_late(stretch);
        if let Some(plan) = self
            .announced
            .iter_mut()
            .find_map(|it| announced(it).then_some(it))
        {
            return Err(match plan.at_once {
                0 => {
                    "expected the later trades of a rebalancing to be planned, found them forgotten"
                }
                _ => "expected the trades of a rebalancing to be carried out, found them forgotten",
            }
            .to_owned());
        }
        if self.unstored > 0 && late(&mut self.storing) {
            return Err("expected planned legs to be stored, found them not stored".to_owned());
        }
        if self.any_stored_is_late(now, late) || self.in_memory.iter_mut().any(late) {
            return Err("expected a due leg to be carried out, found it waiting".to_owned());
        }
        Ok(())
    }

    /// Looks at what is stored only if something may be due: most of it waits for its day.
    fn any_stored_is_late(&mut self, now: Time, late: impl Fn(&mut Leg) -> bool) -> bool {
        if now <= self.earliest {
            return false;
        }
        let due = self.stored.values().map(|leg| leg.due);
        self.earliest = due.min().unwrap_or(Time::MAX);
        self.stored.values_mut().any(late)
    }

    /// What was only in memory went with the host.
    fn forget(&mut self) {
        self.announced.clear();
        self.in_memory.clear();
        self.sent.clear();
        self.unstored = 0;
        self.excuse();
    }

    /// A store that fails makes up for its time later.
    fn excuse(&mut self) {
        self.stored.values_mut().for_each(|leg| leg.overdue.reset());
        self.storing.overdue.reset();
    }

    fn announce(&mut self, event: &Event<DomainEvent>, published: &Published) {
        if self.agent != Some(event.actor) || !self.has_executor || !self.idle.is_running() {
            return;
        }
        let message = &published.message;
        let Some(plan) = PlanAnnounced::read(message, event.time, self.start_us) else {
            return;
        };
        self.met = true;
        self.well_formed &= plan.well_formed;
        self.announced.push(Announced {
            at_once: plan.at_once,
            to_plan: plan.later.len() as u64,
            overdue: Overdue::default(),
        });
        if !self.has_store {
            self.in_memory.extend(plan.later.into_iter().map(Leg::due));
            self.in_memory.sort_by_key(|leg| leg.due);
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        self.announced
            .retain(|plan| plan.at_once > 0 || plan.to_plan > 0);
    }

    /// A trade is done with, whatever came of it.
    fn finish_one(&mut self, is_leg: bool) {
        if is_leg {
            if !self.in_memory.is_empty() {
                self.in_memory.remove(0);
            }
        } else if let Some(plan) = self.announced.iter_mut().find(|plan| plan.at_once > 0) {
            plan.at_once -= 1;
            plan.overdue.reset();
            self.tidy();
        }
    }

    fn skip(&mut self, skipped: &RebalanceTradeSkipped) -> Result<(), String> {
        if self.well_formed && OF_FORM.contains(&skipped.reason.as_str()) {
            return Err(format!(
                "expected a rebalance trade to be refused only for money, risk or price, \
                 found {}",
                skipped.reason
            ));
        }
        self.finish_one(skipped.batch_index > 0);
        Ok(())
    }

    fn send(&mut self, submitted: &OrderSubmitted) {
        let is_leg = match submitted.origin {
            TradeOrigin::Signal(_) => return,
            TradeOrigin::Plan => false,
            TradeOrigin::Leg => true,
        };
        self.sent.push((submitted.intent.clone(), is_leg));
    }

    fn answer(&mut self, answered: &OrderAnswered) {
        if answered.outcome == OrderOutcome::Unknown {
            return;
        }
        let sent = self.sent.iter();
        let Some(at) = sent
            .enumerate()
            .find_map(|(at, (intent, _))| (*intent == answered.intent).then_some(at))
        else {
            return;
        };
        let (_, is_leg) = self.sent.swap_remove(at);
        // What was refused is skipped, too, and counted there.
        if matches!(
            answered.outcome,
            OrderOutcome::Filled | OrderOutcome::Resting
        ) {
            self.finish_one(is_leg);
        }
    }

    fn note(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Published(published)) => self.announce(event, published),
            // What was decided before is not sent while trading is off.
            Some(DomainEvent::StateChanged(_)) => self.announced.clear(),
            Some(DomainEvent::StoreFailed(_)) => self.excuse(),
            Some(DomainEvent::OrderSubmitted(submitted)) => self.send(submitted),
            Some(DomainEvent::OrderAnswered(answered)) => self.answer(answered),
            Some(DomainEvent::RebalanceTradeSkipped(skipped)) => return self.skip(skipped),
            Some(DomainEvent::LegsPlanned(planned)) => {
                if let Some(plan) = self.announced.iter_mut().find(|plan| plan.to_plan > 0) {
                    plan.to_plan = plan.to_plan.saturating_sub(planned.count);
                    self.tidy();
                }
                if self.has_store {
                    self.unstored += i64::try_from(planned.count).unwrap_or(i64::MAX);
                    self.storing = Leg::due(event.time + RETRY);
                }
            }
            Some(DomainEvent::LegStored(stored)) => {
                self.met = true;
                self.unstored -= 1;
                let due = time(stored.due);
                self.earliest = self.earliest.min(due);
                self.stored.insert(stored.leg, Leg::due(due));
            }
            Some(DomainEvent::LegMarked(marked)) => match marked.status.as_str() {
                "executed" | "failed" => drop(self.stored.remove(&marked.leg)),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

impl Leg {
    fn due(due: Time) -> Leg {
        Leg {
            due,
            overdue: Overdue::default(),
        }
    }

    fn is_late(&mut self, stretch: Stretch) -> bool {
        self.overdue.wait(stretch, self.due)
    }
}

impl Invariant<DomainEvent> for LegsFinish {
    fn id(&self) -> &'static str {
        "live.legs-finish"
    }

    fn statement(&self) -> &'static str {
        "due legs and rebalance trades become terminal within the bound, in every trading mode"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::ActorNamed,
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::Subscribed,
            number::StateChanged,
            number::Published,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::OutsideActed,
            number::LegsPlanned,
            number::RebalanceTradeSkipped,
            number::LegStored,
            number::LegMarked,
            number::StoreFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Published]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        // A plan that is announced twice, late or out of order is still carried out once.
        &[
            CRASH_TASK,
            "agent.storm",
            "transport.delay",
            "transport.duplicate",
            "transport.reorder",
            "store.stale",
            "store.corrupt",
            "store.gone",
            crate::store::FOUND,
        ]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        if let Some(KernelEvent::ActorNamed(named)) = event.kernel()
            && named.name.as_str() == TaskKind::PortfolioRebalance.agent()
        {
            self.agent = Some(named.actor);
        }
        match self.idle.note(event) {
            Turn::Nothing => self.note(event),
            Turn::Began | Turn::Crashed => {
                self.forget();
                Ok(())
            }
        }
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }

    fn evaluable(&self) -> bool {
        self.met && self.idle.is_bounded()
    }
}

#[cfg(test)]
mod tests;
