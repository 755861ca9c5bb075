//! Three minutes of a recorded market: real prices in, conflicts, models and orders in between.

use std::fs::File;
use std::io::{BufRead, BufReader};

use dacapo_kernel::{Finding, Time, Verdict};
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::{Story, events, root};
use flate2::read::GzDecoder;

use super::{examined, figure, judged, money, property};

#[test]
fn the_run_completes_and_meets_what_is_expected_of_it() {
    let examined = examined(Story::BinanceTape.log());
    assert!(examined.is_whole());
    assert_eq!(examined.world.verdict, Some(Verdict::Complete));
    let judgement = judged(&examined);
    assert!(judgement.is_good(), "{:?}", judgement.failures);
    let expected: Vec<&str> = judgement
        .expectations
        .iter()
        .map(|it| it.of.as_str())
        .collect();
    assert_eq!(
        expected,
        [
            "verdict",
            "figure conflicts",
            "figure filled_orders",
            "figure model_calls"
        ]
    );
    assert_eq!(
        property(&examined.findings, "live.no-deadlock").finding,
        Finding::Held
    );
}

/// An order goes the whole way: signal, consensus, conflict, model, risk, exchange, fill.
#[test]
fn agents_contradict_each_other_and_ask_the_models() {
    let examined = examined(Story::BinanceTape.log());
    let (judgement, view) = (judged(&examined), &examined.world.view);
    assert!(figure(&judgement, "signals") > figure(&judgement, "conflicts"));
    assert!(figure(&judgement, "conflicts") >= 5);
    assert_eq!(
        view.models.asked.len(),
        2,
        "the script makes the primary fail once"
    );
    assert_eq!(view.models.failed, 1);
    assert!(view.coordinator.resolutions.contains_key("proceed"));
    assert!(view.coordinator.resolutions.contains_key("wait"));
    assert!(figure(&judgement, "filled_orders") >= 5);
}

/// The rows of the tape, read by other code than the program's.
#[test]
fn every_row_of_the_tape_within_the_duration_arrives() {
    let examined = examined(Story::BinanceTape.log());
    let end = examined.plan.end().expect("the scenario has a duration");
    let times = times_of_the_tape();
    assert_eq!(times.len(), 50_000);
    let expected = times.iter().filter(|time| **time <= end).count() as u64;
    let market = &examined.world.view.market;
    let arrived: u64 = market
        .values()
        .map(|market| market.trades + market.quotes)
        .sum();
    assert_eq!(arrived, expected);
    assert!(
        arrived > 40_000,
        "the duration cuts off most of the tape: {arrived}"
    );
    let symbols: Vec<&str> = market.keys().map(|symbol| symbol.as_str()).collect();
    assert_eq!(symbols, ["BTC/USDT", "ETH/USDT", "SOL/USDT"]);
}

/// Thousands of rows carry a time before that of the row before; virtual time never goes back.
#[test]
fn rows_that_go_back_in_time_arrive_when_they_are_seen() {
    let recorded: Vec<Time> = events(Story::BinanceTape.log())
        .iter()
        .filter(|event| {
            matches!(
                event.domain(),
                Some(DomainEvent::MarketTrade(_) | DomainEvent::MarketQuote(_))
            )
        })
        .map(|event| event.time)
        .collect();
    assert_eq!(recorded, times_of_the_tape()[..recorded.len()]);
}

#[test]
fn money_is_conserved() {
    let fills = money::audit(Story::BinanceTape.log()).unwrap_or_else(|error| panic!("{error}"));
    assert!(fills >= 5, "only {fills} executions");
}

/// When each row becomes visible, counted from the first one: at its own time, or at that of a
/// row before it if that is later.
fn times_of_the_tape() -> Vec<Time> {
    let path = root().join("scenarios/data/binance-2025-03-25.csv.gz");
    let file = File::open(path).expect("the tape ships with the project");
    let mut first = None;
    let mut latest = 0;
    let rows = BufReader::new(GzDecoder::new(file)).lines().skip(1);
    rows.map(|row| {
        let row = row.expect("the tape is text");
        let received = row.split(',').next().expect("a row has columns");
        let received: u64 = received.parse().expect("the first column is a time");
        latest = latest.max(received);
        Time::from_nanos(latest - *first.get_or_insert(latest))
    })
    .collect()
}
