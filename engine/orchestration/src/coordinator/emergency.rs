//! What a breached limit of the risk engine leads to.
//!
//! Closing and reducing reach the executor in use; what could not be closed for want of a price is
//! tried again every five seconds, ten times, and then an alert asks for a person. While a halt that
//! closes everything stands, orders that rest are taken back, and what an order opens all the same
//! is closed as well, also after a crash.

use std::rc::Rc;
use std::time::Duration;

use super::Coordinator;
use super::state::RunState;
use crate::amount::Amount;
use crate::bus::HandlerError;
use crate::config::{BreachAction, BreachRule};
use crate::defect::Defect;
use crate::domain_event::{EmergencyOrder, EmergencyOrdered};
use crate::execution::PositionId;
use crate::message::{
    EmergencyAction, EmergencyUnfinished, Field, Message, Name, OrNull, Payload, Priority, Topic,
};

/// How long to wait before what could not be closed is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// How often it is tried again.
const RETRIES: u32 = 10;

impl Coordinator {
    /// Acts on an alert. Only a circuit breaker asks for anything: what the configuration says of
    /// its limit; where it says nothing, a severe one halts and any other pauses.
    pub(super) async fn on_alert(self: Rc<Self>, message: Rc<Message>) -> Result<(), HandlerError> {
        let payload = &message.payload;
        if !payload.field("alert_type").is("circuit_breaker") {
            return Ok(());
        }
        let rule = self.rule_for(payload.field("breach_type"));
        let action = rule.action.clone().unwrap_or_else(|| by_severity(payload));
        match BreachAction::from_name(&action) {
            Some(BreachAction::HaltAll) => {
                self.enter(RunState::Halted, "circuit_breaker");
                if rule.close_positions {
                    self.order_emergency(EmergencyOrder::CloseAll);
                }
            }
            Some(BreachAction::PauseTrading) => self.pause("circuit_breaker").await,
            Some(BreachAction::ReducePositions) => {
                self.order_emergency(EmergencyOrder::Reduce(rule.reduction_pct));
            }
            None => {}
        }
        if rule.notify {
            self.announce_action(payload, action).await;
        }
        Ok(())
    }

    fn rule_for(&self, limit: Field<'_>) -> BreachRule {
        let rules = &self.config.emergency.circuit_breaker;
        let rule = limit.text().and_then(|limit| rules.get(limit));
        rule.cloned().unwrap_or_default()
    }

    async fn announce_action(&self, alert: &Payload, action: Name) {
        // What is missing is told as empty, and null as null.
        let text = |name: &str| {
            let field = alert.field(name).or(Field::Text(""));
            OrNull(field.text().map(Name::from))
        };
        let severity = alert.field("severity").text();
        let taken = EmergencyAction {
            breach_type: text("breach_type"),
            action_taken: action,
            alert_message: text("message"),
            severity: severity.map_or(Name::fixed("unknown"), Name::from),
        };
        self.publish(Topic::SystemEvents, taken, Priority::Urgent)
            .await;
    }

    /// Has positions closed or reduced. With `emergency-reaches-nobody` the paper exchange, which
    /// lacks the methods, is not reached.
    fn order_emergency(self: &Rc<Self>, order: EmergencyOrder) {
        let lacks_methods = self.exchange.keeps_account();
        if !self.exchange.is_there()
            || lacks_methods && self.defects.has(Defect::EmergencyReachesNobody)
        {
            return;
        }
        if !self.exchange.keeps_account() {
            self.ctx.emit(EmergencyOrdered { order, left: None });
        } else if order == EmergencyOrder::CloseAll {
            self.remember_closing();
            self.close_everything();
        } else {
            let me = Rc::clone(self);
            let carried_out = async move { me.carry_out_emergency(order).await };
            drop(self.ctx.spawn_daemon("emergency", carried_out));
        }
    }

    /// Closes every position, unless that is under way.
    pub(super) fn close_everything(self: &Rc<Self>) {
        if self.closes.replace(true) {
            return;
        }
        let me = Rc::clone(self);
        let carried_out = async move {
            Rc::clone(&me)
                .carry_out_emergency(EmergencyOrder::CloseAll)
                .await;
            me.closes.set(false);
        };
        drop(self.ctx.spawn_daemon("emergency", carried_out));
    }

    async fn carry_out_emergency(self: Rc<Self>, order: EmergencyOrder) {
        let pct = match order {
            EmergencyOrder::CloseAll => Amount::HUNDRED,
            EmergencyOrder::Reduce(pct) => Amount::from_f64(pct).unwrap_or(Amount::HUNDRED),
        };
        let mut left: Option<Vec<PositionId>> = None;
        for attempt in 0..=RETRIES {
            if attempt > 0 {
                self.ctx.sleep(RETRY).await;
            }
            if self.is_closing() {
                // Whatever is open by now.
                self.exchange.cancel_resting(&self.ctx);
                left = None;
            }
            let (closed, failed) = self.exchange.reduce(&self.ctx, pct, left.as_deref());
            let unfinished = failed.len() as u64;
            self.ctx.emit(EmergencyOrdered {
                order,
                left: Some(unfinished),
            });
            for closed in closed {
                self.announce_closing(&closed).await;
            }
            if failed.is_empty() {
                return;
            }
            left = Some(failed);
        }
        let positions = left.map_or(0, |left| left.len() as i64);
        let unfinished = EmergencyUnfinished { positions };
        self.publish(Topic::RiskAlerts, unfinished, Priority::Urgent)
            .await;
    }
}

fn by_severity(alert: &Payload) -> Name {
    let severity = alert.field("severity");
    let severe = severity.is("high") || severity.is("critical");
    let action = if severe {
        BreachAction::HaltAll
    } else {
        BreachAction::PauseTrading
    };
    Name::fixed(action.name())
}
