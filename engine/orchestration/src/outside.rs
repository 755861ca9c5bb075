//! What somebody outside does to the orchestration: publishes, subscribes, sets prices, asks for things.
//!
//! Each thing is done by a task of its own, so that one that takes its time does not hold up the
//! next. It all happens on the coordinator's host and ends with it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::Inbox;

use crate::bus::subscriptions::SubscriberKey;
use crate::bus::{Bus, Handler, HandlerError};
use crate::config::{Config, OutsideEvent, Reply, ScriptedSubscriber};
use crate::coordinator::Coordinator;
use crate::domain_event::{DomainEvent, OutsideAction, OutsideMessage, OutsideRefused};
use crate::exchange::Exchange;
use crate::feeds::{Item, item};
use crate::message::{Draft, Message, Name, Payload};
use crate::{Ctx, Orchestration};

/// Why something was not done: what became of it, and why.
type Refusal = (&'static str, String);

/// Whoever acts from outside. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outside {
    ctx: Ctx,
    bus: Bus,
    exchange: Exchange,
    coordinator: Rc<Coordinator>,
    /// What is not done yet.
    under_way: Rc<Cell<u64>>,
    /// How often each scripted subscriber was called and has answered.
    calls: Rc<RefCell<BTreeMap<Name, Calls>>>,
}

/// What a scripted subscriber has done so far.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    made: u64,
    answered: u64,
}

impl Outside {
    pub(crate) fn new(
        ctx: &Ctx,
        bus: Bus,
        exchange: Exchange,
        coordinator: Rc<Coordinator>,
    ) -> Outside {
        Outside {
            ctx: ctx.actor("outside"),
            bus,
            exchange,
            coordinator,
            under_way: Rc::default(),
            calls: Rc::default(),
        }
    }

    /// Does what the scenario says happens before the coordinator starts, one thing after another.
    pub(crate) async fn before_start(&self, config: &Config) {
        let before = |event: &&OutsideEvent| event.at_seconds < 0.0;
        for event in config.events.iter().filter(before) {
            self.under_way.set(self.under_way.get() + 1);
            match item(event) {
                Some(Item::Message(message)) => self.publish(message).await,
                Some(Item::Action(action)) => self.act(action).await,
                None => {}
            }
            self.under_way.set(self.under_way.get() - 1);
        }
    }

    /// Does what arrives, for as long as the run goes on.
    pub(crate) async fn follow(self, inbox: Inbox<Orchestration>) {
        loop {
            let (_, arrived) = inbox.recv(&self.ctx).await;
            let me = self.clone();
            let done = async move {
                match arrived {
                    DomainEvent::OutsideMessage(message) => me.publish(*message).await,
                    DomainEvent::OutsideActed(acted) => me.act(acted.action).await,
                    _ => {}
                }
                me.under_way.set(me.under_way.get() - 1);
            };
            self.under_way.set(self.under_way.get() + 1);
            drop(self.ctx.spawn_daemon("outside", done));
        }
    }

    async fn publish(&self, message: OutsideMessage) {
        let OutsideMessage {
            topic,
            source,
            priority,
            payload,
            ttl,
        } = message;
        let draft = Draft::new(topic, source, payload)
            .priority(priority)
            .ttl(ttl);
        if let Err(error) = self.bus.publish(&self.ctx, draft).await {
            self.refuse(("publish_rejected", error.to_string()));
        }
    }

    async fn act(&self, action: OutsideAction) {
        let done = match action {
            OutsideAction::Subscribe(script) => self.subscribe(script).await,
            OutsideAction::Unsubscribe(it) => {
                let ended = self.bus.unsubscribe(&self.ctx, &it.subscriber, it.topic);
                let _count = ended.await;
                Ok(())
            }
            OutsideAction::SetPrice(it) => {
                self.exchange.set_price(&self.ctx, &it.symbol, it.price);
                Ok(())
            }
            OutsideAction::TellRisk(figures) => {
                self.coordinator.tell_risk(&figures);
                Ok(())
            }
            OutsideAction::TradeResult(it) => {
                self.coordinator.tell_result(it.win);
                Ok(())
            }
            OutsideAction::ResetRisk(it) => {
                let reset = self.coordinator.reset_risk(it.administrator);
                reset.map_err(|what| ("reset_refused", what.to_owned()))
            }
            OutsideAction::ForceRun(it) => {
                let ran = self.coordinator.force_task(&it.task, it.symbol).await;
                ran.map_err(|raised| ("op_raised", raised))
            }
            OutsideAction::Status => {
                // The question itself is under way, too.
                self.coordinator.report_status(self.under_way.get() - 1);
                Ok(())
            }
            OutsideAction::Stop => {
                self.coordinator.stop().await;
                Ok(())
            }
        };
        if let Err(refusal) = done {
            self.refuse(refusal);
        }
    }

    fn refuse(&self, (outcome, reason): Refusal) {
        self.ctx.emit(OutsideRefused {
            outcome: Name::fixed(outcome),
            reason,
        });
    }

    async fn subscribe(&self, script: ScriptedSubscriber) -> Result<(), Refusal> {
        let key = SubscriberKey {
            subscriber: script.subscriber.clone(),
            label: script.label.clone(),
        };
        let (topic, script, me) = (script.topic, Rc::new(script), self.clone());
        let handler = Handler::waiting(move |_, _: Rc<Message>| {
            let (me, script) = (me.clone(), Rc::clone(&script));
            async move { me.handle(&script).await }
        });
        let subscribed = self.bus.subscribe(&self.ctx, topic, key, handler).await;
        match subscribed {
            Ok(_) => Ok(()),
            Err(error) => Err(("subscription_rejected", error.to_string())),
        }
    }

    /// What a scripted handler does with a message: takes its time, fails or answers.
    async fn handle(&self, script: &ScriptedSubscriber) -> Result<(), HandlerError> {
        let call = self.count(&script.subscriber, |calls| &mut calls.made);
        if script.delay_seconds > 0.0 {
            let delay = Duration::from_secs_f64(script.delay_seconds);
            self.ctx.sleep(delay).await;
        }
        if script.always_fails || script.fails.contains(&call) {
            return Err(HandlerError(format!(
                "call {call} fails as the script says"
            )));
        }
        if let Some(reply) = &script.reply {
            let answered = self.count(&script.subscriber, |calls| &mut calls.answered);
            if reply.max.is_none_or(|max| answered < max) {
                self.answer(&script.subscriber, reply).await;
            }
        }
        Ok(())
    }

    async fn answer(&self, subscriber: &Name, reply: &Reply) {
        let payload = Payload::from_json(reply.topic, reply.payload.0.clone());
        let draft = Draft::new(reply.topic, subscriber.clone(), payload).priority(reply.priority);
        if let Err(error) = self.bus.publish(&self.ctx, draft).await {
            self.refuse(("publish_rejected", error.to_string()));
        }
    }

    /// Counts one thing that a subscriber does; how many there were before it.
    fn count(&self, subscriber: &Name, which: impl Fn(&mut Calls) -> &mut u64) -> u64 {
        let mut all = self.calls.borrow_mut();
        let count = which(all.entry(subscriber.clone()).or_default());
        *count += 1;
        *count - 1
    }
}
