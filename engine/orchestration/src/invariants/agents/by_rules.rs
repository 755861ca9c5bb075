//! `agent.by-rules`: an agent that goes by rules says what the prices make of it, and nothing where they make nothing.

use std::collections::BTreeMap;

use dacapo_kernel::{ActorId, Event, Invariant, Plan, Time, number as kernel};
use serde_json::{Value, json};

use super::market::{Market, Seen};
use super::readings::{self, Reading};
use super::replies::Fields;
use super::said::same;
use crate::agents::{AgentKind, AgentsConfig, AverageCrossConfig};
use crate::config::{Config, Duty, TaskKind};
use crate::domain_event::{DomainEvent, Published, TaskOutcome, TaskRunEnded, number};
use crate::invariants::exact::Exact;
use crate::invariants::outsiders::Outsiders;
use crate::message::Name;

/// How near two averages may be without being equal, as a part of them, until nobody can tell which is above.
const TOO_NEAR: f64 = 1e-12;

/// An agent that goes by rules.
#[derive(Debug)]
struct Agent {
    task: Name,
    kind: TaskKind,
}

/// What the prices make of it.
#[derive(Debug)]
enum Expected {
    Nothing,
    Message(Fields),
    /// It hangs on how a number is rounded.
    Unsure,
}

/// A run that has not ended.
#[derive(Debug)]
struct Running {
    since: Time,
    has_spoken: bool,
}

/// What each agent may know, and which of them are asked.
#[derive(Debug)]
pub(super) struct ByRules {
    config: AgentsConfig,
    /// By the names under which they speak.
    agents: BTreeMap<Name, Agent>,
    market: Market,
    outsiders: Outsiders,
    running: BTreeMap<(Name, Name), Running>,
    judged: bool,
}

impl ByRules {
    pub(super) fn new(plan: &Plan<Config>) -> ByRules {
        let config = &plan.system;
        let (schedules, agents) = (&config.schedules, &config.agents);
        let tasks = schedules.tasks(&config.symbols, agents).into_iter();
        let by_rules = tasks.filter_map(|task| {
            let Duty::Role(kind) = task.duty else {
                return None;
            };
            let goes_by_rules = match agents.of(kind) {
                AgentKind::AverageCross(_) => true,
                AgentKind::Rules => kind != TaskKind::PortfolioRebalance,
                _ => false,
            };
            let task = task.name;
            goes_by_rules.then_some((Name::fixed(kind.agent()), Agent { task, kind }))
        });
        // What runs elsewhere speaks at any time later.
        let agents = by_rules.filter(|_| !agents.remote).collect();
        ByRules {
            config: config.agents.clone(),
            agents,
            market: Market::of(config),
            outsiders: Outsiders::default(),
            running: BTreeMap::new(),
            judged: false,
        }
    }

    /// What an agent of this kind makes of these prices.
    fn expected(&self, kind: TaskKind, symbol: &Name, seen: &[Seen]) -> Expected {
        if self.config.missing_snapshots.contains(symbol) {
            return Expected::Nothing;
        }
        let prices: Vec<f64> = seen.iter().map(Seen::price).collect();
        let rules = &self.config.analysis;
        let fields = match (kind, self.config.average_cross()) {
            (TaskKind::TechnicalAnalysis, _) => {
                readings::trend(&rules.trend, &prices).map(|it| reading("bias", it))
            }
            (TaskKind::RegimeDetection, _) => {
                readings::regime(&rules.regime, &prices).map(|it| reading("regime", it))
            }
            (TaskKind::SentimentAnalysis, _) => {
                let flow: Vec<f64> = seen.iter().filter_map(Seen::bought).collect();
                readings::mood(&rules.flow, &flow).map(|it| reading("bias", it))
            }
            (_, Some(cross)) => match crosses(cross, &prices) {
                Crossed::Not => None,
                Crossed::Unsure => return Expected::Unsure,
                Crossed::Up => self.cross("BUY", cross, &prices),
                Crossed::Down => self.cross("SELL", cross, &prices),
            },
            (_, None) => self.decide(&prices),
        };
        fields.map_or(Expected::Nothing, Expected::Message)
    }

    /// A trade in the direction of a clear trend.
    fn decide(&self, prices: &[f64]) -> Option<Fields> {
        let decision = &self.config.decision;
        let (bias, sure) = readings::trend(&self.config.analysis.trend, prices)?;
        let regime = readings::regime(&self.config.analysis.regime, prices);
        let action = match bias {
            "long" if sure >= decision.min_trend_confidence => "BUY",
            "short" if sure >= decision.min_trend_confidence => "SELL",
            _ => "HOLD",
        };
        let mut fields = self.trade(action, *prices.last()?);
        let base = decision.base_confidence;
        fields.insert("confidence".into(), json!(base + sure - base * sure));
        fields.insert("regime".into(), regime.map_or("unknown", |it| it.0).into());
        fields.insert("size_usd".into(), json!(decision.size_usd));
        Some(fields)
    }

    /// A trade where two averages crossed.
    fn cross(&self, action: &str, cross: &AverageCrossConfig, prices: &[f64]) -> Option<Fields> {
        let price = *prices.last()?;
        let mut fields = self.trade(action, price);
        let sure = self.config.decision.base_confidence;
        fields.insert("confidence".into(), json!(sure));
        let stake = cross.quantity.in_floats() * price;
        fields.insert("size_usd".into(), json!(stake));
        Some(fields)
    }

