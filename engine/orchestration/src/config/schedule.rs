//! When each task runs: the five tasks in the order of the table, and their defaults.

use serde::{Deserialize, Serialize};

use crate::message::Name;

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
}

/// When a task runs, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Which task.
    pub kind: TaskKind,
    /// Whether it runs at all.
    pub enabled: bool,
    /// The pause between two runs, in seconds.
    pub interval_seconds: u64,
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

    /// The five tasks in the order of the table, for these symbols.
    pub fn resolve(&self, symbols: &[Name]) -> Vec<Schedule> {
        TaskKind::ALL
            .map(|kind| resolve(kind, self.of(kind), symbols))
            .to_vec()
    }
}

fn resolve(kind: TaskKind, said: &ScheduleConfig, symbols: &[Name]) -> Schedule {
    let default = Default::of(kind);
    let all = || match kind {
        TaskKind::PortfolioRebalance => vec![Name::fixed("PORTFOLIO")],
        _ => symbols.to_vec(),
    };
    let names = |names: &[&'static str]| names.iter().copied().map(Name::fixed).collect();
    Schedule {
        kind,
        enabled: said.enabled.unwrap_or(kind != TaskKind::SentimentAnalysis),
        interval_seconds: said.interval_seconds.unwrap_or(default.interval_seconds),
        symbols: said.symbols.clone().unwrap_or_else(all),
        timeout_seconds: said.timeout_seconds.unwrap_or(default.timeout_seconds),
        run_on_start: said
            .run_on_start
            .unwrap_or(kind == TaskKind::TechnicalAnalysis),
        max_concurrent_symbols: said
            .max_concurrent_symbols
            .unwrap_or(default.symbols_at_once),
        depends_on: said
            .depends_on
            .clone()
            .unwrap_or_else(|| names(default.depends_on)),
    }
}

struct Default {
    interval_seconds: u64,
    timeout_seconds: f64,
    symbols_at_once: u32,
    depends_on: &'static [&'static str],
}

impl Default {
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
            interval_seconds,
            timeout_seconds,
            symbols_at_once,
            depends_on,
        }
    }
}
