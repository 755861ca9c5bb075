//! `risk.limits`: a judgement is held against the limits, and what it goes by against the account.

use dacapo_kernel::{Event, Invariant, Plan, Time};

use super::account::Account;
use super::prices::{CRASHED, HOST, OUTSIDE, STARTED, TASK_CRASHED, TRADE};
use crate::config::{Config, RiskMode, TradingMode};
use crate::domain_event::{
    DomainEvent, OrderSubmitted, RiskBasis, RiskJudged, SymbolExposure, number,
};
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
            let known = bounds.most_of.iter();
            let most = known.clone().find(|(symbol, _)| *symbol == exposure.symbol);
            let most = most.map_or(0.0, |(_, most)| *most);
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
            OUTSIDE,
            STARTED,
            CRASHED,
            TASK_CRASHED,
            HOST,
            number::BalanceChanged,
            number::Filled,
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
mod tests {
    use super::super::plant::{
        answered, config, filled, judged, plan, set_price, submitted, traded,
    };
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::TradeOrigin::Signal;
    use crate::domain_event::{BalanceChanged, OrderOutcome};
    use crate::invariants::planted::Planted;

    /// An account of 10,000 dollars.
    fn limits() -> Planted {
        Planted::of(RiskLimits::new(&plan(config()))).then(traded("BTC/USDT", 45_000))
    }

    /// Settings under which nobody keeps an account.
    fn live() -> Config {
        Config {
            trading_mode: TradingMode::Live,
            ..config()
        }
    }

    fn by(equity: i64, exposure_pct: f64, size_usd: f64, code: Option<&'static str>) -> RiskJudged {
        let mut judged = judged(Signal(1), "buy");
        judged.proposal.size_usd = size_usd;
        judged.basis = Some(RiskBasis {
            equity: Amount::from_int(equity),
            exposure_pct,
            by_symbol: Vec::new(),
        });
        judged.rejections.extend(code.map(Into::into));
        judged
    }

    /// A position of 450 dollars that 900 are moved by.
    fn with_position() -> Planted {
        let mut fill = filled("order-1", Some("i"), "buy", 45_000);
        fill.margin = true;
        limits()
            .then(submitted("i", Signal(1), "buy"))
            .then(fill)
            .then(answered("i", Some("order-1"), OrderOutcome::Filled))
    }

    #[test]
    fn exposure_is_within_its_limit_and_not_refused_there() {
        let what = limits().then(by(10_000, 0.0, 4_100.0, None)).violated();
        assert!(what.contains("beyond the limit"), "{what}");
        let refused = by(10_000, 0.0, 3_900.0, Some("EXPOSURE_LIMIT"));
        assert!(
            limits()
                .then(refused)
                .violated()
                .ends_with("refused for exposure")
        );
        limits()
            .then(by(10_000, 0.0, 4_100.0, Some("EXPOSURE_LIMIT")))
            .then(by(10_000, 0.0, 1_900.0, None))
            .holds();
        let what = limits().then(by(10_000, 0.0, 2_100.0, None)).violated();
        assert!(what.contains("the largest position"), "{what}");
    }

    #[test]
    fn what_moves_together_is_within_its_limit() {
        let beside = |pct: f64, size: f64, code| {
            let mut judged = by(10_000, 9.0, size, code);
            if let Some(basis) = &mut judged.basis {
                basis.by_symbol.push(SymbolExposure {
                    symbol: "XRP/USDT".into(),
                    pct,
                });
            }
            judged
        };
        let alone = || Planted::of(RiskLimits::new(&plan(live())));
        let what = alone()
            .then(beside(40.0, 900.0, Some("CORRELATED_EXPOSURE")))
            .violated();
        assert!(what.ends_with("refused for correlation"), "{what}");
        let what = alone().then(beside(40.0, 1_100.0, None)).violated();
        assert!(what.contains("limit of correlation"), "{what}");
        alone()
            .then(beside(40.0, 900.0, None))
            .then(beside(40.0, 1_100.0, Some("CORRELATED_EXPOSURE")))
            .holds();
        let what = with_position().then(beside(100.0, 500.0, None)).violated();
        assert!(what.contains("of a symbol"), "{what}");
    }

    #[test]
    fn what_risk_goes_by_is_what_there_is() {
        let what = limits().then(by(9_000, 0.0, 500.0, None)).violated();
        assert!(what.ends_with("another equity"), "{what}");
        let what = with_position()
            .then(by(10_000, 100.0, 500.0, None))
            .violated();
        assert!(what.ends_with("found a greater one"), "{what}");
        let what = with_position()
            .then(by(10_000, 0.0, 500.0, None))
            .violated();
        assert!(what.ends_with("found a smaller one"), "{what}");
        with_position().then(by(10_000, 9.0, 500.0, None)).holds();
        // 0.01 BTC at leverage 2 have earned 100 dollars, and 1,000 are at risk.
        with_position()
            .at(1.0)
            .then(traded("BTC/USDT", 50_000))
            .at(2.0)
            .then(by(10_100, 9.9, 500.0, None))
            .holds();
    }

    #[test]
    fn resting_orders_and_closed_positions_count() {
        let rests = || {
            limits()
                .then(submitted("i", Signal(1), "buy"))
                .then(answered("i", Some("order-1"), OrderOutcome::Resting))
        };
        assert!(
            rests()
                .then(by(10_000, 0.0, 500.0, None))
                .violated()
                .contains("a smaller one")
        );
        rests().then(by(10_000, 10.0, 500.0, None)).holds();
        let mut close = filled("close", None, "sell", 45_000);
        close.margin = true;
        let closed = with_position().then(close).then(BalanceChanged {
            asset: "USDT".into(),
            balance: Amount::from_int(9_990),
            reserved: Amount::ZERO,
        });
        closed.then(by(9_990, 0.0, 500.0, None)).holds();
    }

    #[test]
    fn without_a_price_nothing_is_compared() {
        limits()
            .then(BalanceChanged {
                asset: "BTC".into(),
                balance: Amount::ONE,
                reserved: Amount::ZERO,
            })
            .at(60.0)
            .then(by(1, 0.0, 0.1, None))
            .then(set_price("XRP/USDT", 1))
            .holds();
    }

    #[test]
    fn an_order_has_a_size_and_a_leverage() {
        let mut order = submitted("i", Signal(1), "buy");
        order.order.size_usd = 0.0;
        assert!(
            limits()
                .then(by(10_000, 0.0, 500.0, None))
                .then(order.clone())
                .violated()
                .contains("a size")
        );
        (order.order.size_usd, order.order.leverage) = (1.0, 6);
        let judged = || limits().then(by(10_000, 0.0, 500.0, None));
        assert!(judged().then(order).violated().contains("a leverage"));
        judged().then(submitted("i", Signal(1), "buy")).holds();
    }
}
