//! `agent.as-configured`: an agent that goes by rules, by chance, by a script or by a table says what it can, and nothing
//! where that is nothing.

mod chance;
mod rules;
mod script;
mod table;

use std::collections::BTreeMap;

use dacapo_kernel::{ActorId, Event, Invariant, Plan, Time, number as kernel};

use super::market::{Market, Seen};
use super::said::{completed, same};
use crate::agents::{AgentKind, AgentsConfig, TimelineEntry};
use crate::config::{Config, Duty, TaskKind};
use crate::domain_event::{DomainEvent, Published, TaskOutcome, TaskRunEnded, number};
use crate::invariants::outsiders::Outsiders;
use crate::message::{Name, Payload, Span, Topic};

use rules::Expected;
use table::{Row, Rows};

/// What an agent goes by.
#[derive(Debug)]
enum Way {
    Rules(TaskKind),
    Chance(TaskKind),
    Script(Vec<TimelineEntry>),
    /// How old a row may be when it is said.
    Table(Span),
}

/// An agent of whom it is known what it can say.
#[derive(Debug)]
struct Agent {
    name: Name,
    task: Name,
    topic: Topic,
    /// Whether it needs a snapshot of the market.
    looks: bool,
    way: Way,
}

/// A run that has not ended.
#[derive(Debug)]
struct Running {
    since: Time,
    has_spoken: bool,
}

/// What each agent may know, and which of them are asked.
#[derive(Debug)]
pub(super) struct AsConfigured {
    config: AgentsConfig,
    /// By the names under which they speak.
    agents: BTreeMap<Name, Agent>,
    market: Market,
    rows: Rows,
    outsiders: Outsiders,
    /// By task and symbol.
    running: BTreeMap<(Name, Name), Running>,
    judged: bool,
}

impl AsConfigured {
    pub(super) fn new(plan: &Plan<Config>) -> AsConfigured {
        let config = &plan.system;
        let (schedules, agents) = (&config.schedules, &config.agents);
        let tasks = schedules.tasks(&config.symbols, agents).into_iter();
        let known = tasks.filter_map(|task| {
            let way = match (task.duty, schedules.agent_of(task.duty, agents)) {
                (_, AgentKind::Scripted(script)) => Way::Script(script.clone()),
                (_, AgentKind::Table(table)) => {
                    Way::Table(Span::from_secs_f64(table.max_age_seconds))
                }
                (Duty::Role(TaskKind::PortfolioRebalance) | Duty::Other(_), _) => return None,
                (Duty::Role(kind), AgentKind::Rules | AgentKind::AverageCross(_)) => {
                    Way::Rules(kind)
                }
                (Duty::Role(kind), AgentKind::Random) => Way::Chance(kind),
                _ => return None,
            };
            let topic = match task.duty {
                Duty::Role(kind) => kind.topic(),
                Duty::Other(at) => schedules.others[at].topic,
            };
            let agent = Agent {
                name: task.agent.clone(),
                task: task.name,
                topic,
                looks: matches!(task.duty, Duty::Role(kind) if kind != TaskKind::SentimentAnalysis),
                way,
            };
            Some((task.agent, agent))
        });
        // What runs elsewhere speaks at any time later.
        let known = known.filter(|_| !agents.remote).collect();
        AsConfigured {
            config: config.agents.clone(),
            agents: known,
            market: Market::of(config),
            rows: Rows::default(),
            outsiders: Outsiders::default(),
            running: BTreeMap::new(),
            judged: false,
        }
    }

    /// Whether nobody can show an agent the market of a symbol.
    fn lacks_snapshot(&self, agent: &Agent, symbol: &Name) -> bool {
        agent.looks && self.config.missing_snapshots.contains(symbol)
    }

    /// Whether an agent that was asked about a symbol at that time may say this now.
    fn may_say(&self, agent: &Agent, symbol: &Name, span: (Time, Time), said: &Payload) -> bool {
        if self.lacks_snapshot(agent, symbol) {
            return false;
        }
        let is_about = || said.field("symbol").text() == Some(symbol.as_str());
        let mut known = self.market.known(symbol, span.0);
        match &agent.way {
            Way::Script(script) => {
                let told = said.to_json();
                let mut entries = script::entries(script, symbol, span);
                entries.any(|entry| script::fits(entry, symbol, span, &told))
            }
            Way::Table(max_age) if is_about() => {
                let told = said.to_json();
                let mut prices = known.map(|known| known.newest.last().map(Seen::price));
                let says = |row: &Row, price| {
                    let all = completed(&row.fields, agent.topic, price, &self.config.decision);
                    let told = all.zip(told.as_object());
                    told.is_some_and(|(all, told)| same(&all, told, symbol))
                };
                let rows = self.rows.known(&agent.name, symbol, span.0).flatten();
                let young: Vec<&Row> = rows.filter(|row| row.is_young(*max_age, span)).collect();
                prices.any(|price| young.iter().any(|row| says(row, price)))
            }
            Way::Rules(kind) if is_about() => {
                let told = said.to_json();
                let says = |fields: &_| {
                    told.as_object()
                        .is_some_and(|told| same(fields, told, symbol))
                };
                known.any(
                    |known| match rules::expected(&self.config, *kind, known.newest) {
                        Expected::Nothing => false,
                        Expected::Message(fields) => says(&fields),
                        Expected::Unsure => true,
                    },
                )
            }
            Way::Chance(kind) if is_about() => known.any(|known| {
                let price = known.newest.last().map(Seen::price);
                chance::fits(&self.config, *kind, price, said)
            }),
            Way::Rules(_) | Way::Chance(_) | Way::Table(_) => false,
        }
    }

