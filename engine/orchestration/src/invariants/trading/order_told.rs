//! `order.told`: what the bus says of a signal's order is what was judged and what the exchange answered.
//!
//! A trade that risk refuses, one that cannot be handled and each answer to an order is told once, in its
//! own words, before the next signal is weighed. What is told after a restart of orders from before it
//! is the affair of `recovery.orders`.

use std::collections::BTreeMap;

use dacapo_kernel::{ActorId, Event, Invariant, KernelEvent, Time};

use super::facts::Facts;
use super::prices::{CRASHED, TASK_CRASHED};
use crate::domain_event::{
    DomainEvent, OrderAnswered, OrderOutcome, PositionOpened, Published, RiskJudged, SignalDropped,
    TradeOrigin, number,
};
use crate::invariants::messages::Messages;
use crate::message::{Name, Payload, Topic};

/// Reasons for which a signal ends that nobody is told of: it was never meant to be traded.
const UNTOLD: [&str; 3] = ["NOT_RUNNING", "NO_EXECUTOR", "ENTRY_BEYOND_STOP"];

/// What is to be told.
#[derive(Debug, PartialEq)]
enum What {
    /// The trade was refused for these reasons.
    Rejected(Vec<Name>),
    /// The order was taken; where it opened a position at once, which one.
    Placed(Option<Name>, Option<Name>),
    /// The exchange refused the order.
    Failed(Name),
}

/// Something that somebody waits for.
#[derive(Debug)]
struct Owed {
    /// Nobody knows the pair of a signal that is none.
    symbol: Option<Name>,
    what: What,
    /// Whether it is surely told in these words: of what became of an order in the time in which nobody answered it
    /// is only told whether the exchange took it.
    surely: bool,
    /// Whether who was to tell may be gone.
    abandoned: bool,
    since: Time,
}

/// An order that was not answered yet.
#[derive(Debug)]
struct Sent {
    symbol: Name,
    /// Whether its first answer was lost.
    lost: bool,
    /// Whether who sent it may be gone, and nobody tells how it went.
    abandoned: bool,
}

/// What is owed, and what it follows from.
#[derive(Debug)]
pub(super) struct OrderTold {
    coordinator: Option<ActorId>,
    starts: u32,
    signals: Messages,
    orders: BTreeMap<Name, Sent>,
    /// The position that was opened last, and by which order.
    opened: Option<(Name, Name)>,
    owed: Vec<Owed>,
}

impl OrderTold {
    pub(super) fn new() -> OrderTold {
        OrderTold {
            coordinator: None,
            starts: 0,
            signals: Messages::of(&[Topic::TradingSignals]),
            orders: BTreeMap::new(),
            opened: None,
            owed: Vec::new(),
        }
    }

    /// A refusal is told, and in these words.
    fn owe(&mut self, symbol: Option<Name>, what: What, since: Time) {
        self.owed.push(Owed {
            symbol,
            what,
            surely: true,
            abandoned: false,
            since,
        });
    }

    fn judge(&mut self, judged: &RiskJudged, now: Time) {
        let refused = matches!(judged.status.as_str(), "rejected" | "halted");
        if refused && matches!(judged.origin, TradeOrigin::Signal(_)) {
            let what = What::Rejected(judged.rejections.clone());
            self.owe(Some(judged.proposal.symbol.clone()), what, now);
        }
    }

    fn drop_signal(&mut self, dropped: &SignalDropped, now: Time) {
        if UNTOLD.contains(&dropped.reason.as_str()) {
            return;
        }
        let signal = self.signals.get(dropped.signal);
        let symbol = signal.map(|signal| {
            let facts = Facts::of(&signal.payload);
            Name::from(facts.text("symbol").unwrap_or_default())
        });
        let what = What::Rejected(vec![dropped.reason.clone()]);
        self.owe(symbol, what, now);
    }

