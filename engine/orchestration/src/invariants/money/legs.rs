//! `legs.one-state`: a scheduled trade is somewhere, in one place, with its amount, until it is over.
//!
//! A leg is planned; then it is either stored or held in memory, and only what is stored counts as
//! acknowledged. What is stored is pending, in flight (`sending`), executed, failed or cancelled.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::{Event, Invariant};

use crate::amount::sum;
use crate::config::{Config, StoreKind};
use crate::domain_event::{
    DomainEvent, LegMarked, LegStored, LegsPlanned, OrderSubmitted, RebalancePlanned, TradePlanned,
    number,
};
use crate::message::Name;

/// Each acknowledged scheduled leg is in exactly one state; legs add up to the plan, to the cent; a leg
/// that is acknowledged is stored, once.
pub(super) struct OneState {
    has_store: bool,
    /// Later trades that are neither stored nor over, with the number of their plan.
    planned: BTreeMap<Name, (u64, TradePlanned)>,
    /// The stored trades.
    rows: BTreeMap<u64, Row>,
    /// How many of each plan are stored.
    stored: BTreeMap<u64, u64>,
    /// Their numbers.
    numbers: BTreeMap<Name, u64>,
    /// What was sent from memory.
    sent: BTreeMap<Name, u64>,
    /// What was sent from the store, or skipped for a reason that was told.
    tried: BTreeSet<Name>,
    /// The last plan in one batch: none of it waits.
    at_once: Option<u64>,
    /// The trades that a plan begins with, until its legs are kept.
    begins: Vec<Name>,
    any: bool,
}

/// A stored trade.
struct Row {
    key: Name,
    status: Status,
}

/// How far a stored trade has come.
#[derive(Clone, Copy, PartialEq)]
enum Status {
    Pending,
    InFlight,
    Executed,
    Failed,
    Cancelled,
}

impl Status {
    fn named(name: &str) -> Option<Status> {
        Some(match name {
            "pending" => Status::Pending,
            "sending" => Status::InFlight,
            "executed" => Status::Executed,
            "failed" => Status::Failed,
            "cancelled" => Status::Cancelled,
            _ => return None,
        })
    }

    /// What may follow: what is over stays over.
    fn may_become(self, next: Status) -> bool {
        match self {
            Status::Pending => next != Status::Pending,
            Status::InFlight => next != Status::InFlight,
            Status::Executed | Status::Failed | Status::Cancelled => false,
        }
    }
}

impl OneState {
    pub(super) fn new(config: &Config) -> OneState {
        OneState {
            has_store: config.store.kind != StoreKind::None,
            planned: BTreeMap::new(),
            rows: BTreeMap::new(),
            stored: BTreeMap::new(),
            numbers: BTreeMap::new(),
            sent: BTreeMap::new(),
            tried: BTreeSet::new(),
            at_once: None,
            begins: Vec::new(),
            any: false,
        }
    }

    fn plan(&mut self, plan: &RebalancePlanned) -> Result<(), String> {
        let amounts = plan.trades.iter().map(|trade| trade.amount_usd);
        let total = plan.total_usd;
        if plan.batches > 1
            && let Ok(found) = sum(amounts)
            && found != total
        {
            return Err(format!(
                "expected trades that add up to the plan's {total} dollars, found {found}"
            ));
        }
        self.at_once = (plan.batches <= 1).then_some(plan.plan);
        let begins = |trade: &&TradePlanned| plan.batches > 1 && trade.batch_index == 0;
        let begins = plan.trades.iter().filter(begins);
        self.begins = begins.map(|trade| trade.key.clone()).collect();
        for trade in plan.trades.iter().filter(|trade| trade.batch_index > 0) {
            self.any = true;
            let again = self.numbers.contains_key(&trade.key);
            let planned = (plan.plan, trade.clone());
            if again || self.planned.insert(trade.key.clone(), planned).is_some() {
                return Err("expected each leg to be planned once, found one again".to_owned());
            }
        }
        Ok(())
    }

    /// The coordinator has said what it did with the legs of a plan.
    fn kept(&mut self, told: &LegsPlanned) -> Result<(), String> {
        if self.at_once == Some(told.plan) {
            return Err("expected no leg of a plan in one batch, found some kept".to_owned());
        }
        self.begins.clear();
        let of_plan = |plan: u64| plan == told.plan;
        let stored = self.stored.get(&told.plan).copied().unwrap_or(0);
        let unstored = self.planned.values();
        let unstored = unstored.filter(|(plan, _)| of_plan(*plan)).count() as u64;
        let count = stored + unstored;
        if told.count != count {
            return Err(format!(
                "expected the {count} legs of the plan, found {} of them kept",
                told.count
            ));
        }
        if told.accepted && unstored > 0 {
            return Err(format!(
                "expected legs to be acknowledged when they are stored, found {unstored} that are not"
            ));
        }
        // More may be held: a store that did what it was asked need not have said so.
        if told.held < unstored {
            return Err(format!(
                "expected the {unstored} legs that are not stored to be held, found {} held",
                told.held
            ));
        }
        Ok(())
    }

