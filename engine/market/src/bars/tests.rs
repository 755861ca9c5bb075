//! Files of bars, good and bad: each test names a file and what it must give.

use super::*;
use crate::Merged;

const START: i64 = 1_522_800_000_000_000_000;

fn config(change: impl FnOnce(&mut BarsConfig)) -> BarsConfig {
    let mut config = BarsConfig::new(vec![BarFile::new("a.csv", "BTC/USDT", Stamped::Open)]);
    change(&mut config);
    config
}

fn read_with(config: &BarsConfig, start_ns: i64, text: &str) -> Result<Bars, String> {
    let bars = Bars::read(config, &config.files[0], start_ns, text.as_bytes());
    bars.map_err(|error| error.to_string())
}

fn read(text: &str) -> Result<Bars, String> {
    read_with(&config(|_| {}), START, text)
}

fn rows(rows: &[&str]) -> String {
    let mut text = "time,open,high,low,close,volume\n".to_owned();
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text
}

fn seconds(bars: Bars) -> Vec<u64> {
    bars.map(|tick| tick.time_ns / 1_000_000_000).collect()
}

const THREE: [&str; 3] = [
    "2018-04-04T00:00:00Z,10,12,9,11,1",
    "2018-04-04T00:01:00Z,11,13,10,12,1",
    "2018-04-04T00:02:00Z,12,14,11,13,1",
];

/// A bar that is shown at its open shows what has not happened yet: then this fails.
#[test]
fn a_bar_is_visible_at_its_close() {
    assert_eq!(seconds(read(&rows(&THREE)).unwrap()), [60, 120, 180]);
    let closes = config(|it| it.files[0].stamped = Stamped::Close);
    let bars = read_with(&closes, START, &rows(&THREE)).unwrap();
    assert_eq!(seconds(bars), [0, 60, 120]);
    let stated = config(|it| it.files[0].bar_s = Some(90));
    let bars = read_with(&stated, START, &rows(&THREE)).unwrap();
    assert_eq!(seconds(bars.clone()), [90, 150, 210]);
    assert_eq!(
        (bars.report().short_steps, bars.report().bar_is_stated),
        (2, true)
    );
}

#[test]
fn the_most_common_step_is_the_length_of_a_bar() {
    let text = rows(&[
        "2018-04-04T00:00:00Z,1,1,1,1,1",
        "2018-04-04T00:01:00Z,1,1,1,1,1",
        "2018-04-04T00:02:00Z,1,1,1,1,1",
        "2018-04-04T06:00:00Z,1,1,1,1,1",
    ]);
    let bars = read(&text).unwrap();
    assert_eq!(bars.report().bar_ns, 60_000_000_000);
    assert_eq!(
        (
            bars.report().gaps,
            bars.report().longest_pause_ns / 1_000_000_000
        ),
        (1, 21_480)
    );
    let error = read(&rows(&THREE[..1])).unwrap_err();
    assert!(error.contains("say bar_s = 86400"), "{error}");
}

#[test]
fn what_closed_before_the_start_is_left_out() {
    let bars = read_with(&config(|_| {}), START + 120_000_000_000, &rows(&THREE)).unwrap();
    assert_eq!((bars.report().before_start, bars.report().bars), (1, 2));
    assert_eq!(seconds(bars), [0, 60]);
    let error = read_with(&config(|_| {}), START + 999_000_000_000, &rows(&THREE)).unwrap_err();
    assert!(
        error.contains("the last closes at 2018-04-04T00:03:00Z; see run.start"),
        "{error}"
    );
}

/// Prices that no market can have made are refused with their place, or dropped if the scenario says so.
#[test]
fn nonsense_is_refused_with_its_row_and_column_or_dropped() {
    for (row, what) in [
        ("10,12,9,-1,1", "column \"close\": -1 is no price"),
        ("0,12,9,11,1", "column \"open\": 0 is no price"),
        (
            "10,8,9,10,1",
            "column \"high\": the high 8 is below the low 9",
        ),
        (
            "20,12,9,11,1",
            "column \"open\": 20 lies outside of 9 to 12",
        ),
        ("10,12,9,8,1", "column \"close\": 8 lies outside"),
        ("10,12,9,11,-1", "column \"volume\": -1 is below zero"),
        (
            "10,NaN,9,11,1",
            "column \"high\": an empty cell where a price",
        ),
        ("10,,9,11,1", "column \"high\": an empty cell"),
        (
            "10,\"1,2\",9,11,1",
            "column \"high\": expected a number with a point",
        ),
    ] {
        let bad = format!("2018-04-04T00:03:00Z,{row}");
        let text = rows(&[THREE[0], THREE[1], THREE[2], &bad]);
        let error = read(&text).unwrap_err();
        assert!(error.starts_with("a.csv: line 5, "), "{error}");
        assert!(error.contains(what), "{error}");
        let dropped = read_with(&config(|it| it.nonsense = Nonsense::Drop), START, &text).unwrap();
        assert_eq!(
            (dropped.report().nonsense, dropped.report().bars),
            (1, 3),
            "{row}"
        );
    }
}

