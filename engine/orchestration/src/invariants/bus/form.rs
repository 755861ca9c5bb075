//! `message.form`: who says what, on which topic, how urgently, and for how long it holds.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, number as kernel};

use crate::config::{Config, Duty, TaskKind};
use crate::domain_event::{DomainEvent, number};
use crate::invariants::outsiders::Outsiders;
use crate::message::{Message, Name, Payload, Priority, Span, Topic};

const COORDINATOR: &str = "coordinator";
const TRACKER: &str = "position_tracker";
const BUS: &str = "message_bus";

/// How long a message lives if nothing else is said, in seconds.
const USUAL_LIFE: f64 = 300.0;

/// What a message of an agent looks like.
#[derive(Debug)]
struct Form {
    topic: Topic,
    priority: Priority,
    /// In seconds; none if it goes by bars.
    life: Option<f64>,
    /// Whether it is said only if there is something to do.
    rebalances: bool,
}

/// What is published in the name of the coordinator, the tracker, the bus or an agent has the form of its kind.
#[derive(Debug)]
pub(super) struct InForm {
    /// By the names under which agents speak.
    agents: BTreeMap<Name, Form>,
    outsiders: Outsiders,
}

impl InForm {
    pub(super) fn new(config: &Config) -> InForm {
        let tasks = config.schedules.tasks(&config.symbols, &config.agents);
        let form = |duty: Duty| {
            let (topic, priority) = match duty {
                Duty::Role(TaskKind::TechnicalAnalysis) => (Topic::TaSignals, Priority::Normal),
                Duty::Role(TaskKind::RegimeDetection) => (Topic::RegimeUpdates, Priority::Normal),
                Duty::Role(TaskKind::SentimentAnalysis) => {
                    (Topic::SentimentUpdates, Priority::Normal)
                }
                Duty::Role(TaskKind::TradingDecision) => (Topic::TradingSignals, Priority::High),
                Duty::Role(TaskKind::PortfolioRebalance) => {
                    (Topic::PortfolioUpdates, Priority::High)
                }
                Duty::Other(at) => (config.schedules.others[at].topic, Priority::Normal),
            };
            // What somebody may look for as evidence outlives the window of those who look.
            let windows = &config.evidence_windows;
            let (seconds, bars) = match topic {
                Topic::TaSignals => (Some(windows.ta_signals), windows.ta_signals_bars),
                Topic::RegimeUpdates => (Some(windows.regime_updates), windows.regime_updates_bars),
                Topic::SentimentUpdates => (
                    Some(windows.sentiment_updates),
                    windows.sentiment_updates_bars,
                ),
                _ => (None, None),
            };
            let window = seconds.map_or(0.0, Span::as_secs_f64);
            let life = bars.is_none().then_some(USUAL_LIFE.max(window));
            Form {
                topic,
                priority,
                life,
                rebalances: duty == Duty::Role(TaskKind::PortfolioRebalance),
            }
        };
        InForm {
            agents: tasks
                .into_iter()
                .map(|task| (task.agent, form(task.duty)))
                .collect(),
            outsiders: Outsiders::default(),
        }
    }

    fn judge(&self, message: &Message) -> Result<(), String> {
        let (topic, priority, life) = match own(&message.payload) {
            Some((source, ..)) if message.source != *source => {
                let found = &message.source;
                return Err(format!("expected {source} to say it, found {found}"));
            }
            Some((_, topic, priority)) => (topic, priority, Some(USUAL_LIFE)),
            None => match self.agents.get(&message.source) {
                Some(form)
                    if form.rebalances && !message.payload.field("action").is("rebalance") =>
                {
                    return Err(
                        "expected only what is to be done to be said, found a plan for nothing"
                            .into(),
                    );
                }
                Some(form) => (form.topic, form.priority, form.life),
                None => return Ok(()),
            },
        };
        if message.topic != topic {
            let found = message.topic;
            return Err(format!("expected it on `{topic}`, found `{found}`"));
        }
        if message.priority != priority {
            let found = message.priority;
            return Err(format!("expected it to be {priority:?}, found {found:?}"));
        }
        let found = message.ttl.as_secs();
        match life {
            Some(life) if life != found => {
                Err(format!("expected it to live for {life} s, found {found} s"))
            }
            _ => Ok(()),
        }
    }
}