    /// Whether an agent that was asked about a symbol at that time may have had nothing to say by now.
    fn may_be_silent(&self, agent: &Agent, symbol: &Name, span: (Time, Time)) -> bool {
        if self.lacks_snapshot(agent, symbol) {
            return true;
        }
        let mut known = self.market.known(symbol, span.0);
        match &agent.way {
            Way::Script(script) => {
                let mut entries = script::entries(script, symbol, span).peekable();
                entries.peek().is_none() || entries.any(script::is_silent)
            }
            Way::Table(max_age) => {
                let mut rows = self.rows.known(&agent.name, symbol, span.0);
                let lacks_price = known.any(|known| known.newest.is_empty());
                let trades = agent.topic == Topic::TradingSignals;
                trades && lacks_price
                    || rows.any(|row| row.is_none_or(|row| row.is_old(*max_age, span)))
            }
            Way::Rules(kind) => known.any(|known| {
                let expected = rules::expected(&self.config, *kind, known.newest);
                !matches!(expected, Expected::Message(_))
            }),
            Way::Chance(TaskKind::TradingDecision) => known.any(|known| known.newest.is_empty()),
            Way::Chance(_) => false,
        }
    }

    fn publish(&mut self, published: &Published, by: ActorId, now: Time) -> Result<(), String> {
        let message = &published.message;
        let agent = self.agents.get(&message.source);
        // Somebody outside may use its name.
        let Some(agent) = agent.filter(|_| !self.outsiders.has(by)) else {
            return Ok(());
        };
        if message.topic != agent.topic {
            return Err("expected an agent to speak on its topic, found another".into());
        }
        let runs = || {
            self.running
                .iter()
                .filter(|((task, _), _)| *task == agent.task)
        };
        if runs().next().is_none() {
            return Ok(());
        }
        let said = runs().find(|((_, symbol), run)| {
            self.may_say(agent, symbol, (run.since, now), &message.payload)
        });
        let Some((run, _)) = said else {
            return Err("expected an agent to say what it can, found another message".into());
        };
        let run = run.clone();
        self.judged = true;
        if let Some(running) = self.running.get_mut(&run) {
            running.has_spoken = true;
        }
        Ok(())
    }

    /// Who has said nothing had nothing to say.
    fn end(&mut self, ended: &TaskRunEnded, now: Time) -> Result<(), String> {
        let run = (ended.task.clone(), ended.symbol.clone());
        let Some(running) = self.running.remove(&run) else {
            return Ok(());
        };
        let agent = self.agents.values().find(|it| it.task == ended.task);
        let lacks = |agent: &&Agent| self.lacks_snapshot(agent, &ended.symbol);
        if let (Some(_), TaskOutcome::Failed(_)) = (agent.filter(lacks), &ended.outcome) {
            return Err("expected nothing of a market that nobody sees, found a failure".into());
        }
        let is_open = !running.has_spoken && ended.outcome == TaskOutcome::Done;
        let Some(agent) = agent.filter(|_| is_open) else {
            return Ok(());
        };
        self.judged = true;
        if self.may_be_silent(agent, &ended.symbol, (running.since, now)) {
            return Ok(());
        }
        Err("expected an agent to say what it can, found it silent".into())
    }
}

impl Invariant<DomainEvent> for AsConfigured {
    fn id(&self) -> &'static str {
        "agent.as-configured"
    }

    fn statement(&self) -> &'static str {
        "an agent that goes by rules, by chance, by a script or by a table says what it can, and nothing where that is \
         nothing"
    }

    fn applies(&self) -> bool {
        !self.agents.is_empty()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::ActorNamed,
            number::Started,
            number::MarketTrade,
            number::MarketBar,
            number::TableRow,
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
            Some(DomainEvent::TaskRunStarted(it))
                if self.agents.values().any(|agent| agent.task == it.task) =>
            {
                let running = Running {
                    since: event.time,
                    has_spoken: false,
                };
                let run = (it.task.clone(), it.symbol.clone());
                self.running.entry(run).or_insert(running);
            }
            Some(DomainEvent::TableRow(it)) => self.rows.see(it, event.time),
            Some(DomainEvent::Published(it)) => return self.publish(it, event.actor, event.time),
            Some(DomainEvent::TaskRunEnded(it)) => return self.end(it, event.time),
            Some(other) => self.market.see(other, event.time),
            None => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
