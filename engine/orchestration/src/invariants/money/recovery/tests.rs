//! Crashes that cost what they may, and one planted loss of each kind.

use dacapo_kernel::{HostCrashed, HostId};
use serde_json::json;

use super::*;
use crate::domain_event::{
    Counted, ScheduleEnded, Started, StoreFailed, TaskFinished, TaskRunEnded,
};
use crate::invariants::money::planted::config;
use crate::invariants::planted::Planted;
use crate::message::Json;

fn log() -> Planted {
    Planted::of(Statistics::new(&config())).then(Started {})
}

/// A run of a task begins, ends and is counted.
fn run(log: Planted) -> Planted {
    log.then(TaskRunStarted {
        task: "ta".into(),
        symbol: "BTC/USDT".into(),
        forced: false,
    })
    .then(TaskRunEnded {
        task: "ta".into(),
        symbol: "BTC/USDT".into(),
        outcome: TaskOutcome::Done,
    })
    .then(TaskFinished { task: "ta".into() })
}

fn failed(llm_failures: u32) -> OutcomeCounted {
    OutcomeCounted {
        outcome: Counted::LlmFailure,
        llm_failures,
        api_failures: 0,
        level: DegradationLevel::Normal,
    }
}

fn saved(task_runs: u64, llm_failures: u32) -> StateSaved {
    let record = json!({
        "statistics": { "total_task_runs": task_runs, "total_conflicts_detected": 0 },
        "failures": { "llm_failures": llm_failures, "api_failures": 0 },
    });
    StateSaved {
        record: Json(record),
    }
}

fn restored(task_runs: u64, llm_failures: u32, level: DegradationLevel) -> StateRestored {
    StateRestored {
        task_runs,
        conflicts: 0,
        llm_failures,
        api_failures: 0,
        level,
        complete: true,
    }
}

fn crash(log: Planted) -> Planted {
    log.kernel(HostCrashed {
        host: HostId(2),
        abrupt: false,
    })
    .then(Started {})
}

/// One run and three failures were saved, and another run was not.
fn crashed() -> Planted {
    let log = run(log().at(60.0))
        .at(600.0)
        .then(failed(3))
        .then(saved(1, 3));
    crash(run(log.at(700.0)).at(1_300.0))
}

#[test]
fn what_was_saved_comes_back() {
    let reduced = DegradationLevel::Reduced;
    run(crashed().then(restored(1, 3, reduced))).holds();
}

#[test]
fn a_recovery_that_forgets_is_noticed() {
    let runs = crashed()
        .then(restored(0, 3, DegradationLevel::Reduced))
        .violated();
    assert!(runs.contains("the 1 task runs"), "{runs}");
    let counts = crashed()
        .then(restored(1, 0, DegradationLevel::Normal))
        .violated();
    assert!(counts.contains("the 3 model failures"), "{counts}");
    let level = crashed()
        .then(restored(1, 3, DegradationLevel::Normal))
        .violated();
    assert!(level.contains("the level"), "{level}");
    let anew = run(crashed()).violated();
    assert!(anew.contains("a new beginning"), "{anew}");
}

#[test]
fn a_record_that_is_not_true_is_noticed() {
    let one = || run(log());
    one().then(saved(0, 0)).holds();
    assert!(
        one()
            .at(1.0)
            .then(saved(0, 0))
            .violated()
            .contains("1 task runs")
    );
    assert!(one().then(saved(2, 0)).violated().contains("found 2"));
    assert!(one().then(saved(1, 1)).violated().contains("found 1 and 0"));
    let silent = StateSaved {
        record: Json(json!({ "statistics": { "total_task_runs": 1 } })),
    };
    assert!(one().then(silent).violated().contains("found none"));
}

#[test]
fn what_is_not_saved_in_time_is_noticed_when_it_is_lost() {
    let lost = crash(run(log()).at(611.0)).violated();
    assert!(lost.contains("found 611 s"), "{lost}");
    crash(run(log()).at(609.0)).holds();
    let looked = run(run(log()).at(620.0));
    assert!(crash(looked.at(621.0)).violated().contains("found 621 s"));
}

#[test]
fn a_scheduler_that_could_not_save_is_not_blamed() {
    let busy = run(log()).at(100.0).then(TaskRunStarted {
        task: "slow".into(),
        symbol: "BTC/USDT".into(),
        forced: false,
    });
    crash(busy.at(2_000.0)).holds();
    let down = StoreFailed {
        operation: "save_state".into(),
    };
    crash(run(log()).at(605.0).then(down).at(700.0)).holds();
}

/// Fails if what waited for a slot of a look is taken for the next look, which would save.
#[test]
fn what_waited_for_a_slot_is_of_the_same_look() {
    let started = |task: &'static str| TaskRunStarted {
        task: task.into(),
        symbol: "BTC/USDT".into(),
        forced: false,
    };
    let next = |at| {
        let busy = run(log()).at(100.0).then(started("slow")).at(700.0);
        let over = busy.then(TaskFinished {
            task: "slow".into(),
        });
        crash(over.at(at).then(started("next")).at(705.0))
    };
    next(700.0).holds();
    assert!(next(701.0).violated().contains("found 705 s"));
}

/// Fails if a save that a command asked for makes a stopped scheduler one that saves.
#[test]
fn a_scheduler_that_was_stopped_is_not_blamed() {
    let stopped = run(log()).then(ScheduleEnded {});
    let cleared = stopped.at(5.0).then(saved(1, 0));
    crash(cleared.at(6.0).then(failed(1)).at(2_000.0)).holds();
}
