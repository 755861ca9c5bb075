//! When the rows of a tape become visible, and what is counted on the way.

use proptest::prelude::*;

use super::*;

fn config(order: Option<TapeOrder>) -> TapeConfig {
    TapeConfig {
        order,
        ..TapeConfig::new("t.csv")
    }
}

fn read(config: &TapeConfig, text: &str) -> (Vec<Tick>, TapeRead) {
    let mut tape = Tape::open(config, text.as_bytes()).unwrap();
    let ticks = tape.by_ref().collect::<Result<_, _>>().unwrap();
    (ticks, tape.read().clone())
}

/// Each tick as its time in the unit of the test and the price, which tells rows apart.
fn seen(ticks: &[Tick]) -> Vec<String> {
    let line = |tick: &Tick| match tick.kind {
        TickKind::Trade { price, .. } => format!("{}: {price}", tick.time_ns),
        TickKind::Quote { bid, ask, .. } => format!("{}: {bid}/{ask}", tick.time_ns),
        TickKind::Bar(_) => unreachable!("a tape has no bars"),
    };
    ticks.iter().map(line).collect()
}

const BOTH_CLOCKS: &str = "\
received_ns,exchange_ns,symbol,price,size
1010,1000,A,1,1
1030,1020,A,2,1
1025,1005,A,3,1
1040,1020,A,4,1
1040,990,A,5,1
";

#[test]
fn received_keeps_the_file_and_never_goes_back() {
    let (ticks, report) = read(&config(Some(TapeOrder::Received)), BOTH_CLOCKS);
    assert_eq!(seen(&ticks), ["0: 1", "20: 2", "20: 3", "30: 4", "30: 5"]);
    let (received, exchange) = (report.received.unwrap(), report.exchange.unwrap());
    assert_eq!(
        (
            received.backwards,
            received.ties,
            received.largest_step_back_ns
        ),
        (1, 1, 5)
    );
    assert_eq!(
        (
            exchange.backwards,
            exchange.ties,
            exchange.largest_step_back_ns
        ),
        (2, 0, 30)
    );
    assert_eq!((exchange.from_ns, exchange.to_ns), (990, 1_020));
    assert_eq!(report.moved, 0);
}

#[test]
fn exchange_time_sorts_and_leaves_ties_as_they_were() {
    let (ticks, report) = read(&config(Some(TapeOrder::ExchangeTime)), BOTH_CLOCKS);
    assert_eq!(seen(&ticks), ["0: 5", "10: 1", "15: 3", "30: 2", "30: 4"]);
    assert_eq!(report.moved, 4);
}

#[test]
fn the_default_is_what_could_have_been_known() {
    let (_, report) = read(&config(None), BOTH_CLOCKS);
    assert!(!report.by_exchange_time);
    let (_, report) = read(&config(None), "exchange_ms,symbol,price,size\n1,A,1,1\n");
    assert!(report.by_exchange_time);
}

#[test]
fn an_order_needs_its_clock() {
    for (order, header, column) in [
        (TapeOrder::Received, "exchange_ns", "received_ns"),
        (TapeOrder::ExchangeTime, "received_ns", "exchange_ns"),
    ] {
        let text = format!("{header},symbol,price,size\n1,A,1,1\n");
        let error = Tape::open(&config(Some(order)), text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("t.csv:1: order") && error.contains(column),
            "{error}"
        );
    }
}

#[test]
fn rows_before_the_start_are_skipped_and_counted() {
    let start = Some("1970-01-01T00:00:02Z".parse().unwrap());
    let text = "received_ms,symbol,price,size\n1500,A,1,1\n2000,A,2,1\n1900,A,3,1\n2500,A,4,1\n";
    let (ticks, report) = read(
        &TapeConfig {
            start,
            ..config(None)
        },
        text,
    );
    // The third row arrived out of turn, after the run had begun.
    assert_eq!(seen(&ticks), ["0: 2", "0: 3", "500000000: 4"]);
    assert_eq!(report.before_start, 1);
}