/// In whose name, where and how urgently something that no agent says is said.
fn own(payload: &Payload) -> Option<(&'static str, Topic, Priority)> {
    let (source, topic, priority) = match payload {
        Payload::CoordinatorPaused(_)
        | Payload::CoordinatorResumed(_)
        | Payload::TaskError(_)
        | Payload::LevelChange(_)
        | Payload::InFlightTasksRecovered(_) => (COORDINATOR, Topic::SystemEvents, Priority::High),
        Payload::EmergencyAction(_) => (COORDINATOR, Topic::SystemEvents, Priority::Urgent),
        Payload::HandlerRemoved(_) => (BUS, Topic::SystemEvents, Priority::High),
        Payload::TradeRejected(_) | Payload::CommandRejected(_) => {
            (COORDINATOR, Topic::RiskAlerts, Priority::Normal)
        }
        Payload::EmergencyUnfinished(_) | Payload::StoreUnreadable(_) | Payload::StoreLost(_) => {
            (COORDINATOR, Topic::RiskAlerts, Priority::Urgent)
        }
        Payload::OrderPlaced(_) | Payload::RebalanceTradeExecuted(_) => {
            (COORDINATOR, Topic::ExecutionEvents, Priority::Normal)
        }
        Payload::OrderError(_) => (COORDINATOR, Topic::ExecutionEvents, Priority::High),
        Payload::PositionOpened(_) => (TRACKER, Topic::PortfolioUpdates, Priority::Normal),
        Payload::PositionClosed(_) => (TRACKER, Topic::PortfolioUpdates, Priority::High),
        _ => return None,
    };
    Some((source, topic, priority))
}

impl Invariant<DomainEvent> for InForm {
    fn id(&self) -> &'static str {
        "message.form"
    }

    fn statement(&self) -> &'static str {
        "what the coordinator, the tracker, the bus and agents publish is said by whom, where, as urgently and for \
         as long as its kind asks"
    }

    fn watches(&self) -> &'static [u16] {
        &[kernel::ActorNamed, number::Published]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Published]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.outsiders.observe(event);
        match event.domain() {
            Some(DomainEvent::Published(it)) if !self.outsiders.has(event.actor) => {
                self.judge(&it.message)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use dacapo_kernel::{ActorId, ActorNamed};
    use serde_json::json;

    use super::*;
    use crate::domain_event::Published;
    use crate::invariants::bus::samples::{config, said};
    use crate::invariants::planted::Planted;
    use crate::message::{CoordinatorPaused, Draft, Instant, MessageId, Ttl};

    fn log() -> Planted {
        Planted::of(InForm::new(&config()))
    }

    fn published(draft: Draft) -> Published {
        let message = draft.stamp(MessageId::number(1), Instant::START);
        Published {
            message: Rc::new(message.unwrap()),
            trimmed: 0,
        }
    }

    fn paused(topic: Topic, source: &str) -> Draft {
        Draft::new(topic, source.into(), CoordinatorPaused {})
    }

    #[test]
    fn what_the_coordinator_says_has_its_form() {
        let right = || paused(Topic::SystemEvents, COORDINATOR).priority(Priority::High);
        log().then(published(right())).holds();
        let short = right().ttl(Ttl::from_secs(1.0));
        for wrong in [
            paused(Topic::SystemEvents, COORDINATOR),
            paused(Topic::RiskAlerts, COORDINATOR).priority(Priority::High),
            paused(Topic::SystemEvents, "somebody").priority(Priority::High),
            short,
        ] {
            log().then(published(wrong)).violated();
        }
    }

    #[test]
    fn what_an_agent_says_has_its_form() {
        let payload = || said(1, Topic::TaSignals, 0).message.payload.clone();
        let by = |topic: Topic, source: &str| Draft::new(topic, source.into(), payload());
        let right = || by(Topic::TaSignals, "technical_analysis");
        log().then(published(right())).holds();
        for wrong in [
            right().priority(Priority::High),
            by(Topic::SystemEvents, "technical_analysis"),
            right().ttl(Ttl::from_secs(60.0)),
        ] {
            log().then(published(wrong)).violated();
        }
    }

    #[test]
    fn a_plan_for_nothing_is_not_said() {
        let plan = |action: &str| {
            let payload = json!({ "action": action });
            let payload = Payload::from_json(Topic::PortfolioUpdates, payload);
            let draft = Draft::new(
                Topic::PortfolioUpdates,
                "portfolio_rebalance".into(),
                payload,
            );
            published(draft.priority(Priority::High))
        };
        log().then(plan("rebalance")).holds();
        log().then(plan("no_action")).violated();
    }

    #[test]
    fn what_somebody_outside_says_is_his_affair() {
        let outside = ActorNamed {
            actor: ActorId(1),
            name: "outside".into(),
        };
        let odd = paused(Topic::RiskAlerts, "somebody");
        log().kernel(outside).then(published(odd)).holds();
    }
}
