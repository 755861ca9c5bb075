//! `recovery.orders`: orders of unknown outcome are asked for after a restart, and what is found is told.
//!
//! An order that was noted and sent, and not answered before the coordinator ended, is told of by the next
//! one before it listens to anybody: that it was taken, that it was refused, or that it never arrived.

use std::collections::BTreeMap;

use dacapo_kernel::{ActorId, Event, Invariant, Time};

use super::{DOWN, goes_to_work};
use crate::config::{Config, StoreKind};
use crate::domain_event::{
    DomainEvent, Filled, OrderAnswered, OrderOutcome, OrderSubmitted, Published, Subscribed,
    TradeOrigin, number,
};
use crate::message::{Name, Payload};

/// An order of a signal, or of a rebalancing's first batch.
#[derive(Debug)]
struct Order {
    symbol: Name,
    /// Whether the next coordinator asks for it.
    asked: Asked,
    /// Whether something of it was executed.
    filled: bool,
    /// What is known of how it ended.
    outcome: Option<Outcome>,
    /// When it was answered.
    answered: Option<Time>,
    /// Whether its first answer was lost: what comes then the exchange itself may have said.
    lost: bool,
    /// How many orders were sent before it.
    number: u64,
}

/// Whether the outcome of an order is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Its outcome was not noted.
    Surely,
    /// The store failed, or a crash came at the very moment.
    Maybe,
    /// Its outcome was noted.
    Never,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Taken,
    Refused,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Taken,
    Refused,
    NeverArrived,
}

impl Order {
    /// Whether this may have been found of it. What the exchange has forgotten never arrived, as far as it can tell.
    fn may_be(&self, symbol: &Name, found: Found, memory: Memory) -> bool {
        let forgotten = found == Found::NeverArrived && memory.has_lost(self.number);
        self.symbol == *symbol
            && match (self.outcome, found) {
                _ if forgotten => true,
                (Some(Outcome::Taken) | None, Found::Taken) => true,
                (Some(Outcome::Taken), _) | (Some(Outcome::Refused), Found::Taken) => false,
                (Some(Outcome::Refused), _) => true,
                (None, Found::Refused | Found::NeverArrived) => !self.filled,
            }
    }
}

/// How far back the exchange remembers orders.
#[derive(Clone, Copy, Debug)]
struct Memory {
    /// How many that are over.
    most: u64,
    /// How many were sent.
    sent: u64,
}

impl Memory {
    /// Whether the order before which so many were sent may be forgotten.
    fn has_lost(self, number: u64) -> bool {
        self.sent - number > self.most
    }
}

/// The orders that may be asked for.
pub(super) struct AskedAfter {
    has_store: bool,
    memory: Memory,
    coordinator: Option<ActorId>,
    starts: u32,
    /// The coordinator does not listen yet, so what it tells of orders is what it asked for.
    asks: bool,
    orders: BTreeMap<Name, Order>,
    /// When an order was approved that is not sent yet: it may be noted already.
    approved: Option<Time>,
    /// The order that was answered last: its outcome is noted before anything else is judged.
    settled: Option<Name>,
    /// Orders of unknown outcome that were never sent: a crash came before, or one of their numbers is none that an order
    /// can carry.
    unsent: u64,
    /// The order that was told of last, and whose outcome is noted once everybody has heard of it.
    told: Option<Name>,
    /// What was told of orders that need not have been asked for.
    spare: Vec<(Name, Found)>,
    /// The store did not note something: what is asked for is not known any more.
    unsure: bool,
}

impl AskedAfter {
    pub(super) fn new(config: &Config) -> AskedAfter {
        AskedAfter {
            has_store: config.store.kind != StoreKind::None,
            memory: Memory {
                most: config.paper.max_trade_history as u64,
                sent: 0,
            },
            coordinator: None,
            starts: 0,
            asks: false,
            orders: BTreeMap::new(),
            approved: None,
            settled: None,
            unsent: 0,
            told: None,
            spare: Vec::new(),
            unsure: false,
        }
    }

    fn submit(&mut self, sent: &OrderSubmitted) {
        self.approved = None;
        let number = self.memory.sent;
        self.memory.sent += 1;
        if sent.origin == TradeOrigin::Leg {
            return;
        }
        let order = Order {
            symbol: sent.order.symbol.clone(),
            asked: if self.unsure {
                Asked::Maybe
            } else {
                Asked::Surely
            },
            filled: false,
            outcome: None,
            answered: None,
            lost: false,
            number,
        };
        self.unsure = false;
        self.orders.insert(sent.intent.clone(), order);
    }

    fn answer(&mut self, answered: &OrderAnswered, now: Time) {
        let Some(order) = self.orders.get_mut(&answered.intent) else {
            return;
        };
        order.outcome = match answered.outcome {
            OrderOutcome::Unknown => {
                order.lost = true;
                return;
            }
            OrderOutcome::Filled | OrderOutcome::Resting => Some(Outcome::Taken),
            OrderOutcome::Cancelled if order.filled => Some(Outcome::Taken),
            OrderOutcome::Cancelled => Some(Outcome::Refused),
            OrderOutcome::Refused(_) | OrderOutcome::Raised(_) => Some(Outcome::Refused),
        };
        if order.answered.is_none() {
            order.answered = Some(now);
            order.asked = if order.lost {
                Asked::Maybe
            } else {
                Asked::Never
            };
            self.settled = Some(answered.intent.clone());
        }
    }

    fn fill(&mut self, filled: &Filled) {
        let intent = filled.intent.as_ref();
        if let Some(order) = intent.and_then(|intent| self.orders.get_mut(intent)) {
            order.filled = true;
        }
    }

