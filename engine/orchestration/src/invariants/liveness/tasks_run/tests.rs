//! Tasks that run in their intervals, and some that do not.

use super::super::samples::{
    crashed, ended, finished, listens, minimal, name, plan, published, run_ended, run_started,
    started, state,
};
use super::*;
use crate::amount::Amount;
use crate::coordinator::state::RunState::{Halted, Paused, Running};
use crate::domain_event::{MarketBar, StateSaved, TaskOutcome, TaskSwitched};
use crate::invariants::degradation::samples::restored;
use crate::invariants::planted::Planted;
use crate::message::{InFlightTasksRecovered, Json, StoreLost, Topic};
use serde_json::json;

/// Analysis from the start on, every minute, and sentiment every half an hour; no other task.
fn two() -> Plan<Config> {
    plan(json!({
        "agents": {
            "regime_detection": "absent", "trading_decision": "absent",
            "portfolio_rebalance": "absent",
        },
        "schedules": {"sentiment_analysis": {"enabled": true}},
    }))
}

fn ran(log: Planted, task: &str) -> Planted {
    let log = log.then(run_started(task, false));
    log.then(run_ended(task, TaskOutcome::Done))
        .then(finished(task))
}

fn begun() -> Planted {
    ran(
        Planted::of(TasksRun::new(&two()))
            .then(started())
            .then(listens()),
        "ta_analysis",
    )
}

/// Analysis runs every minute up to a time.
fn analysing(mut log: Planted, minutes: std::ops::Range<u32>) -> Planted {
    for minute in minutes {
        log = ran(log.at(f64::from(minute) * 60.0), "ta_analysis");
    }
    log
}

#[test]
fn tasks_that_run_in_their_intervals_are_fine() {
    let log = ran(analysing(begun(), 1..31), "sentiment_analysis");
    analysing(log, 31..40).kernel(ended()).holds();
}

#[test]
fn a_task_that_never_runs_is_found() {
    let found = analysing(begun(), 1..40).violated();
    assert!(found.starts_with("expected sentiment_analysis"), "{found}");
    let found = begun()
        .at(181.0)
        .then(run_started("sentiment_analysis", false));
    let found = found.violated();
    assert!(found.starts_with("expected ta_analysis"), "{found}");
    begun()
        .at(180.0)
        .then(run_started("sentiment_analysis", false))
        .holds();
}

#[test]
fn time_in_which_it_may_not_run_does_not_count() {
    let log = |other| begun().at(60.0).then(state(Running, other)).at(900.0);
    let halted = log(Halted).then(state(Halted, Running));
    halted.at(1_000.0).kernel(ended()).holds();
    log(Paused).kernel(ended()).violated();
    let log = begun()
        .at(60.0)
        .then(run_started("sentiment_analysis", true));
    let log = log
        .at(900.0)
        .then(run_ended("sentiment_analysis", TaskOutcome::Done));
    log.at(1_000.0).then(started()).holds();
    let off = TaskSwitched {
        task: name("ta_analysis"),
        enabled: false,
    };
    begun().then(off).at(1_700.0).then(started()).holds();
}

#[test]
fn a_dependent_waits_for_what_it_depends_on() {
    let dependent = plan(json!({
        "agents": {"trading_decision": "absent", "portfolio_rebalance": "absent"},
        "schedules": {"technical_analysis": {"interval_seconds": 3_000}},
    }));
    let log = Planted::of(TasksRun::new(&dependent))
        .then(started())
        .then(listens());
    let log = ran(ran(log, "ta_analysis").at(300.0), "regime_detection");
    let log = log.at(2_999.0).then(run_started("ta_analysis", true));
    log.then(run_ended("ta_analysis", TaskOutcome::Done))
        .holds();
}

// Fails if a restart may take what ran long before for what ran just now.
#[test]
fn a_restart_goes_by_what_was_saved() {
    let start_us = two().start_unix_ns / 1_000;
    let last_run = Instant::from_micros(60_000_000).to_iso(start_us);
    let record = json!({"tasks": {"ta_analysis": {"last_run": last_run}}});
    let saved = StateSaved {
        record: Json(record),
    };

    let lost = StoreLost {
        loss: name("store_gone"),
    };
    let log = || {
        let log = begun().then(saved.clone()).at(70.0).kernel(crashed());
        log.at(100.0)
            .then(started())
            .then(restored())
            .then(listens())
    };
    let late = |log: Planted| log.at(244.0).then(run_started("sentiment_analysis", false));
    let found = late(log()).violated();
    assert!(found.starts_with("expected ta_analysis"), "{found}");
    late(log().then(published(1, Topic::RiskAlerts, lost))).holds();
}

#[test]
fn a_task_that_was_cut_off_runs_at_once() {
    let recovered = |log: Planted| {
        let recovered = InFlightTasksRecovered {
            tasks: vec![name("sentiment_analysis")],
            action: name("marked_for_rerun"),
        };
        let log = log
            .kernel(crashed())
            .at(10.0)
            .then(started())
            .then(listens());
        ran(log, "ta_analysis").then(published(1, Topic::SystemEvents, recovered))
    };
    let found = analysing(recovered(begun()), 1..4).violated();
    assert!(found.starts_with("expected sentiment_analysis"), "{found}");
    let log = ran(recovered(begun()), "sentiment_analysis");
    analysing(log, 1..4).holds();
}

#[test]
fn a_circle_of_dependencies_is_found_at_once() {
    let mut circular = minimal();
    let regime = vec![name("regime_detection")];
    circular.system.schedules.technical_analysis.depends_on = Some(regime);
    let log = Planted::of(TasksRun::new(&circular)).then(started());
    let found = log.violated();
    assert!(
        found.starts_with("expected no circle of dependencies"),
        "{found}"
    );
}

/// Sentiment every two bars, and nothing else.
fn by_bars() -> Planted {
    let only = plan(json!({
        "agents": {
            "technical_analysis": "absent", "regime_detection": "absent", "trading_decision": "absent",
            "portfolio_rebalance": "absent",
        },
        "schedules": {"sentiment_analysis": {"enabled": true, "interval_bars": 2}},
    }));
    let log = Planted::of(TasksRun::new(&only));
    log.then(started()).then(listens())
}

fn bar() -> MarketBar {
    let price = Amount::HUNDRED;
    MarketBar {
        symbol: name("BTC/USDT"),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: price,
    }
}

// Fails if a task by bars may be left out, or is called late before they have closed.
#[test]
fn a_task_by_bars_runs_once_they_have_closed() {
    let one = || by_bars().at(3_600.0).then(bar()).then(bar());
    one().at(7_100.0).kernel(ended()).holds();
    let two = || one().at(7_200.0).then(bar());
    let found = two().at(7_321.0).kernel(ended()).violated();
    assert!(found.contains("its interval of 2 bars"), "{found}");
    let done = || ran(two(), "sentiment_analysis").at(10_800.0).then(bar());
    done().at(14_000.0).kernel(ended()).holds();
    // A bar that closes before it listens again does not count.
    let again = two().at(7_201.0).kernel(crashed()).then(started());
    let again = again.at(10_800.0).then(bar()).then(listens());
    again
        .at(14_400.0)
        .then(bar())
        .at(17_900.0)
        .kernel(ended())
        .holds();
    let late = done().at(14_400.0).then(bar()).at(18_000.0);
    late.then(bar()).violated();
}