    /// An action at a price, with stop and target where the settings have them.
    fn trade(&self, action: &str, price: f64) -> Fields {
        let decision = &self.config.decision;
        let (below, above) = (decision.stop_pct, decision.target_pct);
        let percent = |pct: f64| price + price * pct / 100.0;
        let levels = match action {
            "BUY" => Some((percent(-below), percent(above))),
            "SELL" => Some((percent(below), percent(-above))),
            _ => None,
        };
        let mut fields = Fields::new();
        fields.insert("action".into(), action.into());
        fields.insert("leverage".into(), 1.into());
        if let Some((stop, target)) = levels {
            fields.insert("entry_price".into(), json!(price));
            fields.insert("stop_loss".into(), json!(stop));
            fields.insert("take_profit".into(), json!(target));
        }
        fields
    }

    fn publish(&mut self, published: &Published, by: ActorId) -> Result<(), String> {
        let message = &published.message;
        let agent = self.agents.get(&message.source);
        // Somebody outside may use its name.
        let Some(agent) = agent.filter(|_| !self.outsiders.has(by)) else {
            return Ok(());
        };
        let told = message.payload.to_json();
        let symbol = Name::from(told["symbol"].as_str().unwrap_or_default());
        let run = (agent.task.clone(), symbol);
        let Some(running) = self.running.get_mut(&run) else {
            return Ok(());
        };
        running.has_spoken = true;
        self.judged = true;
        let (kind, since, symbol) = (agent.kind, running.since, run.1);
        let Value::Object(told) = told else {
            return Err("expected a message to be an object, found another".into());
        };
        let fits = |seen: &[Seen]| match self.expected(kind, &symbol, seen) {
            Expected::Nothing => false,
            Expected::Message(fields) => same(&fields, &told, &symbol),
            Expected::Unsure => true,
        };
        let mut known = self.market.known_since(&symbol, since);
        if known.any(|known| fits(known.newest)) {
            return Ok(());
        }
        Err("expected what the rules make of the prices to be said, found another message".into())
    }

    /// Who has said nothing had nothing to say.
    fn end(&mut self, ended: &TaskRunEnded) -> Result<(), String> {
        let run = (ended.task.clone(), ended.symbol.clone());
        let Some(running) = self.running.remove(&run) else {
            return Ok(());
        };
        let agent = self.agents.values().find(|it| it.task == ended.task);
        let Some(agent) = agent.filter(|_| !running.has_spoken) else {
            return Ok(());
        };
        if ended.outcome != TaskOutcome::Done {
            return Ok(());
        }
        self.judged = true;
        let has_message = |seen: &[Seen]| {
            let expected = self.expected(agent.kind, &ended.symbol, seen);
            matches!(expected, Expected::Message(_))
        };
        let mut known = self.market.known_since(&ended.symbol, running.since);
        if known.all(|known| has_message(known.newest)) {
            return Err(
                "expected an agent to say what the rules make of it, found it silent".into(),
            );
        }
        Ok(())
    }
}

/// A reading as the fields of a message.
fn reading(word: &str, (said, sure): Reading) -> Fields {
    let mut fields = Fields::new();
    fields.insert(word.to_owned(), said.into());
    fields.insert("confidence".into(), json!(sure));
    fields
}

/// Whether the last price made two averages cross.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Crossed {
    Not,
    Up,
    Down,
    Unsure,
}

/// An average begins at the first price; both count from the one that fills the slow window. Where they are equal,
/// each stays on its side.
fn crosses(config: &AverageCrossConfig, prices: &[f64]) -> Crossed {
    let averages = |window: u32| {
        let part = 2.0 / (f64::from(window) + 1.0);
        let step = move |average: &mut Option<f64>, price: &f64| {
            let next = average.map_or(*price, |it| (1.0 - part) * it + part * price);
            Some(*average.insert(next))
        };
        prices.iter().scan(None, step)
    };
    let (mut side, mut crossed) = (None, Crossed::Not);
    let both = averages(config.fast).zip(averages(config.slow));
    for (fast, slow) in both.skip(config.slow as usize - 1) {
        let apart = fast - slow;
        crossed = Crossed::Not;
        if apart == 0.0 {
            continue;
        }
        if apart.abs() < TOO_NEAR * slow {
            return Crossed::Unsure;
        }
        let before = side.replace(apart > 0.0);
        crossed = match (before, apart > 0.0) {
            (Some(false), true) => Crossed::Up,
            (Some(true), false) => Crossed::Down,
            _ => Crossed::Not,
        };
    }
    crossed
}

impl Invariant<DomainEvent> for ByRules {
    fn id(&self) -> &'static str {
        "agent.by-rules"
    }

    fn statement(&self) -> &'static str {
        "an agent that goes by rules says what they make of the prices, and nothing where they make nothing of them"
    }

    fn watches(&self) -> &'static [u16] {
        if self.agents.is_empty() {
            return &[number::TaskRunStarted];
        }
        &[
            kernel::ActorNamed,
            number::Started,
            number::MarketTrade,
            number::MarketBar,
            number::TaskRunStarted,
            number::Published,
            number::TaskRunEnded,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::TaskRunStarted]]
    }

    fn evaluable(&self) -> bool {
        self.judged
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.outsiders.observe(event);
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.running.clear(),
            Some(DomainEvent::TaskRunStarted(it)) => {
                if self.agents.values().any(|agent| agent.task == it.task) {
                    let running = Running {
                        since: event.time,
                        has_spoken: false,
                    };
                    let run = (it.task.clone(), it.symbol.clone());
                    self.running.entry(run).or_insert(running);
                }
            }
            Some(DomainEvent::Published(it)) => return self.publish(it, event.actor),
            Some(DomainEvent::TaskRunEnded(it)) => return self.end(it),
            Some(other) => self.market.see(other, event.time),
            None => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
