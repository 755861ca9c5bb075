//! The agents that speak from a table, and those that are programs, wherever a scenario names one.

use super::{Config, TaskKind};
use crate::agents::{AgentKind, ProcessConfig, TableConfig};
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

impl Config {
    /// Every agent: where a scenario says what it is, its name, its topic, and what it is.
    fn speakers(&self) -> impl Iterator<Item = (String, Name, Topic, &AgentKind)> {
        let five = TaskKind::ALL.into_iter().map(|kind| {
            let at = format!("agents.{}", kind.agent());
            (
                at,
                Name::fixed(kind.agent()),
                kind.topic(),
                self.agents.of(kind),
            )
        });
        let others = self.schedules.others.iter().enumerate().map(|(i, other)| {
            let at = format!("schedules.others.{i}.agent");
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
}
