//! Records, trades and intents for the tests of the tables.

use proptest::prelude::*;

use crate::amount::Amount;
use crate::coordinator::Statistics;
use crate::coordinator::degradation::FailureCounts;
use crate::coordinator::state::RunState;
use crate::message::{Instant, Name};
use crate::rebalance::{Leg, RebalanceTrade};
use crate::risk::{Breaker, Periods, RiskMemory};
use crate::store::intent::Intent;
use crate::store::record::{Record, TaskRow};
use crate::symbol::Side;

/// The names of intents and trades: few, so that they meet again.
pub(super) const KEYS: [&str; 4] = ["plan-1-0", "plan-1-1", "intent-7", "it's \"quoted\" ☂"];

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        Just(Name::fixed("ta_analysis")),
        Just(Name::fixed("")),
        "\\PC{0,8}".prop_map(Name::from),
    ]
}

fn iso() -> impl Strategy<Value = Option<String>> {
    let at = any::<i32>().prop_map(|secs| {
        Instant::from_micros(i64::from(secs) * 1_000_000).to_iso(1_736_121_600_000_000)
    });
    proptest::option::of(at)
}

fn task() -> impl Strategy<Value = TaskRow> {
    let parts = (name(), any::<bool>(), iso(), proptest::option::of(iso()));
    parts.prop_map(|(name, enabled, last_run, started)| TaskRow {
        name,
        enabled,
        last_run,
        under_way: started.is_some(),
        started: started.flatten(),
    })
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..10_u64,
        Just(i64::MAX as u64),
        any::<u32>().prop_map(u64::from)
    ]
}

fn amount() -> impl Strategy<Value = Amount> {
    (any::<i64>(), 0..28_u32).prop_map(|(unscaled, scale)| Amount::new(unscaled, scale))
}

fn risk() -> impl Strategy<Value = RiskMemory> {
    let at = || proptest::option::of(any::<i32>().prop_map(i64::from));
    let period = || (any::<i32>(), proptest::option::of(amount()));
    let breakers = [
        Breaker::DailyLoss,
        Breaker::WeeklyLoss,
        Breaker::MaxDrawdown,
    ];
    let parts = (
        (period(), period()),
        amount(),
        (count(), any::<[u32; 3]>()),
        proptest::sample::subsequence(breakers.to_vec(), 0..=3),
        (at(), "\\PC{0,8}", any::<bool>()),
        (at(), at()),
    );
    parts.prop_map(
        |((day, week), peak_equity, (closings, counts), breakers, cooldown, resets)| RiskMemory {
            closings,
            periods: Periods {
                day: day.0.into(),
                day_start: day.1,
                week: week.0.into(),
                week_start: week.1,
            },
            peak_equity,
            consecutive_losses: counts[0],
            consecutive_wins: counts[1],
            trades_today: counts[2],
            breakers,
            cooldown_until: cooldown.0,
            cooldown_reason: cooldown.1,
            volatility_spike: cooldown.2,
            last_daily_reset: resets.0,
            last_weekly_reset: resets.1,
        },
    )
}

/// What may be saved of a coordinator.
pub(super) fn record() -> impl Strategy<Value = Record> {
    let state =
        proptest::sample::select(&[RunState::Running, RunState::Paused, RunState::Halted][..]);
    let failures = (any::<u32>(), any::<u32>());
    let failures = failures.prop_map(|(llm_failures, api_failures)| FailureCounts {
        llm_failures,
        api_failures,
    });
    let parts = (
        state,
        (
            proptest::option::of(name()),
            any::<bool>(),
            proptest::option::of(name()),
            proptest::option::of(risk()),
        ),
        [count(), count(), count(), count()],
        proptest::collection::vec(task(), 0..4),
        proptest::option::of(failures),
        proptest::collection::btree_map("[A-Z]{3,4}", amount(), 0..4),
    );
    parts.prop_map(
        |(state, (halt, closing, pause, risk), counts, tasks, failures, portfolio)| Record {
            state,
            halt,
            closing,
            pause,
            statistics: Statistics {
                total_task_runs: counts[0],
                total_conflicts_detected: counts[1],
                total_conflicts_resolved: counts[2],
                total_trades_routed: counts[3],
            },
            tasks,
            failures,
            risk,
            portfolio: portfolio
                .into_iter()
                .map(|(asset, amount)| (Name::from(asset), amount))
                .collect(),
        },
    )
}

/// A scheduled trade; the keys are few, the times before and after the start of a run.
pub(super) fn leg() -> impl Strategy<Value = Leg> {
    let parts = (
        proptest::sample::select(&KEYS[..]),
        prop_oneof![-3..3_i64, Just(i64::from(i32::MAX))],
        any::<bool>(),
        amount(),
        any::<i64>(),
        prop_oneof![0..3_u32, Just(u32::MAX)],
        proptest::option::of(any::<i64>()),
    );
    parts.prop_map(
        |(key, due_s, buys, amount_usd, priority, batch_index, offset)| Leg {
            key: Name::fixed(key),
            due: Instant::from_micros(due_s * 1_000_000),
            trade: RebalanceTrade {
                symbol: "BTC/USDT".to_owned(),
                action: if buys { Side::Buy } else { Side::Sell },
                amount_usd,
                execution_type: "limit".to_owned(),
                priority,
                batch_index,
                scheduled_offset_s: offset,
            },
        },
    )
}

/// An order that is about to be sent.
pub(super) fn intent() -> impl Strategy<Value = Intent> {
    let parts = (proptest::sample::select(&KEYS[..]), any::<bool>());
    parts.prop_map(|(key, is_signal)| Intent {
        key: Name::fixed(key),
        symbol: Name::fixed("XRP/USDT"),
        origin: Name::fixed(if is_signal { "signal" } else { "plan" }),
    })
}
