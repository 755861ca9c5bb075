//! Twenty years of daily bars: nothing happens between them, and a weekend makes nothing too old.

use std::collections::BTreeMap;

use dacapo_kernel::{Finding, Verdict};
use dacapo_lab::scenario::load;
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::message::Topic;
use dacapo_tests::{Story, events, record, set};

use super::{examined, figure, judged, money, property};

const DAY_S: u64 = 86_400;

#[test]
fn twenty_years_complete_and_meet_what_is_expected_of_them() {
    let examined = examined(Story::Sp500.log());
    assert!(examined.is_whole());
    assert_eq!(examined.world.verdict, Some(Verdict::Complete));
    let judgement = judged(&examined);
    assert!(judgement.is_good(), "{:?}", judgement.failures);
    assert_eq!(examined.world.view.bars_read[0].bars, 5_105);
    assert!(figure(&judgement, "filled_orders") > 100);
    for id in ["evidence.fresh", "evidence.window", "bus.latest"] {
        let found = property(&examined.findings, id);
        assert_eq!(found.finding, Finding::Held, "{id}");
    }
    money::audit(Story::Sp500.log()).unwrap_or_else(|error| panic!("{error}"));
}

/// Fails if a task, a save or a watch ticks between the bars: what happens, happens within a minute of a close.
#[test]
fn nothing_ticks_between_the_bars() {
    let events = events(Story::Sp500.log());
    let last = events.len() - 1;
    let between = events[..last].iter().filter(|event| {
        let since_close = event.time.as_nanos() / 1_000_000_000 % DAY_S;
        since_close > 60
    });
    assert_eq!(between.count(), 0);
    let saves = events
        .iter()
        .filter(|event| matches!(event.domain(), Some(DomainEvent::StateSaved(_))));
    let saves = saves.count();
    // One for every 20 of 5,105 bars, and what must not wait; every 600 seconds would be a million.
    assert!((255..2_500).contains(&saves), "{saves}");
    // A run of so many bars with so few events costs what they cost, and nothing for the years between.
    assert!(events.len() < 5_105 * 60, "{} events", events.len());
}

/// Fails if a window in bars is read as time, or a weekend counts as two bars.
#[test]
fn a_weekly_regime_counts_until_the_next_one_and_no_longer() {
    let with =
        |window: &str| record(&Story::Sp500.path(), &set(&["run.duration=8760h", window])).log;
    let cited = |log: &[u8]| {
        let mut count: BTreeMap<Topic, u64> = BTreeMap::new();
        let mut signals = 0;
        for event in events(log) {
            if let Some(DomainEvent::ConsensusBuilt(built)) = event.domain() {
                // A regime takes more bars to be known than a trend.
                let first = count.contains_key(&Topic::RegimeUpdates);
                let has = built
                    .evidence
                    .iter()
                    .any(|it| it.topic == Topic::RegimeUpdates);
                if !first && !has {
                    continue;
                }
                signals += 1;
                for evidence in &built.evidence {
                    *count.entry(evidence.topic).or_default() += 1;
                }
            }
        }
        let of = |topic| count.get(&topic).copied().unwrap_or(0);
        (signals, of(Topic::TaSignals), of(Topic::RegimeUpdates))
    };
    let (signals, trends, regimes) = cited(&with("evidence_windows.regime_updates_bars=5"));
    assert!(signals > 30, "{signals}");
    assert_eq!((trends, regimes), (signals, signals), "each has both");
    let (signals, _, regimes) = cited(&with("evidence_windows.regime_updates_bars=0"));
    assert!(
        regimes > 0 && regimes < signals / 2,
        "{regimes} of {signals}"
    );
    // In seconds, a day is too short for a weekend and for all but the newest.
    let seconds = "evidence_windows={ta_signals_bars=0, regime_updates=100000}";
    let (signals, _, regimes) = cited(&with(seconds));
    assert!(regimes > 0 && regimes < signals, "{regimes} of {signals}");
}

/// Fails if a count of bars is taken where no bar ever closes.
#[test]
fn counts_of_bars_need_bars() {
    for (value, told) in [
        (
            "evidence_windows.ta_signals_bars=1",
            "evidence would count for ever",
        ),
        ("store.save_bars=10", "nothing would be saved"),
        ("store.save_bars=0", "expected at least 1 bar, found 0"),
        (
            "schedules.technical_analysis.interval_bars=2",
            "the task would never run",
        ),
    ] {
        let path = Story::Day.path();
        let error = load::<Orchestration>(&path, &set(&[value])).err();
        let error = error
            .unwrap_or_else(|| panic!("{value} is accepted"))
            .to_string();
        assert!(error.contains(told), "{error}");
    }
}
