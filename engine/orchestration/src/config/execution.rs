//! Who judges and executes trades: the paper exchange, or the stand-in of a live executor.

use serde::{Deserialize, Serialize};

use crate::message::Name;

/// Who executes orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradingMode {
    /// The paper exchange, which keeps an account.
    #[default]
    Paper,
    /// An executor of live trading, of which only the answers are simulated: it keeps no account.
    Live,
}

impl TradingMode {
    /// The name that messages carry.
    pub const fn name(self) -> &'static str {
        match self {
            TradingMode::Paper => "paper",
            TradingMode::Live => "live",
        }
    }
}

/// How the executor of live trading behaves. Orders are counted from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveConfig {
    /// Whether there is one at all; without it every trade is dropped.
    pub connected: bool,
    /// The orders that it refuses.
    pub fail: Vec<u64>,
    /// The orders at which it raises an error instead of answering.
    pub raise: Vec<u64>,
    /// How long each order takes, in seconds.
    pub delay_seconds: f64,
}

impl Default for LiveConfig {
    fn default() -> LiveConfig {
        LiveConfig {
            connected: true,
            fail: Vec::new(),
            raise: Vec::new(),
            delay_seconds: 0.0,
        }
    }
}

/// Who judges proposals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskMode {
    /// The risk engine.
    #[default]
    Engine,
    /// Nobody: every proposal passes, but those for these symbols.
    ApproveAll(Vec<Name>),
}
