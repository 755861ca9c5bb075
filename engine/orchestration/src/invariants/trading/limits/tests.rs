//! Judgements that keep to the limits, and each way in which one may not.

use super::super::plant::{answered, config, filled, judged, plan, set_price, submitted, traded};
use super::*;
use crate::amount::Amount;
use crate::domain_event::TradeOrigin::Signal;
use crate::domain_event::{BalanceChanged, OrderOutcome, PositionOpened};
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

/// The same where all that is at risk is in one symbol.
fn holding(equity: i64, exposure_pct: f64, size_usd: f64) -> RiskJudged {
    let mut judged = by(equity, exposure_pct, size_usd, None);
    let of_symbol = judged.basis.as_mut().map(|basis| &mut basis.by_symbol);
    of_symbol.unwrap().push(SymbolExposure {
        symbol: "BTC/USDT".into(),
        pct: exposure_pct,
    });
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
    with_position().then(holding(10_000, 9.0, 500.0)).holds();
    let what = with_position()
        .then(by(10_000, 9.0, 500.0, None))
        .violated();
    assert!(
        what.contains("of a symbol") && what.ends_with("a smaller one"),
        "{what}"
    );
    // 0.01 BTC at leverage 2 have earned 100 dollars, and 1,000 are at risk.
    with_position()
        .at(1.0)
        .then(traded("BTC/USDT", 50_000))
        .at(2.0)
        .then(holding(10_100, 9.9, 500.0))
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
    rests().then(holding(10_000, 10.0, 500.0)).holds();
    let mut close = filled("close", None, "sell", 45_000);
    close.margin = true;
    let closed = with_position().then(close).then(BalanceChanged {
        asset: "USDT".into(),
        balance: Amount::from_int(9_990),
        reserved: Amount::ZERO,
    });
    closed.then(by(9_990, 0.0, 500.0, None)).holds();
}

/// Fails if another position than the one that is closed goes, or nothing is known any more where two are alike.
#[test]
fn of_two_positions_of_one_size_the_one_that_is_named_is_closed() {
    let open = |log: Planted, intent, order: &'static str, position, price| {
        let mut fill = filled(order, Some(intent), "buy", price);
        fill.margin = true;
        let opened = PositionOpened {
            position,
            order: order.into(),
            symbol: "BTC/USDT".into(),
            side: "buy".into(),
            size: fill.size,
            entry_price: fill.price,
            leverage: fill.leverage,
            reserved: Amount::ZERO,
        };
        log.then(submitted(intent, Signal(1), "buy"))
            .then(fill)
            .then(opened)
            .then(answered(intent, Some(order), OrderOutcome::Filled))
    };
    let both = || {
        let first = open(limits(), "i", "order-1", 1, 45_000);
        open(first, "j", "order-2", 2, 40_000)
    };
    let mut close = filled("close", None, "sell", 45_000);
    (close.margin, close.position) = (true, Some(1));
    let judged = |equity| holding(equity, 9.8, 500.0);
    // What is left of both has earned 200 dollars, and not 100.
    let left = || {
        let closed = both().then(close.clone()).at(1.0);
        closed.then(traded("BTC/USDT", 50_000)).at(2.0)
    };
    left().then(judged(10_200)).holds();
    let what = left().then(judged(10_100)).violated();
    assert!(what.ends_with("another equity"), "{what}");
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
