//! The checks of the risk engine, in their order.
//!
//! Each either refuses the trade or passes it on, reduced or not. Floats are evaluated exactly in the
//! order in which the formulas are written.

use super::config::{RiskConfig, Strictness};
use super::decision::{
    Change, Decision, LeverageChange, LossReduction, Modifications, Rejection, RiskStatus, Warning,
};
use super::proposal::Proposal;
use super::state::RiskState;
use crate::symbol::Side;

/// Correlations above this count as moving together.
const CORRELATED: f64 = 0.5;
/// From this part of the correlation limit on, a warning is given.
const CORRELATION_WARNING: f64 = 0.8;
/// Agents whose confidences differ by more than this disagree.
const DISAGREEMENT: f64 = 0.2;
/// The cut in size after many losses in a row, in percent.
const LOSS_REDUCTION_PCT: f64 = 50.0;

/// Judges `proposal` against `config` and what `state` knows at `now_us`.
pub(super) fn judge(
    config: &RiskConfig,
    state: &RiskState,
    now_us: i64,
    proposal: &Proposal,
    strictness: Strictness,
) -> Decision {
    let mut review = Review::new(config, state, proposal);
    let verdict = review.run(now_us, strictness);
    review.decide(verdict)
}

/// A refusal and whether it stops this trade or all trading.
type Refusal = (RiskStatus, Rejection);

fn reject(why: Rejection) -> Result<(), Refusal> {
    Err((RiskStatus::Rejected, why))
}

struct Review<'a> {
    config: &'a RiskConfig,
    state: &'a RiskState,
    proposal: &'a Proposal,
    equity: f64,
    size_usd: f64,
    leverage: i64,
    warnings: Vec<Warning>,
    modifications: Modifications,
}

