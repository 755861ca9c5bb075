//! `recovery.counts`: the conflicts and trades that are saved as counted are those that there were.
//!
//! A conflict counts when a model's reply decided it, usable or not. A trade counts once its order was
//! answered, and before that is told; between the two its being counted cannot be told from the log.

use std::collections::BTreeMap;

use dacapo_kernel::{ActorId, Event, Invariant, Time};
use serde_json::Value;

use super::{COORDINATOR, DOWN, goes_to_work};
use crate::config::{Config, StoreKind};
use crate::domain_event::{
    DomainEvent, OrderAnswered, OrderOutcome, OrderSubmitted, Published, ResolvedBy, StateRestored,
    StateSaved, StatusReported, TradeOrigin, number,
};
use crate::invariants::has_crashed;
use crate::message::{Name, Payload};

/// What was counted: of trades the least and the most.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    resolved: u64,
    least: u64,
    most: u64,
}

impl Counts {
    fn read(record: &Value) -> Counts {
        let count = |name: &str| record["statistics"][name].as_u64().unwrap_or(0);
        let routed = count("total_trades_routed");
        Counts {
            resolved: count("total_conflicts_resolved"),
            least: routed,
            most: routed,
        }
    }

    /// Whether this is what is told.
    fn are(self, found: Counts) -> Result<(), String> {
        if found.resolved != self.resolved {
            return Err(format!(
                "expected {} resolved conflicts to be told, found {}",
                self.resolved, found.resolved
            ));
        }
        if !(self.least..=self.most).contains(&found.least) {
            return Err(format!(
                "expected {} to {} trades to be told, found {}",
                self.least, self.most, found.least
            ));
        }
        Ok(())
    }
}

/// An order whose outcome is not noted.
#[derive(Debug)]
struct Open {
    symbol: Name,
    by_signal: bool,
    /// When it was answered: a crash at that very moment may come before that is noted.
    answered: Option<Time>,
}

/// What is true, and what was saved of it.
pub(super) struct Counted {
    has_store: bool,
    coordinator: Option<ActorId>,
    /// None where it cannot be told what was restored.
    now: Option<Counts>,
    saved: Option<Counts>,
    /// How many orders of signals were sent and not told of yet.
    under_way: u64,
    /// The coordinator does not listen yet: what it tells of orders is what it asked for.
    asks: bool,
    open: BTreeMap<Name, Open>,
    /// The store did not note an outcome: which orders are asked for cannot be told any more.
    unsure: bool,
}

impl Counted {
    pub(super) fn new(config: &Config) -> Counted {
        let has_store = config.store.kind != StoreKind::None;
        let saved = config.store.saved.as_ref().filter(|_| has_store);
        Counted {
            has_store,
            coordinator: None,
            now: None,
            saved: saved.map(|record| Counts::read(&record.0)),
            under_way: 0,
            asks: false,
            open: BTreeMap::new(),
            unsure: false,
        }
    }

    fn start(&mut self, actor: ActorId) {
        self.coordinator = Some(actor);
        self.asks = true;
        self.under_way = 0;
        self.now = match self.saved {
            // That is known once it is said what was restored.
            Some(_) => None,
            None => Some(Counts::default()),
        };
    }

    fn restore(&mut self, restored: &StateRestored) {
        self.now = self.saved.filter(|_| restored.complete);
    }

    fn submit(&mut self, sent: &OrderSubmitted) {
        let by_signal = matches!(sent.origin, TradeOrigin::Signal(_));
        self.under_way += u64::from(by_signal);
        if let Some(now) = &mut self.now {
            now.most += u64::from(by_signal);
        }
        if sent.origin != TradeOrigin::Leg {
            let symbol = sent.order.symbol.clone();
            let open = Open {
                symbol,
                by_signal,
                answered: None,
            };
            self.open.insert(sent.intent.clone(), open);
        }
    }

    fn answer(&mut self, answered: &OrderAnswered, at: Time) {
        if answered.outcome == OrderOutcome::Unknown {
            self.unsure = true;
            return;
        }
        let raised = matches!(answered.outcome, OrderOutcome::Raised(_));
        let Some(open) = self.open.get_mut(&answered.intent) else {
            return;
        };
        if open.by_signal && raised {
            self.under_way = self.under_way.saturating_sub(1);
            if let Some(now) = &mut self.now {
                now.most = now.most.saturating_sub(1);
            }
        }
        open.answered.get_or_insert(at);
    }

