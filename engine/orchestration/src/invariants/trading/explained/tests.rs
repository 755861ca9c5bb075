//! Judgements that follow from what is known, and each way in which one may not.

use serde_json::json;

use super::super::plant::{config, judged, plan, traded};
use super::*;
use crate::config::AccountFigures;
use crate::domain_event::{OutsideActed, RiskReset, Started, StateSaved, SymbolExposure};
use crate::invariants::degradation::samples::restored;
use crate::invariants::planted::Planted;
use crate::message::{Json, Name};

/// An account of 10,000 dollars.
fn planted() -> Planted {
    Planted::of(Explained::new(&plan(config()))).then(traded("BTC/USDT", 45_000))
}

/// A buy of 500 dollars with twice the leverage, a stop 2 % away and no target.
fn asked() -> RiskJudged {
    let mut judged = judged(TradeOrigin::Signal(7), "buy");
    judged.basis = Some(RiskBasis {
        equity: Amount::from_int(10_000),
        exposure_pct: 0.0,
        by_symbol: Vec::new(),
    });
    judged
}

fn change(change: impl FnOnce(&mut RiskJudged)) -> RiskJudged {
    let mut judged = asked();
    change(&mut judged);
    judged
}

fn refused(code: &'static str, alter: impl FnOnce(&mut RiskJudged)) -> RiskJudged {
    change(|it| {
        it.status = Name::fixed("rejected");
        it.rejections.push(Name::fixed(code));
        alter(it);
    })
}

fn remaining(size: f64, leverage: i64, alter: impl FnOnce(&mut RiskJudged)) -> RiskJudged {
    change(|it| {
        it.status = Name::fixed("modified");
        (it.size_usd, it.leverage) = (Some(size), Some(leverage));
        alter(it);
    })
}

fn closed(profit: i64) -> PositionClosed {
    PositionClosed {
        position: 1,
        size: Amount::ONE,
        price: Amount::HUNDRED,
        profit: Amount::from_int(profit),
        reason: Name::fixed("stop_loss"),
    }
}