    fn store(&mut self, leg: &LegStored) -> Result<(), String> {
        if self.numbers.contains_key(&leg.key) {
            return Err("expected each leg to be stored once, found one again".to_owned());
        }
        let Some((plan, planned)) = self.planned.remove(&leg.key) else {
            return Err("expected a planned leg to be stored, found another".to_owned());
        };
        let same = leg.symbol == planned.symbol
            && leg.side == planned.side
            && leg.amount_usd == planned.amount_usd
            && leg.batch_index == planned.batch_index
            && leg.due == planned.due;
        if !same {
            return Err("expected a leg to be stored as planned, found it changed".to_owned());
        }
        if self.sent.contains_key(&leg.key) {
            return Err("expected a leg to be stored before it is sent, found it sent".to_owned());
        }
        let (status, key) = (Status::Pending, leg.key.clone());
        self.numbers.insert(leg.key.clone(), leg.leg);
        *self.stored.entry(plan).or_default() += 1;
        match self.rows.insert(leg.leg, Row { key, status }) {
            None => Ok(()),
            Some(_) => Err("expected a leg of its own, found another in its place".to_owned()),
        }
    }

    fn mark(&mut self, marked: &LegMarked) -> Result<(), String> {
        let Some(row) = self.rows.get_mut(&marked.leg) else {
            return Err("expected a stored leg to be marked, found none".to_owned());
        };
        let Some(next) = Status::named(&marked.status) else {
            return Err(format!(
                "expected a state that a leg can be in, found {}",
                marked.status
            ));
        };
        if !row.status.may_become(next) {
            return Err(format!(
                "expected a leg in one state, found it {} after it was {}",
                marked.status,
                row.status.name()
            ));
        }
        row.status = next;
        let is_done = matches!(next, Status::Executed | Status::Failed);
        if is_done && !self.tried.contains(&row.key) {
            return Err(format!(
                "expected a leg to be sent or skipped before it is {}, found neither",
                next.name()
            ));
        }
        Ok(())
    }

    /// What a crash must not lose is kept before anything is sent.
    fn begin(&self, trade: &Name) -> Result<(), String> {
        if self.begins.contains(trade) {
            return Err(
                "expected the legs of a plan to be kept before it begins, found it begun".into(),
            );
        }
        Ok(())
    }

    /// A leg is sent from the store, where it is marked as in flight; from memory only if there is
    /// no store, and once.
    fn submit(&mut self, order: &OrderSubmitted) -> Result<(), String> {
        self.begin(&order.intent)?;
        if let Some(number) = self.numbers.get(&order.intent) {
            self.tried.insert(order.intent.clone());
            let status = self.rows.get(number).map(|row| row.status);
            return match status {
                Some(Status::InFlight) | None => Ok(()),
                Some(status) => Err(format!(
                    "expected a leg to be in flight when it is sent, found it {}",
                    status.name()
                )),
            };
        }
        let Some((plan, _)) = self.planned.get(&order.intent) else {
            return Ok(());
        };
        if self.has_store {
            return Err("expected a leg to be stored before it is sent, found it in memory".into());
        }
        match self.sent.insert(order.intent.clone(), *plan) {
            None => Ok(()),
            Some(_) => Err("expected a leg to be sent once from memory, found it again".to_owned()),
        }
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::InFlight => "in flight",
            Status::Executed => "executed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }
}

impl Invariant<DomainEvent> for OneState {
    fn id(&self) -> &'static str {
        "legs.one-state"
    }

    fn statement(&self) -> &'static str {
        "each acknowledged scheduled leg is in exactly one of pending, in flight, executed, failed, \
         cancelled; legs add up to the plan, to the cent"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::RebalancePlanned,
            number::LegsPlanned,
            number::LegStored,
            number::LegMarked,
            number::OrderSubmitted,
            number::RebalanceTradeSkipped,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RebalancePlanned]]
    }

    /// A store that is put back to an earlier time, or loses what it had, breaks every promise.
    fn excludes(&self) -> &'static [&'static str] {
        super::FORGETFUL_STORE
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            // What was not stored was not acknowledged, and ends with the memory that it was in.
            Some(DomainEvent::Started(_)) => {
                self.planned.clear();
                self.sent.clear();
                self.begins.clear();
            }
            Some(DomainEvent::RebalancePlanned(plan)) => return self.plan(plan),
            Some(DomainEvent::LegsPlanned(told)) => return self.kept(told),
            Some(DomainEvent::LegStored(leg)) => return self.store(leg),
            Some(DomainEvent::LegMarked(marked)) => return self.mark(marked),
            Some(DomainEvent::OrderSubmitted(order)) => return self.submit(order),
            Some(DomainEvent::RebalanceTradeSkipped(it)) => {
                self.tried.insert(it.key.clone());
                return self.begin(&it.key);
            }
            _ => {}
        }
        Ok(())
    }

    fn evaluable(&self) -> bool {
        self.any
    }
}

#[cfg(test)]
mod tests;