    /// What was answered before is noted. What is not stays so until somebody asks for it.
    fn crash(&mut self, at: Time) {
        self.open.retain(|_, open| {
            let is_noted = open.answered.take().is_some_and(|it| it != at);
            !is_noted
        });
    }

    fn publish(&mut self, published: &Published) {
        let (symbol, is_taken) = match &published.message.payload {
            Payload::OrderPlaced(it) => (&it.symbol, true),
            Payload::OrderError(it) => (&it.symbol, false),
            _ => return,
        };
        if !self.asks {
            self.under_way = self.under_way.saturating_sub(1);
        }
        let Some(now) = &mut self.now else { return };
        if !self.asks {
            now.least += 1;
            return;
        }
        if is_taken {
            let mut candidates = self.open.values().filter(|open| open.symbol == *symbol);
            let some_signal = self.unsure || candidates.clone().any(|open| open.by_signal);
            let all_signals = !self.unsure && candidates.all(|open| open.by_signal);
            now.most += u64::from(some_signal);
            now.least += u64::from(some_signal && all_signals);
        }
    }

    /// What was asked for is known: the next coordinator asks for what is open then.
    fn listen(&mut self) {
        if std::mem::replace(&mut self.asks, false) {
            self.open.clear();
        }
    }

    fn save(&mut self, saved: &StateSaved) -> Result<(), String> {
        let found = Counts::read(&saved.record.0);
        self.saved = Some(found);
        let Some(now) = self.now else {
            // Those that are under way may be counted, or not.
            self.now = Some(Counts {
                least: found.least.saturating_sub(self.under_way),
                most: found.most + self.under_way,
                ..found
            });
            return Ok(());
        };
        now.are(found)
    }

    /// Whoever asks is told what is true.
    fn report(&self, reported: &StatusReported) -> Result<(), String> {
        let told = Counts::read(&reported.status.0);
        self.now.map_or(Ok(()), |now| now.are(told))
    }
}