/// Refusals: each code, and what it takes for it. Fails if a refusal is made up, or one is left out.
#[test]
fn each_refusal_needs_its_reason_and_each_reason_its_refusal() {
    type Alter = fn(&mut RiskJudged);
    let cases: [(&'static str, Alter); 8] = [
        ("STOP_LOSS_REQUIRED", |it| it.proposal.stop_loss = None),
        ("STOP_TOO_TIGHT", |it| {
            it.proposal.stop_loss = Some(44_800.0)
        }),
        ("STOP_TOO_WIDE", |it| it.proposal.stop_loss = Some(42_700.0)),
        ("LOW_RR", |it| it.proposal.take_profit = Some(46_300.0)),
        ("CONFIDENCE_TOO_LOW", |it| it.proposal.confidence = 0.59),
        ("EXPOSURE_LIMIT", |it| it.proposal.size_usd = 4_001.0),
        ("CORRELATED_EXPOSURE", |it| {
            let symbol = Name::fixed("XRP/USDT");
            let held = SymbolExposure { symbol, pct: 50.0 };
            it.basis
                .iter_mut()
                .for_each(|basis| basis.by_symbol.push(held.clone()));
        }),
        ("INSUFFICIENT_MARGIN", |it| {
            it.proposal.size_usd = 2_500.0;
            it.proposal.leverage = 1;
        }),
    ];
    // Of the 10,000 dollars, 8,000 stand behind something.
    let planted = || {
        planted().then(BalanceChanged {
            asset: Name::fixed("USDT"),
            balance: Amount::from_int(10_000),
            reserved: Amount::from_int(8_000),
        })
    };
    for (code, alter) in cases {
        planted().then(refused(code, alter)).holds();
        let what = planted().then(refused(code, |_| {})).violated();
        assert!(what.contains(&format!("to speak for {code}")), "{what}");
        let what = planted().then(change(alter)).violated();
        assert!(what.contains(&format!("expected {code}")), "{what}");
        let halted = refused(code, |it| {
            alter(it);
            it.status = Name::fixed("halted");
        });
        assert!(planted().then(halted).violated().contains("refuse alone"));
    }
    let mut unnamed = change(|it| it.rejections.push(Name::fixed("MOOD")));
    unnamed.status = Name::fixed("rejected");
    assert!(planted().then(unnamed).violated().ends_with("found MOOD"));
    // What is looked at first answers.
    let both = |code| {
        refused(code, |it| {
            it.proposal.stop_loss = None;
            it.proposal.confidence = 0.1;
        })
    };
    planted().then(both("STOP_LOSS_REQUIRED")).holds();
    planted().then(both("CONFIDENCE_TOO_LOW")).violated();
}

/// Fails if a trade is cut that need not be, or is not cut enough, or too much.
#[test]
fn what_remains_is_what_the_caps_leave() {
    planted().then(asked()).holds();
    planted().then(remaining(500.0, 1, |_| {})).violated();
    planted().then(remaining(400.0, 2, |_| {})).violated();
    let large = |it: &mut RiskJudged| it.proposal.size_usd = 3_000.0;
    planted().then(remaining(2_000.0, 2, large)).holds();
    let what = planted().then(remaining(1_000.0, 2, large)).violated();
    assert!(what.contains("expected 2000 dollars"), "{what}");
    // A stop 5 % away may cost 200 dollars, too.
    let far = |it: &mut RiskJudged| {
        it.proposal.size_usd = 4_000.0;
        it.proposal.leverage = 1;
        it.proposal.stop_loss = Some(42_750.0);
    };
    planted().then(remaining(2_000.0, 1, far)).holds();
    let bold = |it: &mut RiskJudged| {
        it.proposal.leverage = 6;
        it.proposal.regime = Some(Name::fixed("trending_bull"));
    };
    planted().then(remaining(500.0, 5, bold)).holds();
    let what = planted().then(remaining(500.0, 4, bold)).violated();
    assert!(what.contains("a leverage of"), "{what}");
    planted().then(change(bold)).violated();
}

/// Fails if something may be said to be noticed that was not, or is not told where the log tells such things at all.
#[test]
fn what_is_noticed_besides_is_told_and_nothing_else() {
    let warned = |codes: &'static [&'static str], size: f64| {
        remaining(2_000.0, 2, |it| {
            it.proposal.size_usd = size;
            it.warnings = codes.iter().map(|code| Name::fixed(code)).collect();
        })
    };
    let large = |codes| warned(codes, 3_000.0);
    planted().then(large(&[])).holds();
    planted().then(large(&["SIZE_REDUCED"])).holds();
    let silent = planted().then(large(&["SIZE_REDUCED"])).then(large(&[]));
    let what = silent.violated();
    assert!(what.contains("expected SIZE_REDUCED to be told"), "{what}");
    for code in [
        "LEVERAGE_REDUCED",
        "HIGH_CORRELATION",
        "SIZE_REDUCED_LOSSES",
    ] {
        let many = change(|it| it.warnings = vec![Name::fixed(code)]);
        let what = planted().then(many).violated();
        assert!(what.contains("nothing to speak for"), "{what}");
    }
    let what = planted()
        .then(change(|it| {
            it.warnings = vec![Name::fixed("AGENT_DISAGREEMENT")]
        }))
        .violated();
    assert!(what.contains("expected no more"), "{what}");
    // Met exactly, a limit may be said to be above or not.
    let met = |it: &mut RiskJudged| it.proposal.size_usd = 2_000.0;
    planted().then(change(met)).holds();
}

/// Fails if losses in a row, or how long after them nothing is opened, do not count.
#[test]
fn losses_cut_and_cool() {
    let lost = |times: u32| (0..times).fold(planted(), |log, _| log.then(closed(-1)));
    let cooling = || refused("IN_COOLDOWN", |_| {});
    let fresh = |log: Planted, at: f64| log.at(at).then(traded("BTC/USDT", 45_000));
    fresh(lost(1), 599.0).then(cooling()).holds();
    let what = fresh(lost(1), 599.0).then(asked()).violated();
    assert!(what.contains("expected IN_COOLDOWN"), "{what}");
    fresh(lost(1), 600.0).then(asked()).holds();
    fresh(lost(1), 600.0).then(cooling()).violated();
    fresh(lost(3), 1_799.0).then(cooling()).holds();
    fresh(lost(3).then(closed(1)), 300.0).then(asked()).holds();
    let sure = |it: &mut RiskJudged| it.proposal.confidence = 0.85;
    fresh(lost(5), 3_600.0)
        .then(remaining(250.0, 1, sure))
        .holds();
    fresh(lost(5), 3_600.0)
        .then(remaining(500.0, 1, sure))
        .violated();
    fresh(lost(3), 1_800.0)
        .then(refused("CONFIDENCE_TOO_LOW", |it| {
            it.proposal.confidence = 0.69
        }))
        .holds();
}

