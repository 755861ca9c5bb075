//! Twenty-four hours of all five agents on generated prices.

use dacapo_kernel::{Finding, Verdict};
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::{Story, events, record, set};

use super::{examined, figure, judged, money, property};

#[test]
fn the_day_completes_and_meets_what_is_expected_of_it() {
    let examined = examined(Story::Day.log());
    assert!(examined.is_whole());
    assert_eq!(examined.world.verdict, Some(Verdict::Complete));
    assert_eq!(Some(examined.world.now), examined.plan.end());
    let judgement = judged(&examined);
    assert!(judgement.is_good(), "{:?}", judgement.failures);
    assert_eq!(
        judgement.expectations.len(),
        3,
        "the verdict and two figures"
    );
    assert_eq!(
        property(&examined.findings, "live.no-deadlock").finding,
        Finding::Held
    );
}

/// Three symbols, an interval each, and a whole day: how often each task runs is arithmetic.
/// Only the technical analysis also runs at the start; the others wait for their first interval.
/// Each iteration that takes its time moves the grid of looks, so that the last run of the day may
/// fall just beyond it.
#[test]
fn all_five_agents_run_as_often_as_their_intervals_say() {
    let view = examined(Story::Day.log()).world.view;
    let runs: Vec<(&str, u64, u64)> = view
        .coordinator
        .tasks
        .iter()
        .map(|(name, task)| (name.as_str(), task.done, task.failed))
        .collect();
    let expected = [
        ("portfolio_check", 1, 24),
        ("regime_detection", 3, 24 * 12),
        ("sentiment_analysis", 3, 24 * 2),
        ("ta_analysis", 3, 24 * 60 + 1),
        ("trading_decision", 3, 24),
    ];
    assert_eq!(runs.len(), expected.len());
    for ((name, done, failed), (task, symbols, times)) in runs.into_iter().zip(expected) {
        assert_eq!((name, failed), (task, 0));
        let most = symbols * times;
        assert!(
            (most - symbols..=most).contains(&done),
            "{name}: {done} of {most}"
        );
    }
    let still_running: u64 = view
        .coordinator
        .tasks
        .values()
        .map(|task| task.running)
        .sum();
    assert_eq!(still_running, 0);
}

#[test]
fn every_signal_ends_in_exactly_one_way() {
    // Rebalancing sends orders of its own, and a signal of the last minute is left unfinished.
    let off = set(&[
        "schedules.portfolio_rebalance.enabled=false",
        "run.duration=23h 30m",
    ]);
    let examined = examined(&record(&Story::Day.path(), &off).log);
    let (judgement, view) = (judged(&examined), &examined.world.view);
    let sum = |counts: &std::collections::BTreeMap<_, u64>| -> u64 { counts.values().sum() };
    let resolved: u64 = sum(&view.coordinator.resolutions);
    assert_eq!(resolved, figure(&judgement, "conflicts"));
    assert!(
        view.coordinator.resolutions.len() >= 3,
        "{:?}",
        view.coordinator.resolutions
    );
    assert_eq!(
        view.models.replied + view.models.failed,
        figure(&judgement, "model_calls")
    );

    let waited = |action: &str| {
        view.coordinator
            .resolutions
            .get(action)
            .copied()
            .unwrap_or(0)
    };
    let proposed = figure(&judgement, "signals") - waited("wait") - waited("abort");
    assert_eq!(
        proposed,
        view.trading.approved + figure(&judgement, "risk_rejections")
    );
    assert_eq!(view.trading.approved, figure(&judgement, "orders"));
    let answered = view.trading.filled + view.trading.resting + sum(&view.trading.refused);
    assert_eq!(answered, figure(&judgement, "orders"));
}

/// A price every minute for each of the three symbols, from the first instant to the last.
#[test]
fn the_market_ticks_all_day() {
    let view = examined(Story::Day.log()).world.view;
    let trades: Vec<u64> = view.market.values().map(|market| market.trades).collect();
    assert_eq!(trades, [24 * 60 + 1; 3]);
}

#[test]
fn no_agent_is_asked_about_a_symbol_twice_at_once() {
    let mut running = std::collections::BTreeSet::new();
    for event in events(Story::Day.log()) {
        match event.domain() {
            Some(DomainEvent::TaskRunStarted(run)) => {
                let is_new = running.insert((run.task.clone(), run.symbol.clone()));
                assert!(is_new, "event {}: {run:?} while it runs already", event.seq);
            }
            Some(DomainEvent::TaskRunEnded(run)) => {
                let was_running = running.remove(&(run.task.clone(), run.symbol.clone()));
                assert!(
                    was_running,
                    "event {}: {run:?} without a beginning",
                    event.seq
                );
            }
            _ => {}
        }
    }
}

#[test]
fn money_is_conserved() {
    let fills = money::audit(Story::Day.log()).unwrap_or_else(|error| panic!("{error}"));
    assert!(fills >= 20, "only {fills} executions");
}
