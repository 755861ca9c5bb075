//! The agents: who analyses the market, one file each, and what they know of it.
//!
//! An agent is asked on schedule and answers with what is to be published, or with nothing. It
//! sees the market through [`MarketView`], which holds nothing that lies in the future.

pub mod indicator;

mod average_cross;
pub(crate) mod llm;
mod market_view;
mod portfolio_rebalance;
pub(crate) mod process;
mod random;
mod regime_detection;
pub(crate) mod said;
mod scripted;
mod sentiment_analysis;
pub(crate) mod table;
mod technical_analysis;
mod trading_decision;
mod trouble;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

pub use average_cross::AverageCrossConfig;
pub use llm::LlmAgentConfig;
pub use market_view::{AnalysisConfig, MarketView};
use process::News;
pub use process::ProcessConfig;
use said::Speaker;
pub use scripted::{PlanEntry, PlannedTrade, TimelineEntry};
pub use table::{SharedTables, TableColumns, TableConfig, Tables};
pub use trading_decision::DecisionConfig;
pub(crate) use trouble::KINDS as FAULTS;

use crate::Ctx;
use crate::clock::start_us;
use crate::config::{Config, Duty, TaskKind};
use crate::coordinator::schedule::Timetable;
use crate::exchange::Exchange;
use crate::message::{Instant, Name, Payload, Priority, Topic};
use crate::model::ask::Asking;
use crate::rebalance::{self, Plan, PlanAction};

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
    /// Outputs from a CSV file: the newest row for the symbol that can be known.
    Table(Box<TableConfig>),
    /// The cross of two moving averages; for the trading decision only.
    AverageCross(AverageCrossConfig),
    /// A program in any language, asked in lock-step.
    Process(Box<ProcessConfig>),
    /// A language model: a template and a reply that is one message, or advice on what the portfolio's rules work out.
    Llm(Box<LlmAgentConfig>),
    /// Plans from a script; for the portfolio only.
    Plans(Vec<PlanEntry>),
    /// Outputs drawn from the seed.
    Random,
    /// There is none, and so there is no task either.
    Absent,
}

/// What an agent wants published, and the plan that it announces.
#[derive(Clone, Debug)]
pub struct Output {
    /// The message.
    pub payload: Payload,
    /// The plan of a rebalancing, if it is one.
    pub plan: Option<Plan>,
}

impl From<Payload> for Output {
    fn from(payload: Payload) -> Output {
        Output {
            payload,
            plan: None,
        }
    }
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
    /// Symbols of which no snapshot of the market can be made: whoever needs one says nothing.
    pub missing_snapshots: Vec<Name>,
    /// Whether agents run elsewhere: then what they say can be lost, late, doubled or out of order on
    /// its way to the bus, where the run's faults say so.
    pub remote: bool,
    /// Of a thousand signals of a `random` trading decision, how many are drawn in every part: size,
    /// leverage, levels and regime, some of them beyond every limit or no good at all.
    #[serde(skip_serializing_if = "is_none")]
    pub wild_per_mille: u32,
}

/// Whether there are none: then nothing is drawn, and nothing is said of it.
fn is_none(count: &u32) -> bool {
    *count == 0
}

impl AgentsConfig {
    /// The averages that the trading decision goes by, if it does.
    pub fn average_cross(&self) -> Option<&AverageCrossConfig> {
        match &self.trading_decision {
            AgentKind::AverageCross(cross) => Some(cross),
            _ => None,
        }
    }

    /// The agent of one of the five tasks.
    pub fn of(&self, kind: TaskKind) -> &AgentKind {
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
    known: Known,
    /// How models are asked.
    asking: Rc<Asking>,
    desks: Vec<Desk>,
}

/// What agents know. It outlives a crash of the coordinator's host.
#[derive(Clone)]
pub struct Known {
    /// What they see of the market.
    pub market: Rc<RefCell<MarketView>>,
    /// What was worked out before.
    pub tables: SharedTables,
    /// What programs are to be told.
    pub(crate) news: Rc<RefCell<News>>,
}

impl Known {
    /// A market, and nothing else.
    pub fn of(market: Rc<RefCell<MarketView>>) -> Known {
        Known {
            market,
            tables: SharedTables::default(),
            news: Rc::default(),
        }
    }
}

/// One agent: whose task it does, and how it speaks.
struct Desk {
    duty: Duty,
    voice: Ctx,
    name: Name,
    topic: Topic,
    priority: Priority,
    /// How long it may take, and how often it is asked, in seconds.
    terms: (f64, u64),
    plans: Cell<u64>,
    /// When it wants to be asked again, besides its schedule.
    wake: Cell<Option<Instant>>,
}

/// How an agent's output is published.
pub struct Voice<'a> {
    /// The context that speaks for it.
    pub ctx: &'a Ctx,
    /// Its name.
    pub source: &'a Name,
    /// On which topic.
    pub topic: Topic,
    /// How urgent.
    pub priority: Priority,
}

