//! `risk.cooldown`: after a trade that closed, nothing passes the risk engine before its cooldown is over.
//!
//! The cooldown follows from what the exchange closed, so a coordinator that crashed in between has no excuse.

use std::time::Duration;

use dacapo_kernel::{Event, Invariant, Plan, Time};

use crate::config::Config;
use crate::domain_event::{DomainEvent, PositionClosed, number};
use crate::invariants::exact::Exact;
use crate::risk::RiskConfig;

/// The cooldown in force, worked out anew.
#[derive(Debug)]
pub(super) struct Cooldown {
    risk: RiskConfig,
    losses: u32,
    until: Option<Time>,
    /// Whether a proposal was judged after a trade had closed.
    met: bool,
}

impl Cooldown {
    pub(super) fn new(plan: &Plan<Config>) -> Cooldown {
        Cooldown::by(plan.system.risk.clone())
    }

    fn by(risk: RiskConfig) -> Cooldown {
        Cooldown {
            risk,
            losses: 0,
            until: None,
            met: false,
        }
    }

    fn close(&mut self, now: Time, closed: &PositionClosed) {
        let cooldowns = &self.risk.cooldowns;
        let worst = self
            .risk
            .circuit_breakers
            .consecutive_losses
            .threshold_count;
        let minutes = if closed.profit.is_above_zero() {
            self.losses = 0;
            cooldowns.post_trade_minutes
        } else {
            self.losses += 1;
            match self.losses {
                losses if losses >= worst => cooldowns.consecutive_loss_5_minutes,
                3.. => cooldowns.consecutive_loss_3_minutes,
                _ => cooldowns.post_loss_minutes,
            }
        };
        let minutes = u64::try_from(minutes).unwrap_or(0);
        self.until = Some(now + Duration::from_secs(60 * minutes));
    }
}

impl Invariant<DomainEvent> for Cooldown {
    fn id(&self) -> &'static str {
        "risk.cooldown"
    }

    fn statement(&self) -> &'static str {
        "after a trade that closed, nothing passes the risk engine before its cooldown is over or lifted by hand, \
         a restart in between or not"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::PositionClosed,
            number::RiskJudged,
            number::RiskReset,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::PositionClosed], &[number::RiskJudged]]
    }

    fn evaluable(&self) -> bool {
        self.met
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        match event.domain() {
            Some(DomainEvent::PositionClosed(closed)) => self.close(now, closed),
            Some(DomainEvent::RiskReset(_)) => self.until = None,
            Some(DomainEvent::RiskJudged(it)) if it.basis.is_some() => {
                let Some(until) = self.until else {
                    return Ok(());
                };
                self.met = true;
                if now < until && it.rejections.is_empty() {
                    return Err(format!(
                        "expected no trade to pass before {until}, found one"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::judged;
    use dacapo_kernel::Finding;

    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::{RiskBasis, RiskJudged, RiskReset, TradeOrigin};
    use crate::invariants::planted::Planted;
    use crate::message::Name;

    fn closed(profit: i64) -> PositionClosed {
        PositionClosed {
            position: 1,
            size: Amount::ONE,
            price: Amount::HUNDRED,
            profit: Amount::from_int(profit),
            reason: Name::fixed("stop_loss"),
        }
    }

    fn passes() -> RiskJudged {
        let mut judged = judged(TradeOrigin::Signal(7), "buy");
        judged.basis = Some(RiskBasis {
            equity: Amount::HUNDRED,
            exposure_pct: 0.0,
            by_symbol: Vec::new(),
        });
        judged
    }

    fn refused() -> RiskJudged {
        let mut judged = passes();
        judged.rejections.push("IN_COOLDOWN".into());
        judged
    }

    fn planted() -> Planted {
        Planted::of(Cooldown::by(RiskConfig::default()))
    }

    /// Fails if a cooldown is too short or does not grow with the losses in a row.
    #[test]
    fn nothing_passes_before_it_is_over() {
        let cooldowns = RiskConfig::default().cooldowns;
        let secs = |minutes: i64| 60.0 * minutes as f64;
        let after_loss = secs(cooldowns.post_loss_minutes);
        let what = planted()
            .then(closed(-1))
            .at(after_loss - 1.0)
            .then(passes())
            .violated();
        assert!(what.starts_with("expected no trade to pass"), "{what}");
        planted()
            .then(closed(-1))
            .then(refused())
            .at(after_loss)
            .then(passes())
            .holds();
        let third = secs(cooldowns.consecutive_loss_3_minutes);
        let thrice = || planted().then(closed(-1)).then(closed(-1)).then(closed(-1));
        thrice().at(third - 1.0).then(passes()).violated();
        thrice().at(third).then(passes()).holds();
        let after_win = secs(cooldowns.post_trade_minutes);
        thrice()
            .then(closed(1))
            .at(after_win)
            .then(passes())
            .holds();
    }

    // Fails if a cooldown that was lifted by hand may refuse a trade no less than before.
    #[test]
    fn somebody_may_lift_it() {
        let reset = RiskReset {
            administrator: false,
            lifted: Vec::new(),
        };
        let log = planted().then(closed(-1)).then(refused()).then(reset);
        log.then(passes()).holds();
    }

    #[test]
    fn where_every_proposal_passes_nothing_is_said() {
        let found = planted()
            .then(closed(-1))
            .then(judged(TradeOrigin::Signal(7), "buy"))
            .finding();
        assert_eq!(found, Finding::NotEvaluable);
    }
}