#[test]
fn prices_of_zero_or_less_are_left_out_and_counted() {
    let text = "received_ms,symbol,kind,price,size,bid,bid_size,ask,ask_size\n\
        1,A,trade,0,1,,,,\n\
        2,A,trade,-37.63,1,,,,\n\
        3,A,quote,,,0,0,5,1\n\
        4,A,quote,,,6,1,5,1\n\
        5,A,trade,5,0,,,,\n\
        6,A,quote,,,5,1,5,1\n";
    let (ticks, report) = read(&config(None), text);
    assert_eq!(seen(&ticks), ["0: 6/5", "1000000: 5", "2000000: 5/5"]);
    assert_eq!((report.rows, report.trades, report.quotes), (6, 3, 3));
    assert_eq!((report.without_price, report.crossed), (3, 1));
}

#[test]
fn a_gap_is_longer_than_its_bound() {
    let text = "received_ms,symbol,price,size\n0,A,1,1\n5000,A,1,1\n10001,A,1,1\n";
    let (_, report) = read(
        &TapeConfig {
            gap_s: 5,
            ..config(None)
        },
        text,
    );
    assert_eq!((report.gaps, report.longest_pause_ns), (1, 5_001_000_000));
}

#[test]
fn reads_what_other_programs_write() {
    let plain = "exchange_us,symbol,price,size\n1,BRK.B,1.50,2\n";
    let windows = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
    let without_last_end = plain.trim_end();
    let (expected, _) = read(&config(None), plain);
    assert_eq!(expected.len(), 1);
    for text in [windows.as_str(), without_last_end] {
        assert_eq!(read(&config(None), text).0, expected, "{text:?}");
    }
}

#[test]
fn a_tape_counts_what_has_been_read() {
    let mut tape = Tape::open(&config(None), BOTH_CLOCKS.as_bytes()).unwrap();
    assert_eq!(tape.start_unix_ns(), None);
    tape.next().unwrap().unwrap();
    assert_eq!(tape.start_unix_ns(), Some(1_010));
    assert_eq!(tape.read().rows, 1);
}

proptest! {
    #[test]
    fn any_times_become_visible_in_order(times in prop::collection::vec((0u64..50, 0u64..50), 1..60)) {
        let mut text = String::from("received_ns,exchange_ns,symbol,price,size\n");
        for (row, (received, exchange)) in times.iter().enumerate() {
            text += &format!("{received},{exchange},A,{},1\n", row + 1);
        }
        let row_of = |tick: &Tick| match tick.kind {
            TickKind::Trade { price, .. } => price.mantissa() as usize - 1,
            TickKind::Quote { .. } | TickKind::Bar(_) => unreachable!("only trades are written"),
        };

        let (ticks, report) = read(&config(Some(TapeOrder::Received)), &text);
        prop_assert_eq!(ticks.iter().map(row_of).collect::<Vec<_>>(), (0..times.len()).collect::<Vec<_>>());
        for (row, tick) in ticks.iter().enumerate() {
            let latest = times[..=row].iter().map(|(received, _)| *received).max().unwrap();
            prop_assert_eq!(tick.time_ns, latest - times[0].0);
        }
        let steps = || times.windows(2).map(|pair| (pair[0].0, pair[1].0));
        let received = report.received.unwrap();
        prop_assert_eq!(received.backwards, steps().filter(|(a, b)| b < a).count() as u64);
        prop_assert_eq!(received.ties, steps().filter(|(a, b)| b == a).count() as u64);

        let (ticks, _) = read(&config(Some(TapeOrder::ExchangeTime)), &text);
        let keys: Vec<_> = ticks.iter().map(|tick| (times[row_of(tick)].1, row_of(tick))).collect();
        prop_assert_eq!(keys.len(), times.len());
        prop_assert!(keys.is_sorted());
        for (tick, key) in ticks.iter().zip(&keys) {
            prop_assert_eq!(tick.time_ns, key.0 - keys[0].0);
        }
    }
}