impl<'a> Review<'a> {
    fn new(config: &'a RiskConfig, state: &'a RiskState, proposal: &'a Proposal) -> Review<'a> {
        Review {
            config,
            state,
            proposal,
            equity: state.current_equity.to_f64(),
            size_usd: proposal.size_usd,
            leverage: proposal.leverage,
            warnings: Vec::new(),
            modifications: Modifications::default(),
        }
    }

    fn run(&mut self, now_us: i64, strictness: Strictness) -> Result<(), Refusal> {
        self.check_halt(now_us)?;
        self.check_stop()?;
        self.check_confidence(strictness)?;
        self.reduce_size();
        self.reduce_for_volatility();
        self.reduce_leverage();
        self.check_exposure()?;
        self.check_correlation()?;
        self.check_margin()?;
        self.check_breakers()
    }

    fn check_halt(&self, now_us: i64) -> Result<(), Refusal> {
        if self.state.trading_halted {
            return Err((RiskStatus::Halted, Rejection::TradingHalted));
        }
        if self.state.cooling_down(now_us) {
            return reject(Rejection::InCooldown);
        }
        Ok(())
    }

    fn check_stop(&self) -> Result<(), Refusal> {
        let rules = &self.config.stop_loss;
        let Some(stop) = self.proposal.stop_loss else {
            return if rules.required && !self.proposal.market {
                reject(Rejection::StopLossRequired)
            } else {
                Ok(())
            };
        };
        let entry = self.proposal.entry_price;
        let distance_pct = self.towards_loss(entry, stop) / entry * 100.0;
        if distance_pct < rules.min_distance_pct {
            return reject(Rejection::StopTooTight);
        }
        if distance_pct > rules.max_distance_pct {
            return reject(Rejection::StopTooWide);
        }
        if let Some(target) = self.proposal.take_profit {
            let risk = self.towards_loss(entry, stop);
            let reward = self.towards_loss(target, entry);
            if reward / risk < rules.min_risk_reward {
                return reject(Rejection::LowRr);
            }
        }
        Ok(())
    }

    /// How far it is from `from` to `to` in the direction in which the trade loses.
    fn towards_loss(&self, from: f64, to: f64) -> f64 {
        match self.proposal.side {
            Side::Buy => from - to,
            Side::Sell => to - from,
        }
    }

    /// The market regime of the proposal; one that it does not name is like any unknown name.
    fn regime(&self) -> &str {
        self.proposal.regime.as_deref().unwrap_or_default()
    }

    fn check_confidence(&mut self, strictness: Strictness) -> Result<(), Refusal> {
        let after_losses = match self.state.consecutive_losses {
            losses if losses >= self.many_losses() => 0.20,
            3.. => 0.10,
            _ => 0.0,
        };
        let minimum = f64::min(least_confidence(self.regime()) + after_losses, 1.0);
        let minimum = f64::min(minimum + strictness.adjustment(), 1.0);
        if self.proposal.confidence < minimum {
            return reject(Rejection::ConfidenceTooLow);
        }
        let (ta, sentiment) = (
            self.proposal.ta_confidence,
            self.proposal.sentiment_confidence,
        );
        if ta > 0.0 && sentiment > 0.0 && (ta - sentiment).abs() > DISAGREEMENT {
            self.warnings.push(Warning::AgentDisagreement);
        }
        Ok(())
    }

    fn many_losses(&self) -> u32 {
        self.config
            .circuit_breakers
            .consecutive_losses
            .threshold_count
    }

    /// The smaller of two caps: the largest position, and the size at which the stop costs no more
    /// than the risk of one trade allows.
    fn reduce_size(&mut self) {
        if self.equity == 0.0 {
            return;
        }
        let limits = &self.config.limits;
        let requested = self.size_usd;
        let mut size = f64::min(requested, self.equity * (limits.max_position_pct / 100.0));
        if let Some(stop) = self.proposal.stop_loss {
            let entry = self.proposal.entry_price;
            let fraction = (entry - stop).abs() / entry;
            let most = self.equity * (limits.max_risk_per_trade_pct / 100.0);
            if requested * fraction > most {
                size = f64::min(size, most / fraction);
            }
        }
        if size < requested {
            self.size_usd = size;
            self.modifications.size_usd = Some(Change {
                original: requested,
                modified: size,
            });
            self.warnings.push(Warning::SizeReduced);
        }
        self.reduce_after_losses();
    }

    fn reduce_after_losses(&mut self) {
        if self.state.consecutive_losses < self.many_losses() {
            return;
        }
        let original = self.size_usd;
        self.size_usd = original * (1.0 - LOSS_REDUCTION_PCT / 100.0);
        self.modifications.consecutive_loss_reduction = Some(LossReduction {
            losses: self.state.consecutive_losses,
            reduction_pct: LOSS_REDUCTION_PCT,
            original,
            modified: self.size_usd,
        });
        self.warnings.push(Warning::SizeReducedLosses);
    }

    fn reduce_for_volatility(&mut self) {
        if !self.state.volatility_spike_active {
            return;
        }
        let original = self.size_usd;
        self.size_usd = original * (1.0 - self.config.volatility_size_reduction_pct / 100.0);
        self.modifications.volatility_adjustment = Some(Change {
            original,
            modified: self.size_usd,
        });
        self.warnings.push(Warning::VolatilitySpike);
    }

    fn reduce_leverage(&mut self) {
        let cap = self.leverage_cap();
        if self.leverage > cap {
            self.modifications.leverage = Some(LeverageChange {
                original: self.leverage,
                modified: cap,
            });
            self.leverage = cap;
            self.warnings.push(Warning::LeverageReduced);
        }
    }

    fn leverage_cap(&self) -> i64 {
        let by_regime = &self.config.regime_leverage_limits;
        let by_regime = by_regime.get(self.regime()).copied().unwrap_or(2);
        let by_drawdown = match self.state.current_drawdown_pct {
            drawdown if drawdown >= 15.0 => 1,
            drawdown if drawdown >= 10.0 => 2,
            drawdown if drawdown >= 5.0 => 3,
            _ => i64::MAX,
        };
        let by_losses = match self.state.consecutive_losses {
            losses if losses >= self.many_losses() => 1,
            3.. => 2,
            _ => i64::MAX,
        };
        self.config
            .limits
            .max_leverage
            .min(by_regime)
            .min(by_drawdown)
            .min(by_losses)
    }

    /// Looks at the size and leverage that were asked for, not at the reduced ones.
    fn check_exposure(&self) -> Result<(), Refusal> {
        if self.equity == 0.0 {
            return Ok(());
        }
        let asked = self.proposal.size_usd * self.proposal.leverage as f64;
        let exposure = self.state.total_exposure_pct + asked / self.equity * 100.0;
        if exposure > self.config.limits.max_total_exposure_pct {
            return reject(Rejection::ExposureLimit);
        }
        Ok(())
    }

    fn check_correlation(&mut self) -> Result<(), Refusal> {
        if self.state.open_position_symbols.is_empty() {
            return Ok(());
        }
        let mut exposure = 0.0;
        for symbol in &self.state.open_position_symbols {
            let correlation = correlation(&self.proposal.symbol, symbol);
            if correlation > CORRELATED {
                let open = self.state.position_exposures.get(symbol).copied();
                exposure += open.unwrap_or(0.0) * correlation;
            }
        }
        if self.equity > 0.0 {
            exposure += self.proposal.size_usd / self.equity * 100.0;
        }
        let limit = self.config.limits.max_correlated_exposure_pct;
        if exposure > limit {
            return reject(Rejection::CorrelatedExposure);
        }
        if exposure > limit * CORRELATION_WARNING {
            self.warnings.push(Warning::HighCorrelation);
        }
        Ok(())
    }

    fn check_margin(&self) -> Result<(), Refusal> {
        let margin = self.proposal.size_usd / self.proposal.leverage as f64;
        if margin > self.state.available_margin.to_f64() {
            return reject(Rejection::InsufficientMargin);
        }
        Ok(())
    }

    fn check_breakers(&self) -> Result<(), Refusal> {
        if self
            .state
            .breached(&self.config.circuit_breakers)
            .is_empty()
        {
            Ok(())
        } else {
            Err((RiskStatus::Halted, Rejection::CircuitBreaker))
        }
    }

    fn decide(self, verdict: Result<(), Refusal>) -> Decision {
        let mut decision = Decision {
            status: RiskStatus::Approved,
            rejections: Vec::new(),
            warnings: self.warnings,
            modifications: self.modifications,
            modified: None,
            risk_per_trade_pct: 0.0,
            portfolio_exposure_pct: 0.0,
        };
        if let Err((status, rejection)) = verdict {
            decision.status = status;
            decision.rejections.push(rejection);
            return decision;
        }
        if self.modifications != Modifications::default() {
            decision.status = RiskStatus::Modified;
            decision.modified = Some(Proposal {
                size_usd: self.size_usd,
                leverage: self.leverage,
                ..self.proposal.clone()
            });
        }
        if self.equity > 0.0 {
            decision.risk_per_trade_pct = self.size_usd / self.equity * 100.0;
        }
        decision.portfolio_exposure_pct =
            self.state.total_exposure_pct + decision.risk_per_trade_pct;
        decision
    }
}

/// The least confidence that a regime asks for.
fn least_confidence(regime: &str) -> f64 {
    match regime {
        "trending_bull" | "trending_bear" => 0.55,
        "volatile_bull" | "volatile_bear" => 0.65,
        "unknown" => 0.70,
        "choppy" => 0.75,
        _ => 0.60,
    }
}

/// How much two symbols move together, from 0 to 1.
fn correlation(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    match if a < b { (a, b) } else { (b, a) } {
        ("BTC/USDT", "XRP/USDT") => 0.75,
        ("BTC/USDT", "XRP/BTC") => 0.60,
        ("XRP/BTC", "XRP/USDT") => 0.85,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;

    fn proposal() -> Proposal {
        Proposal {
            symbol: "BTC/USDT".to_owned(),
            side: Side::Buy,
            size_usd: 500.0,
            entry_price: 45_000.0,
            stop_loss: None,
            take_profit: None,
            leverage: 1,
            confidence: 0.8,
            regime: Some("rebalance".to_owned()),
            ta_confidence: 0.0,
            sentiment_confidence: 0.0,
            market: true,
        }
    }

    fn judged(proposal: &Proposal) -> Decision {
        let state = RiskState {
            current_equity: Amount::from_int(10_000),
            available_margin: Amount::from_int(10_000),
            ..RiskState::default()
        };
        judge(
            &RiskConfig::default(),
            &state,
            0,
            proposal,
            Strictness::Normal,
        )
    }

    #[test]
    fn a_market_order_needs_no_stop_and_a_signal_does() {
        assert!(judged(&proposal()).approved());
        let signal = Proposal {
            market: false,
            ..proposal()
        };
        assert_eq!(judged(&signal).rejections, [Rejection::StopLossRequired]);
    }

    #[test]
    fn agents_that_differ_are_mentioned() {
        let warnings = |ta_confidence, sentiment_confidence| {
            let proposal = Proposal {
                ta_confidence,
                sentiment_confidence,
                ..proposal()
            };
            judged(&proposal).warnings
        };
        assert_eq!(warnings(0.9, 0.5), [Warning::AgentDisagreement]);
        assert_eq!(warnings(0.9, 0.0), []);
        assert_eq!(warnings(0.75, 0.5 + 0.25), []);
    }
}
