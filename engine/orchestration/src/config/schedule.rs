//! When each task runs: the five tasks in the order of the table, and their defaults.

use serde::{Deserialize, Serialize};

use crate::agents::{AgentKind, AgentsConfig};
use crate::message::{Name, Priority, Topic};

/// One of the five scheduled tasks, in the order in which they are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Technical analysis of each symbol.
    TechnicalAnalysis,
    /// What kind of market each symbol is in.
    RegimeDetection,
    /// What sentiment says of each symbol.
    SentimentAnalysis,
    /// Whether to trade each symbol.
    TradingDecision,
    /// Whether the portfolio is in balance.
    PortfolioRebalance,
}

impl TaskKind {
    /// Every task in the order of the table.
    pub const ALL: [TaskKind; 5] = [
        TaskKind::TechnicalAnalysis,
        TaskKind::RegimeDetection,
        TaskKind::SentimentAnalysis,
        TaskKind::TradingDecision,
        TaskKind::PortfolioRebalance,
    ];

    /// The name of the task.
    pub const fn task(self) -> &'static str {
        match self {
            TaskKind::TechnicalAnalysis => "ta_analysis",
            TaskKind::RegimeDetection => "regime_detection",
            TaskKind::SentimentAnalysis => "sentiment_analysis",
            TaskKind::TradingDecision => "trading_decision",
            TaskKind::PortfolioRebalance => "portfolio_check",
        }
    }

    /// The topic that its agent publishes on.
    pub const fn topic(self) -> Topic {
        match self {
            TaskKind::TechnicalAnalysis => Topic::TaSignals,
            TaskKind::RegimeDetection => Topic::RegimeUpdates,
            TaskKind::SentimentAnalysis => Topic::SentimentUpdates,
            TaskKind::TradingDecision => Topic::TradingSignals,
            TaskKind::PortfolioRebalance => Topic::PortfolioUpdates,
        }
    }

    /// How urgent what its agent publishes is.
    pub const fn priority(self) -> Priority {
        match self {
            TaskKind::TradingDecision | TaskKind::PortfolioRebalance => Priority::High,
            TaskKind::TechnicalAnalysis
            | TaskKind::RegimeDetection
            | TaskKind::SentimentAnalysis => Priority::Normal,
        }
    }

    /// The name of its agent, which is the source of what it publishes.
    pub const fn agent(self) -> &'static str {
        match self {
            TaskKind::TechnicalAnalysis => "technical_analysis",
            TaskKind::RegimeDetection => "regime_detection",
            TaskKind::SentimentAnalysis => "sentiment_analysis",
            TaskKind::TradingDecision => "trading_decision",
            TaskKind::PortfolioRebalance => "portfolio_rebalance",
        }
    }
}

/// When one task runs. What is left out takes the default of its task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Whether the task runs at all.
    pub enabled: Option<bool>,
    /// The pause between two runs, in seconds.
    pub interval_seconds: Option<u64>,
    /// Instead of seconds: after so many bars, each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_bars: Option<u32>,
    /// The symbols it runs for; all of the scenario if left out.
    pub symbols: Option<Vec<Name>>,
    /// How long it may take for one symbol, in seconds.
    pub timeout_seconds: Option<f64>,
    /// Whether it runs at the start.
    pub run_on_start: Option<bool>,
    /// For how many symbols it runs at once.
    pub max_concurrent_symbols: Option<u32>,
    /// The tasks that must have run before it, each time.
    pub depends_on: Option<Vec<Name>>,
}

/// When each task runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedules {
    /// `ta_analysis`: every 60 s, from the start.
    pub technical_analysis: ScheduleConfig,
    /// `regime_detection`: every 300 s, after `ta_analysis`.
    pub regime_detection: ScheduleConfig,
    /// `sentiment_analysis`: every 1800 s.
    pub sentiment_analysis: ScheduleConfig,
    /// `trading_decision`: every 3600 s, after analysis and regime.
    pub trading_decision: ScheduleConfig,
    /// `portfolio_check`: every 3600 s, for the portfolio as a whole.
    pub portfolio_rebalance: ScheduleConfig,
    /// Further tasks, after the five.
    pub others: Vec<OtherTask>,
}

/// A task beside the five: its agent's output is published and nothing more is made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherTask {
    /// Its name, which is also that of its agent.
    pub name: Name,
    /// The topic that its agent publishes on.
    #[serde(default = "market_data")]
    pub topic: Topic,
    /// The agent: scripted, or none.
    pub agent: AgentKind,
    /// When it runs: every 60 seconds unless this says otherwise, for all symbols, within 30 seconds.
    #[serde(default)]
    pub schedule: ScheduleConfig,
}

fn market_data() -> Topic {
    Topic::MarketData
}

/// Whose task it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// One of the five.
    Role(TaskKind),
    /// Another: its place among [`Schedules::others`].
    Other(usize),
}

/// When a task runs, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Whose task it is.
    pub duty: Duty,
    /// The name of the task.
    pub name: Name,
    /// The name of its agent, which is the source of what it publishes.
    pub agent: Name,
    /// Whether it runs at all.
    pub enabled: bool,
    /// The pause between two runs, in seconds.
    pub interval_seconds: u64,
    /// Instead of that: after so many bars.
    pub interval_bars: Option<u32>,
    /// Whether it counts only bars in which averages crossed: its agent says nothing in any other.
    pub by_crossings: bool,
    /// The symbols it runs for.
    pub symbols: Vec<Name>,
    /// How long it may take for one symbol, in seconds.
    pub timeout_seconds: f64,
    /// Whether it runs at the start.
    pub run_on_start: bool,
    /// For how many symbols it runs at once.
    pub max_concurrent_symbols: u32,
    /// The tasks that must have run before it.
    pub depends_on: Vec<Name>,
}

