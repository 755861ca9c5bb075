//! The agents that speak from a table, wherever a scenario names one.

use super::{Config, TaskKind};
use crate::agents::{AgentKind, TableConfig};
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

impl Config {
    /// Every agent that speaks from a table.
    pub fn tables(&self) -> impl Iterator<Item = TableSource<'_>> {
        let five = TaskKind::ALL.into_iter().map(|kind| {
            let at = format!("agents.{}.table", kind.agent());
            (
                at,
                Name::fixed(kind.agent()),
                kind.topic(),
                self.agents.of(kind),
            )
        });
        let others = self.schedules.others.iter().enumerate().map(|(i, other)| {
            let at = format!("schedules.others.{i}.agent.table");
            (at, other.name.clone(), other.topic, &other.agent)
        });
        five.chain(others)
            .filter_map(|(at, agent, topic, kind)| match kind {
                AgentKind::Table(table) => Some(TableSource {
                    at,
                    agent,
                    topic,
                    table,
                }),
                _ => None,
            })
    }
}
