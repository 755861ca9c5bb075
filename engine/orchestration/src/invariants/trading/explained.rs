//! `risk.explained`: each judgement follows from the rules of risk and what the log tells of the account.
//!
//! Losses in a row and cooldowns follow from what the exchange closed, a restart in between or not. How far
//! the account has fallen from its highest worth is told within bounds.

use dacapo_kernel::{Event, Invariant, Plan, Time};

use super::account::{Account, Range};
use super::prices::{BAR, CRASHED, HOST, OUTSIDE, STARTED, TASK_CRASHED, TRADE};
use crate::amount::Amount;
use crate::config::{Config, TradingMode};
use crate::domain_event::{
    BalanceChanged, DomainEvent, OutsideAction, PositionClosed, RiskBasis, RiskJudged, TradeOrigin,
    number,
};
use crate::invariants::exact::Exact;
use crate::message::Payload;
use crate::risk::RiskConfig;
use crate::symbol::DOLLAR;

mod verdict;

use verdict::{Is, Known};

/// In microseconds.
const MINUTE_US: u64 = 60_000_000;
/// So many trades that closed are known to whoever has to count them again.
const COUNTED_AGAIN: u32 = 500;
/// Fees and the like may move what the account is worth by so much, as a part of it.
const BETWEEN_LOOKS: f64 = 0.005;
/// What may be any part of everything.
const ANYTHING: Range = (0.0, f64::INFINITY);

/// What risk must know.
#[derive(Debug)]
pub(super) struct Explained {
    risk: RiskConfig,
    account: Account,
    /// What was in the account and not reserved, in dollars.
    free: f64,
    /// Losses in a row, and how many trades have closed.
    losses: u32,
    closed: u32,
    /// When the cooldown is over, in microseconds.
    until_us: u64,
    /// Whether trades may have closed, or been counted, that are not known here.
    uncounted: bool,
    /// Whether somebody lifted what halted trading: it halts anew with the next look at the account.
    reset: bool,
    /// Until when a cooldown would have gone on that was lifted, and until when it may go on since a restart: that it
    /// was lifted may not have been saved.
    lifted_us: u64,
    forgotten_us: u64,
    /// The least and the most that the account may have been worth at any time.
    worth: Option<Range>,
    /// The highest worth that risk was surely told since it began.
    told: f64,
    /// The same as it was saved last.
    saved: f64,
    /// Somebody else tells risk what the account is.
    hearsay: bool,
    /// The log tells what is noticed besides.
    warns: bool,
    begun: bool,
}

impl Explained {
    pub(super) fn new(plan: &Plan<Config>) -> Explained {
        let config = &plan.system;
        let initial = config.paper.initial_balance.get(DOLLAR);
        Explained {
            risk: config.risk.clone(),
            account: Account::new(plan),
            free: initial.map_or(0.0, |amount| amount.to_f64()),
            losses: 0,
            closed: 0,
            until_us: 0,
            uncounted: false,
            reset: false,
            lifted_us: 0,
            forgotten_us: 0,
            worth: None,
            told: 0.0,
            saved: 0.0,
            hearsay: config.trading_mode != TradingMode::Paper,
            warns: false,
            begun: false,
        }
    }

    fn close(&mut self, now: Time, closed: &PositionClosed) {
        let cooldowns = &self.risk.cooldowns;
        let often = self
            .risk
            .circuit_breakers
            .consecutive_losses
            .threshold_count;
        self.closed += 1;
        self.losses = if closed.profit.is_above_zero() {
            0
        } else {
            self.losses + 1
        };
        let minutes = match self.losses {
            0 => cooldowns.post_trade_minutes,
            losses if losses >= often => cooldowns.consecutive_loss_5_minutes,
            1 | 2 => cooldowns.post_loss_minutes,
            _ => cooldowns.consecutive_loss_3_minutes,
        };
        self.until_us = as_micros(now) + u64::try_from(minutes).unwrap_or(0) * MINUTE_US;
    }

    fn hold(&mut self, changed: &BalanceChanged) {
        if changed.asset == *DOLLAR {
            let free = changed.balance.minus(changed.reserved);
            self.free = free.map_or(0.0, |free| free.to_f64());
        }
    }

    /// Takes note of what the account may be worth now.
    fn look(&mut self, now: Time) {
        let Some((least, most)) = self.account.worth(now) else {
            return;
        };
        let (lowest, highest) = self.worth.unwrap_or((least, most));
        self.worth = Some((lowest.min(least), highest.max(most)));
    }

    fn outside(&mut self, action: &OutsideAction) {
        match action {
            OutsideAction::TellRisk(_) => self.hearsay = true,
            OutsideAction::TradeResult(_) => self.uncounted = true,
            _ => {}
        }
    }

