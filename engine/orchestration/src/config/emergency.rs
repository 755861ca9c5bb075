//! What a breached limit of the risk engine leads to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::message::Name;
use crate::message::closed_set::closed_set;

/// What breached limits lead to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmergencyConfig {
    /// By the kind of limit. One that is not listed goes by the severity of its alert.
    pub circuit_breaker: BTreeMap<Name, BreachRule>,
}

impl Default for EmergencyConfig {
    /// A day's loss pauses, a week's loss halves the positions, a drawdown closes them and halts.
    fn default() -> EmergencyConfig {
        let rule = |action| BreachRule {
            action: Some(Name::fixed(action)),
            ..BreachRule::default()
        };
        let drawdown = BreachRule {
            close_positions: true,
            ..rule("halt_all")
        };
        let rules = [
            ("daily_loss", rule("pause_trading")),
            ("weekly_loss", rule("reduce_positions")),
            ("max_drawdown", drawdown),
        ];
        EmergencyConfig {
            circuit_breaker: rules.map(|(limit, rule)| (Name::fixed(limit), rule)).into(),
        }
    }
}

/// What one breached limit leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreachRule {
    /// The name of a [`BreachAction`]; by the severity of the alert if left out. Any other name does
    /// nothing but is announced.
    pub action: Option<Name>,
    /// Whether a halt also closes every position.
    pub close_positions: bool,
    /// By how much positions are reduced, in percent of their size.
    pub reduction_pct: f64,
    /// Whether the action is announced.
    pub notify: bool,
}

impl Default for BreachRule {
    fn default() -> BreachRule {
        BreachRule {
            action: None,
            close_positions: false,
            reduction_pct: 50.0,
            notify: true,
        }
    }
}

closed_set! {
    /// What is done about a breached limit.
    pub enum BreachAction {
        /// HALTED.
        HaltAll = 1 "halt_all",
        /// PAUSED.
        PauseTrading = 2 "pause_trading",
        /// Positions are reduced; the state stays.
        ReducePositions = 3 "reduce_positions",
    }
}
