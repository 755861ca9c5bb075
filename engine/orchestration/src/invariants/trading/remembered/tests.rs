//! Records that tell what happened, and each way in which one may not.

use serde_json::json;

use super::super::plant::{config, judged, plan};
use super::*;
use crate::domain_event::{RiskBasis, RiskReset, Started, StateRestored, StoreFailed, TradeOrigin};
use crate::invariants::degradation::samples::restored;
use crate::invariants::planted::Planted;
use crate::message::{Json, Name};

/// A run that begins on a Monday, an hour before midnight.
fn planted() -> Planted {
    let mut plan = plan(config());
    plan.start_unix_ns = MIDNIGHT_US * 1_000 - 3_600_000_000_000;
    Planted::of(Remembered::new(&plan))
}

/// 2025-01-07, a Tuesday, in microseconds since 1970.
const MIDNIGHT_US: i64 = 1_736_208_000_000_000;
const HOUR_US: i64 = 3_600_000_000;

fn closed(profit: i64) -> PositionClosed {
    PositionClosed {
        position: 1,
        size: Amount::ONE,
        price: Amount::HUNDRED,
        profit: Amount::from_int(profit),
        reason: Name::fixed("stop_loss"),
    }
}

/// What is saved after one loss at the start, before anything was judged.
fn after_a_loss() -> Value {
    json!({
        "closings": 1, "consecutive_losses": 1, "consecutive_wins": 0, "trades_today": 1,
        "cooldown_until": 600_000_000, "cooldown_reason": "loss",
        "last_daily_reset": null, "last_weekly_reset": null,
        "periods": { "day": 20_094, "day_start": "100", "week": 2_871, "week_start": "100" },
    })
}

fn saved(mut risk: Value, changes: Value) -> StateSaved {
    for (name, value) in changes.as_object().into_iter().flatten() {
        risk[name] = value.clone();
    }
    StateSaved {
        record: Json(json!({ "risk": risk })),
    }
}

fn judgement(equity: i64) -> RiskJudged {
    let mut judged = judged(TradeOrigin::Signal(7), "buy");
    judged.basis = Some(RiskBasis {
        equity: Amount::from_int(equity),
        exposure_pct: 0.0,
        by_symbol: Vec::new(),
    });
    judged
}

/// Fails if a count, a cooldown or its reason may be saved wrong.
#[test]
fn what_is_saved_is_what_closed() {
    planted()
        .then(closed(-1))
        .then(saved(after_a_loss(), json!({})))
        .holds();
    for wrong in [
        json!({"closings": 2}),
        json!({"closings": 0}),
        json!({"consecutive_losses": 2}),
        json!({"consecutive_wins": 1}),
        json!({"trades_today": 0}),
        json!({"cooldown_until": 600_000_001}),
        json!({"cooldown_reason": "post_trade"}),
        json!({"last_daily_reset": 5}),
        json!({"consecutive_losses": null}),
    ] {
        let what = planted()
            .then(closed(-1))
            .then(saved(after_a_loss(), wrong))
            .violated();
        assert!(what.starts_with("expected"), "{what}");
    }
    let won = json!({
        "closings": 2, "consecutive_losses": 0, "consecutive_wins": 1, "trades_today": 2,
        "cooldown_until": 300_000_000, "cooldown_reason": "post_trade",
    });
    planted()
        .then(closed(-1))
        .then(closed(1))
        .then(saved(after_a_loss(), won))
        .holds();
}

/// Fails if a trade that closed may be judged upon before it is saved.
#[test]
fn it_is_saved_before_more_is_judged() {
    let log = || {
        planted()
            .then(closed(-1))
            .then(saved(after_a_loss(), json!({})))
    };
    log().then(judgement(100)).holds();
    let what = log().then(closed(-1)).then(judgement(100)).violated();
    assert!(what.contains("found it unsaved"), "{what}");
    let nothing = StateSaved {
        record: Json(json!({})),
    };
    let what = planted()
        .then(closed(-1))
        .then(nothing)
        .then(judgement(100))
        .violated();
    assert!(what.contains("found it unsaved"), "{what}");
    let failed = StoreFailed {
        operation: Name::fixed("save_state"),
    };
    log()
        .then(closed(-1))
        .then(failed)
        .then(judgement(100))
        .holds();
}