    fn judge(&mut self, judged: &RiskJudged, basis: &RiskBasis, now: Time) -> Result<(), String> {
        self.look(now);
        let is_looked_at = self.account.bounds(now).is_some();
        let equity = basis.equity.to_f64();
        let worth = self.worth.filter(|_| !self.hearsay);
        let (lowest, highest) = worth.unwrap_or(ANYTHING);
        self.told = self.told.max(equity);
        self.warns |= !judged.warnings.is_empty();
        // What was never told of the account has fallen from nowhere.
        let drawdown = if equity > 0.0 && !self.hearsay {
            (fall(self.told, equity), fall(highest.max(equity), equity))
        } else {
            ANYTHING
        };
        let is_over = drawdown.0 > self.risk.circuit_breakers.max_drawdown.threshold_pct;
        let may_be = |is_possible: bool| if is_possible { Is::Maybe } else { Is::Never };
        let is_breached = may_be(self.may_breach(highest, equity));
        let known = Known {
            risk: &self.risk,
            asked: &judged.proposal,
            is_market: !matches!(judged.origin, TradeOrigin::Signal(_)),
            basis,
            is_halted: if is_over && !self.reset {
                Is::Surely
            } else {
                may_be(self.may_breach(highest, lowest.min(equity)))
            },
            is_breached,
            is_cooling: match as_micros(now) {
                _ if self.uncounted => Is::Maybe,
                now_us if now_us < self.until_us => Is::Surely,
                now_us => may_be(now_us < self.forgotten_us),
            },
            losses: self.losses,
            drawdown,
            margin: Some(self.free).filter(|_| is_looked_at && !self.hearsay && equity != 0.0),
            tells_warnings: self.warns,
        };
        let explained = known.explain(judged);
        if !self.uncounted {
            return explained;
        }
        let often = self
            .risk
            .circuit_breakers
            .consecutive_losses
            .threshold_count;
        let by = |losses: u32| Known { losses, ..known }.explain(judged);
        explained.or_else(|error| {
            let is_explained = [0, 3, often].into_iter().any(|losses| by(losses).is_ok());
            if is_explained { Ok(()) } else { Err(error) }
        })
    }

    /// Whether a fall from at most `highest` to at least `lowest` may breach a limit.
    fn may_breach(&self, highest: f64, lowest: f64) -> bool {
        let limits = &self.risk.circuit_breakers;
        let lowest = lowest * (1.0 - BETWEEN_LOOKS);
        // A loss is a part of what is left, and a drawdown of what there was.
        let loss = (highest - lowest) / lowest.max(f64::MIN_POSITIVE) * 100.0;
        loss >= limits.daily_loss.threshold_pct
            || loss >= limits.weekly_loss.threshold_pct
            || fall(highest, lowest) >= limits.max_drawdown.threshold_pct
    }
}

/// How far it is down from `highest`, in percent of it.
fn fall(highest: f64, worth: f64) -> f64 {
    if highest.is_finite() {
        (highest - worth) / highest * 100.0
    } else {
        f64::INFINITY
    }
}

fn as_micros(time: Time) -> u64 {
    time.as_nanos() / 1_000
}

impl Invariant<DomainEvent> for Explained {
    fn id(&self) -> &'static str {
        "risk.explained"
    }

    fn statement(&self) -> &'static str {
        "each judgement follows from the rules of risk and from what the account was: its verdict, its \
         reason, and what remains of the trade"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            TRADE,
            BAR,
            OUTSIDE,
            STARTED,
            CRASHED,
            TASK_CRASHED,
            HOST,
            number::BalanceChanged,
            number::Filled,
            number::PositionOpened,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::PositionClosed,
            number::RiskJudged,
            number::RiskReset,
            number::StateSaved,
            number::StateRestored,
            number::Published,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RiskJudged]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.account.see(event);
        match event.domain() {
            Some(DomainEvent::MarketTrade(_) | DomainEvent::MarketBar(_)) => self.look(now),
            Some(DomainEvent::OutsideActed(it)) => {
                self.outside(&it.action);
                self.look(now);
            }
            Some(DomainEvent::Started(_)) => {
                // What risk was told may be lost, and what closed is counted again.
                self.told = 0.0;
                self.uncounted |= self.begun && self.closed > COUNTED_AGAIN;
                self.forgotten_us = self.lifted_us;
                self.begun = true;
            }
            Some(DomainEvent::StateSaved(it)) => {
                let peak = it.record.0.get("risk").map(|risk| &risk["peak_equity"]);
                let peak =
                    peak.and_then(|peak| serde_json::from_value::<Amount>(peak.clone()).ok());
                self.saved = peak.map_or(0.0, Exact::in_floats);
            }
            Some(DomainEvent::StateRestored(it)) if it.complete => self.told = self.saved,
            Some(DomainEvent::Published(it)) => {
                if let Payload::StoreLost(_) = it.message.payload {
                    (self.told, self.saved) = (0.0, 0.0);
                }
            }
            Some(DomainEvent::RiskReset(_)) => {
                self.lifted_us = self.lifted_us.max(self.until_us);
                (self.until_us, self.reset) = (0, true);
            }
            Some(DomainEvent::BalanceChanged(it)) => self.hold(it),
            Some(DomainEvent::PositionClosed(it)) => self.close(now, it),
            Some(DomainEvent::RiskJudged(it)) => {
                if let Some(basis) = &it.basis {
                    return self.judge(it, basis, now);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
