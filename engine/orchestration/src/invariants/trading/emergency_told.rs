//! `emergency.told`: of a breach it is told what was done about it, and that is what its rule asks for.

use dacapo_kernel::{Event, Invariant, Plan, number as kernel};

use crate::config::{Config, EmergencyConfig};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, number};
use crate::invariants::outsiders::Outsiders;
use crate::message::{EmergencyAction, Payload};

/// What is done where the rule of a limit says nothing.
const SEVERE: [&str; 2] = ["high", "critical"];

/// The rules, and whether the coordinator is halted.
#[derive(Debug)]
pub(super) struct EmergencyTold {
    rules: EmergencyConfig,
    is_halted: bool,
    outsiders: Outsiders,
    met: bool,
}

impl EmergencyTold {
    pub(super) fn new(plan: &Plan<Config>) -> EmergencyTold {
        EmergencyTold {
            rules: plan.system.emergency.clone(),
            is_halted: false,
            outsiders: Outsiders::default(),
            met: false,
        }
    }

    fn judge(&mut self, told: &EmergencyAction) -> Result<(), String> {
        self.met = true;
        let limit = told.breach_type.0.as_ref();
        let rule = limit.and_then(|limit| self.rules.circuit_breaker.get(limit.as_str()));
        if rule.is_some_and(|rule| !rule.notify) {
            return Err("expected a breach to be acted on in silence, found it told".into());
        }
        let by_severity = if SEVERE.contains(&told.severity.as_str()) {
            "halt_all"
        } else {
            "pause_trading"
        };
        let by_rule = rule.and_then(|rule| rule.action.as_ref());
        let expected = by_rule.map_or(by_severity, |action| action.as_str());
        let found = told.action_taken.as_str();
        if found != expected {
            return Err(format!(
                "expected a breach to lead to {expected}, found {found}"
            ));
        }
        if found == "halt_all" && !self.is_halted {
            return Err("expected a halt to be told once it stands, found it told before".into());
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for EmergencyTold {
    fn id(&self) -> &'static str {
        "emergency.told"
    }

    fn statement(&self) -> &'static str {
        "of a breach it is told what its rule asks for, or its severity where there is none, once that is done"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::ActorNamed,
            number::Started,
            number::StateChanged,
            number::Published,
        ]
    }

    fn evaluable(&self) -> bool {
        self.met
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.outsiders.observe(event);
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.is_halted = false,
            Some(DomainEvent::StateChanged(it)) => self.is_halted = it.to == RunState::Halted,
            Some(DomainEvent::Published(it)) if !self.outsiders.has(event.actor) => {
                if let Payload::EmergencyAction(told) = &it.message.payload {
                    return self.judge(told);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{changed, config, plan, published};
    use super::*;
    use crate::domain_event::Published;
    use crate::invariants::planted::Planted;
    use crate::message::Topic;

    fn log() -> Planted {
        let rules = json!({"circuit_breaker": {
            "daily_loss": {"action": "pause_trading"}, "weekly_loss": {"action": "halt_all", "notify": false},
        }});
        let mut config = config();
        config.emergency = serde_json::from_value(rules).unwrap();
        Planted::of(EmergencyTold::new(&plan(config)))
    }

    fn told(limit: &str, severity: &str, action: &str) -> Published {
        let payload = json!({
            "event": "emergency_action", "breach_type": limit, "action_taken": action,
            "alert_message": "a limit was breached", "severity": severity,
        });
        published(1, Topic::SystemEvents, 0, payload)
    }

    #[test]
    fn what_is_told_is_what_the_rule_asks_for() {
        log()
            .then(told("daily_loss", "critical", "pause_trading"))
            .holds();
        log()
            .then(told("daily_loss", "critical", "halt_all"))
            .violated();
        log().then(told("other", "low", "pause_trading")).holds();
        log()
            .then(told("other", "high", "pause_trading"))
            .violated();
        log()
            .then(told("weekly_loss", "low", "halt_all"))
            .violated();
    }

    #[test]
    fn it_is_told_once_it_is_done() {
        let halted = || changed(RunState::Running, RunState::Halted, "circuit_breaker");
        let told = || told("other", "high", "halt_all");
        log().then(halted()).then(told()).holds();
        log().then(told()).violated();
    }
}
