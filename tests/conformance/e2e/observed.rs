//! What a run did, told by its log in the words of the recordings.
//!
//! Everything is folded from events; nothing is asked of the program that made them.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::{Event, Verdict};
use dacapo_orchestration::config::{Config, TradingMode};
use dacapo_orchestration::domain_event::{
    DomainEvent, EmergencyOrder, OrderOutcome, OrderSubmitted,
};
use dacapo_orchestration::message::{DegradationLevel, Message, Name, Topic};
use serde_json::{Map, Value, json};

use super::words;
use crate::model_calls::ModelCalls;
use crate::stage;

/// Everything that is compared of a run.
struct Observed {
    trace: Vec<Value>,
    transitions: Vec<Value>,
    trades: Vec<Value>,
    llm_calls: ModelCalls,
    db_ops: Vec<Value>,
    admin_calls: Vec<Value>,
    deliveries: BTreeMap<Name, Vec<Value>>,
    notes: Vec<Value>,
    removed: Vec<Value>,
    status: Option<Value>,
    loop_ended: bool,
    // What is needed to tell the rest.
    start_us: i64,
    level: DegradationLevel,
    topics: BTreeMap<u64, Topic>,
    scripted: BTreeSet<Name>,
    orders: BTreeMap<Name, usize>,
    live: bool,
    primary: Name,
}

/// The story of a run: what it did, and how it ended.
pub(crate) fn observe(
    config: &Config,
    start_unix_ns: i64,
    events: &[Event<DomainEvent>],
    verdict: &Verdict,
) -> Value {
    let mut observed = Observed::nothing_yet(config, start_unix_ns / 1_000);
    for event in events {
        if let Some(domain) = event.domain() {
            observed.see(event, domain);
        }
    }
    observed.tell(verdict)
}

fn scripted_subscribers(config: &Config) -> BTreeSet<Name> {
    let scripts = config
        .events
        .iter()
        .filter_map(|event| event.subscribe.as_ref());
    scripts.map(|script| script.subscriber.clone()).collect()
}

impl Observed {
    fn nothing_yet(config: &Config, start_us: i64) -> Observed {
        Observed {
            trace: Vec::new(),
            transitions: Vec::new(),
            trades: Vec::new(),
            llm_calls: ModelCalls::default(),
            db_ops: Vec::new(),
            admin_calls: Vec::new(),
            deliveries: BTreeMap::new(),
            notes: Vec::new(),
            removed: Vec::new(),
            status: None,
            loop_ended: false,
            start_us,
            level: DegradationLevel::Normal,
            topics: BTreeMap::new(),
            scripted: scripted_subscribers(config),
            orders: BTreeMap::new(),
            live: config.trading_mode == TradingMode::Live,
            primary: config.llm.primary.model.clone(),
        }
    }

    fn see(&mut self, event: &Event<DomainEvent>, domain: &DomainEvent) {
        let t = stage::seconds(event.time);
        match domain {
            DomainEvent::Published(it) => self.see_message(t, &it.message),
            DomainEvent::Delivered(it) if self.scripted.contains(&it.subscriber) => {
                let topic = self.topics.get(&it.message).map(|topic| topic.name());
                let delivery = json!([t, topic]);
                self.deliveries
                    .entry(it.subscriber.clone())
                    .or_default()
                    .push(delivery);
            }
            DomainEvent::Unsubscribed(it) if it.failures.is_some() => {
                self.removed.push(json!([t, it.subscriber, it.topic]));
            }
            DomainEvent::StateChanged(it) => {
                let (from, to) = (upper(it.from.name()), upper(it.to.name()));
                self.transitions
                    .push(json!({"t": t, "kind": "state", "from": from, "to": to}));
            }
            DomainEvent::OutcomeCounted(it) => self.see_level(t, it.level),
            DomainEvent::OrderSubmitted(it) => self.see_order(t, it),
            DomainEvent::OrderAnswered(it) => self.see_answer(t, &it.intent, &it.outcome),
            DomainEvent::ModelAsked(_) | DomainEvent::ModelAnswered(_) => {
                self.llm_calls.see(event, |asked| {
                    let primary = asked.model == self.primary;
                    json!({"t": t, "model": if primary { "primary" } else { "fallback" }})
                });
            }
            DomainEvent::StateSaved(it) => {
                let state = words::dates(&it.record.0, self.start_us);
                self.db_ops
                    .push(json!({"t": t, "op": "persist_state", "state": state}));
            }
            DomainEvent::LegStored(it) => {
                let amount = it.amount_usd.to_f64();
                let due = it.due.as_micros() as f64 / 1e6;
                let row = json!([it.symbol, it.side, amount, it.batch_index, due]);
                self.db_ops
                    .push(json!({"t": t, "op": "insert_scheduled", "row": row}));
            }
            DomainEvent::LegMarked(it) => self.db_ops.push(json!({
                "t": t, "op": "update_scheduled", "id": it.leg, "status": it.status,
            })),
            DomainEvent::EmergencyOrdered(it) if self.live => {
                self.admin_calls.push(match it.order {
                    EmergencyOrder::CloseAll => json!({"t": t, "call": "close_all_positions"}),
                    EmergencyOrder::Reduce(pct) => {
                        json!({"t": t, "call": "reduce_positions", "pct": pct})
                    }
                })
            }
            DomainEvent::OutsideRefused(it) => {
                self.notes.push(json!({"t": t, "note": it.outcome}));
            }
            DomainEvent::ScheduleEnded(_) if self.status.is_none() => self.loop_ended = true,
            DomainEvent::StatusReported(it) => self.status = Some(it.status.0.clone()),
            _ => {}
        }
    }

