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
    /// Whether this may have been found of it.
    fn may_be(&self, symbol: &Name, found: Found) -> bool {
        self.symbol == *symbol
            && match (self.outcome, found) {
                (Some(Outcome::Taken) | None, Found::Taken) => true,
                (Some(Outcome::Taken), _) | (Some(Outcome::Refused), Found::Taken) => false,
                (Some(Outcome::Refused), _) => true,
                (None, Found::Refused | Found::NeverArrived) => !self.filled,
            }
    }
}

/// The orders that may be asked for.
pub(super) struct AskedAfter {
    has_store: bool,
    coordinator: Option<ActorId>,
    starts: u32,
    /// The coordinator does not listen yet, so what it tells of orders is what it asked for.
    asks: bool,
    orders: BTreeMap<Name, Order>,
    /// The order that was answered last: its outcome is noted before anything else is judged.
    settled: Option<Name>,
    /// Orders of unknown outcome that were never sent, as one of their numbers is none that an order can carry.
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
            coordinator: None,
            starts: 0,
            asks: false,
            orders: BTreeMap::new(),
            settled: None,
            unsent: 0,
            told: None,
            spare: Vec::new(),
            unsure: false,
        }
    }

    fn submit(&mut self, sent: &OrderSubmitted) {
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
                if order.may_be(&symbol, found) {
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
            .filter(|(_, order)| order.asked != Asked::Never && order.may_be(symbol, found))
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
        let mut spare = std::mem::take(&mut self.spare);
        let left = self.orders.values_mut();
        let mut forgotten = Ok(());
        for order in left.filter(|order| order.asked == Asked::Surely) {
            order.asked = Asked::Never;
            // It may be the one that was told of, rather than one that need not have been.
            let told = spare
                .iter()
                .position(|(symbol, found)| order.may_be(symbol, *found));
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
            Some(DomainEvent::RiskJudged(_)) => self.settled = None,
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
mod tests {
    use serde_json::{Value, json};

    use super::super::super::trading::plant::{answered, filled, judged, published, submitted};
    use super::super::planted::{config, subscribed};
    use super::*;
    use crate::domain_event::{Started, StoreFailed};
    use crate::invariants::planted::Planted;
    use crate::message::Topic;

    const OF_SIGNAL: TradeOrigin = TradeOrigin::Signal(7);

    fn sent() -> Planted {
        let mut config = config();
        config.store.kind = StoreKind::Memory;
        Planted::of(AskedAfter::new(&config))
            .then(Started {})
            .then(submitted("i", OF_SIGNAL, "buy"))
    }

    fn again(log: Planted) -> Planted {
        log.at(9.0).then(Started {})
    }

    fn listens(log: Planted) -> Planted {
        log.then(subscribed())
    }

    fn taken() -> Published {
        let payload = json!({"event_type": "order_placed", "order_id": Value::Null,
            "position_id": Value::Null, "symbol": "BTC/USDT", "trading_mode": "paper"});
        published(8, Topic::ExecutionEvents, 0, payload)
    }

    fn error(code: &str) -> Published {
        let payload = json!({"event_type": "order_error", "symbol": "BTC/USDT",
            "error_message": code, "trading_mode": "paper"});
        published(8, Topic::ExecutionEvents, 0, payload)
    }

    // Fails if an order that nobody answered may be forgotten, or told of twice.
    #[test]
    fn what_nobody_answered_is_asked_for_once() {
        listens(again(sent()).then(error("never_arrived"))).holds();
        listens(again(sent())).violated();
        let twice = again(sent()).then(error("never_arrived")).then(taken());
        twice.violated();
        again(sent()).then(error("insufficient_balance")).violated();
    }

    // Fails if what was executed may be told as refused.
    #[test]
    fn what_was_executed_is_told_as_taken() {
        let filled = || again(sent().then(filled("order-1", Some("i"), "buy", 45_000)));
        listens(filled().then(taken())).holds();
        filled().then(error("never_arrived")).violated();
        filled().then(error("refused")).violated();
    }

    // Fails if an outcome that was noted may be asked for, or one that was not may not.
    #[test]
    fn what_was_noted_is_not_asked_for() {
        let known = || {
            sent()
                .at(1.0)
                .then(answered("i", None, OrderOutcome::Filled))
        };
        listens(again(known())).holds();
        again(known()).then(taken()).violated();
        let unnoted = known().then(StoreFailed {
            operation: "settle_intent".into(),
        });
        listens(again(unnoted).then(taken())).holds();
    }

    // Fails if an order that could not be sent, and whose end could not be noted, may not be asked for.
    #[test]
    fn what_was_never_sent_never_arrived() {
        let known = sent().then(answered("i", None, OrderOutcome::Filled));
        let other = known.then(judged(OF_SIGNAL, "buy"));
        let unnoted = StoreFailed {
            operation: "settle_intent".into(),
        };
        let asked = || error("never_arrived");
        listens(again(other.then(unnoted)).then(asked())).holds();
        let known = sent().then(answered("i", None, OrderOutcome::Filled));
        again(known).then(asked()).violated();
    }

    // Fails if what was told before a second crash is taken for something told of another order for good.
    #[test]
    fn what_was_told_before_another_crash_may_have_been_of_either() {
        let unnoted = StoreFailed {
            operation: "settle_intent".into(),
        };
        let refused = OrderOutcome::Refused("insufficient_balance".into());
        let first = sent().at(1.0).then(answered("i", None, refused));
        let both = first
            .then(unnoted)
            .then(submitted("j", TradeOrigin::Plan, "buy"));
        let told = again(both).then(error("never_arrived"));
        listens(again(told)).holds();
    }

    // Fails if one of two orders of a pair may be taken for the other.
    #[test]
    fn of_two_orders_the_one_that_was_taken_is_told_as_taken() {
        let unnoted = StoreFailed {
            operation: "settle_intent".into(),
        };
        let rests = sent()
            .at(1.0)
            .then(answered("i", None, OrderOutcome::Resting));
        let both = again(
            rests
                .then(unnoted)
                .then(submitted("j", TradeOrigin::Plan, "buy")),
        );
        listens(both.then(taken()).then(error("never_arrived"))).holds();
    }
}
