//! Figures of the shipped scenarios: the same from a run and from its log, and of what the account is worth.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot prepare itself fails, and says where"
)]

use std::collections::BTreeSet;

use dacapo_kernel::{Measured, Run, System, Time, Wanted};
use dacapo_lab::figures as fold;
use dacapo_lab::scenario::load;
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::{Story, events, reader, record, set};

fn of_log(log: &[u8], wanted: Wanted) -> Measured {
    let figured = fold::<Orchestration>(reader(log), wanted, |_, _| {});
    let figured = figured.unwrap_or_else(|error| panic!("{error}"));
    figured.measured.expect("the orchestration makes figures")
}

fn value(measured: &Measured, part: usize, name: &str) -> Result<f64, String> {
    let mut figures = measured.parts[part].figures.iter();
    let figure = figures.find(|figure| figure.name == name);
    figure
        .unwrap_or_else(|| panic!("there is no figure {name}"))
        .value
        .clone()
}

// Fails if a figure is made of anything but events, or of events in another state than the log's.
#[test]
fn a_run_and_its_log_have_the_same_figures() {
    let overrides = set(&["run.duration=3h"]);
    let path = Story::Day.path();
    let recorded = record(&path, &overrides);
    let loaded = load::<Orchestration>(&path, &overrides).unwrap();
    let wanted = Wanted {
        split: Some(Time::from_secs(3_600)),
        intervals: true,
    };
    let run = Run::<Orchestration>::new(&loaded.plan).measured(wanted);
    let outcome = run.discard(&loaded.files).unwrap();
    let of_run = outcome.measured.unwrap();
    assert_eq!(of_run, of_log(&recorded.log, wanted));
    assert!(of_run.parts[0].figures.iter().any(|f| f.interval.is_some()));
    // A run whose figures are made is the same run.
    assert_eq!(outcome.events, recorded.outcome.events);
    assert_eq!(recorded.outcome.measured, None);
}

// Fails if balances, prices or positions on margin are read wrongly: the risk engine is told what the account
// is worth by the exchange, which keeps its own books.
#[test]
fn the_account_is_worth_what_the_exchange_says() {
    let log = Story::BinanceTape.log();
    let plan = record(&Story::BinanceTape.path(), &set(&["run.duration=1s"])).plan;
    let events = events(log);
    let judged = events.iter().enumerate().filter_map(|(at, event)| {
        let Some(DomainEvent::RiskJudged(judged)) = event.domain() else {
            return None;
        };
        Some((at, judged.basis.as_ref()?.equity.to_f64()))
    });
    let judged: Vec<(usize, f64)> = judged.step_by(9).collect();
    assert!(judged.len() > 4, "{}", judged.len());
    for (at, told) in judged {
        let mut measure = Orchestration::measure(&plan, Wanted::default()).unwrap();
        events[..at].iter().for_each(|event| measure.observe(event));
        let measured = measure.finish(events[at].time);
        let ours = value(&measured, 0, "equity_end").unwrap();
        assert!((ours - told).abs() < 1e-6, "event {at}: {ours} {told}");
    }
}

// Fails if what belongs to one part is told of another: what can be added up adds up.
#[test]
fn the_parts_of_a_run_make_up_the_whole() {
    let wanted = Wanted {
        split: Some(Time::from_secs(40_000)),
        intervals: false,
    };
    let measured = of_log(Story::Day.log(), wanted);
    assert_eq!(measured.parts.len(), 3);
    for name in ["executions", "trades", "fees", "model_calls", "periods"] {
        let [whole, before, after] = [0, 1, 2].map(|part| value(&measured, part, name).unwrap());
        assert!((whole - before - after).abs() < 1e-9, "{name}");
        assert!(
            before > 0.0 && after > 0.0 || name == "trades",
            "{name}: {before} {after}"
        );
    }
    let grown = |part| 1.0 + value(&measured, part, "total_return").unwrap();
    assert!((grown(0) - grown(1) * grown(2)).abs() < 1e-12);
    assert_eq!(
        value(&measured, 1, "equity_end"),
        value(&measured, 2, "equity_start")
    );
}

// Fails if a run of which nothing can be said gives a number that is none, or a panic.
#[test]
fn a_run_without_trades_has_reasons_instead_of_figures() {
    let nothing = set(&["run.duration=90s", "paper.initial_balance={}"]);
    let recorded = record(&Story::Day.path(), &nothing);
    let measured = of_log(&recorded.log, Wanted::default());
    for figure in &measured.parts[0].figures {
        match &figure.value {
            Ok(value) => assert!(value.is_finite(), "{}", figure.name),
            Err(why) => assert!(!why.is_empty(), "{}", figure.name),
        }
    }
    for name in [
        "total_return",
        "sharpe",
        "max_drawdown",
        "win_rate",
        "turnover",
    ] {
        let value = value(&measured, 0, name);
        assert!(value.is_err() || value == Ok(0.0), "{name}: {value:?}");
    }
    let halved = set(&["run.duration=90s", "trading_mode=live"]);
    let live = of_log(&record(&Story::Day.path(), &halved).log, Wanted::default());
    let why = "a live executor keeps no account".to_owned();
    assert_eq!(value(&live, 0, "total_return"), Err(why));
}

// Fails if the price table or the period of a scenario has no say, or changes the run.
#[test]
fn the_section_figures_changes_the_figures_and_nothing_of_the_run() {
    let plain = record(&Story::Day.path(), &set(&["run.duration=2h"]));
    let priced = record(
        &Story::Day.path(),
        &set(&[
            "run.duration=2h",
            "figures.period=1h",
            "figures.model_prices.deepseek-chat.per_call=0.25",
            "figures.model_prices.claude-3-5-sonnet-20241022.per_call=0.25",
        ]),
    );
    assert_eq!(plain.outcome.events, priced.outcome.events);
    let of = |log: &[u8], name: &str| value(&of_log(log, Wanted::default()), 0, name);
    assert_eq!(of(&plain.log, "period"), Ok(60.0));
    assert_eq!(of(&priced.log, "period"), Ok(3_600.0));
    let calls = of(&priced.log, "model_calls").unwrap();
    assert!(calls > 0.0);
    assert_eq!(of(&priced.log, "model_cost"), Ok(calls / 4.0));
    assert!(of(&plain.log, "model_cost").is_err());
}

// Fails if a bar is no price: the account of a run on bars would be worth what its last trade made it, and have a
// point on the days on which something was traded alone.
#[test]
fn the_account_goes_by_the_closes_of_bars() {
    let log = Story::Eurusd.log();
    let series = of_log(log, Wanted::default()).series.unwrap();
    let fills = events(log).into_iter().filter(|event| {
        let domain = event.domain();
        matches!(domain, Some(DomainEvent::Filled(_)))
    });
    let fills = fills.count();
    let worths: BTreeSet<u64> = series.points.iter().map(|it| it.1[0].to_bits()).collect();
    assert!(series.points.len() > 300, "{} points", series.points.len());
    assert!(
        worths.len() > 100 && worths.len() > fills,
        "{} worths, {fills} fills",
        worths.len()
    );
}