#[test]
fn repeats_are_dropped_and_counted_or_refused() {
    let text = rows(&[
        THREE[0],
        THREE[1],
        THREE[1],
        "2018-04-04T00:01:00Z,9,9,9,9,1",
        THREE[2],
    ]);
    let bars = read(&text).unwrap();
    assert_eq!((bars.report().repeats, bars.report().differing), (2, 1));
    let closes: Vec<Tick> = bars.collect();
    assert_eq!(closes.len(), 3);
    let TickKind::Bar(second) = closes[1].kind else {
        panic!("a bar")
    };
    assert_eq!(second.close, Decimal::from(12), "the first of them is kept");
    let error = read_with(&config(|it| it.repeats = Repeats::Refuse), START, &text).unwrap_err();
    assert!(
        error.starts_with("a.csv: line 4, column \"time\": 2018-04-04T00:01:00Z is on line 3"),
        "{error}"
    );
}

#[test]
fn rows_that_go_backwards_are_sorted_dropped_or_refused() {
    let text = rows(&[THREE[2], THREE[1], THREE[0]]);
    let bars = read(&text).unwrap();
    assert_eq!(bars.report().backwards, 2);
    assert_eq!(seconds(bars), [60, 120, 180]);
    let dropped = config(|it| {
        it.backwards = Backwards::Drop;
        it.files[0].bar_s = Some(60);
    });
    assert_eq!(seconds(read_with(&dropped, START, &text).unwrap()), [180]);
    let refused = config(|it| it.backwards = Backwards::Refuse);
    let error = read_with(&refused, START, &text).unwrap_err();
    assert!(
        error.starts_with("a.csv: line 3, column \"time\": "),
        "{error}"
    );
}

#[test]
fn gaps_are_counted_or_refused() {
    let text = rows(&[THREE[0], THREE[1], "2018-04-04T00:05:00Z,1,1,1,1,1"]);
    let stated = |gaps| {
        config(|it| {
            it.gaps = gaps;
            it.files[0].bar_s = Some(60);
        })
    };
    assert_eq!(
        read_with(&stated(Gaps::Count), START, &text)
            .unwrap()
            .report()
            .gaps,
        1
    );
    let error = read_with(&stated(Gaps::Refuse), START, &text).unwrap_err();
    assert!(
        error.starts_with("a.csv: line 4: nothing between"),
        "{error}"
    );
}

#[test]
fn mixed_zones_wrong_columns_and_two_markets_are_refused() {
    let mixed = rows(&[THREE[0], "2018-04-04 00:01:00,11,13,10,12,1"]);
    let error = read(&mixed).unwrap_err();
    assert!(
        error.starts_with("a.csv: line 3, column \"time\": "),
        "{error}"
    );
    assert!(error.contains("those before it have a zone"), "{error}");
    let error = read("time,open,high,low\n2018-04-04,1,1,1\n").unwrap_err();
    assert!(
        error.starts_with("a.csv: line 1: no column for the close"),
        "{error}"
    );
    let two = "date,symbol,close\n2018-04-04,A,1\n2018-04-04,B,2\n";
    let error = read(two).unwrap_err();
    assert!(
        error.starts_with("a.csv: line 3, column \"symbol\": rows of"),
        "{error}"
    );
    assert!(
        read("time,close\n")
            .unwrap_err()
            .contains("no row after the head")
    );
}

#[test]
fn closes_alone_are_bars_too() {
    let bars = read("date,price\n2018-04-04,5\n2018-04-05,6\n").unwrap();
    assert!(
        bars.report()
            .to_string()
            .contains("columns: time = \"date\", close = \"price\"")
    );
    let TickKind::Bar(bar) = bars.last().unwrap().kind else {
        panic!("a bar")
    };
    assert_eq!(
        (bar.open, bar.high, bar.low, bar.close),
        (6.into(), 6.into(), 6.into(), 6.into())
    );
}

/// Two files in the other order must give the same merge: by time, then by symbol where the feed sorts them.
#[test]
fn bars_of_several_markets_come_by_time_then_by_source() {
    let of = |symbol: &str| {
        let config = config(|it| it.files[0].symbol = symbol.to_owned());
        read_with(&config, START, &rows(&THREE)).unwrap()
    };
    let merged = Merged::new([of("A/USDT"), of("B/USDT")]);
    let seen: Vec<String> = merged
        .map(|tick| format!("{} {}", tick.time_ns / 1_000_000_000, tick.symbol))
        .collect();
    assert_eq!(
        seen,
        [
            "60 A/USDT",
            "60 B/USDT",
            "120 A/USDT",
            "120 B/USDT",
            "180 A/USDT",
            "180 B/USDT"
        ]
    );
}

#[test]
fn the_report_says_what_was_found() {
    let text = rows(&[THREE[0], THREE[2], THREE[1], THREE[1]]);
    let expected = "a.csv: 3 bars of BTC/USDT from 4 rows
  columns: time = \"time\", open = \"open\", high = \"high\", low = \"low\", close = \"close\", volume = \"volume\"
  times: date and time with its zone
  each 1 min long, the most common step
  closing from 2018-04-04T00:01:00Z to 2018-04-04T00:03:00Z
  odd rows: 2 backwards, 1 repeated (0 differing), 0 without sense, 0 short steps
  gaps: 0 (longest pause 0 s); before the start: 0";
    assert_eq!(read(&text).unwrap().report().to_string(), expected);
}