/// Fails if a day may begin when it does not, twice, or with another worth.
#[test]
fn days_begin_once_and_with_what_the_account_is_worth() {
    let what = planted()
        .then(closed(-1))
        .then(saved(after_a_loss(), json!({})))
        .then(judgement(101))
        .violated();
    assert!(what.contains("to begin with"), "{what}");
    let marks = json!({
        "last_daily_reset": MIDNIGHT_US - HOUR_US, "last_weekly_reset": MIDNIGHT_US - HOUR_US,
    });
    let judged = || {
        planted()
            .then(closed(-1))
            .then(saved(after_a_loss(), json!({})))
            .then(judgement(100))
            .then(saved(after_a_loss(), marks.clone()))
    };
    judged().holds();
    let periods = |day: i64, start: &str, week: i64| {
        let mut marked = marks.clone();
        marked["periods"] =
            json!({ "day": day, "day_start": start, "week": week, "week_start": "100" });
        saved(after_a_loss(), marked)
    };
    judged().then(periods(20_094, "90", 2_871)).violated();
    judged().then(periods(20_095, "90", 2_871)).violated();
    judged()
        .at(3_600.0)
        .then(periods(20_095, "90", 2_871))
        .then(judgement(90))
        .holds();
    judged()
        .at(3_600.0)
        .then(periods(20_095, "90", 2_872))
        .violated();
    // The first judgement of the new day begins it, and no trade has closed since.
    let anew = |trades: u64| {
        let begun = json!({
            "trades_today": trades,
            "last_daily_reset": MIDNIGHT_US, "last_weekly_reset": MIDNIGHT_US - HOUR_US,
        });
        judged()
            .at(3_600.0)
            .then(judgement(100))
            .then(saved(after_a_loss(), begun))
    };
    anew(0).holds();
    anew(1).violated();
}

// Fails if a restart may forget the highest worth that was saved.
#[test]
fn the_highest_worth_stays() {
    let peak = |peak: &str| saved(after_a_loss(), json!({ "peak_equity": peak }));
    let log = || planted().then(closed(-1)).then(peak("120"));
    log().then(peak("130")).holds();
    let what = log().then(Started {}).then(peak("110")).violated();
    assert!(what.contains("to stay 120"), "{what}");
    let unreadable = StateRestored {
        complete: false,
        ..restored()
    };
    log().then(unreadable).then(peak("110")).holds();
}

// Fails if yesterday may go on after the account was looked at today.
#[test]
fn a_day_does_not_go_on() {
    let log = || {
        let log = planted()
            .then(closed(-1))
            .then(saved(after_a_loss(), json!({})))
            .then(judgement(100));
        log.at(3_600.0).then(judgement(100))
    };
    log().then(judgement(100)).holds();
    let what = log().then(judgement(99)).violated();
    assert!(what.contains("to be those of now"), "{what}");
}

// Fails if a judgement may know what the account is worth before any day has begun with a worth.
#[test]
fn a_day_begins_before_anything_is_judged() {
    let nothing = || {
        saved(
            after_a_loss(),
            json!({"periods": {"day": 0, "day_start": null, "week": 0, "week_start": null}}),
        )
    };
    let without = || planted().then(closed(-1)).then(nothing());
    let found = without().then(judgement(100)).violated();
    assert!(found.ends_with("found none begun"), "{found}");
    without().then(judgement(0)).holds();
    let begun = planted()
        .then(closed(-1))
        .then(saved(after_a_loss(), json!({})));
    begun.then(judgement(100)).holds();
    // Unless somebody has told it so before the start.
    let mut told = plan(config());
    let event = json!({"at_seconds": -1, "trade_result": {"win": false}});
    let event = serde_json::from_value(event).expect("it is one");
    told.system.add_event(event);
    let told = Planted::of(Remembered::new(&told))
        .then(closed(-1))
        .then(nothing());
    let found = told.then(judgement(100)).finding();
    assert_eq!(found, dacapo_kernel::Finding::NotEvaluable);
}

/// Fails if a cooldown that was lifted by hand may be saved as if it went on.
#[test]
fn what_was_lifted_is_saved_as_lifted() {
    let reset = || RiskReset {
        administrator: false,
        lifted: Vec::new(),
    };
    let log = || planted().then(closed(-1)).then(reset());
    let lifted = json!({"cooldown_until": null, "cooldown_reason": ""});
    log().then(saved(after_a_loss(), lifted)).holds();
    log().then(saved(after_a_loss(), json!({}))).violated();
    let failed = StoreFailed {
        operation: Name::fixed("save_state"),
    };
    let unsaved = log().then(failed).then(saved(after_a_loss(), json!({})));
    assert_eq!(unsaved.finding(), dacapo_kernel::Finding::NotEvaluable);
}

/// Fails if trading may stay halted though nothing that is saved halts it.
#[test]
fn a_halt_has_its_breaker() {
    let halted = || {
        let mut judged = judgement(100);
        judged.rejections.push("TRADING_HALTED".into());
        judged
    };
    let log = |breakers: Value| {
        let saved = saved(after_a_loss(), json!({ "breakers": breakers }));
        planted().then(closed(-1)).then(saved)
    };
    log(json!(["daily_loss"])).then(halted()).holds();
    let what = log(json!([])).then(halted()).violated();
    assert!(what.contains("to halt trading"), "{what}");
}