impl Schedules {
    /// What a scenario says of a task.
    pub fn of(&self, kind: TaskKind) -> &ScheduleConfig {
        match kind {
            TaskKind::TechnicalAnalysis => &self.technical_analysis,
            TaskKind::RegimeDetection => &self.regime_detection,
            TaskKind::SentimentAnalysis => &self.sentiment_analysis,
            TaskKind::TradingDecision => &self.trading_decision,
            TaskKind::PortfolioRebalance => &self.portfolio_rebalance,
        }
    }

    /// The five tasks in the order of the table, then the others, for these symbols.
    pub fn resolve(&self, symbols: &[Name]) -> Vec<Schedule> {
        let five = TaskKind::ALL.map(|kind| self.role(kind, symbols));
        let others = self.others.iter().enumerate();
        let others = others.map(|(at, other)| self.other(at, other, symbols));
        five.into_iter().chain(others).collect()
    }

    /// The tasks that a coordinator has: those that are enabled and whose agent is present.
    pub fn tasks(&self, symbols: &[Name], agents: &AgentsConfig) -> Vec<Schedule> {
        let mut tasks = self.resolve(symbols);
        tasks.retain(|task| task.enabled && *self.agent_of(task.duty, agents) != AgentKind::Absent);
        for task in &mut tasks {
            let agent = self.agent_of(task.duty, agents);
            task.by_crossings = matches!(agent, AgentKind::AverageCross(_));
        }
        tasks
    }

    /// The agent of a task.
    pub fn agent_of<'a>(&'a self, duty: Duty, agents: &'a AgentsConfig) -> &'a AgentKind {
        match duty {
            Duty::Role(kind) => agents.of(kind),
            Duty::Other(at) => &self.others[at].agent,
        }
    }

    /// What a scenario says of the task of a duty, to be changed.
    pub(crate) fn of_duty_mut(&mut self, duty: Duty) -> &mut ScheduleConfig {
        match duty {
            Duty::Role(TaskKind::TechnicalAnalysis) => &mut self.technical_analysis,
            Duty::Role(TaskKind::RegimeDetection) => &mut self.regime_detection,
            Duty::Role(TaskKind::SentimentAnalysis) => &mut self.sentiment_analysis,
            Duty::Role(TaskKind::TradingDecision) => &mut self.trading_decision,
            Duty::Role(TaskKind::PortfolioRebalance) => &mut self.portfolio_rebalance,
            Duty::Other(at) => &mut self.others[at].schedule,
        }
    }

    fn role(&self, kind: TaskKind, symbols: &[Name]) -> Schedule {
        let all = match kind {
            TaskKind::PortfolioRebalance => vec![Name::fixed("PORTFOLIO")],
            _ => symbols.to_vec(),
        };
        Schedule {
            duty: Duty::Role(kind),
            name: Name::fixed(kind.task()),
            agent: Name::fixed(kind.agent()),
            ..fill_in(self.of(kind), &Default::of(kind), all)
        }
    }

    fn other(&self, at: usize, other: &OtherTask, symbols: &[Name]) -> Schedule {
        Schedule {
            duty: Duty::Other(at),
            name: other.name.clone(),
            agent: other.name.clone(),
            ..fill_in(&other.schedule, &Default::OTHER, symbols.to_vec())
        }
    }
}

/// A schedule without a name.
fn fill_in(said: &ScheduleConfig, default: &Default, symbols: Vec<Name>) -> Schedule {
    let dependencies = || {
        default
            .depends_on
            .iter()
            .copied()
            .map(Name::fixed)
            .collect()
    };
    Schedule {
        duty: Duty::Other(0),
        name: Name::EMPTY,
        agent: Name::EMPTY,
        enabled: said.enabled.unwrap_or(default.enabled),
        interval_seconds: said.interval_seconds.unwrap_or(default.interval_seconds),
        interval_bars: said.interval_bars,
        by_crossings: false,
        symbols: said.symbols.clone().unwrap_or(symbols),
        timeout_seconds: said.timeout_seconds.unwrap_or(default.timeout_seconds),
        run_on_start: said.run_on_start.unwrap_or(default.run_on_start),
        max_concurrent_symbols: said
            .max_concurrent_symbols
            .unwrap_or(default.symbols_at_once),
        depends_on: said.depends_on.clone().unwrap_or_else(dependencies),
    }
}

struct Default {
    enabled: bool,
    run_on_start: bool,
    interval_seconds: u64,
    timeout_seconds: f64,
    symbols_at_once: u32,
    depends_on: &'static [&'static str],
}

impl Default {
    const OTHER: Default = Default {
        enabled: true,
        run_on_start: false,
        interval_seconds: 60,
        timeout_seconds: 30.0,
        symbols_at_once: 3,
        depends_on: &[],
    };

    fn of(kind: TaskKind) -> Default {
        let (interval_seconds, timeout_seconds, symbols_at_once, depends_on): (_, _, _, &[_]) =
            match kind {
                TaskKind::TechnicalAnalysis => (60, 30.0, 3, &[]),
                TaskKind::RegimeDetection => (300, 30.0, 3, &["ta_analysis"]),
                TaskKind::SentimentAnalysis => (1_800, 60.0, 3, &[]),
                TaskKind::TradingDecision => (3_600, 60.0, 3, &["ta_analysis", "regime_detection"]),
                TaskKind::PortfolioRebalance => (3_600, 30.0, 1, &[]),
            };
        Default {
            enabled: kind != TaskKind::SentimentAnalysis,
            run_on_start: kind == TaskKind::TechnicalAnalysis,
            interval_seconds,
            timeout_seconds,
            symbols_at_once,
            depends_on,
        }
    }
}
