//! Whom the bus calls, in which order, and what becomes of a handler that fails.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_orchestration::Ctx;
use dacapo_orchestration::bus::subscriptions::SubscriberKey;
use dacapo_orchestration::bus::{Bus, Handler, HandlerError};
use dacapo_orchestration::defect::{Defect, Defects};
use dacapo_orchestration::message::{Draft, Message, Name, Payload, Priority, Topic};
use serde_json::{Value, json};

use crate::stage;

/// What every handler shares.
#[derive(Clone)]
struct Scene {
    bus: Bus,
    calls: Rc<RefCell<Vec<Value>>>,
    counts: Rc<RefCell<BTreeMap<String, u64>>>,
}

/// `bus_delivery`.
pub(super) fn delivery(input: &Value, defects: Defects) -> Value {
    let size = &input["max_history_size"];
    let config = stage::config(json!({ "message_bus": { "max_history_size": size } }));
    let (ops, bus_config) = (input["ops"].clone(), config.message_bus.clone());
    let play = move |ctx: Ctx| async move {
        let scene = Scene {
            bus: Bus::new(&ctx, &bus_config, Rc::default(), defects),
            calls: Rc::default(),
            counts: Rc::default(),
        };
        let mut results = Vec::new();
        for op in ops.as_array().unwrap() {
            stage::until(&ctx, &op["t"]).await;
            results.push(scene.perform(&ctx, op).await);
        }
        let stats = scene.bus.statistics();
        json!({ "results": results, "stats": {
            "total_published": stats.total_published,
            "total_delivered": stats.total_delivered,
            "delivery_errors": stats.delivery_errors,
            "history_size": stats.history_size,
            "subscriber_count": stats.subscriber_count,
            "topics_active": stats.topics_active,
        }})
    };
    // The recordings know no announcement of a removal.
    let defects_of_stage = defects.with(Defect::BreakerSilent);
    stage::play(&config, defects_of_stage, play).returned
}

impl Scene {
    async fn perform(&self, ctx: &Ctx, op: &Value) -> Value {
        match op["op"].as_str().unwrap() {
            "publish" => {
                self.calls.borrow_mut().clear();
                let source = op["source"].as_str().unwrap();
                let number = op["n"].as_i64().unwrap();
                let priority = Priority::from_name(op["priority"].as_str().unwrap()).unwrap();
                let draft = draft(topic(&op["topic"]).unwrap(), source, number);
                let delivered = self.bus.publish(ctx, draft.priority(priority)).await;
                let calls = self.calls.take();
                json!({ "delivered": delivered.unwrap(), "calls": calls })
            }
            "subscribe" => {
                let subscriber = op["subscriber"].as_str().unwrap();
                let handler = self.handler(op);
                let key = SubscriberKey::new(subscriber.into());
                let topic = topic(&op["topic"]).unwrap();
                match self.bus.subscribe(ctx, topic, key, handler).await {
                    Ok(_) => json!({ "ok": true }),
                    Err(_) => json!({ "ok": false, "error": "subscription_limit" }),
                }
            }
            "unsubscribe" => {
                let subscriber = Name::from(op["subscriber"].as_str().unwrap());
                let topic = topic(&op["topic"]);
                let removed = self.bus.unsubscribe(ctx, &subscriber, topic).await;
                json!({ "removed": removed })
            }
            "count" => json!({ "count": self.bus.subscriber_count(topic(&op["topic"])) }),
            other => panic!("unknown operation {other}"),
        }
    }

    fn handler(&self, op: &Value) -> Handler {
        let (scene, op, filter) = (self.clone(), Rc::new(op.clone()), op["filter"].clone());
        let handler = Handler::waiting(move |ctx, message| {
            let (scene, op) = (scene.clone(), Rc::clone(&op));
            async move { scene.handle(&ctx, &op, &message).await }
        });
        if filter.is_null() {
            handler
        } else {
            handler.only(move |message| wants(&filter, message))
        }
    }

    async fn handle(&self, ctx: &Ctx, op: &Value, message: &Message) -> Result<(), HandlerError> {
        let subscriber = op["subscriber"].as_str().unwrap();
        let number = number_of(message);
        self.calls.borrow_mut().push(json!([subscriber, number]));
        let call = {
            let mut counts = self.counts.borrow_mut();
            let count = counts.entry(subscriber.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        let fails = match &op["fail"] {
            Value::Array(calls) => calls.contains(&json!(call)),
            fail => fail == "always",
        };
        if fails {
            return Err(HandlerError(format!("call {call} fails")));
        }
        let nested = &op["nested"];
        let on = nested["on"].as_array().into_iter().flatten();
        if on.into_iter().any(|on| on.as_i64() == Some(number)) {
            self.nest(ctx, nested, subscriber, number).await;
        }
        Ok(())
    }

    /// What a handler does on the bus that is calling it.
    async fn nest(&self, ctx: &Ctx, nested: &Value, subscriber: &str, number: i64) {
        let at = topic(&nested["topic"]);
        let other = Name::from(nested["subscriber"].as_str().unwrap_or(subscriber));
        match nested["action"].as_str().unwrap() {
            "publish" => {
                let draft = draft(at.unwrap(), subscriber, number + 1_000);
                Box::pin(self.bus.publish(ctx, draft)).await.unwrap();
            }
            "get_latest" => {
                let criteria = Default::default();
                let latest = self.bus.get_latest(ctx, at.unwrap(), &criteria, |_| true);
                let _found = latest.await;
            }
            "subscribe" => {
                let handler = self.handler(&json!({
                    "subscriber": other, "fail": "never", "filter": null, "nested": null,
                }));
                let key = SubscriberKey::new(other);
                let _full = self.bus.subscribe(ctx, at.unwrap(), key, handler).await;
            }
            "unsubscribe" => {
                let _count = self.bus.unsubscribe(ctx, &other, at).await;
            }
            other => panic!("unknown action {other}"),
        }
    }
}

fn wants(filter: &Value, message: &Message) -> Result<bool, HandlerError> {
    match filter["kind"].as_str().unwrap() {
        "payload_mod" => {
            let modulus = filter["mod"].as_i64().unwrap();
            Ok(number_of(message).rem_euclid(modulus) == filter["eq"].as_i64().unwrap())
        }
        "source" => Ok(filter["eq"] == message.source.as_str()),
        "error" => Err(HandlerError("the filter fails".to_owned())),
        other => panic!("unknown filter {other}"),
    }
}

fn draft(topic: Topic, source: &str, number: i64) -> Draft {
    let payload = Payload::from_json(topic, json!({ "n": number }));
    Draft::new(topic, source.into(), payload)
}

fn number_of(message: &Message) -> i64 {
    let number = message.payload.field("n").number();
    number.unwrap_or_default() as i64
}

fn topic(name: &Value) -> Option<Topic> {
    Topic::from_name(name.as_str()?)
}
