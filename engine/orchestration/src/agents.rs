//! The agents: who analyses the market, one file each, and what they know of it.
//!
//! An agent is asked on schedule and answers with what is to be published, or with nothing. It
//! sees the market through [`MarketView`], which holds nothing that lies in the future.

pub mod indicator;

mod market_view;
mod portfolio_rebalance;
mod random;
mod regime_detection;
mod scripted;
mod sentiment_analysis;
mod technical_analysis;
mod trading_decision;

use std::cell::RefCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

pub use market_view::{AnalysisConfig, MarketView};
pub use scripted::TimelineEntry;
pub use trading_decision::DecisionConfig;

use crate::Ctx;
use crate::config::{Config, TaskKind};
use crate::exchange::Exchange;
use crate::message::{Name, Payload};

/// What went wrong with an agent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AgentError(pub String);

/// What one agent is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    /// Rules on market data.
    #[default]
    Rules,
    /// Outputs from a script: the last entry for the symbol whose time has come.
    Scripted(Vec<TimelineEntry>),
    /// Outputs drawn from the seed.
    Random,
}

/// What the agents are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentsConfig {
    /// Technical analysis.
    pub technical_analysis: AgentKind,
    /// Regime detection.
    pub regime_detection: AgentKind,
    /// Sentiment.
    pub sentiment_analysis: AgentKind,
    /// Trading decision.
    pub trading_decision: AgentKind,
    /// Portfolio.
    pub portfolio_rebalance: AgentKind,
    /// The windows of the rules.
    pub analysis: AnalysisConfig,
    /// When the rules trade, and how much.
    pub decision: DecisionConfig,
}

impl AgentsConfig {
    fn of(&self, kind: TaskKind) -> &AgentKind {
        match kind {
            TaskKind::TechnicalAnalysis => &self.technical_analysis,
            TaskKind::RegimeDetection => &self.regime_detection,
            TaskKind::SentimentAnalysis => &self.sentiment_analysis,
            TaskKind::TradingDecision => &self.trading_decision,
            TaskKind::PortfolioRebalance => &self.portfolio_rebalance,
        }
    }
}

/// All agents, and what they know.
pub struct Agents {
    config: Rc<Config>,
    market: Rc<RefCell<MarketView>>,
    voices: [Ctx; 5],
}

impl Agents {
    /// The agents of a configuration, looking at this market.
    pub fn new(ctx: &Ctx, config: Rc<Config>, market: Rc<RefCell<MarketView>>) -> Agents {
        let voices = TaskKind::ALL.map(|kind| ctx.actor(kind.agent()));
        Agents {
            config,
            market,
            voices,
        }
    }

    /// The context that speaks for an agent.
    pub fn voice(&self, kind: TaskKind) -> &Ctx {
        &self.voices[kind as usize]
    }

    /// Asks an agent about a symbol: what it wants published, if anything.
    ///
    /// # Errors
    /// What the agent raises.
    pub async fn run(
        &self,
        kind: TaskKind,
        symbol: &Name,
        exchange: &Exchange,
    ) -> Result<Option<Payload>, AgentError> {
        let ctx = self.voice(kind);
        match self.config.agents.of(kind) {
            AgentKind::Scripted(timeline) => scripted::run(ctx, kind, symbol, timeline).await,
            AgentKind::Random => Ok(random::run(ctx, kind, symbol, &self.market.borrow())),
            AgentKind::Rules => self.apply_rules(ctx, kind, symbol, exchange),
        }
    }

    fn apply_rules(
        &self,
        ctx: &Ctx,
        kind: TaskKind,
        symbol: &Name,
        exchange: &Exchange,
    ) -> Result<Option<Payload>, AgentError> {
        let market = self.market.borrow();
        Ok(match kind {
            TaskKind::TechnicalAnalysis => technical_analysis::run(symbol, &market),
            TaskKind::RegimeDetection => regime_detection::run(symbol, &market),
            TaskKind::SentimentAnalysis => sentiment_analysis::run(symbol, &market),
            TaskKind::TradingDecision => {
                trading_decision::run(symbol, &market, &self.config.agents.decision)
            }
            TaskKind::PortfolioRebalance => {
                return portfolio_rebalance::run(ctx, exchange, &self.config.portfolio);
            }
        })
    }
}