    fn answer(&mut self, answered: &OrderAnswered, now: Time) {
        if answered.outcome == OrderOutcome::Unknown {
            if let Some(sent) = self.orders.get_mut(&answered.intent) {
                sent.lost = true;
            }
            return;
        }
        let Some(sent) = self.orders.remove(&answered.intent) else {
            return;
        };
        let what = match &answered.outcome {
            // That becomes a signal that is dropped.
            OrderOutcome::Raised(_) | OrderOutcome::Unknown => return,
            OrderOutcome::Refused(code) => What::Failed(code.clone()),
            OrderOutcome::Cancelled if sent.lost => What::Failed(Name::EMPTY),
            OrderOutcome::Filled | OrderOutcome::Resting | OrderOutcome::Cancelled => {
                let opened = self.opened.as_ref();
                let opened = opened.filter(|(order, _)| Some(order) == answered.order.as_ref());
                let position = opened.map(|(_, position)| position.clone());
                What::Placed(answered.order.clone(), position)
            }
        };
        self.owed.push(Owed {
            symbol: Some(sent.symbol),
            what,
            surely: !sent.lost,
            abandoned: sent.abandoned,
            since: now,
        });
    }

    fn open(&mut self, opened: &PositionOpened) {
        let position = Name::from(format!("position-{}", opened.position));
        self.opened = Some((opened.order.clone(), position));
    }

    fn publish(&mut self, published: &Published) -> Result<(), String> {
        let (symbol, what) = match &published.message.payload {
            Payload::TradeRejected(it) => (&it.symbol, What::Rejected(it.rejections.clone())),
            Payload::OrderPlaced(it) => {
                let (order, position) = (it.order_id.0.clone(), it.position_id.0.clone());
                (&it.symbol, What::Placed(order, position))
            }
            Payload::OrderError(it) => {
                let code = it.error_message.0.clone();
                (&it.symbol, What::Failed(code.unwrap_or(Name::EMPTY)))
            }
            _ => return Ok(()),
        };
        let is_told = |owed: &Owed| {
            let fits = match (&owed.what, &what) {
                (What::Rejected(one), What::Rejected(other)) => one == other,
                (What::Placed(..), What::Placed(..)) | (What::Failed(_), What::Failed(_)) => {
                    owed.what == what || !owed.surely
                }
                _ => false,
            };
            fits && owed.symbol.as_ref().is_none_or(|it| it == symbol)
        };
        if let Some(at) = self.owed.iter().position(is_told) {
            self.owed.remove(at);
            return Ok(());
        }
        let may_be_older = self.starts > 1
            && match &what {
                What::Placed(order, position) => order.is_none() && position.is_none(),
                What::Failed(code) => *code == *"refused" || *code == *"never_arrived",
                What::Rejected(_) => false,
            };
        if may_be_older {
            return Ok(());
        }
        let is_about = |owed: &&Owed| owed.symbol.as_ref().is_none_or(|it| it == symbol);
        Err(match self.owed.iter().find(is_about) {
            Some(owed) => format!(
                "expected {:?} to be told of {symbol}, found {what:?}",
                owed.what
            ),
            None => format!("expected nothing to be told of an order of {symbol}, found {what:?}"),
        })
    }

    /// The next signal is weighed: nothing of those before it may be left.
    fn weigh(&mut self, now: Time) -> Result<(), String> {
        self.owed
            .retain(|owed| !owed.abandoned || owed.since >= now);
        let left = self.owed.iter().position(|owed| owed.since < now);
        let Some(left) = left.map(|at| self.owed.remove(at)) else {
            return Ok(());
        };
        Err(format!(
            "expected {:?} to be told before the next signal is weighed, found it untold",
            left.what
        ))
    }

    /// Who was to tell is gone.
    fn forget(&mut self) {
        self.owed.clear();
        self.orders.clear();
    }