impl Invariant<DomainEvent> for Counted {
    fn id(&self) -> &'static str {
        "recovery.counts"
    }

    fn statement(&self) -> &'static str {
        "the resolved conflicts and routed trades that are saved, or told to whoever asks, are those that there \
         were, before a restart and after it"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            DOWN,
            number::Started,
            number::Subscribed,
            number::Published,
            number::ConflictResolved,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::StateSaved,
            number::StateRestored,
            number::StoreFailed,
            number::StatusReported,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StateSaved]]
    }

    /// A store that is put back to an earlier time, or loses what it had, has other counts.
    fn excludes(&self) -> &'static [&'static str] {
        super::FORGETFUL_STORE
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if !self.has_store {
            return Ok(());
        }
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.start(event.actor),
            Some(DomainEvent::Subscribed(it)) if goes_to_work(it) => self.listen(),
            Some(DomainEvent::Published(it)) if self.coordinator == Some(event.actor) => {
                self.publish(it);
            }
            Some(DomainEvent::ConflictResolved(it)) => {
                let replied = matches!(it.by, ResolvedBy::Reply | ResolvedBy::UnusableReply);
                if let Some(now) = &mut self.now {
                    now.resolved += u64::from(replied);
                }
            }
            Some(DomainEvent::OrderSubmitted(it)) => self.submit(it),
            Some(DomainEvent::OrderAnswered(it)) => self.answer(it, event.time),
            Some(DomainEvent::StateRestored(it)) => self.restore(it),
            Some(DomainEvent::StateSaved(it)) => return self.save(it),
            Some(DomainEvent::StatusReported(it)) => return self.report(it),
            Some(DomainEvent::StoreFailed(it)) => {
                self.unsure |= it.operation == *"settle_intent" || it.operation == *"record_intent";
            }
            Some(_) => {}
            None if has_crashed(event, COORDINATOR) => self.crash(event.time),
            None => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::HostCrashed;
    use serde_json::json;

    use super::super::super::trading::plant::{answered, published, resolved, submitted};
    use super::super::planted::{config, subscribed};
    use super::*;
    use crate::domain_event::Started;
    use crate::invariants::planted::Planted;
    use crate::message::{DegradationLevel, Json, Topic};

    const OF_SIGNAL: TradeOrigin = TradeOrigin::Signal(7);

    fn begun() -> Planted {
        Planted::of(Counted::new(&config()))
            .then(Started {})
            .then(subscribed())
    }

    fn saved(resolved: u64, routed: u64) -> StateSaved {
        let statistics =
            json!({"total_conflicts_resolved": resolved, "total_trades_routed": routed});
        StateSaved {
            record: Json(json!({"statistics": statistics})),
        }
    }

    fn restored(log: Planted) -> Planted {
        log.then(Started {}).then(StateRestored {
            task_runs: 0,
            conflicts: 0,
            llm_failures: 0,
            api_failures: 0,
            level: DegradationLevel::Normal,
            complete: true,
        })
    }

    fn placed() -> Published {
        let payload = json!({"event_type": "order_placed", "order_id": "order-1",
            "position_id": null, "symbol": "BTC/USDT", "trading_mode": "paper"});
        published(8, Topic::ExecutionEvents, 0, payload)
    }

    // Fails if a conflict that no reply decided counts, or one that a reply decided does not.
    #[test]
    fn a_reply_counts_as_a_resolution() {
        let by = |by| begun().then(resolved(7, "wait", 0.0, by));
        by(ResolvedBy::Reply).then(saved(1, 0)).holds();
        by(ResolvedBy::UnusableReply).then(saved(1, 0)).holds();
        by(ResolvedBy::Reply).then(saved(0, 0)).violated();
        by(ResolvedBy::Level).then(saved(1, 0)).violated();
    }

    // Fails if a trade that was told may be uncounted, or another one counted.
    #[test]
    fn a_trade_that_was_told_was_counted() {
        let sent = |origin| begun().then(submitted("i", origin, "buy"));
        let filled = |origin| sent(origin).then(answered("i", None, OrderOutcome::Filled));
        filled(OF_SIGNAL)
            .then(saved(0, 0))
            .then(saved(0, 1))
            .holds();
        let told = || filled(OF_SIGNAL).then(placed());
        told().then(saved(0, 1)).holds();
        told().then(saved(0, 0)).violated();
        told().then(saved(0, 2)).violated();
        filled(TradeOrigin::Plan).then(saved(0, 1)).violated();
        let raised = answered("i", None, OrderOutcome::Raised("executor_down".into()));
        sent(OF_SIGNAL).then(raised).then(saved(0, 1)).violated();
    }

    // Fails if an order that no crashed coordinator could tell of is taken to be told of.
    #[test]
    fn what_was_answered_at_a_crash_is_open_until_it_is_asked_for() {
        let crashed = |log: Planted, at| {
            log.at(at).kernel(HostCrashed {
                host: COORDINATOR,
                abrupt: false,
            })
        };
        let sent = begun().then(saved(0, 0)).at(1.0);
        let sent = sent.then(submitted("i", OF_SIGNAL, "buy"));
        let sent = sent.then(answered("i", None, OrderOutcome::Resting));
        let again = crashed(crashed(sent, 1.0).at(2.0).then(Started {}), 2.0);
        let told = restored(again).then(placed()).then(subscribed());
        told.then(saved(0, 1)).holds();
    }

    // Fails if what was saved may be lost in a restart, or a trade that was asked for be uncounted.
    #[test]
    fn a_restart_goes_on_from_what_was_saved() {
        let before = |origin| {
            let log = begun().then(resolved(7, "wait", 0.0, ResolvedBy::Reply));
            restored(log.then(saved(1, 0)).then(submitted("i", origin, "buy")))
        };
        let listens = |log: Planted| log.then(subscribed());
        listens(before(OF_SIGNAL)).then(saved(1, 0)).holds();
        listens(before(OF_SIGNAL)).then(saved(0, 0)).violated();
        let found = |origin| listens(before(origin).then(placed()));
        found(OF_SIGNAL).then(saved(1, 1)).holds();
        found(OF_SIGNAL).then(saved(1, 0)).violated();
        found(TradeOrigin::Plan).then(saved(1, 1)).violated();
    }
}