impl Agents {
    /// The agents of these tasks, in the same order, with what they know and how they ask models.
    pub(crate) fn new(
        ctx: &Ctx,
        config: Rc<Config>,
        tasks: &Timetable,
        known: Known,
        asking: Rc<Asking>,
    ) -> Agents {
        let schedules = tasks.tasks().iter().map(|task| &task.schedule);
        let desks = schedules.map(|task| {
            let (topic, priority) = match task.duty {
                Duty::Role(kind) => (kind.topic(), kind.priority()),
                Duty::Other(at) => (config.schedules.others[at].topic, Priority::Normal),
            };
            Desk {
                duty: task.duty,
                voice: ctx.actor(task.agent.clone()),
                name: task.agent.clone(),
                topic,
                priority,
                terms: (task.timeout_seconds, task.interval_seconds),
                plans: Cell::new(0),
                wake: Cell::new(None),
            }
        });
        Agents {
            desks: desks.collect(),
            config: Rc::clone(&config),
            known,
            asking,
        }
    }

    /// How the agent of a task speaks.
    pub fn voice(&self, task: usize) -> Voice<'_> {
        let desk = &self.desks[task];
        Voice {
            ctx: &desk.voice,
            source: &desk.name,
            topic: desk.topic,
            priority: desk.priority,
        }
    }

    /// When the agent of a task wants to be asked again, if it has said so since this was last asked.
    pub fn take_wake(&self, task: usize) -> Option<Instant> {
        self.desks[task].wake.take()
    }

    /// Asks the agent of a task about a symbol: what it wants published, if anything.
    ///
    /// # Errors
    /// What the agent raises.
    pub async fn run(
        &self,
        task: usize,
        symbol: &Name,
        exchange: &Exchange,
    ) -> Result<Option<Output>, AgentError> {
        let desk = &self.desks[task];
        let ctx = &desk.voice;
        if self.lacks_snapshot(desk.duty, symbol) {
            return Ok(None);
        }
        trouble::befall(ctx, desk.terms).await?;
        let agent = self
            .config
            .schedules
            .agent_of(desk.duty, &self.config.agents);
        match (agent, desk.duty) {
            (AgentKind::Scripted(timeline), _) => {
                scripted::run(ctx, desk.topic, symbol, timeline).await
            }
            (AgentKind::Table(table), _) => {
                let asked = table::Question {
                    agent: &desk.name,
                    topic: desk.topic,
                    symbol,
                    decision: &self.config.agents.decision,
                    market: &self.known.market.borrow(),
                };
                table::run(ctx, table, &self.known.tables.borrow(), &asked)
            }
            (AgentKind::AverageCross(cross), _) => {
                let rules = &self.config.agents.decision;
                let said = average_cross::run(symbol, &self.known.market.borrow(), cross, rules);
                Ok(said.map(Output::from))
            }
            // Those that ask somebody outside are on the heap, so that the others stay small.
            (AgentKind::Process(_), _) => Box::pin(self.ask_program(desk, symbol, exchange)).await,
            (AgentKind::Llm(llm), duty) => {
                let Some(asked) = self.question(desk, llm, symbol, exchange) else {
                    return Ok(None);
                };
                if duty != Duty::Role(TaskKind::PortfolioRebalance) {
                    return Box::pin(llm::run(ctx, asked)).await;
                }
                let plan = portfolio_rebalance::advised(ctx, asked, &self.config.portfolio);
                Ok(announce(desk, Box::pin(plan).await?))
            }
            (AgentKind::Plans(plans), _) => Ok(announce(desk, scripted::plan(ctx, plans)?)),
            (AgentKind::Random, Duty::Role(kind)) => Ok(self.draw(ctx, kind, symbol)),
            (AgentKind::Rules, Duty::Role(TaskKind::PortfolioRebalance)) => {
                let plan = portfolio_rebalance::run(ctx, exchange, &self.config.portfolio)?;
                Ok(announce(desk, plan))
            }
            (AgentKind::Rules, Duty::Role(kind)) => {
                Ok(self.apply_rules(kind, symbol).map(Output::from))
            }
            (AgentKind::Rules | AgentKind::Random, Duty::Other(_)) | (AgentKind::Absent, _) => {
                Ok(None)
            }
        }
    }

    /// Asks a program; of several symbols that want to wake it, the earliest counts.
    async fn ask_program(
        &self,
        desk: &Desk,
        symbol: &Name,
        exchange: &Exchange,
    ) -> Result<Option<Output>, AgentError> {
        let Some(place) = self.config.place_of_process(&desk.name, desk.topic) else {
            return Ok(None);
        };
        let asked = process::Question {
            port: process::port(place),
            agent: &desk.name,
            topic: desk.topic,
            symbol,
            symbols: &self.config.symbols,
            decision: &self.config.agents.decision,
            market: &self.known.market,
            news: &self.known.news,
            exchange,
        };
        let wake = |at: Instant| {
            let earlier = desk.wake.get().filter(|before| *before < at);
            desk.wake.set(Some(earlier.unwrap_or(at)));
        };
        process::run(&desk.voice, asked, wake).await
    }

    /// What a language model is asked.
    fn question<'a>(
        &'a self,
        desk: &'a Desk,
        llm: &'a LlmAgentConfig,
        symbol: &'a Name,
        exchange: &'a Exchange,
    ) -> Option<llm::Question<'a>> {
        let place = self.config.place_of_llm(&desk.name, desk.topic)?;
        Some(llm::Question {
            llm,
            port: llm::port(place),
            asking: &self.asking,
            agent: &desk.name,
            speaker: Speaker {
                topic: desk.topic,
                symbol,
                symbols: &self.config.symbols,
            },
            decision: &self.config.agents.decision,
            market: &self.known.market,
            news: &self.known.news,
            exchange,
        })
    }

    /// Sentiment and portfolio need no snapshot of the market.
    fn lacks_snapshot(&self, duty: Duty, symbol: &Name) -> bool {
        let needs_one = match duty {
            Duty::Role(kind) => !matches!(
                kind,
                TaskKind::SentimentAnalysis | TaskKind::PortfolioRebalance
            ),
            Duty::Other(_) => false,
        };
        needs_one && self.config.agents.missing_snapshots.contains(symbol)
    }

    fn draw(&self, ctx: &Ctx, kind: TaskKind, symbol: &Name) -> Option<Output> {
        let market = self.known.market.borrow();
        let said = random::run(
            ctx,
            kind,
            symbol,
            &market,
            self.config.agents.wild_per_mille,
        );
        said.map(Output::from)
    }

    fn apply_rules(&self, kind: TaskKind, symbol: &Name) -> Option<Payload> {
        let market = self.known.market.borrow();
        match kind {
            TaskKind::TechnicalAnalysis => technical_analysis::run(symbol, &market),
            TaskKind::RegimeDetection => regime_detection::run(symbol, &market),
            TaskKind::SentimentAnalysis => sentiment_analysis::run(symbol, &market),
            TaskKind::TradingDecision => {
                trading_decision::run(symbol, &market, &self.config.agents.decision)
            }
            TaskKind::PortfolioRebalance => None,
        }
    }
}

/// A plan with its announcement; one that leaves everything as it is is not announced.
fn announce(desk: &Desk, plan: Option<Plan>) -> Option<Output> {
    let plan = plan.filter(|plan| plan.action == PlanAction::Rebalance)?;
    let number = desk.plans.get() + 1;
    desk.plans.set(number);
    let ctx = &desk.voice;
    let now = Instant::from(ctx.now());
    let id = format!("{}-{number}", desk.name);
    let payload = rebalance::message(&plan, now, &id, |instant| instant.to_iso(start_us(ctx)));
    Some(Output {
        payload: Payload::Raw(payload),
        plan: Some(plan),
    })
}
