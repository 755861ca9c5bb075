//! The risk engine: fixed rules that approve, reduce or refuse a proposed trade.
//!
//! It holds what it was told of the account and answers at once. It never asks a model, never sees a
//! price feed and never places an order.

mod check;
mod config;
mod decision;
mod memory;
mod proposal;
mod state;

use std::collections::BTreeMap;

pub use config::{
    CircuitBreakers, Cooldowns, CountThreshold, Limits, PercentThreshold, RiskConfig,
    StopLossRules, Strictness,
};
pub use decision::{
    Change, Decision, LeverageChange, LossReduction, Modifications, Rejection, RiskStatus, Warning,
};
pub use memory::{Periods, RiskMemory};
pub use proposal::{Proposal, ProposalDraft, ProposalError, Violation, validate_proposal};
pub use state::{AccountUpdate, Breaker, Clocks, RiskState};

/// The engine: its limits and what it knows of the account.
#[derive(Clone, Debug, Default)]
pub struct RiskEngine {
    /// The limits. Fixed for a run.
    pub config: RiskConfig,
    /// What it was told so far.
    pub state: RiskState,
}

impl RiskEngine {
    /// An engine that has not been told anything: without equity and margin it refuses every trade.
    pub fn new(config: RiskConfig) -> RiskEngine {
        RiskEngine {
            config,
            state: RiskState::default(),
        }
    }

    /// Judges `proposal` at this moment. The first failing check answers alone.
    ///
    /// Looking at the calendar may reset the daily and weekly figures; nothing else changes.
    pub fn validate(
        &mut self,
        clocks: Clocks,
        proposal: &Proposal,
        strictness: Strictness,
    ) -> Decision {
        self.state.reset_periods(clocks.wall_us);
        check::judge(
            &self.config,
            &self.state,
            clocks.now_us,
            proposal,
            strictness,
        )
    }

    /// Takes over the account's figures and trips the breakers that they breach.
    ///
    /// # Errors
    /// A percentage that does not fit a decimal.
    pub fn update(&mut self, account: &AccountUpdate) -> Result<(), crate::amount::AmountError> {
        self.state.update(account, &self.config.circuit_breakers)
    }

    /// Takes over the exposure of each open symbol, in percent, as the correlation check reads it.
    pub fn set_exposures(&mut self, exposures: BTreeMap<String, f64>) {
        self.state.open_position_symbols = exposures.keys().cloned().collect();
        self.state.position_exposures = exposures;
    }

    /// Counts a closed trade; a loss starts a cooldown that grows with the losses in a row.
    pub fn record_result(&mut self, now_us: i64, won: bool) {
        let cooldowns = self.config.cooldowns;
        let worst = self
            .config
            .circuit_breakers
            .consecutive_losses
            .threshold_count;
        self.state.record_result(now_us, won, &cooldowns, worst);
    }

    /// Starts the cooldown that follows a winning close.
    pub fn record_post_trade(&mut self, now_us: i64) {
        let minutes = self.config.cooldowns.post_trade_minutes;
        self.state.start_cooldown(now_us, minutes, "post_trade");
    }

    /// Compares the average true range with its own average. Returns whether a spike began now.
    pub fn record_volatility(&mut self, now_us: i64, atr: f64, average: f64) -> bool {
        if average <= 0.0 {
            return false;
        }
        let spike = atr > average * self.config.volatility_spike_multiplier;
        let begins = spike && !self.state.volatility_spike_active;
        self.state.volatility_spike_active = spike;
        if begins {
            let minutes = self.config.cooldowns.volatility_spike_minutes;
            self.state
                .start_cooldown(now_us, minutes, "volatility_spike");
        }
        begins
    }

    /// Starts a new day: no profit or loss, no trades, and the daily breaker released.
    pub fn reset_daily(&mut self) {
        self.state.reset_daily();
    }

    /// Starts a new week: no profit or loss, and the weekly breaker released.
    pub fn reset_weekly(&mut self) {
        self.state.reset_weekly();
    }

    /// Lifts the halt and the cooldown. Returns the breakers that it lifted; none if it did not, since a drawdown
    /// breaker yields to an administrator only.
    pub fn reset_manually(&mut self, administrator: bool) -> Option<Vec<Breaker>> {
        self.state.reset_manually(administrator)
    }
}