    fn see_message(&mut self, t: f64, message: &Message) {
        self.topics.insert(message.id.as_number(), message.topic);
        let payload = words::payload(&message.payload.to_json(), self.start_us);
        self.trace.push(json!({
            "t": t,
            "topic": message.topic,
            "source": message.source,
            "priority": message.priority,
            "ttl_seconds": message.ttl.as_secs(),
            "payload": payload,
        }));
    }

    fn see_level(&mut self, t: f64, level: DegradationLevel) {
        let before = std::mem::replace(&mut self.level, level);
        if level != before {
            self.transitions.push(json!({
                "t": t, "kind": "degradation", "from": before, "to": level,
            }));
        }
    }

    fn see_order(&mut self, t: f64, submitted: &OrderSubmitted) {
        let order = &submitted.order;
        self.orders
            .insert(submitted.intent.clone(), self.trades.len());
        self.trades.push(json!({
            "t": t,
            "executor": if self.live { "live" } else { "paper" },
            "symbol": order.symbol,
            "side": order.side,
            "size_usd": order.size_usd,
            "entry_price": order.entry_price,
            "stop_loss": order.stop_loss,
            "take_profit": order.take_profit,
            "leverage": order.leverage,
            "confidence": order.confidence,
            "regime": order.regime,
            "success": false,
            "error": null,
        }));
    }

    /// A resting order is answered twice; the recordings know the first answer only.
    fn see_answer(&mut self, t: f64, intent: &Name, outcome: &OrderOutcome) {
        // No recorded exchange leaves an order unanswered, and none takes one back: then its first
        // answer was that it rests.
        if matches!(outcome, OrderOutcome::Unknown | OrderOutcome::Cancelled) {
            return;
        }
        let Some(at) = self.orders.remove(intent) else {
            return;
        };
        let trade = &mut self.trades[at];
        match outcome {
            OrderOutcome::Filled | OrderOutcome::Resting => trade["success"] = json!(true),
            OrderOutcome::Unknown | OrderOutcome::Cancelled => {}
            OrderOutcome::Refused(code) | OrderOutcome::Raised(code) => {
                trade["error"] = json!(code);
            }
        }
        if !matches!(outcome, OrderOutcome::Raised(_)) {
            trade["done_t"] = json!(t);
        }
    }

    fn tell(self, verdict: &Verdict) -> Value {
        let deadlock = matches!(verdict, Verdict::Deadlock(_));
        let mut last = match &self.status {
            Some(status) => words::status(status, self.start_us),
            None => json!({}),
        };
        last["main_loop_alive"] = json!(!self.loop_ended);
        last["auto_unsubscribed"] = json!(self.removed);
        last["bus_lock_held_at_end"] = json!(deadlock);
        let deliveries: Map<String, Value> = self
            .deliveries
            .into_iter()
            .map(|(name, deliveries)| (name.to_string(), json!(deliveries)))
            .collect();
        json!({
            "trace": self.trace,
            "transitions": self.transitions,
            "trades": self.trades,
            "llm_calls": self.llm_calls.told(),
            "db_ops": self.db_ops,
            "executor_admin_calls": self.admin_calls,
            "handler_deliveries": deliveries,
            "notes": self.notes,
            "final": last,
        })
    }
}

fn upper(name: &str) -> String {
    name.to_uppercase()
}