    /// A task crashed: it may be the one that was to tell.
    fn abandon(&mut self) {
        for owed in &mut self.owed {
            owed.abandoned = true;
        }
        for sent in self.orders.values_mut() {
            sent.abandoned = true;
        }
    }
}

impl Invariant<DomainEvent> for OrderTold {
    fn id(&self) -> &'static str {
        "order.told"
    }

    fn statement(&self) -> &'static str {
        "every refusal of a signal and every answer to its order is told once on the bus, as it was, before \
         the next signal is weighed"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            CRASHED,
            TASK_CRASHED,
            number::Started,
            number::Published,
            number::ConsensusBuilt,
            number::SignalDropped,
            number::RiskJudged,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::PositionOpened,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RiskJudged, number::SignalDropped]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.coordinator = Some(event.actor);
                self.starts += 1;
                self.signals.forget();
                self.forget();
            }
            Some(DomainEvent::Published(it)) => {
                self.signals.keep(&it.message);
                if self.coordinator == Some(event.actor) {
                    return self.publish(it);
                }
            }
            Some(DomainEvent::ConsensusBuilt(_)) => return self.weigh(now),
            Some(DomainEvent::SignalDropped(it)) => self.drop_signal(it, now),
            Some(DomainEvent::RiskJudged(it)) => self.judge(it, now),
            Some(DomainEvent::OrderSubmitted(it)) => {
                if let TradeOrigin::Signal(_) = it.origin {
                    let symbol = it.order.symbol.clone();
                    let sent = Sent {
                        symbol,
                        lost: false,
                        abandoned: false,
                    };
                    self.orders.insert(it.intent.clone(), sent);
                }
            }
            Some(DomainEvent::OrderAnswered(it)) => self.answer(it, now),
            Some(DomainEvent::PositionOpened(it)) => self.open(it),
            Some(_) => {}
            None => match event.kernel() {
                Some(KernelEvent::TaskCrashed(_)) => self.abandon(),
                _ => self.forget(),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::{TaskCrashed, TaskId};
    use serde_json::{Value, json};

    use super::super::plant::{answered, consensus, judged, published, submitted};
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::Started;
    use crate::invariants::planted::Planted;

    const OF_SIGNAL: TradeOrigin = TradeOrigin::Signal(7);

    fn begun() -> Planted {
        Planted::of(OrderTold::new()).then(Started {})
    }

    fn sent() -> Planted {
        begun()
            .then(judged(OF_SIGNAL, "buy"))
            .then(submitted("intent-1", OF_SIGNAL, "buy"))
    }

    fn rejected(codes: &Value) -> Published {
        let payload = json!({"alert_type": "trade_rejected", "symbol": "BTC/USDT",
            "rejections": codes, "trading_mode": "paper"});
        published(8, Topic::RiskAlerts, 0, payload)
    }

    fn placed(order: &Value, position: &Value) -> Published {
        let payload = json!({"event_type": "order_placed", "order_id": order,
            "position_id": position, "symbol": "BTC/USDT", "trading_mode": "paper"});
        published(8, Topic::ExecutionEvents, 0, payload)
    }

    fn failed(code: &str) -> Published {
        let payload = json!({"event_type": "order_error", "symbol": "BTC/USDT",
            "error_message": code, "trading_mode": "paper"});
        published(8, Topic::ExecutionEvents, 0, payload)
    }

    fn opened() -> PositionOpened {
        PositionOpened {
            position: 3,
            order: "order-1".into(),
            symbol: "BTC/USDT".into(),
            side: "buy".into(),
            size: Amount::ONE,
            entry_price: Amount::HUNDRED,
            leverage: 1,
            reserved: Amount::ZERO,
        }
    }

    fn next(log: Planted) -> Planted {
        log.at(9.0).then(consensus(9, Vec::new(), 0, 0))
    }

    // Fails if a refusal may be told in other words, twice, or not at all.
    #[test]
    fn a_refusal_is_told_as_it_was() {
        let refused = || {
            let mut it = judged(OF_SIGNAL, "buy");
            (it.status, it.rejections) = ("rejected".into(), vec!["LOW_RR".into()]);
            begun().then(it)
        };
        let told = || refused().then(rejected(&json!(["LOW_RR"])));
        next(told()).holds();
        next(refused()).violated();
        refused().then(rejected(&json!(["IN_COOLDOWN"]))).violated();
        told().then(rejected(&json!(["LOW_RR"]))).violated();
        begun().then(rejected(&json!(["LOW_RR"]))).violated();
    }

    // Fails if a signal that cannot be handled may vanish, or one that is not to be traded must be told.
    #[test]
    fn a_signal_that_cannot_be_handled_is_told() {
        let dropped = |reason: &'static str| {
            begun().then(SignalDropped {
                signal: 7,
                reason: Name::fixed(reason),
            })
        };
        next(dropped("UNKNOWN_ACTION").then(rejected(&json!(["UNKNOWN_ACTION"])))).holds();
        next(dropped("UNKNOWN_ACTION")).violated();
        next(dropped("NOT_RUNNING")).holds();
    }

    // Fails if the order, the position or the error may be another one.
    #[test]
    fn an_answer_is_told_as_it_was() {
        let answer = |outcome| answered("intent-1", Some("order-1"), outcome);
        let filled = || sent().then(opened()).then(answer(OrderOutcome::Filled));
        let (order, position) = (json!("order-1"), json!("position-3"));
        next(filled().then(placed(&order, &position))).holds();
        filled()
            .then(placed(&json!("order-2"), &position))
            .violated();
        filled().then(placed(&order, &Value::Null)).violated();
        filled().then(failed("no_price")).violated();
        next(filled()).violated();
        let rests = || sent().then(answer(OrderOutcome::Resting));
        next(rests().then(placed(&order, &Value::Null))).holds();
        let refused = || sent().then(answer(OrderOutcome::Refused("no_price".into())));
        next(refused().then(failed("no_price"))).holds();
        refused().then(failed("not_filled")).violated();
        refused().then(placed(&order, &Value::Null)).violated();
    }

    // Fails if an order that was taken back in the time in which nobody answered may be told as placed.
    #[test]
    fn an_order_that_was_taken_back_unanswered_is_no_placed_one() {
        let answer = |outcome| answered("intent-1", Some("order-1"), outcome);
        let lost = || sent().then(answer(OrderOutcome::Unknown));
        let order = json!("order-1");
        let taken_back = || lost().then(answer(OrderOutcome::Cancelled));
        next(taken_back().then(failed("refused"))).holds();
        taken_back().then(placed(&order, &Value::Null)).violated();
        let filled = || lost().then(answer(OrderOutcome::Filled));
        next(filled().then(placed(&order, &Value::Null))).holds();
        filled().then(failed("refused")).violated();
    }

    // Fails if the crash of any task keeps another one from telling, or holds it to that.
    #[test]
    fn where_a_task_crashed_it_may_be_told_or_not() {
        let filled = || answered("intent-1", Some("order-1"), OrderOutcome::Filled);
        let crashed = || {
            sent()
                .kernel(TaskCrashed { task: TaskId(3) })
                .then(filled())
        };
        next(crashed().then(placed(&json!("order-1"), &Value::Null))).holds();
        next(crashed()).holds();
        next(sent().then(filled())).violated();
    }

    // Fails if what a crash cut off is still waited for, or an old order may not be told after it.
    #[test]
    fn a_crash_ends_what_is_owed() {
        let filled = answered("intent-1", Some("order-1"), OrderOutcome::Filled);
        let again = sent().then(filled).then(Started {});
        next(
            again
                .then(placed(&Value::Null, &Value::Null))
                .then(failed("never_arrived")),
        )
        .holds();
        begun().then(failed("never_arrived")).violated();
    }
}
