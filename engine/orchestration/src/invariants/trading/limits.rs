//! `risk.limits`: a judgement is held against the limits, and what it goes by against the account.

use dacapo_kernel::{Event, Invariant, Plan, Time};

use super::account::Account;
use super::prices::{BAR, CRASHED, HOST, OUTSIDE, STARTED, TASK_CRASHED, TRADE};
use crate::config::{Config, RiskMode, TradingMode};
use crate::domain_event::{
    DomainEvent, OrderSubmitted, RiskBasis, RiskJudged, SymbolExposure, number,
};
use crate::invariants::exact::Exact;
use crate::message::Name;
use crate::risk::Limits;

/// A part in so many is rounding.
const SLACK: f64 = 1e-6;

/// The limits, and the account as far as events tell it.
#[derive(Debug)]
pub(super) struct RiskLimits {
    limits: Limits,
    /// Whether the risk engine judges by an account that is kept here.
    judges_account: bool,
    account: Account,
    /// Whether the risk engine judged last.
    by_engine: bool,
}

impl RiskLimits {
    pub(super) fn new(plan: &Plan<Config>) -> RiskLimits {
        let config = &plan.system;
        RiskLimits {
            limits: config.risk.limits,
            judges_account: config.trading_mode == TradingMode::Paper
                && config.risk_mode == RiskMode::Engine,
            account: Account::new(plan),
            by_engine: false,
        }
    }

    fn judge(&mut self, judged: &RiskJudged, now: Time) -> Result<(), String> {
        self.by_engine = judged.basis.is_some();
        let Some(basis) = &judged.basis else {
            return Ok(());
        };
        self.compare(basis, now)?;
        let equity = basis.equity.to_f64();
        if (equity > 0.0) != basis.equity.is_above_zero() {
            return Err("expected an account that is worth something, found nothing".into());
        }
        if equity == 0.0 {
            return Ok(());
        }
        let asked = &judged.proposal;
        let share = |size: f64| size / equity * 100.0;
        let after = basis.exposure_pct + share(asked.size_usd * asked.leverage as f64);
        let most = self.limits.max_total_exposure_pct;
        let refused = |code: &str| judged.rejections.iter().any(|it| *it == *code);
        let together = correlated(&asked.symbol, &basis.by_symbol) + share(asked.size_usd);
        let most_together = self.limits.max_correlated_exposure_pct;
        if refused("EXPOSURE_LIMIT") && after <= most * (1.0 - SLACK) {
            return Err(
                "expected a trade within the limit to pass, found it refused for exposure".into(),
            );
        }
        if refused("CORRELATED_EXPOSURE") && together <= most_together * (1.0 - SLACK) {
            return Err(
                "expected a trade within the limit to pass, found it refused for correlation"
                    .into(),
            );
        }
        if !judged.rejections.is_empty() {
            return Ok(());
        }
        if equity > 0.0 && after > most * (1.0 + SLACK) {
            return Err("expected no trade beyond the limit of exposure to pass, found one".into());
        }
        if !basis.by_symbol.is_empty() && together > most_together * (1.0 + SLACK) {
            return Err(
                "expected no trade beyond the limit of correlation to pass, found one".into(),
            );
        }
        let size = judged.size_usd.unwrap_or(asked.size_usd);
        if equity > 0.0 && share(size) > self.limits.max_position_pct * (1.0 + SLACK) {
            return Err(
                "expected a size of at most the largest position, found a greater one".into(),
            );
        }
        Ok(())
    }

    /// What the judgement goes by is what the account is.
    fn compare(&self, basis: &RiskBasis, now: Time) -> Result<(), String> {
        if !self.judges_account {
            return Ok(());
        }
        let Some(bounds) = self.account.bounds(now) else {
            return Ok(());
        };
        let equity = basis.equity.to_f64();
        let slack = 0.01 + bounds.equity.1.abs() * SLACK;
        if equity < bounds.equity.0 - slack || equity > bounds.equity.1 + slack {
            return Err(
                "expected risk to know what the account is worth, found another equity".into(),
            );
        }
        for exposure in &basis.by_symbol {
            let mut known = bounds.of.iter();
            let most = known.find(|(symbol, _)| *symbol == exposure.symbol);
            let most = most.map_or(0.0, |(_, (_, most))| *most);
            if exposure.pct > most + 0.01 + most * SLACK {
                return Err(
                    "expected exposure of a symbol as a share of equity, found a greater one"
                        .into(),
                );
            }
        }
        let slack = 0.01 + bounds.exposure_pct.1 * SLACK;
        if basis.exposure_pct > bounds.exposure_pct.1 + slack {
            return Err("expected exposure as a share of equity, found a greater one".into());
        }
        if basis.exposure_pct < bounds.exposure_pct.0 - slack {
            return Err("expected exposure as a share of equity, found a smaller one".into());
        }
        for (symbol, (least, _)) in &bounds.of {
            let mut told = basis.by_symbol.iter();
            let told = told.find(|it| it.symbol == *symbol);
            if told.map_or(0.0, |it| it.pct) < least - 0.01 - least * SLACK {
                return Err(
                    "expected exposure of a symbol as a share of equity, found a smaller one"
                        .into(),
                );
            }
        }
        Ok(())
    }

    fn submit(&self, submitted: &OrderSubmitted) -> Result<(), String> {
        let order = &submitted.order;
        if order.size_usd <= 0.0 {
            return Err("expected a size above nothing, found none".into());
        }
        if order.leverage < 1 || order.leverage > self.limits.max_leverage.max(1) && self.by_engine
        {
            return Err("expected a leverage within its limit, found another".into());
        }
        Ok(())
    }
}

/// The exposure of what moves together with a symbol, by how far it does.
fn correlated(symbol: &Name, open: &[SymbolExposure]) -> f64 {
    let part = |other: &Name| {
        let pair =
            |a: &str, b: &str| (*symbol == *a && *other == *b) || (*symbol == *b && *other == *a);
        match () {
            () if symbol == other => 1.0,
            () if pair("BTC/USDT", "XRP/USDT") => 0.75,
            () if pair("BTC/USDT", "XRP/BTC") => 0.60,
            () if pair("XRP/USDT", "XRP/BTC") => 0.85,
            () => 0.0,
        }
    };
    open.iter().map(|it| it.pct * part(&it.symbol)).sum()
}

impl Invariant<DomainEvent> for RiskLimits {
    fn id(&self) -> &'static str {
        "risk.limits"
    }

    fn statement(&self) -> &'static str {
        "at every submit, exposure with open orders, as a share of equity, is within limits, and the \
         size is at least the minimum; a trade within limits is not refused for exposure"
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
            number::Published,
            number::RiskJudged,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RiskJudged]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if self.judges_account {
            self.account.see(event);
        }
        match event.domain() {
            Some(DomainEvent::RiskJudged(it)) => self.judge(it, event.time),
            Some(DomainEvent::OrderSubmitted(it)) => self.submit(it),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
