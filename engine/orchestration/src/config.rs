//! Every setting of the orchestration: section names, defaults, units.
//!
//! The sections are those of a scenario file. What a setting means is said where it is used;
//! what fits together is checked in [`check`].

mod average_cross;
mod bounds;
mod check;
mod emergency;
mod execution;
mod live;
mod llm_agents;
mod model;
mod processes;
mod schedule;
mod script;
mod store;
mod tables;

use std::rc::Rc;

use dacapo_market::MarketConfig;
use serde::{Deserialize, Serialize};

use crate::agents::AgentsConfig;
use crate::bus::BusConfig;
use crate::coordinator::conflict::DEFAULT_CONFIDENCE_THRESHOLD;
use crate::coordinator::consensus::ConsensusConfig;
use crate::coordinator::degradation::DegradationConfig;
use crate::coordinator::evidence::EvidenceWindows;
use crate::coordinator::modification::ModificationBounds;
use crate::execution::{PaperConfig, PriceSourceConfig, TrailingRules};
use crate::figures::FiguresConfig;
use crate::message::Name;
use crate::rebalance::RebalanceConfig;
use crate::risk::RiskConfig;
use crate::symbol::Markets;

pub use check::check;
pub use emergency::{BreachAction, BreachRule, EmergencyConfig};
pub use execution::{LiveConfig, RiskMode, TradingMode};
pub use live::{LiveReplies, MaxTokensKey, Protocol, TemplateConfig};
pub(crate) use live::{check_template, read_templates};
pub(crate) use llm_agents::cutoff;
pub use model::{
    GeneratedMessages, GeneratedReplies, LlmConfig, MaskConfig, ModelConfig, Replies, ScriptedReply,
};
pub(crate) use processes::note_files;
pub use schedule::{Duty, OtherTask, Schedule, ScheduleConfig, Schedules, TaskKind};
pub use script::{
    AccountFigures, ForceRun, ManualReset, Nothing, OutsideEvent, PriceSet, Publication, Reply,
    ScriptedSubscriber, TradeResult, Unsubscription,
};
pub use store::{StoreConfig, StoreKind};
pub use tables::{LlmSource, ProcessSource, TableSource};

/// The orchestration's part of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The pairs that are analysed and traded.
    pub symbols: Vec<Name>,
    /// Where prices come from.
    pub market: MarketConfig,
    /// When each task runs.
    #[serde(default)]
    pub schedules: Schedules,
    /// What the agents are.
    #[serde(default)]
    pub agents: AgentsConfig,
    /// The language models.
    #[serde(default)]
    pub llm: LlmConfig,
    /// How agreement changes confidence.
    #[serde(default)]
    pub consensus: ConsensusConfig,
    /// How old evidence may be, in seconds.
    #[serde(default)]
    pub evidence_windows: EvidenceWindows,
    /// When agents contradict each other, and how long a resolution may take.
    #[serde(default)]
    pub conflicts: ConflictsConfig,
    /// How far a reply may change a signal.
    #[serde(default)]
    pub modifications: ModificationBounds,
    /// When the level changes.
    #[serde(default)]
    pub degradation: DegradationConfig,
    /// The message bus.
    #[serde(default)]
    pub message_bus: BusConfig,
    /// How signals are handled.
    #[serde(default)]
    pub coordinator: CoordinatorConfig,
    /// What a breached limit leads to.
    #[serde(default)]
    pub emergency: EmergencyConfig,
    /// The risk engine.
    #[serde(default)]
    pub risk: RiskConfig,
    /// Who judges proposals.
    #[serde(default)]
    pub risk_mode: RiskMode,
    /// Who executes orders.
    #[serde(default)]
    pub trading_mode: TradingMode,
    /// How the executor of live trading behaves.
    #[serde(default)]
    pub live: LiveConfig,
    /// The store of what must survive a crash.
    #[serde(default)]
    pub store: StoreConfig,
    /// The paper exchange and what the account begins with.
    #[serde(default)]
    pub paper: PaperConfig,
    /// Decimals and fees of each pair.
    #[serde(default)]
    pub markets: Markets,
    /// Where the exchange's prices come from.
    #[serde(default)]
    pub prices: PriceSourceConfig,
    /// Stops that follow the price.
    #[serde(default)]
    pub trailing: TrailingRules,
    /// How the portfolio is kept in balance.
    #[serde(default)]
    pub portfolio: RebalanceConfig,
    /// How the figures of the run are made; left out of the plan where it is the default.
    #[serde(default, skip_serializing_if = "FiguresConfig::is_default")]
    pub figures: FiguresConfig,
    /// What somebody outside does: an operator's commands, subscribers, prices set by hand. There may be very many,
    /// and copies of a configuration share them.
    #[serde(default)]
    pub events: Rc<Vec<OutsideEvent>>,
}

impl Config {
    /// Has somebody outside do one thing more.
    pub fn add_event(&mut self, event: OutsideEvent) {
        Rc::make_mut(&mut self.events).push(event);
    }
}

/// When agents contradict each other, and how long a resolution may take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConflictsConfig {
    /// Two opposed agents are in conflict if their confidences differ by less than this.
    pub invoke_llm_threshold: f64,
    /// How long a resolution may take in all, in milliseconds.
    pub max_resolution_time_ms: u64,
    /// The part of that time that the primary model may use; the rest is for the fallback.
    pub primary_share_pct: u64,
}

impl Default for ConflictsConfig {
    fn default() -> ConflictsConfig {
        ConflictsConfig {
            invoke_llm_threshold: DEFAULT_CONFIDENCE_THRESHOLD,
            max_resolution_time_ms: 10_000,
            primary_share_pct: 60,
        }
    }
}

/// How the coordinator handles what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoordinatorConfig {
    /// How many tasks run at once.
    pub max_concurrent_tasks: u32,
    /// How many signals may wait; one more is refused with an alert.
    pub signal_queue: usize,
    /// How often the models are probed at LIMITED and EMERGENCY, in seconds.
    pub probe_interval_seconds: u64,
    /// The stake of a signal that names none, in dollars.
    pub default_size_usd: f64,
}

impl Default for CoordinatorConfig {
    fn default() -> CoordinatorConfig {
        CoordinatorConfig {
            max_concurrent_tasks: 5,
            signal_queue: 64,
            probe_interval_seconds: 60,
            default_size_usd: 100.0,
        }
    }
}
