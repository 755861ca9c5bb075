//! The agents that speak from a table, are programs, or ask a language model, wherever a scenario names one.

use std::fmt;

use super::{Config, TaskKind};
use crate::agents::{AgentKind, LlmAgentConfig, ProcessConfig, TableConfig};
use crate::message::{Name, Topic};

/// A table of outputs, and whose outputs they are.
#[derive(Clone, Debug)]
pub struct TableSource<'a> {
    /// Where a scenario says so.
    pub at: String,
    /// The agent.
    pub agent: Name,
    /// The topic that it publishes on.
    pub topic: Topic,
    /// The table.
    pub table: &'a TableConfig,
}

/// A program, and whose program it is.
#[derive(Clone, Debug)]
pub struct ProcessSource<'a> {
    /// Where a scenario says so.
    pub at: String,
    /// The agent.
    pub agent: Name,
    /// The topic that it publishes on.
    pub topic: Topic,
    /// The program.
    pub process: &'a ProcessConfig,
}

/// A language model, and whose model it is.
#[derive(Clone, Debug)]
pub struct LlmSource<'a> {
    /// Where a scenario says so.
    pub at: String,
    /// The agent.
    pub agent: Name,
    /// The topic that it publishes on.
    pub topic: Topic,
    /// The model.
    pub llm: &'a LlmAgentConfig,
}

/// An agent that is told what becomes visible.
#[derive(Clone, Debug)]
pub(crate) struct Listener<'a> {
    /// The agent.
    pub(crate) agent: Name,
    /// Topics whose messages it is told.
    pub(crate) subscribe: &'a [Topic],
    /// The most bars and trades, and the most messages, that are kept for it.
    pub(crate) history: usize,
}

impl LlmSource<'_> {
    /// Whether it advises on plans, and says no messages.
    pub fn advises(&self) -> bool {
        self.topic == TaskKind::PortfolioRebalance.topic()
    }
}

/// Where a scenario says what an agent is.
enum Place {
    Five(TaskKind),
    Other(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Five(kind) => write!(f, "agents.{}", kind.agent()),
            Place::Other(number) => write!(f, "schedules.others.{number}.agent"),
        }
    }
}

impl Config {
    /// Every agent: where a scenario says what it is, its name, its topic, and what it is.
    fn speakers(&self) -> impl Iterator<Item = (Place, Name, Topic, &AgentKind)> {
        let five = TaskKind::ALL.into_iter().map(|kind| {
            (
                Place::Five(kind),
                Name::fixed(kind.agent()),
                kind.topic(),
                self.agents.of(kind),
            )
        });
        let others = self.schedules.others.iter().enumerate().map(|(i, other)| {
            let at = Place::Other(i);
            (at, other.name.clone(), other.topic, &other.agent)
        });
        five.chain(others)
    }

    /// Every agent that speaks from a table.
    pub fn tables(&self) -> impl Iterator<Item = TableSource<'_>> {
        self.speakers()
            .filter_map(|(at, agent, topic, kind)| match kind {
                AgentKind::Table(table) => Some(TableSource {
                    at: format!("{at}.table"),
                    agent,
                    topic,
                    table,
                }),
                _ => None,
            })
    }

    /// Every agent that is a program.
    pub fn processes(&self) -> impl Iterator<Item = ProcessSource<'_>> {
        self.speakers()
            .filter_map(|(at, agent, topic, kind)| match kind {
                AgentKind::Process(process) => Some(ProcessSource {
                    at: format!("{at}.process"),
                    agent,
                    topic,
                    process,
                }),
                _ => None,
            })
    }

    /// The place of an agent among those that are programs.
    pub(crate) fn place_of_process(&self, agent: &Name, topic: Topic) -> Option<usize> {
        self.processes()
            .position(|source| source.agent == *agent && source.topic == topic)
    }

    /// Every agent that asks a language model.
    pub fn llms(&self) -> impl Iterator<Item = LlmSource<'_>> {
        self.speakers()
            .filter_map(|(at, agent, topic, kind)| match kind {
                AgentKind::Llm(llm) => Some(LlmSource {
                    at: format!("{at}.llm"),
                    agent,
                    topic,
                    llm,
                }),
                _ => None,
            })
    }

    /// The place of an agent among those that ask a language model.
    pub(crate) fn place_of_llm(&self, agent: &Name, topic: Topic) -> Option<usize> {
        self.llms()
            .position(|source| source.agent == *agent && source.topic == topic)
    }

    /// The language models of all agents, each with where a scenario says so and what its agent speaks on.
    pub(crate) fn llms_mut(&mut self) -> Vec<((String, Topic), &mut LlmAgentConfig)> {
        let places: Vec<(String, Topic)> = self.llms().map(|it| (it.at, it.topic)).collect();
        let agents = &mut self.agents;
        let five = [
            &mut agents.technical_analysis,
            &mut agents.regime_detection,
            &mut agents.sentiment_analysis,
            &mut agents.trading_decision,
            &mut agents.portfolio_rebalance,
        ];
        let others = self.schedules.others.iter_mut();
        let kinds = five.into_iter().chain(others.map(|other| &mut other.agent));
        let llms = kinds.filter_map(|kind| match kind {
            AgentKind::Llm(llm) => Some(&mut **llm),
            _ => None,
        });
        places.into_iter().zip(llms).collect()
    }

    /// Every agent that is told what becomes visible.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = Listener<'_>> {
        self.speakers().filter_map(|(_, agent, _, kind)| {
            let (subscribe, history) = match kind {
                AgentKind::Process(process) => (&process.subscribe, process.history),
                AgentKind::Llm(llm) => (&llm.subscribe, llm.history),
                _ => return None,
            };
            Some(Listener {
                agent,
                subscribe,
                history,
            })
        })
    }
}