    fn fail(&mut self, operation: &str) {
        match operation {
            "record_intent" => self.unsure = true,
            "settle_intent" => {
                let settled = self.told.take().or(self.settled.take());
                match settled.and_then(|intent| self.orders.get_mut(&intent)) {
                    Some(order) => order.asked = Asked::Maybe,
                    None => self.unsent += 1,
                }
            }
            _ => {}
        }
    }

    /// The coordinator is gone. What was answered at this very moment may not be noted.
    fn crash(&mut self, now: Time) {
        self.unsent += u64::from(self.approved.take() == Some(now));
        for order in self.orders.values_mut() {
            if order.answered == Some(now) {
                order.asked = Asked::Maybe;
            }
        }
    }

    /// A coordinator begins. What an earlier one told of an order that need not have been asked for may have been
    /// told of another one.
    fn begin(&mut self) {
        for (symbol, found) in std::mem::take(&mut self.spare) {
            let surely = |order: &&mut Order| order.asked == Asked::Surely;
            for order in self.orders.values_mut().filter(surely) {
                if order.may_be(&symbol, found, self.memory) {
                    order.asked = Asked::Maybe;
                }
            }
        }
    }

    /// What was told of is noted by now.
    fn settle(&mut self) {
        let told = self.told.take();
        if let Some(order) = told.and_then(|intent| self.orders.get_mut(&intent)) {
            order.asked = Asked::Never;
        }
    }

    fn publish(&mut self, published: &Published) -> Result<(), String> {
        let (symbol, found) = match &published.message.payload {
            Payload::OrderPlaced(it) => (&it.symbol, Found::Taken),
            Payload::OrderError(it) => {
                let code = it.error_message.0.as_ref().map(Name::as_str);
                let found = match code {
                    Some("refused") => Found::Refused,
                    Some("never_arrived") => Found::NeverArrived,
                    _ => return Err(format!("expected what was found, found {code:?}")),
                };
                (&it.symbol, found)
            }
            _ => return Ok(()),
        };
        self.settle();
        // Of several that may be meant it is the one whose outcome is known, or else that must be told.
        let meant = self
            .orders
            .iter()
            .filter(|(_, order)| {
                order.asked != Asked::Never && order.may_be(symbol, found, self.memory)
            })
            .min_by_key(|(_, order)| (order.outcome.is_none(), order.asked != Asked::Surely));
        let Some(intent) = meant.map(|it| it.0.clone()) else {
            if found == Found::NeverArrived && self.unsent > 0 {
                self.unsent -= 1;
                return Ok(());
            }
            return Err(format!(
                "expected an order of unknown outcome to be told of, found {found:?} told of {symbol}"
            ));
        };
        if let Some(order) = self.orders.get_mut(&intent) {
            if order.asked == Asked::Maybe {
                self.spare.push((symbol.clone(), found));
            }
            order.asked = Asked::Maybe;
        }
        self.told = Some(intent);
        Ok(())
    }

    /// The coordinator listens: everything was asked for.
    fn listen(&mut self, subscribed: &Subscribed) -> Result<(), String> {
        if !goes_to_work(subscribed) || !self.asks {
            return Ok(());
        }
        self.asks = false;
        self.settle();
        let (mut spare, memory) = (std::mem::take(&mut self.spare), self.memory);
        let left = self.orders.values_mut();
        let mut forgotten = Ok(());
        for order in left.filter(|order| order.asked == Asked::Surely) {
            order.asked = Asked::Never;
            // It may be the one that was told of, rather than one that need not have been.
            let told = spare
                .iter()
                .position(|(symbol, found)| order.may_be(symbol, *found, memory));
            if told.map(|at| spare.remove(at)).is_none() {
                forgotten = Err(format!(
                    "expected an order of {} that nobody answered to be asked for after a restart, \
                     found it forgotten",
                    order.symbol
                ));
            }
        }
        forgotten
    }
}

impl Invariant<DomainEvent> for AskedAfter {
    fn id(&self) -> &'static str {
        "recovery.orders"
    }

    fn statement(&self) -> &'static str {
        "each order that was noted, and whose outcome was not, is asked for after a restart, and what the \
         exchange knows of it is told before anything else is done"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            DOWN,
            number::Started,
            number::Subscribed,
            number::Published,
            number::RiskJudged,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::Filled,
            number::StoreFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OrderSubmitted]]
    }

    /// A store that is put back to an earlier time, or loses what it had, has forgotten orders, or
    /// how they went.
    fn excludes(&self) -> &'static [&'static str] {
        super::FORGETFUL_STORE
    }

    fn evaluable(&self) -> bool {
        self.has_store && self.starts > 1
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if !self.has_store {
            return Ok(());
        }
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.coordinator = Some(event.actor);
                self.starts += 1;
                self.asks = self.starts > 1;
                self.told = None;
                self.begin();
            }
            Some(DomainEvent::Subscribed(it)) => return self.listen(it),
            Some(DomainEvent::Published(it)) => {
                if self.asks && self.coordinator == Some(event.actor) {
                    return self.publish(it);
                }
            }
            Some(DomainEvent::RiskJudged(it)) => {
                self.settled = None;
                self.approved = it.rejections.is_empty().then_some(event.time);
            }
            Some(DomainEvent::OrderSubmitted(it)) => self.submit(it),
            Some(DomainEvent::OrderAnswered(it)) => self.answer(it, event.time),
            Some(DomainEvent::Filled(it)) => self.fill(it),
            Some(DomainEvent::StoreFailed(it)) => self.fail(&it.operation),
            Some(_) => {}
            None => self.crash(event.time),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
