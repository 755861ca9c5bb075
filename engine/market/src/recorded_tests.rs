//! The recording that ships with the scenarios, counted again.

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use rust_decimal::Decimal;

use super::*;

const RECORDING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../scenarios/data/binance-2025-03-25.csv.gz"
);

fn bytes() -> Vec<u8> {
    fs::read(RECORDING).unwrap()
}

fn config(order: Option<TapeOrder>) -> TapeConfig {
    TapeConfig {
        order,
        ..TapeConfig::new("binance.csv.gz")
    }
}

fn ticks(config: &TapeConfig) -> (Vec<Tick>, TapeRead) {
    let bytes = bytes();
    let mut tape = Tape::open(config, &bytes[..]).unwrap();
    let ticks = tape.by_ref().collect::<Result<_, _>>().unwrap();
    (ticks, tape.read().clone())
}

#[test]
fn is_the_text_that_was_converted() {
    let mut text = Vec::new();
    GzDecoder::new(&bytes()[..]).read_to_end(&mut text).unwrap();
    assert_eq!(text.len(), 4_342_222);
    assert_eq!(
        blake3::hash(&text).to_hex().as_str(),
        "785923974e0d4faac3279e8d758635845c416e966f80854fa603817859f4f8c0"
    );
}

#[test]
fn has_the_counts_that_its_readme_states() {
    let (ticks, report) = ticks(&config(None));
    assert_eq!(ticks.len(), 50_000);
    assert_eq!(
        (report.rows, report.trades, report.quotes),
        (50_000, 11_032, 38_968)
    );
    assert_eq!((report.symbols, report.moved, report.gaps), (3, 0, 0));
    assert_eq!(report.longest_pause_ns / 1_000_000, 430);
    let odd = [report.without_price, report.crossed, report.before_start];
    assert_eq!(odd, [0, 0, 0]);
    let clock = |clock: Option<ClockRead>| {
        let clock = clock.unwrap();
        (
            clock.backwards,
            clock.largest_step_back_ns / 1_000_000,
            clock.ties,
        )
    };
    assert_eq!(clock(report.exchange), (10_272, 975, 664));
    assert_eq!(clock(report.received), (9_078, 767, 0));
}

#[test]
fn sorting_by_exchange_time_moves_most_rows_and_loses_none() {
    let (ticks, report) = ticks(&config(Some(TapeOrder::ExchangeTime)));
    assert_eq!((ticks.len(), report.moved), (50_000, 41_908));
    assert!(ticks.is_sorted_by_key(|tick| tick.time_ns));
    // 23:07:00.715 is the first trade, 23:10:05.263956551 the last quote.
    assert_eq!(
        (ticks[0].time_ns, ticks[49_999].time_ns),
        (0, 184_548_956_551)
    );
}

#[test]
fn keeps_prices_and_sizes_exactly() {
    let (ticks, _) = ticks(&config(None));
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    let TickKind::Trade { price, size, side } = ticks[4].kind else {
        panic!("{:?}", ticks[4])
    };
    assert_eq!(
        (price, size, side),
        (decimal("87232"), decimal("0.00012"), Some(Side::Sell))
    );
    let TickKind::Quote {
        bid,
        bid_size,
        ask,
        ask_size,
    } = ticks[0].kind
    else {
        panic!("{:?}", ticks[0])
    };
    assert_eq!(
        [bid, bid_size, ask, ask_size],
        ["2059.1", "33.0914", "2059.11", "3.0146"].map(decimal)
    );
}

#[test]
fn starts_where_the_scenario_says() {
    let start = "2025-03-25T23:08:00Z".parse().unwrap();
    let (ticks, report) = ticks(&TapeConfig {
        start: Some(start),
        ..config(None)
    });
    assert_eq!(report.rows, 50_000);
    assert_eq!(report.before_start + ticks.len() as u64, 50_000);
    assert!(report.before_start > 10_000, "{report:?}");
    // The first row after 23:08:00 comes within a second of it.
    assert!(ticks[0].time_ns < 1_000_000_000);
    assert_eq!(ticks.last().unwrap().time_ns, 125_263_970_096);
}