/// Fails if a fall from the highest worth does not lower the leverage, or halts nothing.
#[test]
fn a_fall_lowers_the_leverage_and_halts() {
    let at = |equity: i64| {
        move |it: &mut RiskJudged| {
            it.proposal.leverage = 3;
            it.proposal.regime = Some(Name::fixed("trending_bull"));
            it.basis
                .iter_mut()
                .for_each(|basis| basis.equity = Amount::from_int(equity));
        }
    };
    planted()
        .then(change(at(10_000)))
        .then(remaining(500.0, 2, at(8_900)))
        .holds();
    let what = planted()
        .then(change(at(10_000)))
        .then(change(at(8_900)))
        .violated();
    assert!(what.contains("a leverage of [2]"), "{what}");
    let what = planted()
        .then(change(at(10_000)))
        .then(change(at(7_900)))
        .violated();
    assert!(what.contains("expected TRADING_HALTED"), "{what}");
    let halted = refused("TRADING_HALTED", |it| {
        at(7_900)(it);
        it.status = Name::fixed("halted");
    });
    planted().then(change(at(10_000))).then(halted).holds();
    let halted = refused("TRADING_HALTED", |it| it.status = Name::fixed("halted"));
    let what = planted().then(halted.clone()).violated();
    assert!(
        what.contains("nothing to speak for TRADING_HALTED"),
        "{what}"
    );
    // Whoever else tells risk of the account may have told of anything.
    let told = OutsideAction::TellRisk(AccountFigures {
        current_equity: Amount::HUNDRED,
        daily_pnl: Amount::ZERO,
        weekly_pnl: Amount::ZERO,
        open_positions: 0,
        total_exposure_pct: 0.0,
        available_margin: Amount::ZERO,
    });
    planted()
        .then(OutsideActed { action: told })
        .then(halted)
        .holds();
}

/// Fails if a restart may forget the highest worth that was saved.
#[test]
fn a_restart_knows_the_highest_worth() {
    let saved = StateSaved {
        record: Json(json!({"risk": {"peak_equity": "10000"}})),
    };

    let log = || {
        let log = planted().then(change(|_| {})).then(saved.clone());
        log.then(Started {}).then(restored())
    };
    let poor = |it: &mut RiskJudged| {
        let basis = it.basis.iter_mut();
        basis.for_each(|basis| basis.equity = Amount::from_int(7_900));
    };
    let what = log().then(change(poor)).violated();
    assert!(what.contains("expected TRADING_HALTED"), "{what}");
    let forgotten = planted().then(Started {}).then(change(poor));
    forgotten.holds();
}

/// Fails if what the account was worth stays unknown because prices came one after another.
#[test]
fn the_first_prices_may_come_one_by_one() {
    let mut config = config();
    let held = [("BTC", Amount::ONE), ("USDT", Amount::from_int(10_000))];
    config.paper.initial_balance = held.map(|(asset, held)| (asset.to_owned(), held)).into();
    let halted = refused("TRADING_HALTED", |it| {
        it.status = Name::fixed("halted");
        it.basis
            .iter_mut()
            .for_each(|basis| basis.equity = Amount::from_int(55_000));
    });
    let what = Planted::of(Explained::new(&plan(config)))
        .then(traded("XRP/USDT", 1))
        .then(traded("BTC/USDT", 45_000))
        .then(halted)
        .violated();
    assert!(
        what.contains("nothing to speak for TRADING_HALTED"),
        "{what}"
    );
}

/// Fails if what somebody lifted by hand must still refuse, or may.
#[test]
fn what_was_lifted_refuses_nothing() {
    let reset = RiskReset {
        administrator: true,
        lifted: vec![Name::fixed("max_drawdown")],
    };
    let cooling = || planted().then(closed(-1));
    let in_cooldown = || refused("IN_COOLDOWN", |_| {});
    cooling().then(in_cooldown()).holds();
    let what = cooling().then(reset.clone()).then(in_cooldown()).violated();
    assert!(what.contains("nothing to speak for IN_COOLDOWN"), "{what}");
    let restarted = cooling().then(reset.clone()).then(Started {});
    restarted.then(in_cooldown()).holds();
    // It halts anew only when risk is told of the account again.
    let fallen = |it: &mut RiskJudged| {
        it.basis
            .iter_mut()
            .for_each(|basis| basis.equity = Amount::from_int(7_900));
        it.status = Name::fixed("halted");
    };
    let breached = || refused("CIRCUIT_BREAKER", fallen);
    let before = || planted().then(change(|_| {}));
    before().then(breached()).violated();
    before().then(reset).then(breached()).holds();
}
